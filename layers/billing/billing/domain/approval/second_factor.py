"""A short code that a person gets elsewhere and types to sign: what a machine that opens a link and fills in its forms
does not have. Pure: time and randomness come in as arguments. See docs/decisions/0034."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

SecondFactor = Literal["off", "mail"]
"""Where the code goes: nowhere, or by a mail of its own."""

DIGITS: Final = 6
GOOD_FOR: Final = 600
"""Seconds. A mail may take a minute or two, and a person looks for it."""
MOST_TRIES: Final = 5
"""Of one code, right ones included: the fifth guess at a million codes is still a guess."""
MOST_CODES: Final = 20
"""Of one person for one request: with all their tries, one chance in ten thousand."""
AGAIN_AFTER: Final = 60
"""Seconds from one code to the next."""


@dataclass(frozen=True, slots=True)
class Code:
    """A code that was made: for which request, for whom (approver id), until when (epoch seconds)."""

    request_id: str
    approver: str
    digits: str
    expires_at: int

    @property
    def signed_over(self) -> str:
        """What its signature covers. The table keeps the signature and not the code: who reads the table learns
        nothing, and who writes to it can make none up."""
        return "\n".join((self.request_id, self.approver, str(self.expires_at), self.digits))


@dataclass(frozen=True, slots=True)
class KeptCode:
    """What the table has of the newest code of a person: its signature, until when it is good, and how often something
    was tried, this time included."""

    signature: str
    expires_at: int
    tries: int

    def is_over(self, now: int) -> bool:
        """Whether nothing can be signed by it any more."""
        return now >= self.expires_at or self.tries > MOST_TRIES


def digits_of(number: int) -> str:
    """A number below a million as the code that it is."""
    return f"{number % 10**DIGITS:0{DIGITS}d}"


def typed_code(text: str) -> str:
    """What was typed, without the blanks and dashes that people write between digits; "" if it is no code."""
    typed = "".join(text.split()).replace("-", "")
    return typed if len(typed) == DIGITS and typed.isascii() and typed.isdecimal() else ""
