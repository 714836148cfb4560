"""What a waiting request is due for, and how long the run may sleep before it looks again. Pure: the time comes in."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from billing.domain.errors import InputInvalid

LONGEST_SLICE = 3_600
"""Seconds. A callback can be lost after the decision was written; the run finds the decision when its slice is over."""

MOST_TURNS = 900
"""Of one wait. A turn leaves 13 events, 18 with a reminder, and Step Functions ends an execution that has 25,000 (AWS,
"Service quotas for Step Functions"). 900 reminders would be 16,200; the rest is for what wakes the run, for retries,
and for the other states. The longest wait, 30 days, takes 720 turns of an hour."""


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
        """Seconds until the first of reminder, escalation and expiry, or a slice if that is less."""
        waits = (self.timeout, self.reminder_interval, self.escalation_after, LONGEST_SLICE)
        return min(one for one in waits if one > 0)

    @property
    def most_turns(self) -> int:
        """How often the run looks at the most, unless somebody wakes it."""
        reminders = self.timeout // self.reminder_interval if self.reminder_interval else 0
        return math.ceil(self.timeout / LONGEST_SLICE) + reminders + bool(self.escalation_after)


@dataclass(frozen=True, slots=True)
class NextStep:
    """What is due now (`reminder` is the number of the newest reminder that is due, 0 before the first), and in how
    many whole seconds, at least one, the next thing is."""

    due: Due
    reminder: int
    seconds: int


def check_rules(rules: WaitingRules) -> None:
    """Raises InputInvalid if a wait would take more turns than an execution may have, or would be over before the
    deputies are asked."""
    if rules.most_turns > MOST_TURNS:
        raise InputInvalid(
            f"The parameter ReminderIntervalSeconds is too short, or ApprovalTimeoutSeconds too long: {rules.timeout} "
            f"seconds of waiting would take {rules.most_turns} turns (one an hour, and one a reminder), and Step "
            f"Functions has room for {MOST_TURNS}."
        )
    if rules.escalation_after >= rules.timeout:
        raise InputInvalid(
            f"The parameter EscalationAfterSeconds ({rules.escalation_after}) must be less than ApprovalTimeoutSeconds "
            f"({rules.timeout}): else the run has ended before the deputies are asked."
        )


_LAST_WITHOUT_REMINDERS = timedelta(days=1)


def is_last_reminder(rules: WaitingRules, opened_at: datetime, expires_at: datetime, now: datetime) -> bool:
    """Whether no reminder that is due by itself comes between `now` and the request's end. Where there are none at all,
    one that a person sends is the last on the last day."""
    if not rules.reminder_interval:
        return expires_at - now <= _LAST_WITHOUT_REMINDERS
    interval = timedelta(seconds=rules.reminder_interval)
    return opened_at + interval * ((now - opened_at) // interval + 1) >= expires_at


def next_step(
    rules: WaitingRules,
    opened_at: datetime,
    expires_at: datetime,
    now: datetime,
    reminded: int,
    deputies_asked: bool,
    again_at: datetime | None = None,
) -> NextStep:
    """`reminded` is the number of the last reminder that was sent, 0 for none. `again_at` is when people are to be
    asked again, whose approval a hold has voided.

    The escalation comes first, because a reminder that is due together with it is sent right after it, also if it
    failed; see "Ask the deputies" in the state machine.
    """
    passed = (now - opened_at).total_seconds()
    left = (expires_at - now).total_seconds()
    number = int(passed // rules.reminder_interval) if rules.reminder_interval and passed > 0 else 0
    waits = [left, LONGEST_SLICE]
    if rules.reminder_interval:
        waits.append(rules.reminder_interval * (number + 1) - passed)
    escalates = rules.escalation_after > 0 and not deputies_asked
    if escalates and passed < rules.escalation_after:
        waits.append(rules.escalation_after - passed)
    if again_at is not None and again_at > now:
        waits.append((again_at - now).total_seconds())
    seconds = max(1, math.ceil(min(waits)))
    if left <= 0:
        return NextStep(Due.EXPIRY, number, 1)
    if escalates and passed >= rules.escalation_after:
        return NextStep(Due.ESCALATION, number, seconds)
    return NextStep(Due.REMINDER if number > reminded else Due.NOTHING, number, seconds)
