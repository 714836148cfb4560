"""Writes what is made from the code: the drawings of the state machines, and the table of parameters."""

from __future__ import annotations

import sys
from pathlib import Path

from checks.template import read_template
from docs.making.drawing import drawing
from docs.making.marked import with_part
from docs.making.mermaid import mermaid
from docs.making.parameter_table import parameter_table
from docs.making.transitions import read_machine


def made(root: Path) -> dict[Path, str]:
    """Every file that holds a made part, with its text as it ought to be."""
    machine = read_machine(root / "statemachine" / "monthly_billing.asl.json")
    settlement = read_machine(root / "statemachine" / "settlement.asl.json")
    replay = root / "docs" / "replay.md"
    readme, architecture = root / "README.md", root / "docs" / "architecture.md"
    table = parameter_table(read_template(root / "template.yaml"))
    diagram = f"```mermaid\n{mermaid(machine)}\n```"
    return {
        root / "docs" / "pictures" / "state-machine.svg": drawing(machine),
        readme: with_part(readme.read_text(encoding="utf-8"), "parameters", table),
        architecture: with_part(architecture.read_text(encoding="utf-8"), "states", diagram),
        replay: with_part(
            replay.read_text(encoding="utf-8"), "settlement states", f"```mermaid\n{mermaid(settlement)}\n```"
        ),
    }


if __name__ == "__main__":
    for path, text in made(Path.cwd()).items():
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{path.relative_to(Path.cwd())}\n")
