"""Links and votes that only a holder of a key can make."""

from __future__ import annotations

import pytest
from itsdangerous import URLSafeSerializer

from billing.adapters.signatures import Link, Signatures
from billing.domain.errors import PersonNeeded

OLD, NEW, FOREIGN = "o" * 40, "n" * 40, "f" * 40
LINK = Link("run-1.1", "0123456789abcdef", "h" * 64, 1_780_300_800)
VOTE = {"request": "run-1.1", "approver": "ann@firm.example", "answer": "approve"}


def ring(*keys: str) -> Signatures:
    return Signatures({"keys": [{"id": str(number), "key": key} for number, key in enumerate(keys)]})


def test_a_signed_link_and_vote_are_read_back() -> None:
    assert ring(NEW).read_link(ring(NEW).sign_link(LINK)) == LINK
    assert ring(NEW).read_vote(ring(NEW).sign_vote(VOTE)) == VOTE


def test_a_rotation_does_not_kill_open_links() -> None:
    before, during, after = ring(OLD), ring(NEW, OLD), ring(NEW)
    assert during.read_link(before.sign_link(LINK)) == LINK
    assert during.read_link(during.sign_link(LINK)) == LINK
    assert after.read_link(during.sign_link(LINK)) == LINK, "the first key signs"
    assert after.read_link(before.sign_link(LINK)) is None, "a key that was taken out opens nothing"


def test_the_key_that_the_stack_made_works_until_and_after_others_come() -> None:
    first = Signatures({"first": OLD})
    both = Signatures({"keys": [{"id": "1", "key": NEW}], "first": OLD})
    assert both.read_link(first.sign_link(LINK)) == LINK
    assert ring(NEW).read_link(both.sign_link(LINK)) == LINK


def test_every_changed_character_makes_a_link_invalid() -> None:
    signed = ring(NEW).sign_link(LINK)
    for place in range(len(signed) - 1):  # The last one may hold bits that base64 ignores.
        other = "A" if signed[place] != "A" else "B"
        assert ring(NEW).read_link(signed[:place] + other + signed[place + 1 :]) is None
    for length in range(len(signed)):
        assert ring(NEW).read_link(signed[:length]) is None


@pytest.mark.parametrize("text", ["", ".", "..", "a.b.c", "\ud800", "ä" * 50, "x" * 100_000, "e30.x", "null"])
def test_whatever_else_is_no_link_and_no_error(text: str) -> None:
    assert ring(NEW).read_link(text) is None


def test_a_link_of_another_key_or_for_another_purpose_is_none() -> None:
    assert ring(NEW).read_link(ring(FOREIGN).sign_link(LINK)) is None
    assert ring(NEW).read_link(ring(NEW).sign_vote(VOTE)) is None, "a vote is no link"
    assert ring(NEW).read_vote(ring(NEW).sign_link(LINK)) is None, "a link is no vote"
    sha1 = URLSafeSerializer(NEW, salt="approval-link")
    assert ring(NEW).read_link(str(sha1.dumps({"r": "1", "a": "2", "p": "decide", "h": "3", "x": 1}))) is None


@pytest.mark.parametrize("secret", [{}, {"keys": []}, {"keys": [{"id": "1", "key": "short"}]}, {"first": ""}])
def test_a_ring_without_a_usable_key_needs_a_person(secret: dict[str, object]) -> None:
    with pytest.raises(PersonNeeded, match="no usable key"):
        Signatures(secret)
