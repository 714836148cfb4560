"""The state machine as a Mermaid stateDiagram-v2, which GitHub and most editors draw."""

from __future__ import annotations

from collections.abc import Iterator

from docs.making.transitions import END, START, Machine


def mermaid(machine: Machine) -> str:
    """The diagram's text, without a fence."""
    return "\n".join(["stateDiagram-v2", *_lines(machine, "    ")])


def state_id(name: str) -> str:
    """A state's name as an identifier: "Open the run" -> "Open_the_run"."""
    return name.replace(" ", "_").replace("'", "")


def _lines(machine: Machine, indent: str) -> Iterator[str]:
    for name in machine.states:
        if name in machine.inner:
            yield f'{indent}state "{name}" as {state_id(name)} {{'
            yield from _lines(machine.inner[name], indent + "    ")
            yield f"{indent}}}"
        else:
            yield f'{indent}state "{name}" as {state_id(name)}'
    for one in machine.transitions:
        source = "[*]" if one.source == START else state_id(one.source)
        target = "[*]" if one.target == END else state_id(one.target)
        yield f"{indent}{source} --> {target}" + (f" : {one.label}" if one.label else "")
