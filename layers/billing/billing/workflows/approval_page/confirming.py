"""The second factor: whoever answers types a code that was sent to them when they answered. It is asked for before
anything is recorded, and after all else of the answer was found right: a form that is wrong anyway sends no mail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from billing.domain.approval.approvers import approver_id
from billing.domain.approval.second_factor import GOOD_FOR, Code, KeptCode, SecondFactor, typed_code
from billing.domain.errors import AddressRefused, PassingError, PersonNeeded
from billing.domain.mail import MailContent
from billing.workflows.approval_page.approval_page import Seen
from billing.workflows.ports import Mail


class Codes(Protocol):
    """The codes that were made."""

    def keep(self, code: Code, signature: str, now: int) -> bool: ...
    def try_(self, request_id: str, approver: str) -> KeptCode | None: ...


class Signing(Protocol):
    """Signs and verifies codes."""

    def sign_code(self, code: Code) -> str: ...
    def is_code(self, code: Code, signature: str) -> bool: ...


class Asked(StrEnum):
    """Why the answer is not recorded yet."""

    SENT = "sent"  # a code is on its way
    SENT_BEFORE = "sent before"  # one was sent a moment ago, or as many as may be
    WRONG = "wrong"  # what was typed is not the code
    OVER = "over"  # the code is too old, or was tried too often
    UNSENT = "unsent"  # the code could not be sent


@dataclass(frozen=True, slots=True)
class Confirming:
    """What it works with. `connect_mail` makes the sender when one is needed, `new_digits` a code at random, `write`
    the mail with a code (who gets it, and their request, as it stands)."""

    factor: SecondFactor
    codes: Codes
    signing: Signing
    connect_mail: Callable[[], Mail]
    write: Callable[[Seen, str], MailContent]
    new_digits: Callable[[], str]
    now: datetime

    def confirm(self, seen: Seen, typed: str, *, resend: bool) -> Asked | None:
        """None if the answer may be recorded: no second factor is asked for, or the code was typed. Else what became of
        it. A try is counted before it is compared."""
        if self.factor == "off":
            return None
        if not typed.strip() or resend:
            return self._send(seen)
        digits = typed_code(typed)
        if not digits:
            return Asked.WRONG
        request_id, person = seen.request.id, approver_id(seen.approver)
        kept = self.codes.try_(request_id, person)
        if kept is None or kept.is_over(int(self.now.timestamp())):
            return Asked.OVER
        code = Code(request_id, person, digits, kept.expires_at)
        return None if self.signing.is_code(code, kept.signature) else Asked.WRONG

    def _send(self, seen: Seen) -> Asked:
        request_id, now = seen.request.id, int(self.now.timestamp())
        code = Code(request_id, approver_id(seen.approver), self.new_digits(), now + GOOD_FOR)
        if not self.codes.keep(code, self.signing.sign_code(code), now):
            return Asked.SENT_BEFORE
        try:
            self.connect_mail().send(seen.approver, self.write(seen, code.digits), thread=seen.request.run_id)
        except (AddressRefused, PassingError, PersonNeeded):
            return Asked.UNSENT
        return Asked.SENT
