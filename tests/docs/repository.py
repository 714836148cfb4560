"""The repository's documents, and the pieces of them that tests execute."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
RUNBOOK_FOLDER = ROOT / "docs" / "runbook"
RUNBOOK = RUNBOOK_FOLDER / "README.md"
ARCHITECTURE = ROOT / "docs" / "architecture.md"
CYCLES = ROOT / "docs" / "cycles.md"
DEFINITION = ROOT / "statemachine" / "monthly_billing.asl.json"
DOCUMENTS = (README, *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "tests" / "sandbox").rglob("*.md")))
OURS = (README, *sorted((ROOT / "docs").glob("*.md")), *sorted(RUNBOOK_FOLDER.rglob("*.md")))
"""Written with this folder's tests; the decisions and the sandbox have their own."""

_FENCE = re.compile(r"^( *)```(\S+) ?(\S*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


def fenced(document: Path, language: str, name: str) -> list[str]:
    """The fenced blocks of this language and name ("```json input"), without the indentation of a list."""
    text = document.read_text(encoding="utf-8")
    return [
        re.sub(rf"^{indent}", "", body, flags=re.MULTILINE)
        for indent, found, named, body in _FENCE.findall(text)
        if (found, named) == (language, name)
    ]


def only_fenced(document: Path, language: str, name: str) -> str:
    """The one block of this language and name."""
    (found,) = fenced(document, language, name)
    return found


def section(document: Path, heading: str) -> str:
    """What stands below a heading, up to the next one of the same or a higher level."""
    text = document.read_text(encoding="utf-8")
    match = re.search(rf"^(#+) {re.escape(heading)}\n(.*?)(?=^#{{1,}} |\Z)", text, re.MULTILINE | re.DOTALL)
    assert match, f"{document.name} has no heading {heading!r}"
    return match[2]


def table_rows(text: str) -> list[list[str]]:
    """The cells of every Markdown table row in a text, without heads and rulers."""
    rows = [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]
        for line in text.splitlines()
        if line.strip().startswith("|")
    ]
    rulers = [number for number, row in enumerate(rows) if all(re.fullmatch(r":?-+:?", cell) for cell in row)]
    heads = {number - 1 for number in rulers}
    return [row for number, row in enumerate(rows) if number not in heads and number not in rulers]
