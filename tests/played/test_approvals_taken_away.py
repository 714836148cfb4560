"""What was approved once and then held back or rejected is not drafted by a later run unless somebody signs again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.approval.asked import ANN, links, post, until
from tests.played.firm import firm, only, order
from tests.played.story import SECONDS, asked_nobody, deployed, entered, live, stop_everything, stripe_error
from tests.sandbox import Run, Sandbox
from tests.sandbox.egress import When

REFUSED = stripe_error("No.", code="parameter_invalid_empty")
WHY = "The client disputes it."
DAYS = 3 * 86_400


@pytest.fixture(scope="module")
def opened() -> Iterator[Sandbox]:
    """Orders of 300.00 each; Ann signs. Every test has two orders of its own."""
    parameters = {
        "Approvers": f"Lead: {ANN}",
        "ApprovalTimeoutSeconds": str(DAYS),
        "ReminderIntervalSeconds": "0",
    }
    with deployed(firm(order(place) for place in range(1, 41)), parameters=parameters) as one:
        yield one


@pytest.fixture
def sandbox(opened: Sandbox) -> Iterator[Sandbox]:
    yield opened
    stop_everything(opened)
    opened.stripe.faults.clear()


def asked_for(sandbox: Sandbox, *places: int) -> tuple[Run, str]:
    """A run over these orders that waits, and Ann's link."""
    run = sandbox.start(only(*places))
    return run, waits(sandbox, run)


def waits(sandbox: Sandbox, run: Run) -> str:
    """Ann's newest link, once the run waits for her. A run that ends instead has asked nobody."""
    until(lambda: sandbox.is_waiting(run) or sandbox.result(run).status != "RUNNING")
    assert sandbox.is_waiting(run), (sandbox.result(run), sandbox.report(run)["lines"])
    return links(sandbox, run)[ANN]


def refused_by_stripe(sandbox: Sandbox, place: int) -> Run:
    """A run in which the order is signed for, and Stripe refuses its draft."""
    sandbox.stripe.faults.add(method="POST", path="^/v1/invoices$", times=None, action=REFUSED)
    run, link = asked_for(sandbox, place)
    approves(sandbox, link, 1)
    assert sandbox.wait_for_end(run, SECONDS).error == "InvoicesMissing"
    sandbox.stripe.faults.clear()
    assert live(sandbox, place) == []
    return run


def approves(sandbox: Sandbox, link: str, count: int) -> None:
    assert post(sandbox, link, "approve", invoices=str(count)).status == 200


def rejects(sandbox: Sandbox, link: str, count: int) -> None:
    assert post(sandbox, link, "reject", number=str(count), reason=WHY).status == 200


def holds(sandbox: Sandbox, link: str, place: int) -> None:
    assert post(sandbox, link, "hold", order=f"SO-{place}", reason=WHY).status == 200


def seen(sandbox: Sandbox, link: str) -> str:
    """The page's text without line breaks."""
    return " ".join(sandbox.person().open(link).text.split())


def test_what_is_held_back_after_it_was_approved_is_asked_about_again_and_drafted_once_it_is_signed_for(
    sandbox: Sandbox,
) -> None:
    first = refused_by_stripe(sandbox, 1)
    second, link = asked_for(sandbox, 1, 2)
    assert "Approved in an earlier run and not drafted yet." in seen(sandbox, link)
    holds(sandbox, link, 1)
    approves(sandbox, link, 1)
    assert sandbox.wait_for_end(second, SECONDS).status == "SUCCEEDED"
    assert (len(live(sandbox, 1)), len(live(sandbox, 2))) == (0, 1)

    third, link = asked_for(sandbox, 1)
    assert f"Approved in run {first.name}, then held back in run {second.name} by {ANN}: {WHY}" in seen(sandbox, link)
    assert live(sandbox, 1) == []
    approves(sandbox, link, 1)
    assert sandbox.wait_for_end(third, SECONDS).status == "SUCCEEDED"
    assert len(live(sandbox, 1)) == 1


def test_what_is_rejected_after_it_was_approved_is_asked_about_again_and_a_newer_approval_counts(
    sandbox: Sandbox,
) -> None:
    first = refused_by_stripe(sandbox, 3)
    second, link = asked_for(sandbox, 3, 4)
    rejects(sandbox, link, 2)
    assert sandbox.wait_for_end(second, SECONDS).error == "ApprovalRejected"

    third, link = asked_for(sandbox, 3)
    assert f"Approved in run {first.name}, then rejected in run {second.name} by {ANN}: {WHY}" in seen(sandbox, link)
    # Refused by Stripe once more: the newer approval counts, and nobody is asked again.
    sandbox.stripe.faults.add(method="POST", path="^/v1/invoices$", times=None, action=REFUSED)
    approves(sandbox, link, 1)
    assert sandbox.wait_for_end(third, SECONDS).error == "InvoicesMissing"
    assert live(sandbox, 3) == []
    sandbox.stripe.faults.clear()
    assert asked_nobody(sandbox, only(3))[1].status == "SUCCEEDED"
    assert len(live(sandbox, 3)) == 1


@pytest.mark.parametrize(("places", "again"), [((5, 6), "the rejected run"), ((7, 8), "the run that was approved")])
def test_a_redrive_after_a_rejection_asks_again_too(sandbox: Sandbox, places: tuple[int, int], again: str) -> None:
    first = refused_by_stripe(sandbox, places[0])
    second, link = asked_for(sandbox, *places)
    rejects(sandbox, link, 2)
    assert sandbox.wait_for_end(second, SECONDS).error == "ApprovalRejected"

    run, count = (second, 2) if again == "the rejected run" else (first, 1)
    sandbox.redrive(run)
    until(lambda: entered(sandbox, run).count("Open the run") == 2)
    link = waits(sandbox, run)
    assert f"then rejected in run {second.name} by {ANN}: {WHY}" in seen(sandbox, link)
    assert live(sandbox, places[0]) == []
    approves(sandbox, link, count)
    assert sandbox.wait_for_end(run, SECONDS).status == "SUCCEEDED"
    assert len(live(sandbox, places[0])) == 1

    record = sandbox.report(run)["record"]
    assert [line["at"] for line in record] == sorted(line["at"] for line in record)
    said = [(line["request"].rpartition(".")[2], line["what"].split()[0]) for line in record]
    assert [one for one in said if one[1] in ("opened", "answered", "ended")] == [
        (number, what) for number in "12" for what in ("opened", "answered", "ended")
    ]


def test_what_nobody_said_a_word_against_stays_approved_when_the_request_expires(sandbox: Sandbox) -> None:
    refused_by_stripe(sandbox, 9)
    second, _ = asked_for(sandbox, 9, 10)
    sandbox.clock.advance(DAYS + 1)
    assert sandbox.wait_for_end(second, SECONDS).error == "ApprovalExpired"
    assert live(sandbox, 9) == [], "what was signed for earlier is not drafted without the batch that it was shown in"
    _, result = asked_nobody(sandbox, only(9))
    assert result.status == "SUCCEEDED"
    assert len(live(sandbox, 9)) == 1


@pytest.mark.parametrize(("places", "ended"), [((11, 12), "expired"), ((13, 14), "aborted")])
def test_a_hold_counts_although_nobody_decided_after_it(sandbox: Sandbox, places: tuple[int, int], ended: str) -> None:
    refused_by_stripe(sandbox, places[0])
    second, link = asked_for(sandbox, *places)
    holds(sandbox, link, places[0])
    until(lambda: entered(sandbox, second).count("Ask for approval") == 2 and sandbox.is_waiting(second))
    if ended == "expired":
        sandbox.clock.advance(DAYS + 1)
        assert sandbox.wait_for_end(second, SECONDS).error == "ApprovalExpired"
    else:
        sandbox.stop(second)
    _, link = asked_for(sandbox, places[0])
    assert f"then held back in run {second.name} by {ANN}: {WHY}" in seen(sandbox, link)
    assert live(sandbox, places[0]) == []


def test_a_half_made_draft_that_is_held_back_is_named_in_the_report_and_among_the_orphans(sandbox: Sandbox) -> None:
    sandbox.stripe.faults.add(method="POST", path="add_lines", times=None, action=REFUSED)
    first, link = asked_for(sandbox, 15)
    approves(sandbox, link, 1)
    assert sandbox.wait_for_end(first, SECONDS).error == "InvoicesMissing"
    sandbox.stripe.faults.clear()
    (draft,) = live(sandbox, 15)
    assert draft["lines"]["data"] == []

    second, link = asked_for(sandbox, 15, 16)
    holds(sandbox, link, 15)
    approves(sandbox, link, 1)
    assert sandbox.wait_for_end(second, SECONDS).status == "SUCCEEDED"
    line = next(one for one in sandbox.report(second)["lines"] if one["orders"] == ["SO-15"])
    assert (line["fate"], line["code"], line["invoice_id"]) == ("held", "draft_left", draft["id"])
    assert f"The run {first.name} began its draft {draft['id']} and did not finish it. Delete" in line["reason"]

    (orphan,) = orphans(sandbox, 15)
    assert (orphan["kind"], orphan["invoices"]) == ("approval_gone", [draft["id"]])
    assert f"held back in run {second.name}" in orphan["message"]
    assert live(sandbox, 15)[0]["lines"]["data"] == [], "nothing was added to it"

    third, link = asked_for(sandbox, 15)
    assert f"Its draft {draft['id']} was begun in Stripe" in seen(sandbox, link)
    approves(sandbox, link, 1)
    assert sandbox.wait_for_end(third, SECONDS).status == "SUCCEEDED"
    (finished,) = live(sandbox, 15)
    assert (finished["id"], finished["total"]) == (draft["id"], 30_000)
    assert orphans(sandbox, 15) == []


def orphans(sandbox: Sandbox, place: int) -> list[dict[str, Any]]:
    """What is found of one order."""
    key = f"order-{sandbox.netsuite.orders()[f'SO-{place}'].id}"
    found = sandbox.invoke("FindTheOrphansFunction", {"since": "2026-05-01"})["orphans"]
    return [one for one in found if one["plan"] == key]


@pytest.mark.parametrize(("places", "when"), [((17, 18), "before"), ((19, 20), "after")])
def test_killed_at_taking_an_approval_away_it_is_taken_away_all_the_same(
    sandbox: Sandbox, places: tuple[int, int], when: When
) -> None:
    refused_by_stripe(sandbox, places[0])
    second, link = asked_for(sandbox, *places)
    # Its calls of DynamoDB: the request's number, the request, the ledger.
    plan = sandbox.kill_at(3, when, "ReadTheDecisionFunction", services=["dynamodb"])
    rejects(sandbox, link, 2)
    assert sandbox.wait_for_end(second, SECONDS).error == "ApprovalRejected"
    assert plan.done
    _, link = asked_for(sandbox, places[0])
    assert f"then rejected in run {second.name} by {ANN}: {WHY}" in seen(sandbox, link)
