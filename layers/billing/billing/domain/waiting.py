"""What a waiting request is due for, and how long the run may sleep before it looks again. Pure: the time comes in."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from billing.domain.errors import InputInvalid

MOST_SLICES = 600
"""Of one wait. Each leaves some twenty events, and Step Functions ends an execution that has 25,000 (AWS, "Service
quotas for Step Functions")."""


class Due(StrEnum):
    """What to do now."""

    NOTHING = "nothing"
    REMINDER = "reminder"
    ESCALATION = "escalation"
    EXPIRY = "expiry"


@dataclass(frozen=True, slots=True)
class WaitingRules:
    """In seconds from the request's opening. 0 for `reminder_interval` and `escalation_after` means never."""

    timeout: int
    reminder_interval: int = 0
    escalation_after: int = 0

    @property
    def first_wait(self) -> int:
        """Seconds until the first of reminder, escalation and expiry."""
        return min(one for one in (self.timeout, self.reminder_interval, self.escalation_after) if one > 0)


@dataclass(frozen=True, slots=True)
class NextStep:
    """What is due now (`reminder` is the number of the newest reminder that is due, 0 before the first), and in how
    many whole seconds, at least one, the next thing is."""

    due: Due
    reminder: int
    seconds: int


def check_rules(rules: WaitingRules) -> None:
    """Raises InputInvalid if a wait would take more turns than an execution may have."""
    if rules.reminder_interval and rules.timeout / rules.reminder_interval > MOST_SLICES:
        raise InputInvalid(
            f"The parameter ReminderIntervalSeconds is too short: {rules.timeout} seconds of waiting "
            f"(ApprovalTimeoutSeconds) would take more than {MOST_SLICES} reminders."
        )


def next_step(
    rules: WaitingRules, opened_at: datetime, expires_at: datetime, now: datetime, reminded: int, deputies_asked: bool
) -> NextStep:
    """`reminded` is the number of the last reminder that was sent, 0 for none."""
    passed = (now - opened_at).total_seconds()
    left = (expires_at - now).total_seconds()
    number = int(passed // rules.reminder_interval) if rules.reminder_interval and passed > 0 else 0
    waits = [left]
    if rules.reminder_interval:
        waits.append(rules.reminder_interval * (number + 1) - passed)
    escalates = rules.escalation_after > 0 and not deputies_asked
    if escalates and passed < rules.escalation_after:
        waits.append(rules.escalation_after - passed)
    seconds = max(1, math.ceil(min(waits)))
    if left <= 0:
        return NextStep(Due.EXPIRY, number, 1)
    if escalates and passed >= rules.escalation_after:
        return NextStep(Due.ESCALATION, number, seconds)
    return NextStep(Due.REMINDER if number > reminded else Due.NOTHING, number, seconds)
