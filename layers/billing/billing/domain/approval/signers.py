"""Whom the stack's parameters list at this moment. A request remembers whom it asked; whoever was taken off a slot
since then can no longer sign for it, wherever else they are listed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from billing.domain.approval.approval_entries import Entry, EntryKind, not_barred, slots_now
from billing.domain.approval.approval_request import ApprovalRequest
from billing.domain.approval.approvers import Slot, SlotRule, rules_of


@dataclass(frozen=True, slots=True)
class ListedPeople:
    """The parameters Approvers, Deputies and DelegateDomains."""

    rules: tuple[SlotRule, ...]
    deputies: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()

    def able(self, opened: ApprovalRequest, entries: Iterable[Entry]) -> tuple[Slot, ...]:
        """The slots as they stand, each with those people alone who may sign for it now.

        `opened` is the request as it was opened. A person is still listed for a slot if the parameter names them in the
        slot of that name in the request's cycle; a slot that was renamed is a slot whose people were taken off. A
        delegate stands and falls with the one who passed on, and with the domain. The barred person is nowhere.
        """
        listed = {rule.slot.name: rule.slot.people for rule in rules_of(self.rules, opened.cycle)}
        asked = tuple(
            replace(slot, people=tuple(one for one in slot.people if one in listed.get(slot.name, ())))
            for slot in opened.slots
        )
        return not_barred(slots_now(asked, map(self._still_allowed, entries)), opened.barred)

    def allows_domain(self, address: str) -> bool:
        """Whether requests may be passed on to this address's domain."""
        return address.rpartition("@")[2] in self.domains

    def _still_allowed(self, entry: Entry) -> Entry:
        if entry.kind is EntryKind.ESCALATE:
            return replace(entry, people=tuple(one for one in entry.people if one in self.deputies))
        if entry.kind is EntryKind.DELEGATE:
            return replace(entry, people=tuple(one for one in entry.people if self.allows_domain(one)))
        return entry
