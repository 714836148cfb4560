"""What became of every order of a run, and the proof that none was lost.

The report is the run's evidence: with nothing else at hand an auditor sees each order, its outcome, its invoice, the
hash of what was signed for, and who signed when.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final

from billing.domain.approval.approval_request import ApprovalRequest, RecordedOutcome
from billing.domain.approval.approvers import Vote
from billing.domain.batch.batch import Batch, BatchInvoice, DoneOrder, LeftAlone
from billing.domain.ledger.ended_orders import EndedListed
from billing.domain.ledger.ledger import UNSETTLED, Disposition, EntryState, LedgerEntry
from billing.domain.orders.due_date import due_date
from billing.domain.orders.other_subsidiaries import OtherSubsidiary
from billing.domain.orders.outstanding import CarriedGone, Outstanding
from billing.domain.records import written_as
from billing.domain.run import Run


class LineOutcome(StrEnum):
    """What became of an invoice, or of an order that became none."""

    DRAFTED = "drafted"
    SKIPPED = "skipped"  # drafted by an earlier run
    HELD = "held"  # a person has to look, or the batch was not approved
    FAILED = "failed"
    PROBLEM = "problem"  # could not be billed as it is in NetSuite
    ENDED = "ended"  # a person has said that nothing more is to be billed of it


class RunOutcome(StrEnum):
    """How the run ended."""

    BILLED = "billed"
    NOTHING_TO_BILL = "nothing to bill"
    DRY_RUN = "dry run"
    REJECTED = "rejected"
    EXPIRED = "expired"
    UNDELIVERABLE = "undeliverable"
    MISSING = "invoices missing"
    NOTHING_NEW = "nothing new"  # the period was finished before, and all of it is as it was
    INCOMPLETE = "incomplete"
    STOPPED = "stopped by an error"


@dataclass(frozen=True, slots=True)
class ReportLine:
    """One invoice (or one order that became none). `total` is in minor units; both it and `currency` are None for an
    order whose amount cannot be read. `invoice_day` and `due_day` (YYYY-MM-DD) are the draft's, or those that were
    asked about where there is no draft; `terms_day` is the due day by the terms where the draft's is another, because
    that one had passed. `reason` says why it was not drafted, "" if it was; `code` names the same for a
    program: total_differs, customer_ambiguous, PersonNeeded."""

    key: str
    orders: tuple[str, ...]
    order_ids: tuple[str, ...]
    client: str
    fate: LineOutcome
    reason: str
    currency: str | None
    total: int | None
    invoice_id: str | None
    invoice_hash: str | None = field(metadata=written_as("content_hash"))
    stripe_customer: str | None
    new_customer: bool
    warnings: tuple[str, ...] = ()
    carried_from: str | None = None
    client_id: str = ""
    code: str = ""
    invoice_day: str = ""
    due_day: str = ""
    terms_day: str = ""


@dataclass(frozen=True, slots=True)
class RecordLine:
    """One thing that happened to the approval: when, who ("" for the run itself), what, why, the SHA-256 of the content
    it was about ("" where it was about none), and the id of the request: a redriven run may have asked several times.
    """

    at: str
    who: str
    what: str
    reason: str = ""
    content: str = ""
    request: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """Everything about a run. `request` is the last approval request as it stood in the end, `record` everything that
    happened to all of the run's requests, and `asked` the addresses of everybody whom the last one asked at some time.
    `outstanding` are orders of earlier runs that this one did not list, `carried_gone` those ended in NetSuite since,
    `left_alone` what lies before the day from which the firm bills, None where that was told before, and `of_others`
    the open orders of subsidiaries that this stack does not bill; `ended_early` says why drafting was stopped before
    every invoice was begun, "" if it was not.
    `totals` maps a fate to sums in minor units by currency; `counts` counts orders."""

    run: Run
    outcome: RunOutcome
    error: str
    cause: str
    lines: tuple[ReportLine, ...]
    listed: int
    counts: Mapping[str, int]
    totals: Mapping[str, Mapping[str, int]]
    decision: RecordedOutcome | None
    votes: tuple[Vote, ...]
    batch_sha256: str | None
    live_mode: bool | None = None
    request: ApprovalRequest | None = None
    record: tuple[RecordLine, ...] = ()
    asked: tuple[str, ...] = ()
    outstanding: tuple[Outstanding, ...] = ()
    carried_gone: tuple[CarriedGone, ...] = ()
    left_alone: tuple[LeftAlone, ...] | None = None
    of_others: tuple[OtherSubsidiary, ...] = ()
    redrive_count: int = 0
    ended_early: str = ""

    def of(self, fate: LineOutcome) -> tuple[ReportLine, ...]:
        """The lines with this fate."""
        return tuple(line for line in self.lines if line.fate is fate)


_WORST_FIRST = (
    LineOutcome.FAILED,
    LineOutcome.HELD,
    LineOutcome.PROBLEM,
    LineOutcome.DRAFTED,
    LineOutcome.SKIPPED,
    LineOutcome.ENDED,
)
ENDED_NOW: Final = "ended"
"""The code of a line whose ending is named with who and why for the first time; later reports only count it."""
ENDED_EARLIER: Final = "ended_earlier"


def report_lines(
    batch: Batch,
    entries: Mapping[str, LedgerEntry],
    run_id: str,
    released: bool,
    unreleased_reason: str,
    changed: Mapping[str, str],
) -> tuple[ReportLine, ...]:
    """One line per invoice, per problem and per order that a person has ended.

    `released` says that the batch was approved and handed to drafting. If not, what waits for drafting is held, for
    `unreleased_reason`. `changed` are plans whose orders moved in NetSuite after the listing, with the reason: held
    too.
    """
    lines = [
        _invoice_line(
            invoice,
            entries.get(invoice.billed_by or invoice.plan.key),
            run_id,
            released and invoice.plan.key not in changed,
            changed.get(invoice.plan.key, unreleased_reason),
        )
        for invoice in batch.invoices
    ]
    lines += [
        ReportLine(
            key=f"problem-{problem.order_id}",
            orders=(problem.order_number,),
            order_ids=(problem.order_id,),
            client=problem.client_name or "",
            fate=LineOutcome.PROBLEM,
            reason=problem.message,
            currency=problem.currency,
            total=problem.total_minor,
            invoice_id=None,
            invoice_hash=None,
            stripe_customer=None,
            new_customer=False,
            code=problem.reason_code,
        )
        for problem in batch.problems
    ]
    lines += [_done_line(one, run_id) for one in batch.done]
    lines += [_ended_line(one, run_id) for one in batch.ended]
    return tuple(lines)


def _done_line(done: DoneOrder, run_id: str) -> ReportLine:
    # A redriven run finds what it drafted itself before: that is its own work, not an earlier run's.
    mine = done.run_id == run_id
    return ReportLine(
        key=done.key,
        orders=(done.number,),
        order_ids=(done.order_id,),
        client=done.client,
        fate=LineOutcome.DRAFTED if mine else LineOutcome.SKIPPED,
        reason="" if mine else done.reason,
        currency=done.currency,
        total=done.total,
        invoice_id=done.invoice_id,
        invoice_hash=done.invoice_hash,
        stripe_customer=None,
        new_customer=False,
        client_id=done.client_id,
    )


def _ended_line(listed: EndedListed, run_id: str) -> ReportLine:
    return ReportLine(
        key=f"ended-{listed.ended.order_id}",
        orders=(listed.ended.number,),
        order_ids=(listed.ended.order_id,),
        client=listed.client,
        fate=LineOutcome.ENDED,
        reason=listed.ended.words,
        currency=listed.currency,
        total=listed.total,
        invoice_id=None,
        invoice_hash=None,
        stripe_customer=None,
        new_customer=False,
        client_id=listed.client_id,
        code=ENDED_NOW if listed.first_named_in(run_id) else ENDED_EARLIER,
    )


def _invoice_line(
    invoice: BatchInvoice, entry: LedgerEntry | None, run_id: str, released: bool, unreleased_reason: str
) -> ReportLine:
    plan = invoice.plan
    fate, reason = _fate(invoice, entry, run_id, released, unreleased_reason)
    drafted = fate is LineOutcome.DRAFTED and invoice.piece is not None
    invoice_day, due_day, terms_day = _days(invoice, entry, fate)
    return ReportLine(
        key=plan.key,
        orders=tuple(order.number for order in plan.orders),
        order_ids=tuple(order.id for order in plan.orders),
        client=plan.client.name,
        fate=fate,
        reason=reason,
        currency=plan.currency,
        total=entry.total if drafted and entry and entry.total is not None else invoice.total,
        invoice_id=invoice.invoice_id or (entry.invoice_id if entry else None),
        invoice_hash=invoice.invoice_hash,
        stripe_customer=entry.stripe_customer
        if entry and drafted
        else (invoice.customer.id if invoice.customer else None),
        new_customer=invoice.customer is not None and invoice.customer.id is None,
        warnings=tuple(warning.message for warning in plan.warnings),
        carried_from=invoice.carried_from,
        client_id=plan.client.netsuite_id,
        code=_code(invoice, entry, fate),
        invoice_day=invoice_day,
        due_day=due_day,
        terms_day=terms_day,
    )


def _days(invoice: BatchInvoice, entry: LedgerEntry | None, fate: LineOutcome) -> tuple[str, str, str]:
    """(invoice date, due date, due date by the terms if that is another), "" for what is not known."""
    if fate in (LineOutcome.DRAFTED, LineOutcome.SKIPPED) and entry is not None and entry.invoice_day:
        if entry.due_day is None:
            return entry.invoice_day, "", ""
        by_terms = due_date(invoice.plan.due, date.fromisoformat(entry.invoice_day)).isoformat()
        return entry.invoice_day, entry.due_day, by_terms if by_terms < entry.due_day else ""
    return (invoice.days.invoice, invoice.days.due, "") if invoice.days else ("", "", "")


def _fate(
    invoice: BatchInvoice, entry: LedgerEntry | None, run_id: str, released: bool, unreleased_reason: str
) -> tuple[LineOutcome, str]:
    # A redriven run finds what it drafted itself before: that is its own work, not an earlier run's.
    mine = entry is not None and entry.run_id == run_id
    if invoice.disposition is Disposition.HOLD:
        if mine and entry is not None and entry.state is EntryState.DIFFERS:
            return LineOutcome.FAILED, _difference(entry)
        return LineOutcome.HELD, invoice.reason
    if invoice.disposition is Disposition.SKIP:
        return (LineOutcome.DRAFTED, "") if mine else (LineOutcome.SKIPPED, invoice.reason)
    if not released:
        left = _left_behind(invoice, entry)
        return LineOutcome.HELD, f"{unreleased_reason.rstrip('.')}. {left}" if left else unreleased_reason
    if entry is not None and entry.invoice_hash == invoice.invoice_hash:
        if entry.state is EntryState.DRAFTED and not mine:
            # Two months may ask about one order at once: whoever was signed first has drafted it.
            return (
                LineOutcome.SKIPPED,
                f"The run {entry.run_id} has drafted it meanwhile, in {entry.period}, as {entry.invoice_id}.",
            )
        return (
            (LineOutcome.DRAFTED, "")
            if entry.state is EntryState.DRAFTED
            else (LineOutcome.FAILED, failure_words(entry))
        )
    if (
        entry is not None
        and not mine
        and entry.state is EntryState.DRAFTED
        and entry.invoice_id not in invoice.replaces
    ):
        # Texts may name the period: then two months ask about one order with other texts, and the same amounts.
        said = f"The run {entry.run_id} has drafted it meanwhile, in {entry.period}, as {entry.invoice_id}"
        if (entry.total, entry.currency) == (invoice.plan.total, invoice.plan.currency):
            return LineOutcome.SKIPPED, f"{said}, with the same total and other texts."
        return LineOutcome.HELD, f"{said}, with another total. The next run compares the two."
    if entry is not None and mine and entry.state is EntryState.FAILED:
        # Of the draft that an earlier run had begun of other content, the ledger keeps that content.
        return LineOutcome.FAILED, failure_words(entry)
    return LineOutcome.FAILED, "Nothing was recorded about it: its drafting did not begin. Run again."


def failure_words(entry: LedgerEntry) -> str:
    """Why a plan has no draft, or one that differs: what failed last, and what an earlier run had said before."""
    if entry.state is EntryState.DIFFERS:
        return _difference(entry)
    if entry.state is EntryState.FAILED:
        reason = entry.reason or entry.reason_name or "It failed without a reason."
    else:
        reason = entry.reason or "Its drafting began and did not end. Run again: it is finished, not repeated."
    if not entry.earlier_reason or entry.earlier_reason == entry.reason:
        return reason
    return f"{reason.rstrip('.')}. An earlier run had said: {entry.earlier_reason}"


def _code(invoice: BatchInvoice, entry: LedgerEntry | None, fate: LineOutcome) -> str:
    if entry is not None and fate is LineOutcome.FAILED:
        return entry.reason_name or ""
    may_be_drafted = invoice.disposition in (Disposition.ASK, Disposition.FINISH)
    return "draft_left" if fate is LineOutcome.HELD and may_be_drafted and _left_behind(invoice, entry) else ""


def _left_behind(invoice: BatchInvoice, entry: LedgerEntry | None) -> str:
    """What is, or may be, in Stripe of an invoice that this run does not draft, "" if nothing can be: a person has to
    look, for nobody else will."""
    if entry is None:
        return ""
    if entry.state in (EntryState.DRAFTED, EntryState.DIFFERS):
        if entry.invoice_hash != invoice.invoice_hash or entry.invoice_id in invoice.replaces:
            return ""
        return (
            f"The run {entry.run_id} has drafted it already, as {entry.invoice_id}. Delete that draft in Stripe if it "
            "must not be billed."
        )
    if entry.state not in UNSETTLED or not entry.invoice_day:
        return ""
    if entry.invoice_id is None:
        return (
            f"The run {entry.run_id} began to draft it and did not end: Stripe may have a draft of it, which "
            "find_the_orphans names."
        )
    return (
        f"The run {entry.run_id} began its draft {entry.invoice_id} and did not finish it. Delete that draft in Stripe "
        "if it must not be billed; a later run finishes it once it is signed for."
    )


def _difference(entry: LedgerEntry) -> str:
    """ "Total differs: SO-1001: Stripe's total is ..." """
    what = (entry.reason_name or "draft_differs").replace("_", " ").capitalize()
    return f"{what}: {entry.reason or 'the draft is not what was approved.'}"


def order_fates(lines: Iterable[ReportLine]) -> dict[str, LineOutcome]:
    """The fate of each order by NetSuite's internal id: of an order with several invoices, the worst of theirs."""
    fates: dict[str, LineOutcome] = {}
    for line in lines:
        for order_id in line.order_ids:
            known = fates.get(order_id)
            if known is None or _WORST_FIRST.index(line.fate) < _WORST_FIRST.index(known):
                fates[order_id] = line.fate
    return fates


def count_orders(lines: Iterable[ReportLine]) -> dict[str, int]:
    """Orders by fate, every fate present."""
    fates = list(order_fates(lines).values())
    return {str(fate): fates.count(fate) for fate in LineOutcome}


def sum_amounts(lines: Iterable[ReportLine]) -> dict[str, dict[str, int]]:
    """Sums in minor units by fate and currency, over the lines whose amount is known."""
    sums: dict[str, dict[str, int]] = {str(fate): {} for fate in LineOutcome}
    for line in lines:
        if line.currency is not None and line.total is not None:
            of_fate = sums[str(line.fate)]
            of_fate[line.currency] = of_fate.get(line.currency, 0) + line.total
    return {fate: dict(sorted(by_currency.items())) for fate, by_currency in sums.items()}


def missing_orders(listed_ids: Iterable[str], lines: Iterable[ReportLine]) -> tuple[str, ...]:
    """Internal ids of orders that were listed and have no line: the proof of completeness fails if there is any."""
    reported = set(order_fates(lines))
    return tuple(sorted(set(listed_ids) - reported))


def sums_agree(batch: Batch, totals: Mapping[str, Mapping[str, int]]) -> bool:
    """Whether the sums by fate add up, per currency, to what was listed. Drafted sums are what Stripe answered, so a
    draft that differs from its plan shows here too."""
    listed: dict[str, int] = {}
    known = [(one.plan.currency, one.total) for one in batch.invoices]
    known += [(one.currency, one.total) for one in batch.done]
    known += [(one.currency, one.total) for one in batch.ended if one.currency is not None and one.total is not None]
    for currency, amount in known + [
        (problem.currency, problem.total_minor)
        for problem in batch.problems
        if problem.currency is not None and problem.total_minor is not None
    ]:
        listed[str(currency)] = listed.get(str(currency), 0) + amount
    reported: dict[str, int] = {}
    for by_currency in totals.values():
        for currency, amount in by_currency.items():
            reported[currency] = reported.get(currency, 0) + amount
    return listed == reported
