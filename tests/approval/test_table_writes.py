"""Who writes to the approvals table past the page cannot make one signature do for two: every attribute of the
request's row is altered, one at a time, and no approval comes of it that the request as it was opened would not have
given."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from billing.adapters.dynamodb.items import to_item, values_of
from billing.adapters.signatures import Signatures
from billing.domain.approval.approvers import approver_id
from billing.domain.approval.signed_links import Link
from billing.domain.errors import OurFault, PassingError, RequestAltered
from billing.workflows.approval.present_request import present_request
from tests.adapters.aws_world import APPROVALS, LEDGER, AwsWorld
from tests.workflows.approval_world import ANN, BOB, CY, ApprovalWorld
from tests.workflows.moving_clock import MovingClock

TWO_SLOTS = f"Lead: {ANN}; Controller (2): {BOB}, {CY}, di@firm.example"
EVE = "eve@firm.example"
KEY = {"pk": "REQUEST#run-1.1", "sk": "REQUEST"}
MOVES_BY_ITSELF = {"changes", "content", "sealed_token"}
"""What the page and the run write into the row. It decides nothing: a vote's and an entry's own place is signed."""


def slot(name: str, need: int, *people: str) -> dict[str, Any]:
    return {"name": name, "need": need, "people": list(people)}


LEAD, CONTROLLER = slot("Lead", 1, ANN), slot("Controller", 2, BOB, CY, "di@firm.example")
WEAKER: dict[str, list[Any]] = {
    "slots": [[LEAD], [CONTROLLER], [LEAD, {**CONTROLLER, "need": 1}], [LEAD, {**CONTROLLER, "need": 0}], [],
              [LEAD, slot("Controller", 2, ANN, EVE)], [slot("Lead", 1, ANN, EVE), CONTROLLER]],
    "barred": ["", approver_id(EVE)],
    "requested_by": ["", EVE],
    "expires_at": ["2036-01-01T00:00:00+00:00", "2026-06-01T00:00:00+00:00"],
    "opened_at": ["2036-01-01T00:00:00+00:00"],
    "batch_sha256": ["0" * 64],
    "batch_key": ["runs/2026-05/run-1/batch-2.json"],
    "invoices": [0, 2, 4],
    "cycle": ["apac"],
    "period": ["2026-04"],
    "run_id": ["run-2"],
    "execution_arn": ["arn:run-2"],
    "signature": ["", "x", "e30.AAAA"],
    "changes": [0, 1, 7],
    "content": ["0" * 64],
    "sealed_token": [b"x"],
    "row_format": [0, 99],
}  # fmt: skip
WRITES = [(name, value) for name, values in WEAKER.items() for value in values]
REFUSED = ("undecided", "expired", "RequestAltered", "RecordUnreadable", "OurFault", "PassingError")


@pytest.fixture
def world(aws: AwsWorld, clock: MovingClock) -> ApprovalWorld:
    """Ann for the one slot, two of three others for the second; the barred requester is one of those three. A smaller
    batch lies beside the one that is asked about."""
    world = ApprovalWorld(aws, clock, approvers=TWO_SLOTS, requested_by=approver_id("di@firm.example"))
    world.batch(2)
    world.ask()
    return world


def write(world: ApprovalWorld, **values: Any) -> None:
    """Past the page, as somebody with the right to write to the table. None takes the attribute away."""
    item = world.aws.dynamodb.get_item(TableName=APPROVALS, Key=to_item(KEY))["Item"]
    row = {**values_of(item), **values}
    kept = {name: value for name, value in row.items() if value is not None}
    world.aws.dynamodb.put_item(TableName=APPROVALS, Item=to_item(kept))


def outcome(world: ApprovalWorld) -> str:
    """What "Read the decision" makes of it."""
    try:
        return world.decide()
    except (OurFault, PassingError) as error:
        return type(error).__name__


@pytest.fixture
def links(world: ApprovalWorld) -> dict[str, str]:
    return {person: world.link(person) for person in (ANN, BOB, CY)}


def restore(world: ApprovalWorld, rows: list[dict[str, Any]]) -> None:
    """The table as it was."""
    for row in world.aws.rows(APPROVALS):
        world.aws.dynamodb.delete_item(TableName=APPROVALS, Key={"pk": row["pk"], "sk": row["sk"]})
    for row in rows:
        world.aws.dynamodb.put_item(TableName=APPROVALS, Item=row)


def approvals(world: ApprovalWorld) -> list[Any]:
    return [row for row in world.aws.rows(LEDGER) if row["sk"]["S"].startswith("APPROVED#")]


def test_every_attribute_of_the_row_is_among_those_that_are_altered(world: ApprovalWorld) -> None:
    item = world.aws.dynamodb.get_item(TableName=APPROVALS, Key=to_item(KEY))["Item"]
    assert set(item) - {"pk", "sk"} <= WEAKER.keys()
    assert WEAKER.keys() - set(item) <= MOVES_BY_ITSELF


@pytest.mark.parametrize("stripped", [False, True], ids=["signed", "its signature taken off"])
@pytest.mark.parametrize("who", [(ANN,), (ANN, BOB)], ids=["one", "two"])
def test_no_write_makes_an_approval_of_too_few_signatures(
    world: ApprovalWorld, links: dict[str, str], stripped: bool, who: tuple[str, ...]
) -> None:
    """The request as it was opened needs three."""
    before = world.aws.rows(APPROVALS)
    for name, value in WRITES:
        restore(world, before)
        write(world, **{**({"signature": None} if stripped else {}), name: value})
        for person in who:
            world.post(links[person], answer="approve", invoices="3")
            world.send(links[person], answer="approve", invoices=str(value), content=str(value))
        assert outcome(world) in REFUSED, (name, value)
        assert approvals(world) == [], (name, value)


def test_a_write_after_the_signatures_makes_no_approval_either(world: ApprovalWorld, links: dict[str, str]) -> None:
    world.post(links[ANN], answer="approve", invoices="3")
    before = world.aws.rows(APPROVALS)
    for name, value in WRITES:
        restore(world, before)
        write(world, **{name: value})
        assert outcome(world) in REFUSED, (name, value)
        assert approvals(world) == [], (name, value)


def test_a_request_that_ran_out_is_not_made_longer_by_a_write(world: ApprovalWorld, links: dict[str, str]) -> None:
    world.post(links[ANN], answer="approve", invoices="3")
    world.post(links[BOB], answer="approve", invoices="3")
    later = world.clock.now + timedelta(days=30)
    for stripped in ({}, {"signature": None}):
        write(world, expires_at=later.isoformat(), **stripped)
        world.clock.move(days=4)
        assert "Your answer is recorded" not in world.post(links[CY], answer="approve", invoices="3")["body"]
        assert outcome(world) == "RequestAltered"
    assert approvals(world) == []


def test_the_barred_requester_cannot_sign_after_a_write(world: ApprovalWorld, links: dict[str, str]) -> None:
    di = "di@firm.example"
    request = present_request(world.requests.newest("run-1"), world.signatures).stored.request  # type: ignore[arg-type]
    expires = int(datetime.fromisoformat(request.expires_at).timestamp())
    link = world.signatures.sign_link(Link("run-1.1", approver_id(di), request.request_hash, expires))
    for stripped in ({}, {"signature": None}):
        write(world, barred="", slots=[LEAD, CONTROLLER], **stripped)
        world.post(links[ANN], answer="approve", invoices="3")
        world.post(links[BOB], answer="approve", invoices="3")
        world.post(link, answer="approve", invoices="3")
        assert outcome(world) == "RequestAltered"
    assert approvals(world) == []


def test_an_altered_request_is_told_shows_nothing_and_wakes_the_run(
    world: ApprovalWorld, links: dict[str, str]
) -> None:
    write(world, slots=[LEAD])
    for query in ("", "format=csv"):
        page = world.get(links[ANN], query=query)
        assert (page["statusCode"], "can no longer be decided" in page["body"]) == (409, True)
        assert "SO-1001" not in page["body"]
    assert world.sleeper.woken == []
    assert world.send(links[ANN], answer="approve", invoices="3")["statusCode"] == 409
    assert world.sleeper.woken == ["token-1"]
    with pytest.raises(RequestAltered, match=r"run-1\.1 was altered in the approvals table: slots is not"):
        world.decide()
    with pytest.raises(RequestAltered):
        world.ask("token-2", "undecided")


def test_a_redrive_after_an_altered_request_opens_a_new_one_that_can_be_approved(
    world: ApprovalWorld, links: dict[str, str]
) -> None:
    write(world, slots=[LEAD])
    assert world.ask("token-2") == 3
    assert world.requests.current_number("run-1") == 2
    for person in (ANN, BOB, CY):
        world.post(world.link(person), answer="approve", invoices="3")
    assert world.decide() == "approved"
    assert len(approvals(world)) == 3


def test_a_request_of_the_version_before_that_waits_while_we_deploy_is_still_answered(
    world: ApprovalWorld, links: dict[str, str]
) -> None:
    """It was not signed. What it says is what the run's state and the parameters say, so it counts."""
    write(world, signature=None)
    assert world.ask("token-2", "undecided") == 0
    for person in (ANN, BOB, CY):
        world.post(links[person], answer="approve", invoices="3")
    assert world.decide() == "approved"
    assert len(approvals(world)) == 3


def test_an_unsigned_request_of_other_people_than_the_parameters_list_ends_and_is_asked_again(
    world: ApprovalWorld, links: dict[str, str]
) -> None:
    write(world, signature=None)
    world.approvers = f"Lead: {ANN}; Controller: {BOB}"
    with pytest.raises(RequestAltered, match=r"not signed, and its slots .* Redrive"):
        world.decide()
    assert world.ask("token-2") == 2


def test_a_key_that_is_missing_is_told_apart_from_an_altered_row(world: ApprovalWorld) -> None:
    world.signatures = Signatures({"keys": [{"id": "2", "key": "n" * 40}]})
    with pytest.raises(PassingError, match="a key that the signing secret does not hold"):
        world.decide()
