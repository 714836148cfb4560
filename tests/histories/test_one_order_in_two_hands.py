"""One order that two months ask about, one draft that the ledger lost, one Stripe customer that two clients name."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest

from tests.adapters.aws_world import LEDGER
from tests.histories.machine import Execution
from tests.histories.small_firm import month, order, small_firm
from tests.histories.world import ANN, BOB, HistoryWorld

FIELD = "custentity_stripe_id"


def answer(world: HistoryWorld, link: str, run: Execution) -> None:
    """Approve by this very link, which is not the newest any more."""
    content = world.page(link).split('name="content" value="')[1].split('"')[0]
    form = urlencode({"content": content, "answer": "approve", "invoices": str(run.data["matched"]["toAsk"])})
    assert world._call(link, "POST", form)["statusCode"] == 200
    world.machine.go_on(run)


@pytest.mark.parametrize("grows", [False, True])
def test_of_two_open_months_whose_texts_differ_the_later_says_that_the_other_has_drafted_it(grows: bool) -> None:
    with small_firm([order("SO-1", 12)], {}, DescriptionTemplate="Services of {period} for {orders}") as world:
        may = world.start("may", {"scheduledAt": "2026-06-01T13:00:00Z"})
        first = world.link(ANN)
        if grows:
            line = world.netsuite.order_json("SO-1")["lines"][0]["id"]
            world.netsuite.edit_line("SO-1", line, quantity=20)
        june = world.start("june", {"scheduledAt": "2026-07-01T13:00:00Z"})
        second = world.link(ANN)
        answer(world, second, june)
        assert june.status == "SUCCEEDED"
        answer(world, first, may)
        (draft,) = world.stripe.invoices()
        assert draft["total"] == (200_000 if grows else 120_000)
        assert may.status == "SUCCEEDED", (may.error, may.cause)
        (line,) = (world.report(may) or {})["lines"]
        if grows:
            assert line["fate"] == "held", "it was edited after May had listed it"
        else:
            assert (line["fate"], draft["id"] in line["reason"], "june" in line["reason"]) == ("skipped", True, True)


def test_a_draft_that_the_ledger_lost_is_adopted_with_a_claim_on_its_order() -> None:
    with small_firm([order("SO-1", 12)], {}) as world:
        month(world, 0)
        (draft,) = world.stripe.invoices()
        for row in world.aws.rows("ledger"):
            if row["sk"]["S"] in ("INVOICE", "BILLED"):
                world.aws.dynamodb.delete_item(TableName=LEDGER, Key={"pk": row["pk"], "sk": row["sk"]})
        for _ in range(2):
            world.invoke("FindTheOrphansFunction", {"since": "2026-05-01", "repair": True})
        (claimed,) = [row for row in world.aws.rows("ledger") if row["sk"]["S"] == "BILLED"]
        assert claimed["open_claims"]["SS"] == [draft["metadata"]["billing_plan"]]
        # Grouped otherwise, the order comes back under another key: the claim keeps it from a second draft.
        world.deploy(InvoiceGrouping="client")
        _, report = month(world, 1)
        assert [one["id"] for one in world.stripe.invoices()] == [draft["id"]]
        (line,) = report["lines"]
        assert (line["fate"], draft["id"] in line["reason"]) == ("held", True)


@pytest.mark.parametrize("drafted_before", [False, True])
def test_two_clients_whose_records_name_one_stripe_customer_are_both_a_problem(drafted_before: bool) -> None:
    orders = [order("SO-1", 12, client="C-1"), order("SO-2", 8, client="C-2")]
    with small_firm(orders[: 1 if drafted_before else 2], {}, StripeIdField=FIELD) as world:
        shared = str(world.stripe.create_customer(name="Client 1 LLC", email="ap@client1.example")["id"])
        for number in ("C-1", "C-2"):
            world.netsuite.set_customer(number, **{FIELD: shared})
        if drafted_before:
            month(world, 0)
            world.netsuite.add_order(orders[1])
        _, report = month(world, 1 if drafted_before else 0)
        problems = {one["orders"][0]: one["reason"] for one in report["lines"] if one["fate"] == "problem"}
        assert set(problems) == ({"SO-2"} if drafted_before else {"SO-1", "SO-2"})
        assert all(shared in one and "Client 1 LLC" in one and "Client 2 LLC" in one for one in problems.values())


def test_what_is_ordered_and_not_delivered_is_named_with_its_sum_until_it_is_delivered() -> None:
    laptops = {"item": "Laptop", "description": "laptops", "quantity": 10, "rate": "100.00", "fulfilled": 4}
    account = {"items": [{"name": "Laptop", "type": "InvtPart"}]}
    with small_firm([order("SO-1", status="E", lines=[laptops])], account) as world:
        month(world, 0)
        (draft,) = world.stripe.invoices()
        assert draft["total"] == 40_000
        for number in (1, 2):
            _, report = month(world, number)
            (waits,) = report["outstanding"]
            said = waits["state"]
            assert waits["number"] == "SO-1"
            assert "600.00 USD of it waits for delivery" in said
            assert "6 of 10" in said or "laptops" in said
            assert "SO-1" in f"{world.slack.posts[-1].text} {world.slack.posts[-1].blocks}"
        line = world.netsuite.order_json("SO-1")["lines"][0]["id"]
        world.netsuite.edit_line("SO-1", line, fulfilled=10)
        _, report = month(world, 3)
        assert sorted(one["total"] for one in world.stripe.invoices()) == [40_000, 60_000]
        assert month(world, 4)[1].get("outstanding", []) == []


def test_what_a_person_has_ended_costs_no_preview() -> None:
    with small_firm([order("SO-1", 12)], {}, PreviewPartlyBilled="on") as world:
        world.netsuite.bill("SO-1", world.netsuite.order_json("SO-1")["lines"][0]["id"], 2)
        run = world.start("first", {"scheduledAt": "2026-06-01T13:00:00Z"})
        assert world.post(ANN, answer="reject", number="1", reason="By hand.") == 200
        world.machine.go_on(run)
        said = {"order": "SO-1", "reason": "billed by hand", "by": "cy@firm.example"}
        assert world.invoke("EndTheOrderFunction", said)["state"] == "ended"
        assert previews(world, run) == 1
        assert previews(world, month(world, 1)[0]) == 0


def previews(world: HistoryWorld, run: Execution) -> int:
    """How many previews the run's snapshot holds: each is one call."""
    return len(json.loads(world.file_bytes(run.data["listed"]["snapshotKey"]))["previews"])


def test_a_hold_that_was_recorded_and_never_answered_is_confirmed_when_it_is_pressed_again() -> None:
    with small_firm([order("SO-1", 12), order("SO-2", 8)], {}) as world:
        run = world.start("first", {"scheduledAt": "2026-06-01T13:00:00Z"})
        form = {"answer": "hold", "order": "SO-1", "reason": "Hours are not final."}
        for _ in range(2):
            assert world.post(BOB, **form) == 200
            rows = [row for row in world.aws.rows("approvals") if row["sk"]["S"].startswith("ENTRY#")]
            assert len(rows) == 1
        assert world.post(BOB, **{**form, "order": "SO-9"}) == 422
        assert world.post(ANN, answer="approve", invoices="1") == 200
        world.machine.go_on(run)
        assert [one["total"] for one in world.stripe.invoices()] == [80_000]
