"""What is still to bill of an order that comes back, whatever invoice has billed it before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from billing.domain.invoices.billing_policy import BillingPolicy
from billing.domain.invoices.invoice_plan import plan_invoices
from billing.domain.invoices.plan_record import InvoicePlan
from billing.domain.ledger.billing_state import Done, Held, ToBill, state_of_order
from billing.domain.ledger.ledger import (
    BilledInvoice,
    EntryState,
    LedgerEntry,
    OrderRecord,
    family,
    invoice_hash,
    order_hash,
)
from billing.domain.orders.order_rows import read_orders
from tests.domain.suiteql_rows import hours, line, order


def planned(*lines: dict[str, str], total: str) -> list[InvoicePlan]:
    plans = plan_invoices(read_orders(order(total, *lines)), BillingPolicy())
    assert plans.problems == ()
    return list(plans.invoices)


NOW = planned(hours(), total="1000.00")
PARTS = planned(*(line(n, "Service", "1.00", quantity="1", quantitybilled="0") for n in range(1, 261)), total="260.00")


def lines_of(plan: InvoicePlan) -> tuple[tuple[str, str | None, int, str], ...]:
    return tuple((one.id, one.quantity, one.amount, one.description) for one in plan.lines)


def record(plans: list[InvoicePlan], billed: Mapping[str, InvoicePlan], version: int = 1) -> OrderRecord:
    """The order as it was drafted: `billed` maps invoice ids to the plans they were made of."""
    return OrderRecord(
        plans[0].orders[0].id,
        order_hash(plans),
        version,
        plans[0].client.netsuite_id,
        plans[0].currency,
        {invoice_id: BilledInvoice(plan.key, lines_of(plan)) for invoice_id, plan in billed.items()},
    )


def drafted(key: str, state: EntryState = EntryState.DRAFTED) -> dict[str, LedgerEntry]:
    return {key: LedgerEntry(key, state, "h", "run-1", "2026-05", 1, "2026-06-01", invoice_id="in_1")}


def test_an_order_that_nobody_has_billed_is_to_bill_and_says_nothing_about_the_past() -> None:
    (state,) = state_of_order(NOW, None, {}, ())
    assert isinstance(state, ToBill)
    assert (state.reason, state.replaces, state.link.version) == ("", (), 0)


def test_an_order_that_was_claimed_and_never_billed_is_to_bill_at_the_records_version() -> None:
    (state,) = state_of_order(NOW, record(NOW, {}, version=3), {}, ())
    assert isinstance(state, ToBill)
    assert state.link.version == 3


def test_an_unchanged_order_is_done_for_ever_and_names_its_invoice() -> None:
    (state,) = state_of_order(NOW, record(NOW, {"in_1": NOW[0]}), drafted(NOW[0].key), ())
    assert isinstance(state, Done)
    assert (state.invoice_id, state.billed_by) == ("in_1", NOW[0].key)
    assert "in_1" in state.reason
    assert "2026-05" in state.reason


def test_an_order_billed_in_a_clients_invoice_is_done_when_it_comes_back_alone() -> None:
    grouped = BilledInvoice("client-77-usd-net30-2026-05-abc", lines_of(NOW[0]))
    before = OrderRecord("500", order_hash(NOW), 1, "77", "usd", {"in_g": grouped})
    (state,) = state_of_order(NOW, before, {}, ())
    assert isinstance(state, Done)
    assert state.billed_by == grouped.plan_key


@pytest.mark.parametrize("first", [0, 1])
def test_of_an_order_in_parts_only_the_part_that_is_missing_is_to_bill(first: int) -> None:
    assert len(PARTS) == 2
    before = record(PARTS, {"in_1": PARTS[first]})
    states = state_of_order(PARTS, before, drafted(PARTS[first].key), ())
    assert [type(state) for state in states] == ([Done, ToBill] if first == 0 else [ToBill, Done])


def test_an_invoice_that_a_person_removed_makes_the_order_billable_again_with_the_reason() -> None:
    (state,) = state_of_order(NOW, record(NOW, {"in_1": NOW[0]}), drafted(NOW[0].key), {"in_1"})
    assert isinstance(state, ToBill)
    assert state.replaces == ("in_1",)
    assert "in_1" in state.reason
    # What was signed for before does not count for the invoice that takes its place.
    assert invoice_hash(state.plan, state.replaces) != invoice_hash(NOW[0], ())


def test_more_quantity_is_to_bill_under_a_key_of_its_own_and_the_numbers_never_repeat() -> None:
    more = planned(hours("14", "1400.00"), total="1400.00")
    (state,) = state_of_order(more, record(NOW, {"in_1": NOW[0]}), drafted(NOW[0].key), ())
    assert isinstance(state, ToBill)
    assert (state.plan.key, state.plan.total) == ("order-500-more-1", 400_00)
    both = record(more, {"in_1": NOW[0], "in_2": state.plan}, version=2)
    most = planned(hours("15", "1500.00"), total="1500.00")
    (again,) = state_of_order(most, both, {**drafted(NOW[0].key), **drafted(state.plan.key)}, ())
    assert isinstance(again, ToBill)
    assert (again.plan.key, again.plan.total) == ("order-500-more-2", 100_00)


def test_of_two_invoices_the_removed_one_is_billed_again_and_the_other_is_not() -> None:
    more = planned(hours("14", "1400.00"), total="1400.00")
    (state,) = state_of_order(more, record(NOW, {"in_1": NOW[0]}), drafted(NOW[0].key), ())
    assert isinstance(state, ToBill)
    both = record(more, {"in_1": NOW[0], "in_2": state.plan}, version=2)
    (again,) = state_of_order(more, both, {**drafted(NOW[0].key), **drafted(state.plan.key)}, {"in_2"})
    assert isinstance(again, ToBill)
    assert (again.plan.total, again.replaces) == (400_00, ("in_2",))
    assert "deleted or voided in_2" in again.reason


def test_less_than_was_billed_is_held_for_a_person() -> None:
    less = planned(hours("6", "600.00"), total="600.00")
    (state,) = state_of_order(less, record(NOW, {"in_1": NOW[0]}), drafted(NOW[0].key), ())
    assert isinstance(state, Held)
    assert state.open_minor == 0, "of an order that was billed in full nothing is open"
    assert state.reason.count("in_1") == 1
    assert "We have billed 1,000.00 USD of it" in state.reason
    assert "it comes to 600.00 USD now" in state.reason


def test_a_held_sum_is_of_what_is_open_and_not_of_the_whole_order() -> None:
    dearer = planned(hours("10", "1300.00"), total="1300.00")
    (state,) = state_of_order(dearer, record(NOW, {"in_1": NOW[0]}), drafted(NOW[0].key), ())
    assert isinstance(state, Held)
    assert state.open_minor == 300_00
    assert state.reason.count("1,300.00") == 2, "what the line is now, and what the order comes to"


def test_a_draft_that_differs_is_held_until_somebody_removes_it() -> None:
    entries = drafted(NOW[0].key, EntryState.DIFFERS)
    (state,) = state_of_order(NOW, record(NOW, {"in_1": NOW[0]}), entries, ())
    assert isinstance(state, Held)
    (freed,) = state_of_order(NOW, record(NOW, {"in_1": NOW[0]}), entries, {"in_1"})
    assert isinstance(freed, ToBill)


def test_a_changed_order_in_parts_goes_to_a_person() -> None:
    changed = planned(
        *(line(n, "Service", "2.00", quantity="2", quantitybilled="0") for n in range(1, 261)), total="520.00"
    )
    before = record(PARTS, {"in_1": PARTS[0], "in_2": PARTS[1]})
    states = state_of_order(changed, before, {**drafted(PARTS[0].key), **drafted(PARTS[1].key)}, ())
    assert [type(state) for state in states] == [Held, Held]
    assert [state.open_minor for state in states if isinstance(state, Held)] == [260_00, 0], "260.00 were billed"


def test_the_parts_of_a_plan_are_one_family() -> None:
    assert family(PARTS[0].key) == family(PARTS[1].key) == "order-500"
    assert family("order-500") == "order-500"


def test_an_order_whose_texts_alone_moved_is_done_and_not_worth_a_word() -> None:
    """A description that names the period is another one every month."""
    for plans in (NOW, PARTS):
        billed = {f"in_{place}": plan for place, plan in enumerate(plans)}
        before = record(plans, billed)
        entries = {plan.key: drafted(plan.key)[plan.key] for plan in plans}
        june = [replace(plan, description="Services in June 2026") for plan in plans]
        assert order_hash(june) != before.order_hash
        states = state_of_order(june, before, entries, ())
        assert [(type(state), getattr(state, "unchanged", None)) for state in states] == [(Done, True)] * len(plans)


def test_an_order_of_which_anything_billed_moved_is_worth_a_word() -> None:
    before = record(NOW, {"in_1": NOW[0]})
    for changed in (
        planned(line(1, "Service", "900.00", quantity="9", quantitybilled="0"), total="900.00"),
        [replace(NOW[0], client=replace(NOW[0].client, netsuite_id="78"))],
        [replace(NOW[0], currency="eur")],
    ):
        (state,) = state_of_order(changed, before, drafted(NOW[0].key), ())
        assert not getattr(state, "unchanged", False)
