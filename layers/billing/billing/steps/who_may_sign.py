"""Who may sign at this moment: a request remembers whom it asked, but somebody who was taken off the stack's parameters
since then can no longer sign."""

from __future__ import annotations

from dataclasses import dataclass

from billing.domain.approval_entries import passed_on
from billing.domain.approvers import is_address
from billing.steps.present_request import PresentRequest


@dataclass(frozen=True, slots=True)
class WhoMaySign:
    """The stack's parameters: everybody in a slot, the deputies, and the domains that a request may be passed on to."""

    approvers: frozenset[str]
    deputies: frozenset[str]
    domains: frozenset[str]

    def may_sign(self, address: str, present: PresentRequest) -> bool:
        """Whether the stack still lists this person, or the one who passed the request on to them."""
        origins = {to: by for by, to in passed_on(present.entries).items()}
        origin = origins.get(address)
        if origin is not None:
            return self._is_allowed_domain(address) and self._is_listed(origin, present)
        return self._is_listed(address, present)

    def why_not_to(self, to: str, by: str, present: PresentRequest) -> str:
        """Why the request cannot be passed on to an address, in a sentence; "" if it can."""
        passed = passed_on(present.entries)
        if not self.domains:
            return "Requests cannot be passed on here: the stack allows no domain for that."
        if by in passed.values():
            return "This request was passed on to you, so you cannot pass it on again."
        if not is_address(to) or not self._is_allowed_domain(to):
            return f"To pass the request on, type an e-mail address of {' or '.join(sorted(self.domains))}."
        if to in present.people or to in passed:
            return "This person is asked already. Type somebody else's address."
        return ""

    def _is_listed(self, address: str, present: PresentRequest) -> bool:
        return address in self.approvers or (present.deputies_asked and address in self.deputies)

    def _is_allowed_domain(self, address: str) -> bool:
        return address.rpartition("@")[2] in self.domains
