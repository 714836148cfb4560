"""One line of an examination: what was looked at, and whether it is fine or what to do."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

_ADDRESS: Final = re.compile(r"([^\s@<>\"'(),;:]{1,2})[^\s@<>\"'(),;:]*@([^\s@<>\"'(),;]+)")
_SECRET: Final = re.compile(
    r"\b(?:[srp]k_(?:live|test)_|whsec_|xox[a-z]-|ey[A-Za-z0-9_-]{10,}\.)[^\s\"',;)]+"
    r"|-----BEGIN [^-]*PRIVATE KEY-----.*?(?:-----END [^-]*PRIVATE KEY-----|\Z)",
    re.DOTALL,
)


class Verdict(StrEnum):
    """How a check ended."""

    FINE = "fine"
    NOTE = "note"
    """Works, and a person should know something."""
    WRONG = "wrong"
    UNCHECKED = "unchecked"
    """Could not be looked at: something that it needs is wrong, or there was no time left."""


PASSES: Final = frozenset({Verdict.FINE, Verdict.NOTE})


@dataclass(frozen=True, slots=True)
class Finding:
    """`check` is a name such as "netsuite.login"; `text` is one line: a fact, or what is wrong and what to do."""

    check: str
    verdict: Verdict
    text: str

    @property
    def line(self) -> str:
        """The finding as people read it."""
        return f"{self.verdict:<9} {self.check:<22} {self.text}".rstrip()


def fine(check: str, text: str) -> Finding:
    """Nothing to do."""
    return Finding(check, Verdict.FINE, text)


def note(check: str, text: str) -> Finding:
    """It works; somebody should know this."""
    return Finding(check, Verdict.NOTE, text)


def wrong(check: str, text: str) -> Finding:
    """What is wrong, and what to do."""
    return Finding(check, Verdict.WRONG, text)


def unchecked(check: str, text: str) -> Finding:
    """Why it was not looked at."""
    return Finding(check, Verdict.UNCHECKED, text)


def all_well(findings: Iterable[Finding]) -> bool:
    """Whether nothing is wrong and everything was looked at."""
    return all(one.verdict in PASSES for one in findings)


def masked(address: str) -> str:
    """An address that its owner recognises and nobody can mail: "ann@firm.example" -> "an***@firm.example"."""
    return _ADDRESS.sub(r"\1***@\2", address)


def shown(text: str) -> str:
    """A text that may come from outside, on one line, without addresses, keys and tokens."""
    return " ".join(_SECRET.sub("(hidden)", _ADDRESS.sub(r"\1***@\2", text)).split())


def listed(words: Iterable[str], most: int = 12) -> str:
    """Words in one line; how many more there are."""
    every = list(words)
    more = f" and {len(every) - most} more" if len(every) > most else ""
    return ", ".join(every[:most]) + more
