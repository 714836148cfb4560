"""What a run is started with: the schedule's time, a month by hand, a trial by filter, a dry run, and mistakes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.played.firm import OWNER, PERIOD, firm, only, order
from tests.played.story import SECONDS, asked_nobody, billed, decided, deployed, entered, in_slack, live
from tests.sandbox import Run, Sandbox

APRIL, JULY = "2026-04", "2026-07"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    orders = [order(place) for place in range(1, 9)]
    orders += [order(20, date="2026-04-10"), order(21, date="2026-04-30"), order(22, date="2026-04-01")]
    orders += [order(30 + day, customer=30, date=f"2026-07-{day:02}") for day in (1, 9, 10, 11, 31)]
    with deployed(firm(orders)) as opened:
        yield opened


def _listed(sandbox: Sandbox, run: Run) -> set[str]:
    return {number for line in sandbox.report(run)["lines"] for number in line["orders"]}


def test_a_trial_on_named_orders_bills_those_alone(sandbox: Sandbox) -> None:
    run, result = billed(sandbox, only(1, 2))
    assert result.status == "SUCCEEDED"
    assert _listed(sandbox, run) == {"SO-1", "SO-2"}
    assert {invoice["metadata"]["netsuite_so_number"] for invoice in live(sandbox)} == {"SO-1", "SO-2"}


def test_a_trial_on_one_client_bills_its_orders_alone(sandbox: Sandbox) -> None:
    customer = next(str(one["id"]) for one in sandbox.netsuite.dump()["customer"] if one["entityid"] == "C-30")
    run, _ = asked_nobody(sandbox, {"period": JULY, "dryRun": True, "filter": {"customerIds": [customer]}})
    assert _listed(sandbox, run) == {"SO-31", "SO-39", "SO-40", "SO-41", "SO-61"}


def test_a_trial_on_days_includes_the_first_and_not_the_last(sandbox: Sandbox) -> None:
    days = {"fromDate": "2026-07-10", "toDate": "2026-07-31"}
    run, _ = asked_nobody(sandbox, {"period": JULY, "dryRun": True, "filter": days})
    assert _listed(sandbox, run) == {"SO-40", "SO-41"}


def test_a_trial_of_at_most_two_orders_lists_two_whole_orders(sandbox: Sandbox) -> None:
    run, _ = asked_nobody(sandbox, {"period": JULY, "dryRun": True, "filter": {"atMost": 2}})
    assert len(_listed(sandbox, run)) == sandbox.report(run)["listed"] == 2


def test_a_month_by_hand_bills_that_month_from_its_first_to_its_last_day(sandbox: Sandbox) -> None:
    run, result = billed(sandbox, {"period": APRIL})
    assert result.status == "SUCCEEDED"
    assert _listed(sandbox, run) == {"SO-20", "SO-21", "SO-22"}
    assert {invoice["metadata"]["billing_period"] for invoice in live(sandbox, 21)} == {APRIL}


def test_a_dry_run_writes_nothing_anywhere_but_its_own_files_and_says_so(sandbox: Sandbox) -> None:
    sandbox.wait_for_end(sandbox.start(only(1)), SECONDS)  # warm, and something is billed already
    stripe, tables = sandbox.stripe.dump(), _rows(sandbox)
    objects, asked = sandbox.objects(), _asked(sandbox)
    run, result = asked_nobody(sandbox, {"period": PERIOD, "dryRun": True})
    assert result.status == "SUCCEEDED"
    assert sandbox.stripe.dump() == stripe
    after = _rows(sandbox)
    assert {name: rows for name, rows in after.items() if name != "RunsTable"} == {
        name: rows for name, rows in tables.items() if name != "RunsTable"
    }
    new = [row for row in after["RunsTable"] if row not in tables["RunsTable"]]
    assert all("MESSAGE#" in row and run.name in row for row in new), "only the note of what was told; no lock"
    assert _asked(sandbox) == asked
    fresh = set(sandbox.objects()) - set(objects)
    assert fresh
    assert all(key.startswith(f"runs/{PERIOD}/{run.name}/") for key in fresh)
    assert {key: sandbox.objects()[key] for key in objects} == objects
    assert "dry run" in in_slack(sandbox, len(sandbox.posts()) - 1)
    assert {invoice["metadata"]["netsuite_so_number"] for invoice in live(sandbox)}.isdisjoint({"SO-7", "SO-8"})


def test_a_dry_run_is_not_held_up_by_a_run_that_waits(sandbox: Sandbox) -> None:
    waiting = sandbox.start(only(3))
    sandbox.wait_for_approval(waiting, SECONDS)
    _, result = asked_nobody(sandbox, only(4, dryRun=True))
    assert result.status == "SUCCEEDED"
    assert decided(sandbox, waiting).status == "SUCCEEDED"


def test_an_order_number_that_nobody_has_gives_nothing_to_bill(sandbox: Sandbox) -> None:
    run, result = asked_nobody(sandbox, {"period": PERIOD, "filter": {"orderNumbers": ["SO-9' OR '1'='1"]}})
    assert result.status == "SUCCEEDED"
    assert sandbox.report(run)["listed"] == 0
    assert "nothing to bill" in in_slack(sandbox, len(sandbox.posts()) - 1)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({}, "scheduledAt"),
        ([], "input"),
        ({"scheduledAt": "yesterday"}, "scheduledAt"),
        ({"scheduledAt": "2026-06-01T09:00:00"}, "scheduledAt"),
        ({"period": "2026-13"}, "period"),
        ({"period": "May 2026"}, "period"),
        ({"period": 202605}, "period"),
        ({"period": PERIOD, "dryRun": "yes"}, "dryRun"),
        ({"period": PERIOD, "fliter": {}}, "fliter"),
        ({"period": PERIOD, "filter": "SO-1"}, "filter"),
        ({"period": PERIOD, "filter": {"order": ["SO-1"]}}, "order"),
        ({"period": PERIOD, "filter": {"orderNumbers": "SO-1"}}, "filter.orderNumbers"),
        ({"period": PERIOD, "filter": {"orderNumbers": []}}, "filter.orderNumbers"),
        ({"period": PERIOD, "filter": {"customerIds": ["C-1"]}}, "filter.customerIds"),
        ({"period": PERIOD, "filter": {"fromDate": "2026-05-32"}}, "filter.fromDate"),
        ({"period": PERIOD, "filter": {"fromDate": "2026-05-09", "toDate": "2026-05-09"}}, "filter.fromDate"),
        ({"period": PERIOD, "filter": {"atMost": 0}}, "filter.atMost"),
        ({"period": PERIOD, "filter": {"atMost": True}}, "filter.atMost"),
    ],
)
def test_bad_input_fails_at_once_with_a_sentence_that_names_the_field(sandbox: Sandbox, given: Any, named: str) -> None:
    calls = len(sandbox.requests)
    run = sandbox.start(json.dumps(given))
    result = sandbox.wait_for_end(run, SECONDS)
    assert (result.status, result.error) == ("FAILED", "InputInvalid")
    assert named in json.loads(result.cause or "{}")["errorMessage"]
    assert entered(sandbox, run) == ["Open the run", "The input was refused", "Tell of the failure", "Stop the run"]
    assert {"netsuite", "stripe"}.isdisjoint(request.service for request in sandbox.requests[calls:])
    assert named in in_slack(sandbox, len(sandbox.posts()) - 1)


def test_the_owners_hear_of_every_run_that_got_under_way(sandbox: Sandbox) -> None:
    told = [mail for mail in sandbox.mails() if mail.to == (OWNER,)]
    ended = [post for post in sandbox.posts() if not post["text"].startswith("Approval requested")]
    billing = [post for post in ended if "dry run" not in json.dumps(post).lower()]
    assert len(told) == len(billing) > 0


def _rows(sandbox: Sandbox) -> dict[str, list[str]]:
    return {name: sorted(map(str, rows)) for name, rows in sandbox.tables().items()}


def _asked(sandbox: Sandbox) -> int:
    return sum(1 for mail in sandbox.mails() if sandbox.asking_links(mail))
