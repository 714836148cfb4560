"""Writes what is made from the code: the drawings of both state machines, each twice, and the table of parameters."""

from __future__ import annotations

import sys
from pathlib import Path

from checks.template import read_template
from docs.making.drawing import drawing
from docs.making.marked import with_part
from docs.making.mermaid import mermaid
from docs.making.parameter_table import parameter_table
from docs.making.transitions import read_machine

DRAWN = {
    "monthly_billing": ("state-machine.svg", "states", "The state machine of monthly billing"),
    "settlement": ("settlement.svg", "settlement states", "The state machine of the settlement"),
}
"""Picture, part of docs/architecture.md, and title of each state machine."""


def made(root: Path) -> dict[Path, str]:
    """Every file that holds a made part, with its text as it ought to be."""
    machines = {name: read_machine(root / "statemachine" / f"{name}.asl.json") for name in DRAWN}
    readme, architecture = root / "README.md", root / "docs" / "architecture.md"
    table = parameter_table(read_template(root / "template.yaml"))
    text = architecture.read_text(encoding="utf-8")
    for name, (_, part, _) in DRAWN.items():
        text = with_part(text, part, f"```mermaid\n{mermaid(machines[name])}\n```")
    pictures = {
        root / "docs" / "pictures" / picture: drawing(machines[name], title)
        for name, (picture, _, title) in DRAWN.items()
    }
    return {
        **pictures,
        readme: with_part(readme.read_text(encoding="utf-8"), "parameters", table),
        architecture: text,
    }


if __name__ == "__main__":
    for path, text in made(Path.cwd()).items():
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{path.relative_to(Path.cwd())}\n")
