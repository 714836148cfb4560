"""What became of every order, and the proof that none was lost."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from billing.domain.approval.approval_request import RecordedOutcome
from billing.domain.approval.approvers import Answer, Vote
from billing.domain.batch.batch import Batch, BatchInvoice, with_pieces
from billing.domain.invoices.billing_policy import BillingPolicy
from billing.domain.invoices.invoice_plan import InvoicePlan, plan_hash, plan_invoices
from billing.domain.ledger.customer_match import How, MatchedCustomer
from billing.domain.ledger.ledger import Disposition, EntryState, LedgerEntry
from billing.domain.orders.order_rows import read_orders
from billing.domain.orders.sales_order import Problem
from billing.domain.records import stored
from billing.domain.run import RunFrame
from billing.domain.runs.report import (
    LineOutcome,
    Report,
    ReportLine,
    RunOutcome,
    count_orders,
    missing_orders,
    order_fates,
    report_lines,
    sum_amounts,
    sums_agree,
)
from billing.domain.runs.report_record import read_report
from tests.a_run import a_run
from tests.domain.suiteql_rows import hours, order

RUN = "run-2"
(BASE,) = plan_invoices(read_orders(order("1000.00", hours())), BillingPolicy()).invoices


def plan(number: int, orders: int = 1, total: int = 100_000, currency: str = "usd") -> InvoicePlan:
    """An invoice plan whose lines add up to `total`."""
    return replace(
        BASE,
        key=f"order-{number}",
        orders=tuple(replace(BASE.orders[0], id=f"{number}{n}", number=f"SO-{number}{n}") for n in range(orders)),
        currency=currency,
        lines=(replace(BASE.lines[0], amount=total),),
        total=total,
        net_total=total,
    )


def invoice(made: InvoicePlan, disposition: Disposition = Disposition.ASK) -> BatchInvoice:
    done = disposition in (Disposition.SKIP, Disposition.HOLD)
    customer = None if done else MatchedCustomer("cus_1", How.KNOWN)
    return BatchInvoice(made, plan_hash(made), disposition, "reason in the batch", customer, "in_0" if done else None)


def entry(made: InvoicePlan, state: EntryState, run_id: str = RUN, content: str | None = None) -> LedgerEntry:
    drafted = state is EntryState.DRAFTED
    return LedgerEntry(
        made.key, state, content or plan_hash(made), run_id, "2026-05", 1, "2026-06-01", "cus_1",
        "in_1" if drafted else None, made.currency if drafted else None, made.total if drafted else None,
        reason=None if drafted else "reason in the ledger",
    )  # fmt: skip


def fate_of(one: BatchInvoice, known: LedgerEntry | None, released: bool = True) -> ReportLine:
    entries = {known.key: known} if known else {}
    (made,) = report_lines(Batch(RunFrame(), (one,), ()), entries, RUN, released, "nobody signed", {})
    return made


def test_what_was_released_has_the_fate_that_the_ledger_knows() -> None:
    made = plan(1)
    ask = invoice(made)
    assert fate_of(ask, entry(made, EntryState.DRAFTED)).fate is LineOutcome.DRAFTED
    assert fate_of(ask, entry(made, EntryState.DRAFTED)).reason == ""
    for state in (EntryState.FAILED, EntryState.DIFFERS, EntryState.INTENDED):
        line = fate_of(ask, entry(made, state))
        assert (line.fate, line.reason.endswith("reason in the ledger")) == (LineOutcome.FAILED, True)
    lost = fate_of(ask, None)
    assert lost.fate is LineOutcome.FAILED
    assert "did not begin" in lost.reason
    stale = fate_of(ask, entry(made, EntryState.DRAFTED, content="f" * 64))
    assert stale.fate is LineOutcome.FAILED, "a draft of other content is no draft of this one"


def test_what_was_not_released_is_held_for_the_runs_own_reason() -> None:
    line = fate_of(invoice(plan(1)), None, released=False)
    assert (line.fate, line.reason) == (LineOutcome.HELD, "nobody signed")
    kept = fate_of(invoice(plan(1), Disposition.HOLD), None, released=False)
    assert (kept.fate, kept.reason) == (LineOutcome.HELD, "reason in the batch")


def test_a_draft_that_was_begun_and_is_not_released_is_named_for_a_person() -> None:
    made = plan(1)
    for disposition in (Disposition.ASK, Disposition.FINISH):
        for state in (EntryState.INTENDED, EntryState.FAILED):
            begun = replace(entry(made, state, "run-1"), invoice_id="in_7")
            line = fate_of(invoice(made, disposition), begun, released=False)
            assert (line.fate, line.code, line.invoice_id) == (LineOutcome.HELD, "draft_left", "in_7")
            assert line.reason.startswith("nobody signed. The run run-1 began its draft in_7 and did not finish it.")
            unknown = fate_of(invoice(made, disposition), replace(begun, invoice_id=None), released=False)
            assert "Stripe may have a draft of it" in unknown.reason
            never = replace(begun, invoice_id=None, invoice_day="")
            assert fate_of(invoice(made, disposition), never, released=False).reason == "nobody signed"


def test_what_another_run_drafted_before_it_was_held_is_named() -> None:
    made = plan(1)
    drafted = entry(made, EntryState.DRAFTED, "run-1")
    line = fate_of(invoice(made), drafted, released=False)
    assert (line.fate, line.code, line.invoice_id) == (LineOutcome.HELD, "draft_left", "in_1")
    assert "run-1 has drafted it already, as in_1. Delete that draft in Stripe" in line.reason
    removed = replace(invoice(made), replaces=("in_1",))
    assert fate_of(removed, drafted, released=False).reason == "nobody signed", "a person has removed that one"
    older = replace(drafted, invoice_hash="f" * 64)
    assert fate_of(invoice(made), older, released=False).reason == "nobody signed"


def test_a_redriven_run_counts_its_own_drafts_as_drafted_and_others_as_skipped() -> None:
    made = plan(1)
    skip = invoice(made, Disposition.SKIP)
    assert fate_of(skip, entry(made, EntryState.DRAFTED, RUN)).fate is LineOutcome.DRAFTED
    assert fate_of(skip, entry(made, EntryState.DRAFTED, "run-1")).fate is LineOutcome.SKIPPED


def test_a_redriven_run_does_not_turn_its_own_differing_draft_green() -> None:
    made = plan(1)
    hold = invoice(made, Disposition.HOLD)
    assert fate_of(hold, entry(made, EntryState.DIFFERS, RUN)).fate is LineOutcome.FAILED
    assert fate_of(hold, entry(made, EntryState.DIFFERS, "run-1")).fate is LineOutcome.HELD


def test_of_an_order_with_several_invoices_the_worst_fate_counts() -> None:
    lines = [
        replace(fate_of(invoice(plan(1)), entry(plan(1), EntryState.DRAFTED)), order_ids=("5",)),
        replace(fate_of(invoice(plan(2)), entry(plan(2), EntryState.FAILED)), order_ids=("5",)),
        replace(fate_of(invoice(plan(3)), entry(plan(3), EntryState.DRAFTED)), order_ids=("5", "6")),
    ]
    assert order_fates(lines) == {"5": LineOutcome.FAILED, "6": LineOutcome.DRAFTED}
    assert order_fates(lines[::-1]) == order_fates(lines)
    assert count_orders(lines) == {"drafted": 1, "skipped": 0, "held": 0, "failed": 1, "problem": 0, "ended": 0}


def test_an_order_that_was_listed_and_has_no_line_is_found() -> None:
    lines = report_lines(Batch(RunFrame(), (invoice(plan(1)),), ()), {}, RUN, True, "", {})
    assert missing_orders(["10"], lines) == ()
    assert missing_orders(["10", "11", "12"], lines) == ("11", "12")


def test_a_draft_whose_total_is_not_the_plans_breaks_the_sums() -> None:
    made = plan(1)
    placed, _ = with_pieces([invoice(made)])
    batch = Batch(RunFrame(), placed, ())
    good = report_lines(batch, {made.key: entry(made, EntryState.DRAFTED)}, RUN, True, "", {})
    bad = report_lines(batch, {made.key: replace(entry(made, EntryState.DRAFTED), total=99_999)}, RUN, True, "", {})
    assert sums_agree(batch, sum_amounts(good))
    assert not sums_agree(batch, sum_amounts(bad))


amounts = st.sampled_from([("usd", 7), (None, None), ("eur", None)])


@st.composite
def runs(draw: st.DrawFn) -> tuple[Batch, dict[str, LedgerEntry], bool]:
    """Any batch with any ledger: orders in several currencies, grouped or not, problems with and without amounts."""
    invoices, entries = [], {}
    for number in range(draw(st.integers(0, 8))):
        made = plan(
            number + 1,
            draw(st.integers(1, 3)),
            draw(st.integers(1, 10**9)),
            draw(st.sampled_from(("usd", "eur", "jpy"))),
        )
        one = invoice(made, draw(st.sampled_from(Disposition)))
        invoices.append(one)
        state = draw(st.sampled_from((None, *EntryState)))
        if state is not None:
            other = draw(st.booleans()) and state is not EntryState.DRAFTED
            run_id = draw(st.sampled_from((RUN, "run-1")))
            entries[made.key] = entry(made, state, run_id, "f" * 64 if other else None)
    problems = tuple(
        Problem(f"9{number}", f"SO-9{number}", "email", "x", "x", *draw(amounts))
        for number in range(draw(st.integers(0, 4)))
    )
    return Batch(RunFrame(), with_pieces(invoices)[0], problems), entries, draw(st.booleans())


@given(runs())
def test_no_order_is_ever_lost_and_the_sums_add_up(run: tuple[Batch, dict[str, LedgerEntry], bool]) -> None:
    batch, entries, released = run
    lines = report_lines(batch, entries, RUN, released, "not signed", {})
    listed = {order.id for one in batch.invoices for order in one.plan.orders} | {p.order_id for p in batch.problems}
    assert missing_orders(listed, lines) == ()
    assert sum(count_orders(lines).values()) == len(listed)
    assert sums_agree(batch, sum_amounts(lines))
    assert len(lines) == len(batch.invoices) + len(batch.problems)


@given(runs())
def test_nothing_counts_as_drafted_unless_the_ledger_has_that_very_content(
    run: tuple[Batch, dict[str, LedgerEntry], bool],
) -> None:
    batch, entries, released = run
    for one, line in zip(batch.invoices, report_lines(batch, entries, RUN, released, "not signed", {}), strict=False):
        if line.fate is LineOutcome.DRAFTED:
            assert one.disposition in (Disposition.SKIP, Disposition.ASK, Disposition.FINISH)
            if one.disposition is not Disposition.SKIP:
                known = entries[one.plan.key]
                assert released
                assert (known.state, known.invoice_hash) == (EntryState.DRAFTED, one.invoice_hash)
        if line.fate in (LineOutcome.HELD, LineOutcome.FAILED):
            assert line.reason, "nobody can act on a failure without its reason"


@given(runs(), st.data())
def test_a_line_that_goes_missing_is_always_noticed(
    run: tuple[Batch, dict[str, LedgerEntry], bool], data: st.DataObject
) -> None:
    batch, entries, released = run
    lines = list(report_lines(batch, entries, RUN, released, "", {}))
    if not lines:
        return
    gone = lines.pop(data.draw(st.integers(0, len(lines) - 1)))
    listed = {order_id for line in (*lines, gone) for order_id in line.order_ids}
    assert missing_orders(listed, lines) == tuple(sorted(gone.order_ids))


@given(runs(), st.sampled_from(RunOutcome), st.booleans())
def test_a_report_survives_storage_exactly(
    run: tuple[Batch, dict[str, LedgerEntry], bool], outcome: RunOutcome, decided: bool
) -> None:
    batch, entries, released = run
    lines = report_lines(batch, entries, RUN, released, "not signed", {})
    report = Report(
        run=a_run(id=RUN),
        outcome=outcome,
        error="InvoicesMissing",
        cause="one",
        lines=lines,
        listed=len(order_fates(lines)),
        counts=count_orders(lines),
        totals=sum_amounts(lines),
        decision=RecordedOutcome("rejected", "wrong", "2026-06-01T10:00:00+00:00") if decided else None,
        votes=(Vote("ann@firm.example", Answer.REJECT, "h", "2026-06-01T10:00:00+00:00", "wrong"),) if decided else (),
        batch_sha256="h" if decided else None,
        live_mode=False if decided else None,
    )
    assert read_report(json.loads(json.dumps(stored(report)))) == report
