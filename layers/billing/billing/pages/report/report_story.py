"""A run's report in words and sums: what its page, its Slack message and its mail have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from billing.domain.approval.approvers import Answer
from billing.domain.money.money import CurrencyUnknown
from billing.domain.period_name import period_name
from billing.domain.runs.report import ENDED_EARLIER, LineOutcome, Report, ReportLine, RunOutcome
from billing.pages.formatting import counted, day_words, instant_words, money_words, people_words, sums_words

FATE_TITLES: Final = {
    LineOutcome.DRAFTED: "Drafted",
    LineOutcome.SKIPPED: "Skipped, drafted by an earlier run",
    LineOutcome.HELD: "Held",
    LineOutcome.FAILED: "Failed",
    LineOutcome.PROBLEM: "Problem in NetSuite",
    LineOutcome.ENDED: "Ended by a person",
}
"""In the order of the completeness sum: listed = drafted + skipped + held + failed + problems + ended."""

TROUBLED: Final = (LineOutcome.FAILED, LineOutcome.HELD, LineOutcome.PROBLEM)
"""Fates that somebody has to look at, the most pressing first."""
NAMED: Final = (*TROUBLED, LineOutcome.ENDED)
"""Fates whose orders a message names with a reason. An ended order is named once, and only counted after that."""

_GOOD: Final = (RunOutcome.BILLED, RunOutcome.NOTHING_TO_BILL, RunOutcome.NOTHING_NEW, RunOutcome.DRY_RUN)


@dataclass(frozen=True, slots=True)
class Trouble:
    """Lines of one fate that have one reason in common."""

    fate: LineOutcome
    reason: str
    lines: tuple[ReportLine, ...]


def is_good(report: Report) -> bool:
    """Whether nobody has to do anything about the run."""
    return report.outcome in _GOOD


def not_billed(report: Report) -> int:
    """How many orders of a run that drafted are not billed: held, failed, or with a problem."""
    return sum(report.counts.get(str(fate), 0) for fate in TROUBLED)


def headline(report: Report) -> str:
    """What happened, in one line without foreign text but the period."""
    period = period_name(report.run.period or "an unknown period")
    drafted = len(report.of(LineOutcome.DRAFTED))
    missing = len(report.of(LineOutcome.FAILED))
    return {
        RunOutcome.BILLED: f"{period} is billed{_but_for(report)}: {counted(drafted, 'draft invoice')} in Stripe",
        RunOutcome.NOTHING_TO_BILL: f"{period}: nothing to bill",
        RunOutcome.NOTHING_NEW: (
            f"{period} was billed before and nothing has changed: {counted(report.listed, 'order')} listed, all drafted"
        ),
        RunOutcome.DRY_RUN: f"{period}: dry run, nothing was written to Stripe",
        RunOutcome.REJECTED: f"{period} was rejected: nothing was drafted",
        RunOutcome.EXPIRED: f"{period}: the approval expired, nothing was drafted",
        RunOutcome.UNDELIVERABLE: f"{period}: the approvers cannot be reached, nothing was drafted",
        RunOutcome.MISSING: (
            f"{period}: {counted(missing, 'invoice')} {'is' if missing == 1 else 'are'} missing, "
            f"{drafted:,} {'was' if drafted == 1 else 'were'} drafted"
        ),
        RunOutcome.INCOMPLETE: f"{period}: the report does not add up, an order is unaccounted for",
        RunOutcome.STOPPED: f"{period}: the run was stopped by an error",
    }[report.outcome]


def explanation(report: Report) -> str:
    """One or two sentences below the headline: by whom, why, and what to do. Holds foreign text."""
    reason = report.decision.reason if report.decision else ""
    if report.outcome is RunOutcome.REJECTED:
        people = people_words([vote.approver for vote in report.votes if vote.answer is Answer.REJECT])
        by = f"Rejected by {people}" if people else "Rejected"
        return f"{by}: {reason}" if reason else f"{by}, without a reason."
    if report.outcome is RunOutcome.EXPIRED:
        when = f" (closed on {instant_words(report.decision.at)})" if report.decision else ""
        signed = people_words([vote.approver for vote in report.votes])
        said = f"Signed so far: {signed}." if signed else "No one had responded."
        late = f"Not everyone required signed in time{when}."
        return f"{late} {said} It was not rejected. Start the run again to ask again."
    if report.outcome is RunOutcome.UNDELIVERABLE:
        return f"{reason or report.cause} Correct the addresses or the parameter Approvers, then start the run again."
    if report.outcome is RunOutcome.STOPPED:
        return f"{report.error or 'Error'}: {report.cause or 'no cause was given'}"
    if report.outcome is RunOutcome.INCOMPLETE:
        return report.cause or (
            f"{report.listed:,} orders were listed and {sum(report.counts.values()):,} are accounted for. Do not run "
            "again until someone has found out why."
        )
    if report.outcome is RunOutcome.MISSING:
        again = "Run again: missing invoices are drafted, existing drafts stay as they are, and no one is asked twice."
        return f"{report.ended_early} {again}".strip()
    if report.outcome is RunOutcome.NOTHING_TO_BILL:
        return _nothing_to_bill(report)
    if report.outcome is RunOutcome.NOTHING_NEW:
        return f"The run {report.run.finished_by or 'before this one'} completed it; see its report."
    if report.outcome is RunOutcome.DRY_RUN:
        return "Everything up to the approval was tried. No one was asked and nothing was recorded."
    return "The drafts are in Stripe."


def _but_for(report: Report) -> str:
    left = not_billed(report)
    return f", but for {counted(left, 'order')}" if left else ""


def _nothing_to_bill(report: Report) -> str:
    if report.of(LineOutcome.HELD) or report.of(LineOutcome.PROBLEM):
        return "No order can be billed as it is. The reasons are listed below."
    waits = " Orders of earlier runs still wait: they are named below." if report.outstanding else ""
    if report.of(LineOutcome.ENDED):
        return f"Every order is billed already, or was ended by a person.{waits}"
    if report.listed:
        return f"Every order that was listed is billed already.{waits}"
    return f"NetSuite has no open order for this period.{waits}"


def troubles(report: Report) -> tuple[Trouble, ...]:
    """Failed, held, problems, and what a person has ended since the last report. Equal reasons are put together: what
    one rejection holds is one trouble, not 300."""
    found: dict[tuple[LineOutcome, str], list[ReportLine]] = {}
    for fate in NAMED:
        for line in named_lines(report, fate):
            found.setdefault((fate, line.reason), []).append(line)
    return tuple(Trouble(fate, reason, tuple(lines)) for (fate, reason), lines in found.items())


def named_lines(report: Report, fate: LineOutcome) -> tuple[ReportLine, ...]:
    """The lines with this fate, without those that an earlier report has named and that are only counted since."""
    return tuple(line for line in report.of(fate) if line.code != ENDED_EARLIER)


def trouble_subject(trouble: Trouble, most: int = 5) -> str:
    """Which orders and how much: "SO-1001 (Northwind, USD 12.00)", or "36 orders: SO-1001, SO-1002 and 34 more"."""
    if len(trouble.lines) == 1:
        line = trouble.lines[0]
        about = ", ".join(part for part in (line.client, line_amount(line)) if part)
        numbers = order_text(line)
        return f"{numbers} ({about})" if about else numbers
    numbers_of = [order_text(line) for line in trouble.lines]
    named = ", ".join(numbers_of[:most])
    rest = f" and {len(numbers_of) - most:,} more" if len(numbers_of) > most else ""
    return f"{len(numbers_of):,} together ({sums_words(_sums(trouble.lines), 4) or 'amounts unknown'}): {named}{rest}"


def order_text(line: ReportLine) -> str:
    """The order's numbers, or the key of a line that has none."""
    return ", ".join(number for number in line.orders if number) or line.key


def line_amount(line: ReportLine) -> str:
    """ "USD 12.00", or "" where the amount or its currency cannot be read."""
    if line.total is None or not line.currency:
        return ""
    try:
        return money_words(line.total, line.currency)
    except CurrencyUnknown:
        return ""


def days_text(line: ReportLine) -> str:
    """ "Dated 1 June 2026, due 6 June 2026", and why it is not the day that the terms give; "" where nothing is
    known."""
    if not line.invoice_day:
        return ""
    dated = f"Dated {day_words(line.invoice_day)}"
    if not line.due_day:
        return f"{dated}."
    moved = (
        f": by its terms {day_words(line.terms_day)}, which had passed when it was drafted" if line.terms_day else ""
    )
    return f"{dated}, due {day_words(line.due_day)}{moved}."


def fate_sums(report: Report) -> list[tuple[LineOutcome, int, str]]:
    """Each fate with its number of orders and its sums in words, in the order of the completeness sum. Of more than a
    dozen currencies the rest is only counted: messages have limits, the report's page has them all."""
    return [
        (fate, report.counts.get(str(fate), 0), sums_words(report.totals.get(str(fate), {}), 12))
        for fate in FATE_TITLES
    ]


def currencies(report: Report) -> tuple[str, ...]:
    """Every currency of the report."""
    return tuple(sorted({currency for sums in report.totals.values() for currency in sums}))


def invoice_url(stripe_dashboard: str, invoice_id: str) -> str:
    """The invoice in Stripe's dashboard."""
    return f"{stripe_dashboard.rstrip('/')}/invoices/{quote(invoice_id, safe='')}"


def _sums(lines: Sequence[ReportLine]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for line in lines:
        if line.currency and line.total is not None:
            sums[line.currency] = sums.get(line.currency, 0) + line.total
    return dict(sorted(sums.items()))
