"""A batch, a request and reports as a services firm has them, built with the domain's own classes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import fields as dataclass_fields
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from billing.domain.approval.approval_request import ApprovalRequest, RecordedOutcome
from billing.domain.approval.approvers import Answer, Slot, SlotRule, Tally, Vote, count_votes
from billing.domain.batch.batch import Batch, BatchInvoice
from billing.domain.batch.month_comparison import MonthInvoice, compare_with_last_month
from billing.domain.batch.past_months import past_months
from billing.domain.batch.upper_bounds import bound_warnings
from billing.domain.invoices.order_plan import PO_FIELD
from billing.domain.invoices.plan_record import (
    InvoicePlan,
    LineSource,
    LineTax,
    PlanClient,
    PlanLine,
    PlanOrder,
    PlanWarning,
    ServicePeriod,
    plan_hash,
    with_lines,
)
from billing.domain.ledger.customer_match import How, MatchedCustomer
from billing.domain.ledger.ended_orders import EndedListed, EndedOrder
from billing.domain.ledger.ledger import Disposition, EntryState, LedgerEntry
from billing.domain.orders.due_date import DayOfMonth, Due, NetDays
from billing.domain.orders.sales_order import Problem
from billing.domain.run import Run, RunFrame
from billing.domain.runs.period import months_to_read
from billing.domain.runs.report import Report, RunOutcome, count_orders, report_lines, sum_amounts
from billing.pages.approval.approval_page import Posted, RequestView
from billing.pages.approval.preview_page import preview_page
from tests.a_run import a_run

RUN_ID = "monthly-2026-05-7f3c9a"
NOW = datetime(2026, 6, 1, 9, 30, tzinfo=UTC)
SHA = hashlib.sha256(b"the batch").hexdigest()
ANN, BOB, CY = "ann@firm.example", "bob@firm.example", "cy@firm.example"
SLOTS = (Slot("Finance lead", 1, (ANN, BOB)), Slot("Controller", 1, (CY,)))
HOSTILE = "<script>alert('x')</script>\u202e\"><img src=x onerror=alert(1)>{{7*7}}"

_CLIENTS = (
    "Northwind Pty Ltd",
    "Café Müller & Söhne GmbH",
    "株式会社ノースウィンド",
    "شركة الخليج للتجارة",
    "O’Reilly, Byrne & Partners",
    "Kestrel Analytics",
    "Øresund Havn A/S",
    "Al-Salam Logistics W.L.L.",
    "Brightwater Primary School",
    "The Very Long Name Company of Consulting Engineers, Surveyors and Municipal Planners (Holdings) Limited",
)
_WORK = (
    ("Architecture review, workshops on site", "7.25 h × 187.50"),
    ("Implementation of the order interface", "42 h × 165.00"),
    ("Project management", "12 h × 150.00"),
    ("Support retainer", ""),
    ("Travel expenses Sydney–Melbourne", ""),
)
_CURRENCIES = ("usd", "usd", "eur", "usd", "jpy", "eur", "usd", "kwd", "usd", "eur")
_SCALE = {"usd": 100, "eur": 100, "jpy": 150, "kwd": 300}


def plan(
    number: int,
    *,
    client: str | None = None,
    currency: str | None = None,
    lines: int | None = None,
    email: str | None = None,
    description: str | None = None,
    warnings: Sequence[PlanWarning] = (),
    due: Due | None = None,
) -> InvoicePlan:
    """Plan number `number` (from 0); what is not given varies with the number."""
    order_id = str(5000 + number)
    currency = currency or _CURRENCIES[number % len(_CURRENCIES)]
    name = client or _CLIENTS[number % len(_CLIENTS)]
    scale = _SCALE.get(currency, 100)
    made: list[PlanLine] = []
    for index in range(lines if lines is not None else 1 + number % 4):
        work, how = _WORK[(number + index) % len(_WORK)]
        text = description or (f"{work}, {how}" if how else work)
        amount = (950 + (number * 137 + index * 411) % 8000) * scale
        period = ServicePeriod("2026-05-01", "2026-05-31") if (number + index) % 3 == 0 else None
        made.append(_line(order_id, index + 1, text, amount, period))
    if number % 5 == 0:
        made.append(_line(order_id, 90, "Discount: long-standing client", -100 * scale, kind="discount"))
    if number % 3 == 1:
        net = sum(line.amount for line in made)
        made.append(_line(order_id, 99, "GST 10%", net // 100 * 10, kind="tax", tax=LineTax("GST", "10%")))
    dues: tuple[Due, ...] = (NetDays(30), NetDays(14), NetDays(0), DayOfMonth(31), DayOfMonth(20, 5))
    empty = InvoicePlan(
        key=f"order-{order_id}",
        orders=(PlanOrder(order_id, f"SO-{1001 + number}", f"2026-05-{1 + number % 28:02}"),),
        part=1,
        parts=1,
        client=PlanClient(str(70 + number % 25), f"CUST-{70 + number % 25}", name, email or "ap@client.example", None),
        currency=currency,
        lines=(),
        total=0,
        net_total=0,
        tax_total=0,
        due=due or dues[number % len(dues)],
        description=f"Services for SO-{1001 + number}",
        footer="",
        custom_fields=((PO_FIELD, f"PO-{88000 + number}"),) if number % 2 == 0 else (),
        memo="Second half of the retainer" if number % 7 == 3 else None,
        warnings=tuple(warnings),
        status="F",
        last_modified="2026-05-30 10:00:00",
    )
    return with_lines(empty, made)


def invoice(
    of: InvoicePlan,
    disposition: Disposition = Disposition.ASK,
    reason: str = "New.",
    customer: MatchedCustomer | None = None,
    invoice_id: str | None = None,
) -> BatchInvoice:
    """A plan in a batch; its customer is an existing one unless given."""
    hows = (How.STORED, How.KNOWN, How.METADATA, How.EMAIL)
    known = MatchedCustomer(f"cus_Q{of.client.netsuite_id}aZ8", hows[int(of.client.netsuite_id) % 4])
    return BatchInvoice(of, plan_hash(of), disposition, reason, customer or known, invoice_id)


def month(size: int = 40) -> Batch:
    """A month of `size` orders in four currencies: two problems, one held, one skipped, one approved earlier, three of
    two new customers, three with warnings; the rest plain."""
    low = PlanWarning("below_minimum_charge", "The total of 0.30 USD is below Stripe's minimum charge of 0.50 USD.")
    edited = PlanWarning(
        "start_date_unreadable", "The start date 31/02/2026 cannot be read; no service period is shown."
    )
    invoices: list[BatchInvoice] = []
    for number in range(size - 2):
        warnings = {4: [low], 9: [edited, low], 17: [edited]}.get(number, [])
        of = plan(number, warnings=warnings)
        if number == 12:
            invoices.append(
                invoice(of, Disposition.HOLD, "Drafted in 2026-04 as in_1PxA, and its content has changed since.")
            )
        elif number == 13:
            invoices.append(invoice(of, Disposition.SKIP, "Drafted in 2026-04 as in_1PxB.", invoice_id="in_1PxB"))
        elif number == 14:
            invoices.append(invoice(of, Disposition.FINISH, "Approved in an earlier run and not drafted yet."))
        elif number in (6, 8, 31):
            invoices.append(invoice(of, customer=MatchedCustomer(None, How.NEW)))
        else:
            invoices.append(invoice(of))
    return Batch(run_frame(), tuple(invoices), problems())


def beside_last_year(batch: Batch) -> Batch:
    """The batch with twelve months before it: one client five times as much as last month, one new, one gone, the rest
    about as ever; and a bound that two invoices are above."""
    sums: dict[tuple[str, str], int] = {}
    names: dict[str, str] = {}
    for one in batch.to_draft:
        client, currency = one.plan.client.netsuite_id, one.plan.currency
        sums[client, currency] = sums.get((client, currency), 0) + one.plan.total
        names[client] = one.plan.client.name
    months = [(period, _billed(sums, names, place)) for place, period in enumerate(months_to_read("2026-05")[:-1])]
    now = [MonthInvoice(client, names[client], currency, total) for (client, currency), total in sums.items()]
    return replace(
        batch,
        past=past_months([*months, ("2026-05", ())], names),
        warnings=(
            *bound_warnings([one.plan for one in batch.to_draft], {"usd": 1_700_000}),
            *compare_with_last_month(now, months[-1][1], 30),
        ),
    )


def _billed(sums: Mapping[tuple[str, str], int], names: Mapping[str, str], month: int) -> tuple[MonthInvoice, ...]:
    """What the sample's clients were billed in month number `month` (from 0) of the twelve before."""
    made = [MonthInvoice("999", "Zephyr Labs", "usd", 123_450)]
    for number, ((client, currency), total) in enumerate(sums.items()):
        tenths = 2 if number == 2 else 0 if number == 5 else (10, 9, 11, 10, 4, 12)[(month + number) % 6]
        if number in (2, 5) or month < 11:
            tenths = tenths if month == 11 or number == 5 else 10 - (month + number) % 4
        if tenths:
            made.append(MonthInvoice(client, names[client], currency, total * tenths // 1_000 * 100))
    return tuple(made)


def run_frame(**fields: Any) -> RunFrame:
    """A run's public frame."""
    return sample_run(**fields).frame


def sample_run(**fields: Any) -> Run:
    """The sample's run; fields are those of the execution's state."""
    return a_run({"id": RUN_ID, "cycle": "monthly", **fields})


def problems() -> tuple[Problem, ...]:
    """One with an amount, one whose amount cannot be read."""
    return (
        Problem(
            "5990",
            "SO-1990",
            "foreigntotal",
            "header_differs",
            "Order SO-1990: its lines add up to 1,180.00, its header says 1,200.00 (20.00 apart): correct it there.",
            "usd",
            120_000,
            "99",
            "Halcyon Media",
        ),
        Problem(
            "5991",
            "SO-1991",
            "foreignamount",
            "amount_unreadable",
            "Order SO-1991: the amount of line 3 is no number: correct the line in NetSuite.",
            None,
            None,
            "98",
            "Zephyr Labs",
        ),
    )


def ended(number: str, named_in: str = "") -> EndedListed:
    """An order that Bob has ended; named already by the report of the run `named_in`, if any."""
    order_id = f"58{number[-2:]}"
    at = "2026-05-20T09:00:00+00:00"
    one = EndedOrder(order_id, number, "billed by hand", "bob@firm.example", at, "c", named_in)
    return EndedListed(one, "Halcyon Media", "99", "usd", 40_000)


def request(batch: Batch, slots: tuple[Slot, ...] = SLOTS) -> ApprovalRequest:
    """The request to sign for `batch`, open until the 8th of June 2026, 09:00 UTC."""
    return ApprovalRequest(
        id=f"{RUN_ID}.1",
        run_id=RUN_ID,
        execution_arn="arn:aws:states:ap-southeast-2:123456789012:execution:billing:" + RUN_ID,
        cycle="monthly",
        period="2026-05",
        batch_key=f"runs/2026-05/{RUN_ID}/batch.json",
        request_hash=SHA,
        slots=slots,
        opened_at="2026-06-01T09:02:00+00:00",
        expires_at="2026-06-08T09:00:00+00:00",
        invoices=len(batch.to_draft),
    )


def preview(batch: Batch) -> str:
    """The page of a dry run of `batch`."""
    dry = replace(batch, run=replace(batch.run, dry_run=True))
    return preview_page(
        replace(sample_run(), dry_run=True), dry, SHA, rules=(SlotRule(SLOTS[0]),), finalizes=False, opened=NOW
    ).decode()


def vote(
    approver: str, answer: Answer = Answer.APPROVE, reason: str = "", at: str = "2026-06-01T10:15:00+00:00"
) -> Vote:
    """A vote on the sample batch."""
    return Vote(approver, answer, SHA, at, reason)


def view(
    asked: ApprovalRequest, votes: Sequence[Vote] = (), approver: str = ANN, now: datetime = NOW, **more: Any
) -> RequestView:
    """The request as one person sees it, counted by the product's own rule."""
    return RequestView(asked, approver, votes, tally_of(votes, asked.slots), now, **more)


def posted(options: dict[str, Any]) -> Posted:
    """What a POST came to; its fields are taken out of `options`."""
    names = [field.name for field in dataclass_fields(Posted) if field.name in options]
    return Posted(**{name: options.pop(name) for name in names})


def tally_of(votes: Sequence[Vote], slots: tuple[Slot, ...] = SLOTS) -> Tally:
    """What the domain's rules make of the votes."""
    return count_votes(slots, votes, SHA)


def entries(batch: Batch, failing: Mapping[str, str] | None = None) -> dict[str, LedgerEntry]:
    """The ledger after everything was drafted, but for the keys in `failing` (with their reasons)."""
    failing = failing or {}
    made: dict[str, LedgerEntry] = {}
    for number, one in enumerate(batch.to_draft):
        state = EntryState.FAILED if one.plan.key in failing else EntryState.DRAFTED
        made[one.plan.key] = LedgerEntry(
            one.plan.key,
            state,
            one.invoice_hash,
            RUN_ID,
            "2026-05",
            1,
            "2026-06-01",
            stripe_customer=(one.customer.id if one.customer else None) or f"cus_New{number:03}",
            invoice_id=f"in_1Qx{number:04}Kd" if state is EntryState.DRAFTED else None,
            currency=one.plan.currency,
            total=one.plan.total,
            reason=failing.get(one.plan.key),
        )
    return made


def report(
    outcome: RunOutcome = RunOutcome.BILLED,
    *,
    batch: Batch | None = None,
    failing: Mapping[str, str] | None = None,
    votes: Sequence[Vote] | None = None,
    decision: RecordedOutcome | None = None,
    unreleased: str = "",
    **fields: Any,
) -> Report:
    """A report of the sample month, made by the domain's functions. `unreleased` says why nothing was drafted."""
    batch = batch or month()
    lines = report_lines(batch, {} if unreleased else entries(batch, failing), RUN_ID, not unreleased, unreleased, {})
    counts = count_orders(lines)
    if votes is None:
        votes = (vote(ANN), vote(CY, at="2026-06-01T11:40:00+00:00"))
    if decision is None and outcome in (RunOutcome.BILLED, RunOutcome.MISSING):
        decision = RecordedOutcome("approved", "Every slot has signed.", "2026-06-01T11:40:00+00:00")
    whole = Report(
        run=replace(sample_run(), **{one.name: getattr(batch.run, one.name) for one in dataclass_fields(batch.run)}),
        outcome=outcome,
        error="",
        cause="",
        lines=lines,
        listed=sum(counts.values()),
        counts=counts,
        totals=sum_amounts(lines),
        decision=decision,
        votes=tuple(votes),
        batch_sha256=SHA,
        live_mode=False,
    )
    return replace(whole, **fields)


def _line(
    order_id: str,
    number: int,
    text: str,
    amount: int,
    period: ServicePeriod | None = None,
    *,
    kind: str = "item",
    tax: LineTax | None = None,
) -> PlanLine:
    return PlanLine(
        id=f"{order_id}-{number}",
        kind=kind,  # type: ignore[arg-type]  # one of LineKind, as the callers above write it
        description=text,
        amount=amount,
        quantity="1" if kind == "item" else None,
        unit_amount=None,
        unit_amount_minor_decimal=None,
        service_period=period,
        tax=tax,
        netsuite=LineSource(order_id, str(number), None),
    )
