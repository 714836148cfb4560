"""Who has to sign a batch, and what their votes mean.

    ann@firm.example, bob@firm.example
    Finance lead: ann@firm.example, bob@firm.example; Controller (2): cy@firm.example, di@firm.example

A batch needs every slot satisfied; a slot is satisfied by as many of its people as it says (default one). One person
counts once in a slot. One reject by anybody ends it, whatever else was voted: opposite answers at the same instant are
both on record, and the reject wins.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from billing.domain.errors import InputInvalid

_SLOT = re.compile(r"(?:(?P<name>[^:()@]*?)\s*(?:\(\s*(?P<need>\d+)\s*\))?\s*:)?(?P<people>[^:]*)")
_EMAIL = re.compile(r"[^@\s,;:<>\"]+@[^@\s,;:<>\"]+\.[^@\s,;:<>\".]+")


def approver_id(email: str) -> str:
    """A short name for an approver that tells nothing about them: 16 hex digits of the address's SHA-256."""
    return hashlib.sha256(email.strip().lower().encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Slot:
    """People of whom `need` must agree."""

    name: str
    need: int
    people: tuple[str, ...]

    def to_dict(self) -> dict[str, object]:
        return {"name": self.name, "need": self.need, "people": list(self.people)}


class Answer(StrEnum):
    """What a person answered."""

    APPROVE = "approve"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class Vote:
    """One person's answer to exactly one content. `at` is an ISO instant; `reason` is given with every reject."""

    approver: str
    answer: Answer
    content_hash: str
    at: str
    reason: str = ""


class Outcome(StrEnum):
    """Where a batch stands."""

    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Standing:
    """An outcome with the sentence that explains it. `open_slots` are those that still wait."""

    outcome: Outcome
    reason: str
    open_slots: tuple[str, ...] = ()


def parse_slots(text: str) -> tuple[Slot, ...]:
    """Read the Approvers parameter. Raises InputInvalid with a sentence that names the mistake."""
    slots: list[Slot] = []
    for number, part in enumerate((part for part in text.split(";") if part.strip()), start=1):
        match = _SLOT.fullmatch(part.strip())
        if match is None:
            raise InputInvalid(
                f"The parameter Approvers cannot be read at slot {number}: write it as "
                '"Name (how many): address, address".'
            )
        name = (match["name"] or "").strip() or ("Approvers" if number == 1 else f"Approvers {number}")
        people = tuple(
            dict.fromkeys(address.strip().lower() for address in match["people"].split(",") if address.strip())
        )
        need = int(match["need"] or 1)
        for position, address in enumerate(people, start=1):
            if not _EMAIL.fullmatch(address):
                raise InputInvalid(f'The parameter Approvers, slot "{name}": entry {position} is no e-mail address.')
        if not people:
            raise InputInvalid(f'The parameter Approvers, slot "{name}" names nobody.')
        if not 1 <= need <= len(people):
            raise InputInvalid(
                f'The parameter Approvers, slot "{name}" needs {need} of {len(people)} people: '
                "the number must lie between 1 and how many there are."
            )
        if any(slot.name == name for slot in slots):
            raise InputInvalid(f'The parameter Approvers names the slot "{name}" twice.')
        slots.append(Slot(name, need, people))
    if not slots:
        raise InputInvalid("The parameter Approvers names nobody. A run cannot be approved by nobody.")
    return tuple(slots)


def everybody(slots: Iterable[Slot]) -> tuple[str, ...]:
    """Every approver once, in the order of the slots."""
    return tuple(dict.fromkeys(address for slot in slots for address in slot.people))


def standing(slots: Iterable[Slot], votes: Iterable[Vote], content_hash: str) -> Standing:
    """Decide where a batch stands. Pure, and independent of the order of the votes.

    Votes for another content, and of people who are in no slot (any more), count for nothing.
    """
    slots = tuple(slots)
    people = set(everybody(slots))
    counted = [vote for vote in votes if vote.content_hash == content_hash and vote.approver in people]
    rejects = sorted(
        (vote for vote in counted if vote.answer is Answer.REJECT), key=lambda vote: (vote.at, vote.approver)
    )
    if rejects:
        return Standing(Outcome.REJECTED, rejects[0].reason)
    approved = {vote.approver for vote in counted}
    missing = tuple(slot.name for slot in slots if len(approved.intersection(slot.people)) < slot.need)
    if missing:
        return Standing(Outcome.UNDECIDED, "Still to sign: " + ", ".join(missing) + ".", missing)
    return Standing(Outcome.APPROVED, "Every slot has signed.")
