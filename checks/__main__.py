"""Runs every check on the repository in the working directory; exit code 1 when one finds something."""

import logging
import sys
from pathlib import Path

from checks import forbidden_words, functions, layers, pins, start_loads, state_machine, typed_borders
from checks.template import TemplateError, read_template


def main(root: Path) -> int:
    """Print every finding below `root` as a sentence and return the process's exit code."""
    logging.getLogger("moto").setLevel(logging.ERROR)  # its remarks on what it ignores are no findings
    findings = [*forbidden_words.check_tree(root), *pins.check_tree(root), *typed_borders.check_tree(root)]
    try:
        template = read_template(root / "template.yaml")
    except TemplateError as error:
        findings.append(str(error))
    else:
        for check in (layers, functions, state_machine, start_loads):
            findings += check.check_tree(root, template)
    for finding in findings:
        print(finding)
    print(f"checks: {len(findings)} finding{'' if len(findings) == 1 else 's'}")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(Path.cwd()))
