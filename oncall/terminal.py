"""What a command says and asks. A machine gets one JSON object on standard output and nothing else; questions and
errors go to standard error."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click

from oncall.exits import Refused

NOTHING_DONE = "Nothing was done."


@dataclass(frozen=True, slots=True)
class Terminal:
    """`as_json` writes for machines; `yes` answers every question."""

    as_json: bool
    yes: bool

    def say(self, text: str = "") -> None:
        """A line for a person."""
        if not self.as_json:
            click.echo(text)

    def answer(self, found: Mapping[str, Any]) -> None:
        """The command's result for a machine; nothing if a person reads along."""
        if self.as_json:
            click.echo(json.dumps(found, default=str, ensure_ascii=False))

    def table(self, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Columns as wide as what stands in them."""
        widths = [max(len(row[place]) for row in (heads, *rows)) for place in range(len(heads))]
        for row in (heads, *rows):
            self.say("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())

    def ask(self, will: Sequence[str]) -> None:
        """Say what will be done, and go on if that is wanted. Raises Refused otherwise, also where nobody answers."""
        for line in will:
            click.echo(line, err=True)
        if self.yes:
            return
        try:
            wanted = click.confirm("Go on?", default=False, err=True)
        except click.Abort:
            raise Refused(f"{NOTHING_DONE} Nobody answered; a script says --yes.") from None
        if not wanted:
            raise Refused(NOTHING_DONE)
