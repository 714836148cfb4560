"""Every kind of link, on every page, by every method. Unknown and forged cannot be told apart."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.adapters.signatures import Signatures
from billing.domain.approval.approvers import approver_id
from billing.domain.approval.signed_links import InboxLink, Link
from billing.workflows.approval.present_request import present_request
from tests.adapters.aws_world import APPROVALS, AwsWorld, Refusing
from tests.workflows.approval_world import ANN, BOB, DAY, ApprovalWorld
from tests.workflows.moving_clock import MovingClock

OLD, NEW, TAKEN_OUT, FOREIGN = "o" * 40, "n" * 40, "t" * 40, "f" * 40
EVE = "eve@evil.example"
APPROVE = {"answer": "approve", "invoices": "3"}
DECISION, INBOX = "/approvals/", "/approvals/inbox/"
ASKS = [(DECISION, "GET", ""), (DECISION, "HEAD", ""), (DECISION, "POST", ""), (DECISION, "GET", "format=csv")]
ASKS += [(INBOX, "GET", ""), (INBOX, "HEAD", "")]
"""(page, method, query): everything that the routes let through."""


class LinkWorld(ApprovalWorld):
    """An open request of Ann and Bob, asked under the old key; the new one signs now, and both verify."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.signatures = ring(OLD)
        self.ask()
        self.old = (self.link(ANN), self.inbox(ANN))
        self.signatures = ring(NEW, OLD)

    @property
    def good(self) -> Link:
        link = self.signatures.read_link(self.old[0])
        assert link is not None
        return link

    @property
    def mine(self) -> InboxLink:
        return InboxLink(self.good.approver, self.good.expires_at)

    def answer(self, link: str, page: str, method: str, query: str = "") -> dict[str, Any]:
        """What API Gateway would be given. A POST carries the answer that approves, about what is asked now."""
        stored = self.requests.newest(self.run_id)
        content = present_request(stored, self.signatures).request.request_hash if stored else ""
        body = urlencode({**APPROVE, "content": content})
        return self._call(link, method, query, body if method == "POST" else None, page)


def ring(*keys: str) -> Signatures:
    return Signatures({"keys": [{"id": key[0], "key": key} for key in keys]})


@pytest.fixture
def world(aws: AwsWorld, clock: MovingClock) -> LinkWorld:
    return LinkWorld(aws, clock)


def altered(link: str, **fields: Any) -> str:
    """The link with other fields under the signature it had. (itsdangerous packs a payload that gets shorter by it.)"""
    payload, _, signature = link.rpartition(".")
    packed = base64.urlsafe_b64decode(payload.lstrip(".") + "=" * (-len(payload.lstrip(".")) % 4))
    found = json.loads(zlib.decompress(packed) if payload.startswith(".") else packed)
    assert fields.items() - found.items(), "something is altered"
    text = json.dumps({**found, **fields}, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(text).decode().rstrip("=") + "." + signature


def signature_of_another(link: str, other: str) -> str:
    return link.rpartition(".")[0] + "." + other.rpartition(".")[2]


Make = Callable[[LinkWorld], str]

USABLE: dict[str, tuple[Make, int, int]] = {
    # what                                                              decision page, inbox
    "new key": (lambda w: w.signatures.sign_link(w.good), 200, 404),
    "old key of the ring": (lambda w: w.old[0], 200, 404),
    "inbox, new key": (lambda w: w.signatures.sign_inbox(w.mine), 404, 200),
    "inbox, old key of the ring": (lambda w: w.old[1], 404, 200),
}

REFUSED: dict[str, Make] = {
    # forged: no key of ours has signed it
    "empty": lambda w: "",
    "nonsense": lambda w: "nonsense",
    "dots": lambda w: "...",
    "not base64": lambda w: "%%%.***",
    "not ASCII": lambda w: "ü\u202eé\ud800",
    "a null character": lambda w: w.old[0] + "\x00",
    "a line break": lambda w: w.old[0][:40] + "\n" + w.old[0][40:],
    "a full stop of the mail program": lambda w: w.old[0] + ".",
    "10,000 characters": lambda w: "A" * 10_000,
    "10,000 characters and a signature": lambda w: "A" * 10_000 + "." + w.old[0].rpartition(".")[2],
    "packed by zlib": lambda w: "." + "eJw" * 1000 + "." + w.old[0].rpartition(".")[2],
    "no signature": lambda w: w.old[0].rpartition(".")[0] + ".",
    "bad signature": lambda w: w.old[0][:-5] + "AAAAA",
    "another link's signature": lambda w: signature_of_another(w.old[0], w.link(BOB)),
    "key id altered": lambda w: altered(w.old[0], k="n"),
    "run altered": lambda w: altered(w.old[0], r="run-2.1"),
    "approver altered": lambda w: altered(w.old[0], a=approver_id(BOB)),
    "expiry altered": lambda w: altered(w.old[0], x=w.good.expires_at + DAY),
    "purpose altered": lambda w: altered(w.old[0], p="inbox"),
    "inbox made a decision": lambda w: altered(w.old[1], p="decide", r=w.good.request_id, h=w.good.request_hash),
    "foreign key": lambda w: ring(FOREIGN).sign_link(w.good),
    "foreign key, inbox": lambda w: ring(FOREIGN).sign_inbox(w.mine),
    "key that was taken out": lambda w: ring(TAKEN_OUT).sign_link(w.good),
    "key that was taken out, inbox": lambda w: ring(TAKEN_OUT).sign_inbox(w.mine),
    "a signed vote": lambda w: w.signatures.sign_vote({"r": w.good.request_id, "p": "decide"}),
    "a signed entry": lambda w: w.signatures.sign_entry(w.good.request_id, 1, {"kind": "hold"}),
    # unknown: signed by us, and about nothing that there is
    "unknown run": lambda w: w.signatures.sign_link(replace(w.good, request_id="run-9.1")),
    "unknown number": lambda w: w.signatures.sign_link(replace(w.good, request_id="run-1.2")),
    "other content": lambda w: w.signatures.sign_link(replace(w.good, request_hash="0" * 64)),
    "stranger": lambda w: w.signatures.sign_link(replace(w.good, approver=approver_id(EVE))),
    "address instead of its hash": lambda w: w.signatures.sign_link(replace(w.good, approver=ANN)),
    "stranger's inbox": lambda w: w.signatures.sign_inbox(replace(w.mine, approver=approver_id(EVE))),
    "the id that stands for none": lambda w: w.signatures.sign_link(replace(w.good, request_id="-")),
}


@pytest.mark.parametrize("kind", USABLE)
def test_a_link_of_ours_opens_its_own_page_and_no_other(world: LinkWorld, kind: str) -> None:
    make, decision, inbox = USABLE[kind]
    link = make(world)
    refused = world.answer("nonsense", DECISION, "GET")
    before = world.aws.dump()
    for page, method, query in ASKS:
        if method == "POST" and decision == 200:
            continue  # See below.
        answer = world.answer(link, page, method, query)
        status = decision if page == DECISION else inbox
        assert answer["statusCode"] == status, (page, method, query)
        assert status == 200 or answer == refused, (page, method, query)
    assert world.aws.dump() == before


@pytest.mark.parametrize("kind", REFUSED)
def test_unknown_and_forged_links_get_the_same_bytes_headers_and_status_everywhere(world: LinkWorld, kind: str) -> None:
    link = REFUSED[kind](world)
    refused = world.answer("nonsense", DECISION, "GET")
    assert refused["statusCode"] == 404
    before = world.aws.dump()
    for page, method, query in ASKS:
        assert world.answer(link, page, method, query) == refused, (page, method, query)
    assert world.aws.dump() == before
    assert world.sleeper.woken == []


def test_a_link_that_is_cut_anywhere_gets_the_same_answer(world: LinkWorld) -> None:
    refused = world.answer("nonsense", DECISION, "GET")
    for page, link in ((DECISION, world.old[0]), (INBOX, world.old[1])):
        for length in range(len(link)):
            assert world.answer(link[:length], page, "GET") == refused, (page, length)
            if length % 7 == 0:
                assert world.answer(link[-length - 1 :][1:], page, "GET") == refused, (page, -length)
                if page == DECISION:
                    assert world.answer(link[:length], page, "POST") == refused, length
    assert world.sleeper.woken == []


def test_a_link_whose_request_is_gone_gets_the_same_answer(world: LinkWorld) -> None:
    for row in world.aws.rows(APPROVALS):
        world.aws.dynamodb.delete_item(TableName=APPROVALS, Key={"pk": row["pk"], "sk": row["sk"]})
    refused = world.answer("nonsense", DECISION, "GET")
    for page, method, query in ASKS:
        for link in world.old:
            assert world.answer(link, page, method, query) == refused


def test_expired_and_replayed_links_show_how_it_stands_and_decide_nothing(world: LinkWorld) -> None:
    expired = world.signatures.sign_link(replace(world.good, expires_at=int(world.clock())))
    before = world.aws.dump()
    assert "You did not answer" in world.answer(expired, DECISION, "POST")["body"]
    assert world.aws.dump() == before
    assert world.answer(expired, DECISION, "GET", "format=csv")["statusCode"] == 410
    assert "Your answer is recorded" in world.answer(world.old[0], DECISION, "POST")["body"]
    before = world.aws.dump()
    replayed = world.answer(world.old[0], DECISION, "POST")
    assert (replayed["statusCode"], "You approved" in replayed["body"]) == (200, True)
    assert "Your answer is recorded" not in replayed["body"]
    assert world.aws.dump() == before
    assert world.sleeper.woken == ["token-1"]


def test_a_link_of_an_earlier_request_decides_nothing_about_the_next(world: LinkWorld) -> None:
    assert world.expire() == "expired"
    assert world.ask("token-2") == 2
    before = world.aws.dump()
    answer = world.answer(world.old[0], DECISION, "POST")
    assert (answer["statusCode"], "Expired" in answer["body"]) == (200, True)
    assert world.aws.dump() == before


def test_one_runs_link_decides_nothing_about_another_run(world: LinkWorld) -> None:
    other = ApprovalWorld(world.aws, world.clock, run_id="run-2")
    other.signatures = world.signatures
    other.ask()
    assert "Approved" in other.post(other.link(ANN), **APPROVE)["body"]
    assert world.decide() == "undecided"
    assert other.decide() == "approved"


def test_somebody_who_was_taken_off_is_told_and_cannot_decide(world: LinkWorld) -> None:
    world.approvers = f"Finance: {BOB}"
    before = world.aws.dump()
    for method, status in (("GET", 200), ("POST", 422)):
        answer = world.answer(world.old[0], DECISION, method)
        assert (answer["statusCode"], "You were removed from the list" in answer["body"]) == (status, True)
    assert world.answer(world.old[1], INBOX, "GET")["statusCode"] == 410
    assert world.aws.dump() == before


# Time: what makes it. How long it takes is measured by `make bench`: a test with a clock would fail by chance.


@contextmanager
def calls_of(world: LinkWorld) -> Iterator[list[tuple[str, str]]]:
    """(service, operation) of every request that goes to AWS while this is open."""
    made: list[tuple[str, str]] = []

    def note(model: Any, **_: Any) -> None:
        made.append((model.service_model.service_name, model.name))

    clients = (world.aws.dynamodb, world.aws.s3, world.aws.kms)
    for client in clients:
        client.meta.events.register("before-call", note, unique_id="links")
    try:
        yield made
    finally:
        for client in clients:
            client.meta.events.unregister("before-call", unique_id="links")


@pytest.mark.parametrize("kind", REFUSED)
def test_unknown_and_forged_links_cost_the_same_one_read(world: LinkWorld, kind: str) -> None:
    link = REFUSED[kind](world)
    for page, method, query in ASKS:
        with calls_of(world) as made:
            world._call(link, method, query, urlencode(APPROVE) if method == "POST" else None, page)
        assert made == [("dynamodb", "Query")], (page, method, query)


def test_an_expired_inbox_link_of_ours_says_so_after_the_same_one_read_and_is_no_other_page(world: LinkWorld) -> None:
    link = world.signatures.sign_inbox(replace(world.mine, expires_at=int(world.clock())))
    before = world.aws.dump()
    with calls_of(world) as made:
        answer = world._call(link, "GET", "", None, INBOX)
    assert made == [("dynamodb", "Query")]
    assert (answer["statusCode"], "This link has expired" in answer["body"]) == (410, True)
    assert ANN not in answer["body"]
    assert world.answer(link, DECISION, "GET") == world.answer("nonsense", DECISION, "GET")
    assert world.aws.dump() == before


def test_a_table_that_cannot_be_read_tells_unknown_and_forged_no_better_apart(world: LinkWorld) -> None:
    links = [make(world) for make in REFUSED.values()]
    world.requests = replace(world.requests, dynamodb=Refusing(world.aws.dynamodb, "query", "AccessDeniedException"))
    form = urlencode(APPROVE)
    for page, method, query in ASKS:
        answers = [world._call(link, method, query, form if method == "POST" else None, page) for link in links]
        assert answers[0]["statusCode"] == 500
        assert all(answer == answers[0] for answer in answers), (page, method, query)


A_LINK = st.one_of(
    st.text(max_size=60),
    st.text("abcABC012-_.", max_size=120),
    st.binary(max_size=60).map(lambda raw: base64.urlsafe_b64encode(raw).decode()),
    st.binary(max_size=60).map(lambda raw: "." + base64.urlsafe_b64encode(zlib.compress(raw)).decode() + ".x"),
)


def test_links_forms_and_questions_of_any_kind_are_answered_with_a_page_and_change_nothing(world: LinkWorld) -> None:
    before = world.aws.dump()

    @settings(max_examples=40, deadline=None)
    @given(A_LINK, st.sampled_from(ASKS), st.text(max_size=40), st.text(max_size=60))
    def ask(link: str, asked: tuple[str, str, str], query: str, body: str) -> None:
        page, method, _ = asked
        for name in (link, world.old[0], world.old[1]):
            answer = world._call(name, method, query, body if method == "POST" else None, page)
            assert answer["statusCode"] in (200, 400, 404, 405, 410, 413, 422), (name, answer)
            assert "Traceback" not in answer["body"]
            if name == link:
                assert answer["statusCode"] == 404

    ask()
    assert world.aws.dump() == before
    assert world.sleeper.woken == []
