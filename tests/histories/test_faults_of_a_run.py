"""Faults that last, or come in numbers, through a whole run: lists beyond what SuiteQL hands out, answers that come
after the client has given up, a ledger that stays throttled, one poisoned client among many.

LISTED_ORDERS and POISONED_AMONG say how many orders; `make soak` plays 34,000 and 1,000.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import stripe
from botocore.exceptions import ClientError

from tests.adapters.aws_world import LEDGER
from tests.histories.small_firm import START, approve, month, order, small_firm
from tests.histories.world import HistoryWorld, history_world
from tests.played.story import stripe_error
from tests.sandbox.faults import Delay, DelayAfter
from tests.sandbox.netsuite import generate_world

LISTED = int(os.environ.get("LISTED_ORDERS", "400"))
POISONED_AMONG = int(os.environ.get("POISONED_AMONG", "12"))
LINES = 3
SUITEQL_ROWS = 100_000
"""What a query of SuiteQL may be paged through (Oracle: "Executing SuiteQL Queries Through REST Web Services")."""

GIVES_UP, ANSWERS = 0.4, 1.2
"""Seconds of real time: when the client stops waiting, and when the answer would come."""


def test_more_rows_than_suiteql_hands_out_for_one_query_are_all_listed() -> None:
    cap = SUITEQL_ROWS if LISTED * LINES > SUITEQL_ROWS else 1_000
    with history_world(generate_world(LISTED, lines_per_order=LINES, clients=2), START) as world:
        world.netsuite.set_options(max_rows=cap)
        assert cap < LISTED * LINES, "else nothing is capped"
        run = world.start("run-1", {"scheduledAt": "2026-06-01T13:00:00Z", "dryRun": True})
        assert (run.status, run.error, run.cause) == ("SUCCEEDED", "", "")
        report = world.report(run) or {}
        assert report["listed"] == LISTED
        assert len({number for line in report["lines"] for number in line["orders"]}) == LISTED


@pytest.mark.parametrize("path", ["^/v1/customers$", "^/v1/invoices$", "/add_lines$"])
def test_what_stripe_has_done_after_the_client_gave_up_is_there_once(
    monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """The SDK sends it three times under one key; the state's next attempt looks, and does not write again."""
    real = stripe.RequestsClient
    monkeypatch.setattr(stripe, "RequestsClient", lambda **_: real(timeout=(5, GIVES_UP)))
    with small_firm([order("SO-1", 10, 3)], {}) as world:
        late = world.stripe.faults.add(method="POST", path=path, action=DelayAfter(ANSWERS), times=None)
        run, _ = month(world, 0)
        assert late.hits == 3
        assert (run.status, run.error) == ("SUCCEEDED", "")
        assert [(one["total"], len(one["lines"]["data"])) for one in world.stripe.invoices()] == [(130_000, 2)]
        assert len(world.stripe.customers()) == 1


def test_a_netsuite_that_answers_too_late_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("billing.adapters.netsuite.transport._TIMEOUT", (5, GIVES_UP))
    with small_firm([order("SO-1", 10)], {}) as world:
        late = world.netsuite.faults.add(path="/suiteql$", action=Delay(ANSWERS), times=2)
        run, report = month(world, 0)
        assert late.hits == 2
        assert (run.status, report["counts"]["drafted"]) == ("SUCCEEDED", 1)


def test_with_the_ledger_throttled_for_good_nothing_is_drafted_everybody_hears_and_a_redrive_finishes() -> None:
    with small_firm([order("SO-1", 10), order("SO-2", 5, client="C-2")], {}) as world:
        run = world.start("run-1", {"scheduledAt": "2026-06-01T13:00:00Z"})
        assert run.waits
        posts, mails = len(world.slack.posts), len(world.mails)
        with ledger_throttled(world):
            approve(world, run)
        assert run.status == "FAILED"
        assert run.error == "PassingError"
        assert world.stripe.invoices() == []
        assert "PassingError" in str([post.text for post in world.slack.posts[posts:]])
        assert "owner@firm.example" in {mail.to for mail in world.mails[mails:]}
        world.machine.redrive(run)
        approve(world, run)
        assert (run.status, run.error) == ("SUCCEEDED", "")
        assert sorted(one["total"] for one in world.stripe.invoices()) == [50_000, 100_000]


def test_with_the_ledger_throttled_only_while_it_drafts_the_run_closes_by_its_name_and_is_finished_later() -> None:
    """The ledger answers again when the run closes: the report names each order that is missing."""
    with small_firm([order("SO-1", 10), order("SO-2", 5, client="C-2")], {}) as world:
        run = world.start("run-1", {"scheduledAt": "2026-06-01T13:00:00Z"})
        with ledger_throttled(world, ("DraftTheInvoiceFunction", "NoteTheFailureFunction")):
            approve(world, run)
        assert (run.status, run.error) == ("FAILED", "InvoicesMissing")
        report = world.report(run) or {}
        assert (report["listed"], report["counts"]["failed"]) == (2, 2)
        assert world.stripe.invoices() == []
        world.machine.redrive(run)
        assert (run.status, len(world.stripe.invoices())) == ("SUCCEEDED", 2)


@contextmanager
def ledger_throttled(world: HistoryWorld, functions: tuple[str, ...] = ()) -> Iterator[None]:
    """Every call to the ledger's table is refused under load, of these functions or of all."""
    dynamodb: Any = world.client("dynamodb")
    real = dynamodb._real

    class Throttled:
        def __getattr__(self, name: str) -> Any:
            call = getattr(real, name)

            def perform(**asked: Any) -> Any:
                if f"'{LEDGER}'" in str(asked) and (not functions or world.function in functions):
                    raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "Rate exceeded"}}, name)
                return call(**asked)

            return perform if callable(call) else call

    dynamodb._real = Throttled()
    try:
        yield
    finally:
        dynamodb._real = real


def test_one_poisoned_client_among_many_stops_nobody_else() -> None:
    clients = [
        {"number": f"C-{place}", "name": f"Client {place} LLC", "email": f"ap@client{place}.example"}
        for place in range(1, POISONED_AMONG + 1)
    ]
    orders = [order(f"SO-{place}", 1, client=f"C-{place}") for place in range(1, POISONED_AMONG + 1)]
    bad = POISONED_AMONG // 2
    with small_firm(orders, {"customers": clients}) as world:
        refused = stripe_error("No.", code="email_invalid")
        world.stripe.faults.add(
            method="POST", path="^/v1/customers$", body=f"client{bad}\\.", times=None, action=refused
        )
        run, report = month(world, 0)
        assert (run.status, run.error) == ("FAILED", "InvoicesMissing")
        assert (report["listed"], report["counts"]["drafted"], report["counts"]["failed"]) == (
            POISONED_AMONG,
            POISONED_AMONG - 1,
            1,
        )
        (failed,) = [line for line in report["lines"] if line["fate"] == "failed"]
        assert failed["orders"] == [f"SO-{bad}"]
        assert "email_invalid" in failed["reason"]
        drafted = [one["metadata"]["netsuite_so_number"] for one in world.stripe.invoices()]
        assert sorted(drafted) == sorted(one["number"] for one in orders if one["number"] != f"SO-{bad}")
        assert f"SO-{bad}" in world.mails[-1].text


@pytest.mark.parametrize(("tolerated", "refused", "tried"), [("20", None, 3), ("30", 3, 10), ("100", None, 10)])
def test_beyond_the_tolerated_share_of_failures_no_more_are_begun_and_everybody_hears(
    tolerated: str, refused: int | None, tried: int
) -> None:
    """Of ten orders; exactly the share is still tolerated, and by default every order is tried."""
    orders = [order(f"SO-{place}", place, client=f"C-{1 + place % 2}") for place in range(1, 11)]
    with small_firm(orders, {}, ToleratedFailurePercentage=tolerated) as world:
        faults = world.stripe.faults
        fault = faults.add(method="POST", path="^/v1/invoices$", times=refused, action=stripe_error("No."))
        posts = len(world.slack.posts)
        run, report = month(world, 0)
        created = len(world.stripe.invoices())
        assert fault.hits + created == tried
        assert (run.status, run.error) == ("FAILED", "InvoicesMissing")
        assert (report["listed"], report["counts"]["drafted"], report["counts"]["failed"]) == (
            10,
            created,
            10 - created,
        )
        reasons = [line["reason"] for line in report["lines"] if line["fate"] == "failed"]
        assert all(reasons)
        assert sum("did not begin" in reason for reason in reasons) == 10 - tried
        early = tried < 10
        owners = next(mail.text for mail in reversed(world.mails) if mail.to == "owner@firm.example")
        for said in (run.cause, str([post.blocks for post in world.slack.posts[posts:]]), owners):
            assert ("ToleratedFailurePercentage" in said) is early
        faults.clear()
        asked = run.visited.count("Ask for approval")
        world.machine.redrive(run)
        assert (run.status, run.error) == ("SUCCEEDED", "")
        assert sorted(one["total"] for one in world.stripe.invoices()) == [place * 10_000 for place in range(1, 11)]
        assert run.visited.count("Ask for approval") == asked, "nobody is asked again"
