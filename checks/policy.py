"""checkov reads the template as CloudFormation gets it; each of its findings has a reason, and each reason a finding.

The reasons stand in template.yaml itself, under `Metadata: PolicyExceptions`: a check of checkov's -> why it does not
hold here; a reason that begins with names of resources and a colon is for these alone. Conditions are not evaluated:
what the settlement adds is looked at as if it were on.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

CODE = {"CodeUri": "s3://code/code", "ContentUri": "s3://code/code", "DefinitionUri": "s3://code/code"}
"""SAM's translator takes code that is uploaded; what lies in it is of no interest here."""


def plain(text: str) -> dict[str, Any]:
    """The template after SAM's transform, with the settlement on and without conditions on resources, for checkov
    leaves out what is conditional."""
    source: dict[str, Any] = dict(yaml_parse(text))
    for resource in source["Resources"].values():
        properties = resource.get("Properties", {})
        properties.update({name: place for name, place in CODE.items() if name in properties})
    translated: dict[str, Any] = Translator(None, Parser()).translate(
        source, parameter_values={}, get_managed_policy_map=dict
    )
    for resource in translated["Resources"].values():
        resource.pop("Condition", None)
    return translated


def exceptions(text: str) -> dict[str, str]:
    """Check -> reason."""
    found = yaml_parse(text).get("Metadata", {}).get("PolicyExceptions", {})
    return {str(check): " ".join(str(reason).split()) for check, reason in found.items()}


def judge(findings: Iterable[tuple[str, str, str]], reasons: Mapping[str, str]) -> list[str]:
    """What is wrong: findings (check, its sentence, resource) without a reason, and reasons without a finding."""
    wrong: list[str] = []
    used: dict[str, set[str]] = {check: set() for check in reasons}
    for check, sentence, resource in findings:
        if check not in reasons or (named_in(reasons[check]) and resource not in named_in(reasons[check])):
            wrong.append(
                f"template.yaml: {resource}: {check}: {sentence}. Mend it, or say why not in PolicyExceptions."
            )
        else:
            used[check].add(resource)
    for check, resources in used.items():
        if not resources:
            wrong.append(f"template.yaml: PolicyExceptions has {check}, which finds nothing any more. Take it out.")
        idle = sorted(named_in(reasons[check]) - resources) if resources else []
        wrong += [
            f"template.yaml: PolicyExceptions names {name} for {check}, which finds nothing there." for name in idle
        ]
    return wrong


def named_in(reason: str) -> set[str]:
    """The resources that a reason is for; none is every resource."""
    names, colon, _ = reason.partition(": ")
    listed = {name.strip() for name in names.split(",")}
    return listed if colon and all(name.isalnum() and name[0].isupper() for name in listed) else set()


def asked(checkov: str, template: Path) -> list[tuple[str, str, str]]:
    """checkov's findings about a plain template. RuntimeError with its words if it could not read it."""
    command = [checkov, "--file", str(template), "--framework", "cloudformation", "--skip-download", "--output", "json"]
    environment = {**os.environ, "LOG_LEVEL": "ERROR"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    try:
        answer = json.loads(done.stdout)
        summary = answer["summary"]
    except (ValueError, KeyError, TypeError):
        raise RuntimeError(f"checkov: {done.stdout[-500:]} {done.stderr[-1500:]}") from None
    if summary["parsing_errors"] or not summary["passed"]:
        raise RuntimeError(f"checkov could not read the template: {summary}")
    failed = answer["results"]["failed_checks"]
    return [(one["check_id"], one["check_name"], one["resource"].rpartition(".")[2]) for one in failed]


def main(checkov: str) -> int:
    """Print what is wrong; the process's exit code."""
    text = Path("template.yaml").read_text(encoding="utf-8")
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "template.json"
        file.write_text(json.dumps(plain(text), indent=1), encoding="utf-8")
        findings = asked(checkov, file)
    reasons = exceptions(text)
    wrong = judge(findings, reasons)
    for line in wrong:
        print(line)
    print(f"policy: {len(findings)} findings with a reason, {len(wrong)} to mend" if not wrong else "policy: see above")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
