"""Who has to sign a batch, and what their votes mean.

    ann@firm.example, bob@firm.example
    Finance lead: ann@firm.example, bob@firm.example; Controller (2): cy@firm.example, di@firm.example

A batch needs every slot satisfied; a slot is satisfied by as many of its people as it says (default one). One person
counts once in a batch: whoever stands in several slots fills one of them, whichever leaves the others the most. One
reject by anybody ends it, whatever else was voted: opposite answers at the same instant are both on record, and the
reject wins.

    Controller: cy@firm.example; Partner above USD 50000: pat@firm.example
    Controller: cy@firm.example; apac > Finance lead: kim@firm.example

A slot "above" amounts is asked only when the batch's total in one of these currencies lies above its amount. Slots of a
cycle ("apac >") stand in that cycle instead of those without one.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from billing.domain.approval.slot_assignment import Assignment, assign
from billing.domain.batch.upper_bounds import parse_upper_bounds
from billing.domain.email_address import mailbox_of, mistake_in_address, mistake_in_domain
from billing.domain.errors import InputInvalid
from billing.domain.records import written_as
from billing.domain.text import has_unseen

_SLOT = re.compile(
    r"(?:(?:(?P<cycle>[a-z][a-z0-9-]{0,29})\s*>)?\s*(?P<name>[^:()@>]*?)\s*(?:\(\s*(?P<need>\d+)\s*\))?"
    r"(?:\s*\babove\s+(?P<above>[^:()@>]+?)\s*(?:\(\s*(?P<need_after>\d+)\s*\))?)?\s*:)?(?P<people>[^:]*)"
)
_LONGEST_NAME = 60


def approver_id(email: str) -> str:
    """A short name for an approver that tells nothing about them: 16 hex digits of the address's SHA-256."""
    return hashlib.sha256(email.strip().lower().encode()).hexdigest()[:16]


def requester_id(email: str) -> str:
    """The name under which a run keeps who asked for it: the approver id of their mailbox, whatever tag they write."""
    return approver_id(mailbox_of(email))


def is_barred(address: str, barred: str) -> bool:
    """Whether this is the person whose id a run has barred ("": nobody): their own address, or one with a tag. A run
    that an earlier version opened has kept the id of the address as it was typed."""
    return bool(barred) and barred in (approver_id(address), requester_id(address))


@dataclass(frozen=True, slots=True)
class Slot:
    """People of whom `need` must agree."""

    name: str
    need: int
    people: tuple[str, ...]


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

    @property
    def past(self) -> str:
        """ "approved" or "rejected"."""
        return "approved" if self is Answer.APPROVE else "rejected"


@dataclass(frozen=True, slots=True)
class Vote:
    """One person's answer to exactly one content. `at` is an ISO instant; `reason` is given with every reject, and
    is the comment that may come with an approval. `slots` are those that the person could sign for at that time; None:
    not recorded, every slot in which they stand. `shown`
    sums up what the page showed them when they signed. `address` and `agent` are the IP address and the browser that
    the answer came from, "" in votes of versions that kept none: the report's record and the firm's controllers see
    them, and nobody else. `confirmed` is by which second factor, "" for none."""

    approver: str
    answer: Answer
    request_hash: str = field(metadata=written_as("batch_sha256"))
    at: str
    reason: str = ""
    slots: tuple[str, ...] | None = None
    shown: str = ""
    address: str = ""
    agent: str = ""
    confirmed: str = ""


class Outcome(StrEnum):
    """Where a batch stands."""

    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    UNDELIVERABLE = "undeliverable"  # the slots cannot be filled by those whom mail reaches and who are still listed
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Tally:
    """An outcome with the sentence that explains it. `open_slots` are those for which one more signature counts."""

    outcome: Outcome
    reason: str
    open_slots: tuple[str, ...] = ()


def parse_slot_rules(text: str) -> tuple[SlotRule, ...]:
    """Read the Approvers parameter. Raises InputInvalid with a sentence that names the mistake."""
    rules: list[SlotRule] = []
    for number, part in enumerate((part for part in text.split(";") if part.strip()), start=1):
        if "mailto:" in part.casefold():
            raise InputInvalid(
                f'The parameter Approvers writes "mailto:" at slot {number}: write the address alone, ann@firm.example.'
            )
        match = _SLOT.fullmatch(part.strip())
        if match is None or (match["need"] and match["need_after"]):
            raise InputInvalid(
                f"The parameter Approvers cannot be read at slot {number}: write it as "
                '"Name (how many): address, address", with "cycle > " before it or "above USD 50000" after the name.'
            )
        name = " ".join((match["name"] or "").split()) or ("Approvers" if number == 1 else f"Approvers {number}")
        if len(name) > _LONGEST_NAME or has_unseen(name):
            raise InputInvalid(
                f"The parameter Approvers, slot {number}: a slot's name has at most {_LONGEST_NAME} characters, all of "
                "them visible. Type it anew."
            )
        where = f'The parameter Approvers, slot "{name}"'
        people = parse_people(match["people"], where)
        need = int(match["need"] or match["need_after"] or 1)
        if not people:
            raise InputInvalid(f"{where} names nobody.")
        if not 1 <= need <= len(people):
            raise InputInvalid(
                f"{where} needs {need} of {len(people)} people: the number must lie between 1 and how many there are."
            )
        cycle = match["cycle"] or ""
        if any((rule.slot.name.casefold(), rule.cycle) == (name.casefold(), cycle) for rule in rules):
            raise InputInvalid(
                f'The parameter Approvers names the slot "{name}" twice. Capital and small letters do not make two '
                "slots of one name."
            )
        rules.append(SlotRule(Slot(name, need, people), cycle, _amounts(match["above"], where)))
    if not rules:
        raise InputInvalid("The parameter Approvers names nobody. A run cannot be approved by nobody.")
    return tuple(rules)


def parse_people(text: str, where: str) -> tuple[str, ...]:
    """Addresses separated by commas, in small letters, each once. Raises InputInvalid naming `where`, the entry and the
    mistake."""
    people = tuple(dict.fromkeys(address.strip().lower() for address in text.split(",") if address.strip()))
    for position, address in enumerate(people, start=1):
        mistake = mistake_in_address(address)
        if mistake:
            raise InputInvalid(f"{where}: entry {position} is no e-mail address that can be mailed: {mistake}.")
    return people


def parse_domains(text: str) -> frozenset[str]:
    """Read the DelegateDomains parameter: domains separated by commas, none for empty text. Raises InputInvalid."""
    domains = frozenset(domain.strip().lower() for domain in text.split(",") if domain.strip())
    for domain in sorted(domains):
        mistake = mistake_in_domain(domain)
        if mistake:
            raise InputInvalid(f"The parameter DelegateDomains: {domain[:60]!a} cannot be used: {mistake}.")
    return domains


def _amounts(text: str | None, where: str) -> tuple[tuple[str, int], ...]:
    if text is None:
        return ()
    zero = 'an amount of 0 would always ask; leave "above" and it out'
    return tuple(parse_upper_bounds(text, f'{where}, after "above"', zero).items())


def check_slot_rules(rules: Iterable[SlotRule]) -> None:
    """Raises InputInvalid if, in some cycle, the slots cannot be filled by different people, each filling one: in the
    worst case, which is when every slot "above" an amount is asked."""
    rules = tuple(rules)
    for cycle in dict.fromkeys(rule.cycle for rule in rules):
        _check_people(
            tuple(rule.slot for rule in rules if rule.cycle == cycle), f' in the cycle "{cycle}"' if cycle else ""
        )


def one_mailbox_twice(rules: Iterable[SlotRule], deputies: Iterable[str]) -> None:
    """Raises InputInvalid if the parameters write one mailbox in two ways, as ann@firm.example and
    ann+billing@firm.example: one person would be counted, mailed and barred as two. Names the places, no address."""
    known: dict[str, tuple[str, str]] = {}
    places = [(f'the slot "{rule.slot.name}"', address) for rule in rules for address in rule.slot.people]
    for place, address in (*places, *(("the parameter Deputies", one) for one in deputies)):
        where, other = known.setdefault(mailbox_of(address), (place, address))
        if other != address:
            named = where if where == place else f"{where} and {place}"
            raise InputInvalid(
                f'One mailbox is written in two ways in {named}: what stands from a "+" to the @ makes no other '
                "person. Write each person's address in one way."
            )


def _check_people(slots: tuple[Slot, ...], where: str) -> None:
    found = _assignment(slots, dict.fromkeys(everybody(slots)))
    if found.lacking:
        short = [slot for slot in slots if slot.name in found.short]
        named, are = " and ".join(f'"{slot.name}"' for slot in short), "slots" if len(short) > 1 else "slot"
        raise InputInvalid(
            f"The parameter Approvers, {are} {named}{where}: {sum(slot.need for slot in short)} people must sign, and "
            f"{len(everybody(short))} can. One person fills one slot of a batch: name {found.lacking} more."
        )


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


def slots_without(rules: Iterable[SlotRule], cycle: str, totals: Mapping[str, int], barred: str) -> tuple[Slot, ...]:
    """`slots_for`, without the person whose id is `barred` ("": nobody). Raises InputInvalid as it does, and if the
    slots cannot be filled without them."""
    slots = slots_for(rules, cycle, totals)
    return without(slots, barred) if barred else slots


def without(slots: Iterable[Slot], person_id: str) -> tuple[Slot, ...]:
    """The slots without one person. Raises InputInvalid if they cannot be filled without them."""
    left = tuple(
        replace(slot, people=tuple(address for address in slot.people if not is_barred(address, person_id)))
        for slot in slots
    )
    try:
        _check_people(left, "")
    except InputInvalid as error:
        raise InputInvalid(
            f"{error} The one who requested the run may not sign it (RequesterMaySign is false) and does not count. "
            "Or let somebody else start the run."
        ) from None
    return left


def everybody(slots: Iterable[Slot]) -> tuple[str, ...]:
    """Every approver once, in the order of the slots."""
    return tuple(dict.fromkeys(address for slot in slots for address in slot.people))


def count_votes(slots: Iterable[Slot], votes: Iterable[Vote], request_hash: str) -> Tally:
    """Decide where a batch stands. Pure, and independent of the order of the votes.

    Votes for another content, and of people who are in no slot (any more), count for nothing.
    """
    slots = tuple(slots)
    people = set(everybody(slots))
    counted = [vote for vote in votes if vote.request_hash == request_hash and vote.approver in people]
    rejects = sorted(
        (vote for vote in counted if vote.answer is Answer.REJECT), key=lambda vote: (vote.at, vote.approver)
    )
    if rejects:
        return Tally(Outcome.REJECTED, rejects[0].reason)
    signed = _approvals(counted, request_hash)
    found = _assignment(slots, signed)
    if not found.lacking:
        return Tally(Outcome.APPROVED, "Every slot has signed.")
    short = [slot for slot in slots if slot.name in found.short]
    # Where everybody has signed, and counts elsewhere, nobody is waited for; unless nobody is left at all.
    waiting = [slot for slot in short if not signed.keys() >= set(slot.people)] or short
    names = tuple(slot.name for slot in waiting)
    open_places = {slot.name: slot.need - len(_able(slot, signed)) for slot in short}
    if sum(max(0, number) for number in open_places.values()) == found.lacking and all(
        open_places[name] > 0 for name in names
    ):
        return Tally(Outcome.UNDECIDED, "Still to sign: " + ", ".join(names) + ".", names)
    return Tally(
        Outcome.UNDECIDED,
        f"Still to sign: {found.lacking} more for {' or '.join(names)}. One person counts for one slot.",
        names,
    )


def lost_slots(
    slots: Iterable[Slot],
    votes: Iterable[Vote],
    request_hash: str,
    unreachable: Collection[str],
    able: Iterable[Slot] | None = None,
) -> tuple[str, ...]:
    """Names of the slots between which people are lacking for good: no assignment of those who approved, and of those
    who may still answer and whom mail reaches, fills them all. Whoever has answered counts, however their mail fares.
    `able` are the slots with those people alone who may still sign; None: all of theirs."""
    slots, votes = tuple(slots), tuple(votes)
    signed, answered = _approvals(votes, request_hash), _answered(votes, request_hash)
    open_to = {slot.name: slot.people for slot in (slots if able is None else able)}
    candidates = {
        slot.name: [
            *_able(slot, signed),
            *(one for one in open_to.get(slot.name, ()) if one not in answered and one not in unreachable),
        ]
        for slot in slots
    }
    found = assign(_needs(slots), candidates)
    return found.short if found.lacking else ()


def still_of_use(
    slots: Iterable[Slot], votes: Iterable[Vote], request_hash: str, able: Iterable[Slot]
) -> tuple[str, ...]:
    """Those who have not answered and whose signature would fill a place, in the order of the slots. `able` as in
    `lost_slots`."""
    votes = tuple(votes)
    answered, found = _answered(votes, request_hash), _assignment(tuple(slots), _approvals(votes, request_hash))
    waiting = (slot for slot in able if slot.name in found.short) if found.lacking else ()
    return tuple(one for one in everybody(waiting) if one not in answered)


def places(slots: Iterable[Slot], votes: Iterable[Vote], request_hash: str) -> Mapping[str, tuple[str, ...]]:
    """For which slot each approval counts, as the page shows it: of all ways, one in which those who are silent could
    fill the rest, if there is one."""
    slots, votes = tuple(slots), tuple(votes)
    signed, answered = _approvals(votes, request_hash), _answered(votes, request_hash)
    first = _assignment(slots, signed).filled
    everyone = {
        slot.name: [one for one in slot.people if one not in answered or one in _able(slot, signed)] for slot in slots
    }
    found = assign(_needs(slots), everyone, {one: name for name, people in first.items() for one in people})
    return {name: tuple(one for one in people if one in signed) for name, people in found.filled.items()}


def _assignment(slots: tuple[Slot, ...], people: Mapping[str, tuple[str, ...] | None]) -> Assignment:
    return assign(_needs(slots), {slot.name: _able(slot, people) for slot in slots})


def _needs(slots: Iterable[Slot]) -> dict[str, int]:
    return {slot.name: slot.need for slot in slots}


def _able(slot: Slot, people: Mapping[str, tuple[str, ...] | None]) -> list[str]:
    """Those of the slot who are among the people, and whose own slots (None: any) name it."""
    named = ((one, people[one]) for one in slot.people if one in people)
    return [one for one, own in named if own is None or slot.name in own]


def _approvals(votes: Iterable[Vote], request_hash: str) -> dict[str, tuple[str, ...] | None]:
    """Who approved this content, and the slots for which that may count; the first answer stands, also of a person who
    has two addresses of one mailbox."""
    given = [vote for vote in votes if vote.request_hash == request_hash and vote.answer is Answer.APPROVE]
    first: dict[str, Vote] = {}
    for vote in sorted(given, key=lambda one: (one.at, one.slots or ())):
        first.setdefault(mailbox_of(vote.approver), vote)
    return {vote.approver: vote.slots for vote in reversed(first.values())}


def _answered(votes: Iterable[Vote], request_hash: str) -> set[str]:
    return {vote.approver for vote in votes if vote.request_hash == request_hash}
