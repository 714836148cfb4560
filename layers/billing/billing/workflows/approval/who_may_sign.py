"""Who may sign at this moment: the rules of `signers`, applied to a request."""

from __future__ import annotations

from dataclasses import dataclass

from billing.domain.approval.approval_entries import passed_on
from billing.domain.approval.approvers import is_barred
from billing.domain.approval.signers import ListedPeople
from billing.domain.email_address import mailbox_of, mistake_in_address
from billing.workflows.approval.present_request import PresentRequest


@dataclass(frozen=True, slots=True)
class WhoMaySign:
    """The stack's parameters."""

    listed: ListedPeople

    def may_sign(self, address: str, present: PresentRequest) -> bool:
        """Whether the stack still lists this person for a slot of the request, or the one who passed it on to them."""
        return bool(self.slots_of(address, present))

    def is_listed(self, address: str) -> bool:
        """Whether the parameters name this person anywhere, as an approver of any cycle or as a deputy."""
        named = {one for rule in self.listed.rules for one in rule.slot.people}
        return address in named or address in self.listed.deputies

    def slots_of(self, address: str, present: PresentRequest) -> tuple[str, ...]:
        """Names of the slots for which this person may sign now."""
        able = self.listed.able(present.stored.request, present.entries)
        return tuple(slot.name for slot in able if address in slot.people)

    def why_not_to(self, to: str, by: str, present: PresentRequest) -> str:
        """Why the request cannot be passed on to an address, in a sentence; "" if it can."""
        passed, domains = passed_on(present.entries), self.listed.domains
        if not domains:
            return "Requests cannot be delegated here: no e-mail domain is set up for it."
        if by in passed.values():
            return "This request was delegated to you, so you cannot delegate it again."
        wanted = f"To delegate the request, type an e-mail address at {' or '.join(sorted(domains))}."
        mistake = mistake_in_address(to)
        if mistake:
            return wanted if not to else f"{wanted} This is none that can be mailed: {mistake}."
        if not self.listed.allows_domain(to):
            return wanted
        if is_barred(to, present.request.barred):
            return "This person started the run and may not sign it. Type someone else's address."
        if mailbox_of(to) in {mailbox_of(one) for one in (*present.people, *passed)}:
            return "This person has already been asked. Type someone else's address."
        return ""
