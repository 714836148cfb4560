"""Copies of template.yaml that lack one thing."""

from __future__ import annotations

import re
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
TEMPLATE = (REPOSITORY / "template.yaml").read_text(encoding="utf-8")


def write(folder: Path, text: str) -> Path:
    """The text as a template in `folder`, beside links to the code that it names."""
    for name in ("functions", "layers", "statemachine"):
        if not (folder / name).exists():
            (folder / name).symlink_to(REPOSITORY / name)
    path = folder / "template.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def block(resource: str) -> str:
    """The text of one resource."""
    found = re.search(rf"^  {resource}:\n(?:(?:    .*)?\n)*", TEMPLATE, re.MULTILINE)
    if found is None:
        raise LookupError(f"template.yaml has no resource {resource}")
    return found[0]


def only(*resources: str) -> str:
    """The template with these resources and no outputs."""
    head, _, _ = TEMPLATE.partition("\nResources:\n")
    return f"{head}\nResources:\n" + "".join(block(resource) for resource in resources)


def replaced(text: str, old: str, new: str) -> str:
    """The text with one passage changed."""
    if text.count(old) != 1:
        raise LookupError(f"template.yaml has {old!r} {text.count(old)} times")
    return text.replace(old, new)


def without_line(resource: str, starts: str) -> str:
    """The template without the one line of the resource that starts so."""
    old = block(resource)
    new, count = re.subn(rf"^ +{re.escape(starts)}.*\n", "", old, flags=re.MULTILINE)
    if count != 1:
        raise LookupError(f"{resource} has {count} lines that start with {starts!r}")
    return TEMPLATE.replace(old, new)


def without_action(resource: str, sid: str, action: str) -> str:
    """The template without one action of a statement; without the statement if it has no other."""
    old = block(resource)
    statement = re.search(rf"^( +)- Sid: {sid}\n(?:\1  .*\n)+", old, re.MULTILINE)
    if statement is None:
        raise LookupError(f"{resource} has no statement {sid}")
    several = re.sub(rf"(\[|, ){re.escape(action)}(, |\])", _joined, statement[0])
    return TEMPLATE.replace(old, old.replace(statement[0], "" if several == statement[0] else several))


def without_layer(resource: str, layer: str) -> str:
    """The template with one layer fewer on a function."""
    old = block(resource)
    new = re.sub(rf", !Ref {layer}\b|!Ref {layer}, ", "", old)
    if new == old:
        raise LookupError(f"{resource} has no layer {layer}")
    return TEMPLATE.replace(old, new)


def _joined(found: re.Match[str]) -> str:
    if found[1] == "[":
        return "[" if found[2] == ", " else "[]"
    return ", " if found[2] == ", " else "]"
