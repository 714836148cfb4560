"""Two plans of one order: whoever was first has it, and the second is refused before it creates anything."""

from __future__ import annotations

import pytest

from billing.adapters.stripe.invoices import StripeInvoices
from billing.domain.errors import PersonNeeded
from billing.domain.ledger.ledger import EntryState
from tests.adapters.aws_world import LEDGER, AwsWorld
from tests.domain.suiteql_rows import hours, line, order
from tests.sandbox.stripe import StripeServer
from tests.workflows.drafting_world import DraftingWorld
from tests.workflows.moving_clock import MovingClock

TWO_PARTS = [line(n, "Service", "1.00", quantity="1", quantitybilled="0") for n in range(1, 261)]


@pytest.fixture
def may(aws: AwsWorld, stripe_server: StripeServer, clock: MovingClock) -> DraftingWorld:
    return DraftingWorld(aws, stripe_server, clock)


@pytest.fixture
def june(aws: AwsWorld, stripe_server: StripeServer, clock: MovingClock) -> DraftingWorld:
    return DraftingWorld(aws, stripe_server, clock, "run-june", "2026-06", "2026-06-01", "2026-07-01")


class Meanwhile:
    """Stripe's invoices; right before the first draft is created, something else happens."""

    def __init__(self, port: StripeInvoices, then: object) -> None:
        self._port, self._then = port, then

    def __getattr__(self, name: str) -> object:
        if name == "create" and self._then is not None:
            happens, self._then = self._then, None
            happens()  # type: ignore[operator]
        return getattr(self._port, name)


@pytest.mark.parametrize("text", ["Services of {period}", "Services"])
def test_two_periods_that_list_the_same_order_at_once_leave_one_draft_and_no_empty_one(
    may: DraftingWorld, june: DraftingWorld, text: str
) -> None:
    """Both were asked about before either drafted. The second run begins while the first one is about to create."""
    rows = order("1000.00", hours())
    (first,) = may.approve(rows, description_template=text, period="2026-05")
    (second,) = june.approve(rows, description_template=text, period="2026-06")

    def june_drafts() -> None:
        with pytest.raises(PersonNeeded, match="order-500"):
            june.draft(second)

    alive = may.drafting()
    object.__setattr__(alive, "invoices", Meanwhile(alive.invoices, june_drafts))  # type: ignore[arg-type]
    assert alive.draft(first) == {"outcome": "drafted"}
    (draft,) = may.live()
    assert draft["total"] == 1000_00


@pytest.mark.parametrize("old", [False, True])
def test_fewer_parts_do_not_take_over_what_was_begun_of_the_parts_also_where_an_older_version_began_it(
    may: DraftingWorld, old: bool
) -> None:
    items = may.approve(order("260.00", *TWO_PARTS))
    assert len(items) == 2
    for item in items:
        may.kill_at(item, "add_lines")
    left = {one["id"] for one in may.live()}
    assert len(left) == 2
    if old:
        may.aws.dynamodb.update_item(
            TableName=LEDGER,
            Key={"pk": {"S": "ORDER#500"}, "sk": {"S": "BILLED"}},
            UpdateExpression="REMOVE open_claims, claimed_by",
        )
    begun = may.ledger.begun(may.ledger.order_records(["500"]))
    assert sorted(begun["500"]) == ["order-500-part-1", "order-500-part-2"]

    may.run_as("run-2")
    (whole,) = may.approve(order("100.00", *TWO_PARTS[:100]))
    assert whole.key == "order-500"
    with pytest.raises(PersonNeeded, match=r"order-500-part-1 was begun in run run-1 and has not ended"):
        may.draft(whole)
    assert {one["id"] for one in may.live()} == left
    assert may.ledger.entry("order-500") is None


def test_the_parts_of_one_plan_do_not_stand_in_each_others_way(may: DraftingWorld) -> None:
    items = may.approve(order("260.00", *TWO_PARTS))
    may.kill_at(items[1], "create")
    assert [may.draft(item) for item in items] == ["drafted", "drafted"]
    assert sorted(one["total"] for one in may.live()) == [130_00, 130_00]
    assert may.ledger.begun(may.ledger.order_records(["500"])) == {}


def test_a_draft_of_the_order_that_the_ledger_lost_is_found_in_stripe_by_the_orders_id(may: DraftingWorld) -> None:
    """As if an older version had let another plan take the claim over: nothing in the ledger says what was begun."""
    items = may.approve(
        order("260.00", *TWO_PARTS), customer=str(may.stripe.create_customer(name="A", email="a@firm.example")["id"])
    )
    may.kill_at(items[0], "add_lines")
    (left,) = may.live()
    for pk, sk in (("order-500-part-1", "INVOICE"), ("ORDER#500", "BILLED")):
        may.aws.dynamodb.delete_item(TableName=LEDGER, Key={"pk": {"S": pk}, "sk": {"S": sk}})
    may.run_as("run-2")
    (whole,) = may.approve(order("100.00", *TWO_PARTS[:100]), customer=left["customer"])
    with pytest.raises(PersonNeeded, match=left["id"]):
        may.draft(whole)
    assert [one["id"] for one in may.live()] == [left["id"]]


def test_what_netsuite_had_billed_is_kept_with_a_draft_and_a_settlement_can_say_that_it_billed_it(
    may: DraftingWorld,
) -> None:
    (item,) = may.approve(order("1000.00", hours()))
    may.draft(item)
    (invoice_id,) = may.ledger.order_records(["500"])["500"].billed
    for _ in range(2):
        may.ledger.note_mirrored("500", invoice_id, "9001")
    (billed,) = may.ledger.order_records(["500"])["500"].billed.values()
    assert billed.mirrored_as == "9001"
    assert may.entry(item).state is EntryState.DRAFTED
