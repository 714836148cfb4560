"""How a run went on after its batch was signed for, in words for those who signed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from billing.domain.approval.approval_request import RunEnd
from billing.domain.runs.report import RunOutcome
from billing.pages.formatting import counted, instant_words

LONG_FOR_DRAFTING: Final = timedelta(hours=6)
"""Ten thousand invoices take about half of it."""

_TOLD: Final = "The billing team has been told."


def ended_words(end: RunEnd) -> str:
    """What an approved run came to: "On 1 June 2026, 09:30 UTC the run ended: 29 of 31 orders are drafted in Stripe,
    2 failed. ..." """
    of_all = end.drafted + end.failed
    drafted = f"{end.drafted:,} of {counted(of_all, 'order')} {'is' if of_all == 1 else 'are'} drafted in Stripe"
    failed = f", {end.failed:,} failed" if end.failed else ""
    left_out = ""
    if end.left_out:
        were = counted(end.left_out, "order was held, or had", "orders were held, or had")
        left_out = f" {were} changed in NetSuite: nothing was drafted for {'it' if end.left_out == 1 else 'them'}."
    when = instant_words(end.at)
    if end.outcome == RunOutcome.BILLED:
        return f"The run ended on {when}: {drafted}.{left_out}"
    if end.outcome == RunOutcome.MISSING:
        again = "Started again, the run finishes those and repeats none."
        return f"The run ended on {when}: {drafted}{failed}. {_TOLD} {again}{left_out}"
    if end.outcome == RunOutcome.STOPPED:
        return f"The run was stopped by an error on {when}: {counted(end.drafted, 'order')} drafted so far. {_TOLD}"
    if end.outcome == RunOutcome.NOTHING_TO_BILL:
        return f"The run ended on {when}: nothing was left to draft.{left_out}"
    return f"The run ended on {when} ({end.outcome}): {drafted}{failed}. {_TOLD}{left_out}"


def short_end_words(end: RunEnd) -> str:
    """The same in one line: "29 of 31 orders drafted, 2 failed"."""
    of_all = end.drafted + end.failed
    failed = f", {end.failed:,} failed" if end.failed else ""
    stopped = ", stopped by an error" if end.outcome == RunOutcome.STOPPED else ""
    return f"{end.drafted:,} of {counted(of_all, 'order')} drafted{failed}{stopped}"


def stopped_words(end: RunEnd) -> str:
    """For a request that still waits while its run does not, or has begun again since."""
    return (
        f"The run behind this request stopped on {instant_words(end.at)}. {_TOLD} Unless it was started again since "
        "then, nothing is drafted, and what is answered now may have to be answered once more."
    )


def ended_before_words(end: RunEnd) -> str:
    """For a decision that came after the run had stopped."""
    return (
        f"The run stopped on {instant_words(end.at)}, before this decision, and has reported no end since. If it was "
        "started again before the decision, it is drafting the invoices now; if not, nothing is drafted until it is, "
        "and it may ask once more."
    )


def no_end_words(decided_at: str, now: datetime, awake: bool) -> str:
    """For an approved run that has no end on record. `awake` is False if it did not wait when it was to be woken."""
    since = now - datetime.fromisoformat(decided_at)
    if not awake:
        return (
            "The run was not waiting at the moment of this decision. If it is between two turns of its waiting, it "
            "reads the decision within a minute and drafts the invoices; if it was stopped, nothing is drafted until "
            "the billing team starts it again. Open this page again later: it shows how the run ended."
        )
    if since > LONG_FOR_DRAFTING:
        return (
            f"The run has not reported its end since {instant_words(decided_at)}, which is longer than drafting takes. "
            "It may have been stopped: please ask the billing team."
        )
    return "The invoices are being drafted in Stripe."
