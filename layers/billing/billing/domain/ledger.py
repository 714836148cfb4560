"""What is known about one invoice plan from earlier runs, and what a run does with it.

The ledger is what makes a second invoice impossible, for ever and not for the 24 hours that a Stripe idempotency key
lives: an entry is written as intent before the first write to Stripe and as fact after the last.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class EntryState(StrEnum):
    """Where the drafting of a plan stands."""

    INTENDED = "intended"  # something may or may not exist in Stripe
    DRAFTED = "drafted"  # exists, complete, read back and equal to what was approved
    DIFFERS = "differs"  # exists, but its total, currency, lines or customer are not what was approved
    FAILED = "failed"  # given up in one run; the next one finishes it


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """The ledger's row of one plan. `total` is in minor units of `currency` as Stripe answered it, None before (and
    without tax where Stripe computes it). `live_mode` is False for Stripe's test mode."""

    key: str
    state: EntryState
    content_hash: str
    run_id: str
    period: str
    attempt: int
    invoice_day: str
    stripe_customer: str | None = None
    invoice_id: str | None = None
    currency: str | None = None
    total: int | None = None
    reason_name: str | None = None
    reason: str | None = None
    live_mode: bool | None = None


@dataclass(frozen=True, slots=True)
class Approval:
    """That a plan's content was signed for, and which Stripe customer the approvers saw (None: a new one)."""

    key: str
    content_hash: str
    stripe_customer: str | None


class Disposition(StrEnum):
    """What a run does with a plan."""

    ASK = "ask"  # nobody has signed for this content yet
    FINISH = "finish"  # signed for in an earlier run, not drafted yet
    SKIP = "skip"  # drafted already
    HOLD = "hold"  # a person has to look first


@dataclass(frozen=True, slots=True)
class Decision:
    """A disposition with its reason, for the approvers and the report."""

    disposition: Disposition
    reason: str
    invoice_id: str | None = None


def decide(
    content_hash: str, stripe_customer: str | None, entry: LedgerEntry | None, approval: Approval | None
) -> Decision:
    """Decide what to do with a plan. Pure.

    An approval counts only for the content it was given for, and for the Stripe customer that was shown: one that was
    shown as new may meanwhile have been created by us, another customer than the one shown must be asked about again.
    """
    if entry is not None and entry.state is EntryState.DRAFTED:
        if entry.content_hash == content_hash:
            return Decision(Disposition.SKIP, f"Drafted in {entry.period} as {entry.invoice_id}.", entry.invoice_id)
        return Decision(
            Disposition.HOLD,
            f"Drafted in {entry.period} as {entry.invoice_id}, and its content has changed since. It is not billed again: "
            "compare the invoice with the order, and bill the difference by hand.",
            entry.invoice_id,
        )
    if entry is not None and entry.state is EntryState.DIFFERS:
        return Decision(
            Disposition.HOLD,
            f"The draft {entry.invoice_id} differs from what was approved. Correct or delete it in Stripe, then remove the "
            "ledger's entry as the runbook says.",
            entry.invoice_id,
        )
    if approval is not None and approval.content_hash == content_hash:
        if approval.stripe_customer in (None, stripe_customer):
            return Decision(Disposition.FINISH, "Approved in an earlier run and not drafted yet.")
        return Decision(Disposition.ASK, "Approved earlier for another Stripe customer than the one it matches now.")
    if entry is not None:
        return Decision(Disposition.ASK, "An earlier run could not draft it, and its content has changed since.")
    return Decision(Disposition.ASK, "New.")
