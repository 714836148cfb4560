"""Who has to sign a batch, and what their votes mean.

    ann@firm.example, bob@firm.example
    Finance lead: ann@firm.example, bob@firm.example; Controller (2): cy@firm.example, di@firm.example

A batch needs every slot satisfied; a slot is satisfied by as many of its people as it says (default one). One person
counts once in a slot. One reject by anybody ends it, whatever else was voted: opposite answers at the same instant are
both on record, and the reject wins.

    Controller: cy@firm.example; Partner above USD 50000: pat@firm.example
    Controller: cy@firm.example; apac > Finance lead: kim@firm.example

A slot "above" amounts is asked only when the batch's total in one of these currencies lies above its amount. Slots of a
cycle ("apac >") stand in that cycle instead of those without one.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from billing.domain.errors import InputInvalid
from billing.domain.upper_bounds import parse_upper_bounds

_SLOT = re.compile(
    r"(?:(?:(?P<cycle>[a-z][a-z0-9-]{0,29})\s*>)?\s*(?P<name>[^:()@>]*?)\s*(?:\(\s*(?P<need>\d+)\s*\))?"
    r"(?:\s*\babove\s+(?P<above>[^:()@>]+?))?\s*:)?(?P<people>[^:]*)"
)
# A valid e-mail address by the HTML standard, with a dot in its domain: SES delivers to plain ASCII alone, and anything
# else could hide characters, or mean something of its own in a mail's header.
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")


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


@dataclass(frozen=True, slots=True)
class SlotRule:
    """A slot, and when it is asked: in which cycle ("": in those without slots of their own), and above which totals in
    minor units by currency (none: always)."""

    slot: Slot
    cycle: str = ""
    above: tuple[tuple[str, int], ...] = ()


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
    UNDELIVERABLE = "undeliverable"  # a slot cannot be satisfied by the people whom mail reaches
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Standing:
    """An outcome with the sentence that explains it. `open_slots` are those that still wait."""

    outcome: Outcome
    reason: str
    open_slots: tuple[str, ...] = ()


def parse_slots(text: str) -> tuple[Slot, ...]:
    """Every slot of the Approvers parameter, whenever it is asked. Raises InputInvalid; see `parse_slot_rules`."""
    return tuple(rule.slot for rule in parse_slot_rules(text))


def parse_slot_rules(text: str) -> tuple[SlotRule, ...]:
    """Read the Approvers parameter. Raises InputInvalid with a sentence that names the mistake."""
    rules: list[SlotRule] = []
    for number, part in enumerate((part for part in text.split(";") if part.strip()), start=1):
        match = _SLOT.fullmatch(part.strip())
        if match is None:
            raise InputInvalid(
                f"The parameter Approvers cannot be read at slot {number}: write it as "
                '"Name (how many): address, address", with "cycle > " before it or "above USD 50000" after the name.'
            )
        name = (match["name"] or "").strip() or ("Approvers" if number == 1 else f"Approvers {number}")
        people = parse_people(match["people"], f'The parameter Approvers, slot "{name}"')
        need = int(match["need"] or 1)
        if not people:
            raise InputInvalid(f'The parameter Approvers, slot "{name}" names nobody.')
        if not 1 <= need <= len(people):
            raise InputInvalid(
                f'The parameter Approvers, slot "{name}" needs {need} of {len(people)} people: '
                "the number must lie between 1 and how many there are."
            )
        cycle = match["cycle"] or ""
        if any((rule.slot.name, rule.cycle) == (name, cycle) for rule in rules):
            raise InputInvalid(f'The parameter Approvers names the slot "{name}" twice.')
        rules.append(SlotRule(Slot(name, need, people), cycle, _amounts(match["above"], name)))
    if not rules:
        raise InputInvalid("The parameter Approvers names nobody. A run cannot be approved by nobody.")
    return tuple(rules)


def parse_people(text: str, where: str) -> tuple[str, ...]:
    """Addresses separated by commas, in small letters, each once. Raises InputInvalid naming `where` and the entry."""
    people = tuple(dict.fromkeys(address.strip().lower() for address in text.split(",") if address.strip()))
    for position, address in enumerate(people, start=1):
        if not is_address(address):
            raise InputInvalid(f"{where}: entry {position} is no e-mail address.")
    return people


def is_address(text: str) -> bool:
    """Whether it looks like one e-mail address that SES can mail: 7-bit ASCII ("Destination", SES v2 API reference)."""
    return len(text) <= 254 and text.isascii() and _EMAIL.fullmatch(text) is not None


def parse_domains(text: str) -> frozenset[str]:
    """Read the DelegateDomains parameter: domains separated by commas, none for empty text. Raises InputInvalid."""
    domains = frozenset(domain.strip().lower() for domain in text.split(",") if domain.strip())
    for domain in sorted(domains):
        if not is_address(f"somebody@{domain}"):
            raise InputInvalid(f'The parameter DelegateDomains: "{domain[:60]}" is no domain such as firm.example.')
    return domains


def _amounts(text: str | None, name: str) -> tuple[tuple[str, int], ...]:
    if text is None:
        return ()
    try:
        return tuple(parse_upper_bounds(text).items())
    except InputInvalid as error:
        raise InputInvalid(f'The parameter Approvers, slot "{name}", after "above": {error}') from None


def rules_of(rules: Iterable[SlotRule], cycle: str) -> tuple[SlotRule, ...]:
    """The rules that hold in a cycle: its own if it has any, else those without a cycle."""
    rules = tuple(rules)
    return tuple(rule for rule in rules if rule.cycle == cycle) or tuple(rule for rule in rules if not rule.cycle)


def slots_for(rules: Iterable[SlotRule], cycle: str, totals: Mapping[str, int]) -> tuple[Slot, ...]:
    """The slots that a batch of this cycle needs. `totals` are its sums in minor units by currency.

    Raises InputInvalid if no slot is left: a run cannot be approved by nobody.
    """
    slots = tuple(
        rule.slot
        for rule in rules_of(rules, cycle)
        if not rule.above or any(totals.get(currency, 0) > amount for currency, amount in rule.above)
    )
    if not slots:
        raise InputInvalid(
            f'The parameter Approvers has no slot for the cycle "{cycle}" that is always asked. '
            'Give it one without "above", and one without a cycle or with this one.'
        )
    return slots


def without(slots: Iterable[Slot], person_id: str) -> tuple[Slot, ...]:
    """The slots without one person. Raises InputInvalid if a slot cannot be satisfied without them."""
    left = []
    for slot in slots:
        people = tuple(address for address in slot.people if approver_id(address) != person_id)
        if len(people) < slot.need:
            raise InputInvalid(
                f'The slot "{slot.name}" of the parameter Approvers needs {slot.need} people besides the one who '
                "requested the run (RequesterMaySign is false). Name more, or let somebody else start the run."
            )
        left.append(replace(slot, people=people))
    return tuple(left)


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


def lost_slots(
    slots: Iterable[Slot], votes: Iterable[Vote], content_hash: str, unreachable: Collection[str]
) -> tuple[str, ...]:
    """Names of the slots that can no longer be satisfied, because mail does not reach enough of their people. Whoever
    has answered counts, however their mail fares."""
    answered = {vote.approver for vote in votes if vote.content_hash == content_hash}
    return tuple(
        slot.name
        for slot in slots
        if sum(1 for person in slot.people if person in answered or person not in unreachable) < slot.need
    )
