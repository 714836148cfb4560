"""A link reads nothing any more when it has ended: after the time that its mail names, or when its holder was taken off
the list. It says kindly how the request ended, and gives no table, no name and no amount."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.adapters.aws_world import AwsWorld
from tests.workflows.approval_world import ANN, BOB, CY, ApprovalWorld
from tests.workflows.moving_clock import MovingClock

APPROVE = {"answer": "approve", "invoices": "3"}
REJECT = {"answer": "reject", "number": "3", "reason": "The rates of Acme are wrong."}


@pytest.fixture
def world(aws: AwsWorld, clock: MovingClock) -> ApprovalWorld:
    world = ApprovalWorld(aws, clock, approvers=f"Lead: {ANN}, {CY}; Controller: {BOB}", domains=("firm.example",))
    world.ask()
    return world


def of_the_batch(world: ApprovalWorld) -> list[str]:
    """What nobody may read any more: clients, their addresses, orders, amounts, and who else signs."""
    batch = world.files.read_json(world.matched["batchKey"], world.matched["sha256"])
    plans = [one["plan"] for one in batch["invoices"]]
    names = {plan["client"]["name"] for plan in plans} | {plan["client"]["email"] for plan in plans}
    numbers = {order["number"] for plan in plans for order in plan["orders"]}
    found = [*filter(None, names), *numbers, "1,000.00", "3,000.00", "USD", "Acme"]
    assert len(numbers) == 3
    assert len(names) >= 2
    return found


def shows_nothing(world: ApprovalWorld, link: str, says: str, others: tuple[str, ...]) -> None:
    hidden = [*of_the_batch(world), *others]
    before = world.aws.dump()
    for method, query in (("GET", ""), ("HEAD", ""), ("GET", "q=SO-1001"), ("GET", "page=2"), ("GET", "format=csv"),
                          ("GET", "format=csv&part=1")):  # fmt: skip
        answer = world.get(link, method, query)
        assert answer["headers"]["content-type"].startswith("text/html"), query
        assert answer["statusCode"] == (410 if "csv" in query else 200), query
        assert [one for one in hidden if one in answer["body"]] == []
        assert method == "HEAD" or says in " ".join(answer["body"].split()), answer["body"]
    assert world.aws.dump() == before


def approved(world: ApprovalWorld) -> None:
    for person in (ANN, BOB):
        assert world.post(world.link(person), **APPROVE)["statusCode"] == 200
    assert world.decide() == "approved"


def rejected(world: ApprovalWorld) -> None:
    assert world.post(world.link(BOB), **REJECT)["statusCode"] == 200
    assert world.decide() == "rejected"


def held(world: ApprovalWorld) -> None:
    assert world.post(world.link(BOB), answer="hold", order="SO-1001", reason="Ask Acme first.")["statusCode"] == 200


ENDS: dict[str, tuple[Callable[[ApprovalWorld], Any], str]] = {
    "approved": (approved, "Approved: 3 invoices for May 2026"),
    "rejected": (rejected, "Rejected: 3 invoices for May 2026"),
    "expired": (lambda world: None, "Expired: 3 invoices for May 2026"),
    "held and expired": (held, "Expired: 2 invoices for May 2026"),
}


@pytest.mark.parametrize("end", ENDS)
def test_after_the_time_that_the_mail_names_a_link_says_how_it_ended_and_nothing_else(
    world: ApprovalWorld, end: str
) -> None:
    happen, says = ENDS[end]
    happen(world)
    link = world.link(ANN)
    assert world.get(link, query="format=csv")["headers"]["content-type"].startswith("text/csv")
    world.clock.move(days=3)
    world.decide()
    shows_nothing(world, link, says, (BOB, CY))
    world.clock.move(days=365)
    shows_nothing(world, link, "This link expired on", (BOB, CY))


def test_a_decided_request_is_read_until_the_time_that_the_mail_names(world: ApprovalWorld) -> None:
    approved(world)
    assert world.get(world.link(CY), query="format=csv")["headers"]["content-type"].startswith("text/csv")


def test_an_answer_after_the_end_is_refused_kindly_and_told_what_happened(world: ApprovalWorld) -> None:
    link = world.link(ANN)
    world.clock.move(days=3)
    page = world.send(link, **APPROVE, content=world.matched["sha256"])
    assert "Your answer was not recorded" in page["body"]
    assert [one for one in of_the_batch(world) if one in page["body"]] == []
    assert world.decide() == "expired"


@pytest.mark.parametrize("before", ["nobody has answered", "they have signed", "everybody has signed"])
def test_somebody_who_was_taken_off_the_list_reads_nothing_any_more(world: ApprovalWorld, before: str) -> None:
    if before != "nobody has answered":
        world.post(world.link(ANN), **APPROVE)
    if before == "everybody has signed":
        world.post(world.link(BOB), **APPROVE)
    link, inbox = world.link(ANN), world.inbox(ANN)
    world.approvers = f"Lead: {CY}; Controller: {BOB}"
    shows_nothing(world, link, "You were removed from the list of approvers", (BOB, CY))
    says = "You did not answer." if before == "nobody has answered" else "You approved on"
    shows_nothing(world, link, says, (BOB, CY))
    assert world.look_into(inbox)["statusCode"] == 410
    assert world.get(world.link(BOB), query="format=csv")["statusCode"] == 200, "and everybody else does"


def test_whoever_passed_a_request_on_reads_on_and_a_delegate_ends_with_them(world: ApprovalWorld) -> None:
    world.post(world.link(ANN), answer="delegate", delegate="di@firm.example", number="3")
    world.ask("token-2", "undecided")
    own, delegated = world.link(ANN), world.link("di@firm.example")
    for link in (own, delegated):
        assert world.get(link, query="format=csv")["statusCode"] == 200
    world.approvers = f"Lead: {CY}; Controller: {BOB}"
    for link in (own, delegated):
        shows_nothing(world, link, "You were removed from the list of approvers", (BOB, CY))
