"""The monthly run beside the settlement: what NetSuite has billed of our own drafts is neither billed twice nor lost,
and what a void leaves behind is said. Hours cost 100.00; sums are worked out by hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tests.histories.settled_firm import settled_firm
from tests.histories.settling import SettlingWorld
from tests.histories.small_firm import approve, month, order
from tests.sandbox.stripe.made_invoices import InvoiceLine

JUNE_20 = datetime(2026, 6, 20, 14, tzinfo=UTC)


@pytest.fixture
def world() -> Iterator[SettlingWorld]:
    with settled_firm([order("SO-1", 10)]) as opened:
        yield opened


def invoiced(world: SettlingWorld, number: int = 0) -> str:
    """A month's draft, finalised and settled: NetSuite has billed it too. Answers its id."""
    month(world.world, number)
    draft = next(one["id"] for one in world.stripe.invoices() if one["status"] == "draft")
    world.stripe.finalise(draft)
    world.settle()
    return str(draft)


def extended(world: SettlingWorld, hours: str) -> None:
    """A project manager adds hours to the order, which opens it again."""
    world.netsuite.edit_line("SO-1", 1, quantity=hours)
    world.netsuite.set_status("SO-1", "F")


def totals(world: SettlingWorld) -> dict[str, int]:
    return {one["status"]: one["total"] for one in world.stripe.invoices()}


@pytest.mark.parametrize(("hours", "more"), [("15", 50_000), ("20", 100_000), ("25", 150_000)])
def test_an_order_that_grew_after_netsuite_had_billed_it_bills_exactly_the_hours_added(
    world: SettlingWorld, hours: str, more: int
) -> None:
    invoiced(world)
    assert world.netsuite.orders()["SO-1"].status == "G"
    extended(world, hours)
    month(world.world, 1)
    assert totals(world) == {"open": 100_000, "draft": more}
    draft = next(one["id"] for one in world.stripe.invoices() if one["status"] == "draft")
    world.stripe.finalise(draft)
    world.settle()
    assert world.held() == world.parked() == {}
    assert world.netsuite.orders()["SO-1"].status == "G"
    assert world.balance("Accounts Receivable") == Decimal(hours) * 100
    assert world.balance("Services Revenue") == -Decimal(hours) * 100
    month(world.world, 2)
    assert sum(one["total"] for one in world.stripe.invoices()) == int(hours) * 10_000


def test_an_order_that_was_extended_before_its_draft_was_finalised_has_both_parts(world: SettlingWorld) -> None:
    """NetSuite's invoice takes the ten hours of the draft and leaves the five."""
    month(world.world, 0)
    world.settle()
    extended(world, "15")
    (draft,) = world.stripe.invoices()
    world.stripe.finalise(draft["id"])
    world.settle()
    assert world.balance("Services Revenue") == -1000
    assert world.netsuite.orders()["SO-1"].status in "EF"
    month(world.world, 1)
    assert totals(world) == {"open": 100_000, "draft": 50_000}


def test_a_transform_between_listing_and_drafting_holds_nothing(world: SettlingWorld) -> None:
    """The order was extended and listed for its five hours; while the request waits, the first draft is finalised and
    the settlement bills its ten hours in NetSuite. The approved five are drafted all the same."""
    month(world.world, 0)
    extended(world, "15")
    run = world.world.start("run-1", {"scheduledAt": "2026-07-01T13:00:00Z"})
    (draft,) = world.stripe.invoices()
    world.stripe.finalise(draft["id"])
    world.settle()
    assert world.balance("Services Revenue") == -1000
    approve(world.world, run)
    assert run.status == "SUCCEEDED"
    report = world.world.report(run) or {}
    assert report["counts"]["held"] == report["counts"]["problem"] == 0, report["lines"]
    assert totals(world) == {"open": 100_000, "draft": 50_000}


@pytest.mark.parametrize("meddling", ["bills by hand", "changes the rate", "bills more than was drafted"])
def test_a_person_who_changes_the_order_beside_the_transform_is_noticed(world: SettlingWorld, meddling: str) -> None:
    month(world.world, 0)
    extended(world, "15")
    run = world.world.start("run-1", {"scheduledAt": "2026-07-01T13:00:00Z"})
    (draft,) = world.stripe.invoices()
    if meddling == "bills by hand":
        world.netsuite.bill("SO-1", 1, 10)
    else:
        world.stripe.finalise(draft["id"])
        world.settle()
        if meddling == "changes the rate":
            world.netsuite.edit_line("SO-1", 1, rate="120.00")
        else:
            world.netsuite.bill("SO-1", 1, 2)
    approve(world.world, run)
    assert (world.world.report(run) or {})["counts"]["held"] == 1
    assert len(world.stripe.invoices()) == 1


def test_a_void_after_the_transform_says_that_the_order_is_not_billed_again_by_itself(world: SettlingWorld) -> None:
    draft = invoiced(world)
    world.stripe.void(draft)
    world.settle()
    assert world.held() == {draft: "order_stays_billed"}
    row = world.bells()[draft]
    assert "SO-1" in row["hold_reason"]
    assert world.balance("Accounts Receivable") == world.balance("Services Revenue") == 0
    assert world.netsuite.orders()["SO-1"].status == "G"
    month(world.world, 1)
    assert totals(world) == {"void": 100_000}
    # A person decides that it stays so, and writes that into Stripe: the event alone ends it.
    world.stripe.as_person("POST", f"/v1/invoices/{draft}", {"metadata": {"netsuite_resolved": "order_stays_billed"}})
    world.settle()
    assert world.held() == world.parked() == {}


def test_a_voided_order_that_a_person_opens_again_is_billed_by_the_next_run_and_the_hold_goes(
    world: SettlingWorld,
) -> None:
    draft = invoiced(world)
    world.stripe.void(draft)
    world.settle()
    for record in ("creditMemo", "invoice"):
        (one,) = world.netsuite.records(record)
        world.delete_in_netsuite(record, str(one["id"]))
    assert world.netsuite.orders()["SO-1"].status == "F"
    again = invoiced(world, 1)
    assert totals(world) == {"void": 100_000, "open": 100_000}
    world.sweep(root=draft)
    world.settle()
    assert world.held() == world.parked() == {}, "whatever rings the old one, it is written once"
    assert [one["externalId"] for one in world.transactions()] == [f"{again}-so20001"]
    assert world.balance("Services Revenue") == -1000


def test_an_order_that_was_voided_and_extended_bills_the_addition_and_keeps_the_hold(world: SettlingWorld) -> None:
    """NetSuite has billed ten hours and credited them; only five are open there, and the ten stay named."""
    draft = invoiced(world)
    world.stripe.void(draft)
    world.settle()
    extended(world, "15")
    more = invoiced(world, 1)
    assert totals(world) == {"void": 100_000, "open": 50_000}
    world.sweep(root=draft)
    world.settle()
    assert world.held() == {draft: "order_stays_billed"}
    assert {one["externalId"] for one in world.transactions()} == {
        f"{draft}-so20001", f"{draft}-so20001-void", f"{more}-so20001",
    }  # fmt: skip


def test_a_void_whose_event_was_lost_still_gets_its_memo_when_the_ledger_has_forgotten_the_invoice(
    world: SettlingWorld,
) -> None:
    draft = invoiced(world)
    world.world.clock.move_to(JUNE_20)
    world.stripe.void(draft)
    world.new_events()  # and nobody is told
    extended(world, "15")
    invoiced(world, 1)
    assert world.balance("Accounts Receivable") == 1500
    world.sweep(since="2026-06-10")
    world.settle()
    assert world.balance("Accounts Receivable") == 500
    assert world.held() == {draft: "order_stays_billed"}


def test_an_invoice_that_was_voided_and_billed_again_before_netsuite_heard_of_it_is_nothing(
    world: SettlingWorld,
) -> None:
    month(world.world, 0)
    (draft,) = world.stripe.invoices()
    world.world.clock.move_to(JUNE_20)
    world.stripe.finalise(draft["id"])
    world.stripe.void(draft["id"])
    world.new_events()
    again = invoiced(world, 1)
    world.sweep(since="2026-06-10")
    world.settle()
    assert world.held() == world.parked() == {}
    assert [one["externalId"] for one in world.transactions()] == [f"{again}-so20001"]


def test_a_copy_of_our_invoice_that_somebody_made_in_stripe_is_held_and_bills_no_order(world: SettlingWorld) -> None:
    draft = invoiced(world)
    lines = world.stripe.invoice(draft)["lines"]["data"]
    copy = world.stripe.bill(
        world.stripe.invoice(draft)["customer"],
        [InvoiceLine(one["amount"], metadata=dict(one["metadata"])) for one in lines],
    )
    world.settle()
    assert world.held() == {copy["id"]: "order_not_in_ledger"}
    assert len(world.netsuite.records("invoice")) == 1


def test_a_parked_invoice_that_was_voided_and_billed_again_bills_nothing_when_its_period_opens(
    world: SettlingWorld,
) -> None:
    world.netsuite.close_period("2026-06")
    first = invoiced(world)
    assert world.parked() == {first: "period_closed"}
    world.stripe.void(first)
    world.settle()
    assert world.netsuite.orders()["SO-1"].status == "F"
    second = invoiced(world, 1)
    world.netsuite.open_period("2026-06")
    world.sweep()
    world.settle()
    assert world.held() == world.parked() == {}
    assert [one["externalId"] for one in world.transactions()] == [f"{second}-so20001"]
    assert world.balance("Services Revenue") == -1000
