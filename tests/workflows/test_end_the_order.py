"""A person ends an order: on record, once, and only one that is open from a run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from billing.adapters.dynamodb.carry_over import CarryOver
from billing.adapters.dynamodb.ended_orders import EndedOrders
from billing.adapters.dynamodb.items import query_all
from billing.domain.errors import InputInvalid
from billing.domain.orders.outstanding import Carried
from billing.workflows.operations.end_the_order import end_the_order
from tests.adapters.aws_world import LEDGER, AwsWorld, aws_world
from tests.docs.repository import RUNBOOK, only_fenced

NOW = datetime(2026, 6, 2, 9, 0, tzinfo=UTC)
GIVEN = {"order": "SO-1001", "reason": "billed by hand", "by": "Ann@firm.example"}


@pytest.fixture
def aws() -> Iterator[AwsWorld]:
    with aws_world() as world:
        CarryOver(world.dynamodb, LEDGER).change(
            "monthly",
            [
                Carried("501", "SO-1001", "2026-05", "It has shrunk.", "content-1"),
                Carried("502", "SO-1002", "2026-05", "Gone.", ""),
                Carried("503", "SO-1003", "2026-05", "Held.", "content-3"),
                Carried("504", "SO-1003", "2026-05", "Held.", "content-4"),
            ],
            [],
        )
        CarryOver(world.dynamodb, LEDGER).change("apac", [Carried("601", "AP-1", "2026-05", "Held.", "c")], [])
        yield world


def end(aws: AwsWorld, now: datetime = NOW, **given: Any) -> dict[str, str]:
    carried, ended = CarryOver(aws.dynamodb, LEDGER), EndedOrders(aws.dynamodb, LEDGER)
    return end_the_order({**GIVEN, **given}, "monthly", carried, ended, now)


def latest(aws: AwsWorld) -> dict[str, Any]:
    return EndedOrders(aws.dynamodb, LEDGER).latest()


def test_it_is_on_record_with_who_why_when_and_what_it_was(aws: AwsWorld) -> None:
    answer = end(aws)
    assert (answer["order"], answer["id"], answer["state"]) == ("SO-1001", "501", "ended")
    kept = latest(aws)["501"]
    assert (kept.number, kept.reason, kept.by, kept.at, kept.content, kept.named_in, kept.open_again) == (
        "SO-1001", "billed by hand", "ann@firm.example", "2026-06-02T09:00:00+00:00", "content-1", "", False,
    )  # fmt: skip


def test_asked_twice_it_is_ended_once_and_the_first_reason_stays(aws: AwsWorld) -> None:
    end(aws)
    again = end(aws, datetime(2026, 6, 3, tzinfo=UTC), reason="something else")
    assert again["state"] == "ended already"
    assert latest(aws)["501"].reason == "billed by hand"


def test_an_order_that_changed_since_it_was_ended_is_ended_as_it_is_now(aws: AwsWorld) -> None:
    end(aws)
    CarryOver(aws.dynamodb, LEDGER).change("monthly", [Carried("501", "SO-1001", "2026-05", "More.", "content-2")], [])
    assert end(aws, datetime(2026, 7, 2, tzinfo=UTC))["state"] == "ended"
    assert latest(aws)["501"].holds_for("content-2")


def test_it_can_be_opened_again_and_both_stay_on_record(aws: AwsWorld) -> None:
    assert end(aws, open_again=True)["state"] == "open already"
    end(aws)
    assert end(aws, datetime(2026, 6, 3, tzinfo=UTC), open_again=True, reason="a mistake")["state"] == "open"
    assert not latest(aws)["501"].holds_for("content-1")
    assert len(query_all(aws.dynamodb, LEDGER, "ENDED")) == 2
    assert end(aws, datetime(2026, 6, 4, tzinfo=UTC))["state"] == "ended"


def test_the_internal_id_and_other_letters_find_it_too(aws: AwsWorld) -> None:
    assert end(aws, order="502")["order"] == "SO-1002"
    assert end(aws, order="so-1001")["id"] == "501"


def test_another_cycles_order_needs_the_cycles_name(aws: AwsWorld) -> None:
    with pytest.raises(InputInvalid, match=r'"order".*AP-1.*"monthly"'):
        end(aws, order="AP-1")
    assert end(aws, order="AP-1", cycle="apac")["id"] == "601"


def test_two_orders_of_one_number_are_told_apart_by_their_ids(aws: AwsWorld) -> None:
    with pytest.raises(InputInvalid, match=r"2 orders have this number.*503, 504"):
        end(aws, order="SO-1003")
    assert end(aws, order="504")["id"] == "504"


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"order": ""}, '"order"'), ({"order": 7}, '"order"'), ({"order": "SO-9"}, '"order"'),
        ({"reason": " "}, '"reason"'), ({"reason": "123"}, '"reason"'), ({"reason": "x" * 501}, '"reason"'),
        ({"by": "ann"}, '"by"'), ({"by": None}, '"by"'), ({"cycle": "Monthly!"}, '"cycle"'),
        ({"open_again": "yes"}, '"open_again"'), ({"ordr": "SO-1001"}, "ordr"),
    ],
)  # fmt: skip
def test_a_mistake_names_its_field_and_nothing_is_written(aws: AwsWorld, given: dict[str, Any], named: str) -> None:
    with pytest.raises(InputInvalid, match=named) as caught:
        end(aws, **given)
    assert "billed by hand" not in str(caught.value)
    assert "firm.example" not in str(caught.value)
    assert latest(aws) == {}


def test_the_run_that_names_it_first_is_kept(aws: AwsWorld) -> None:
    end(aws)
    ended = EndedOrders(aws.dynamodb, LEDGER)
    ended.note_named(latest(aws).values(), "run-7")
    ended.note_named(latest(aws).values(), "run-8")
    assert latest(aws)["501"].named_in == "run-7"


def test_what_the_runbook_shows_is_what_is_typed(aws: AwsWorld) -> None:
    shown = json.loads(only_fenced(RUNBOOK, "json", "end-the-order"))
    CarryOver(aws.dynamodb, LEDGER).change("shown", [Carried("701", shown["order"], "2026-05", "Held.", "c")], [])
    carried, ended = CarryOver(aws.dynamodb, LEDGER), EndedOrders(aws.dynamodb, LEDGER)
    assert end_the_order(shown, "shown", carried, ended, NOW)["state"] == "ended"
    assert latest(aws)["701"].reason == shown["reason"]
