"""Links and votes that only a holder of a key can make."""

from __future__ import annotations

import string
from dataclasses import replace

import pytest
from itsdangerous import URLSafeSerializer

from billing.adapters.signatures import Signatures
from billing.domain.approval.signed_links import Link
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
    for place in range(len(signed)):
        other = "A" if signed[place] != "A" else "B"
        assert ring(NEW).read_link(signed[:place] + other + signed[place + 1 :]) is None
    for length in range(len(signed)):
        assert ring(NEW).read_link(signed[:length]) is None


def test_one_link_has_one_spelling() -> None:
    """Base64 has two bits to spare at the end of 32 bytes, and Python's decoder passes over what is not its own."""
    letters = string.ascii_letters + string.digits + "-_"
    for number in range(200):
        link = replace(LINK, request_id=f"run-{number}.1")
        signed = ring(NEW).sign_link(link)
        good = [one for one in letters if ring(NEW).read_link(signed[:-1] + one) is not None]
        assert good == [signed[-1]]
        for spelt in (signed + "=", signed + "A", signed[:-5] + "!" + signed[-5:], signed[:-5] + "\n" + signed[-5:]):
            assert ring(NEW).read_link(spelt) is None
        assert ring(NEW).read_link(signed) == link


def test_a_request_and_an_entry_have_one_spelling_too() -> None:
    signed = ring(NEW).sign_request({"id": "run-1.1"})
    assert ring(NEW).read_request(signed) == {"id": "run-1.1"}
    assert ring(NEW).read_request(signed + "=") is None
    assert ring(NEW).read_request(ring(NEW).sign_vote(VOTE)) is None, "a vote is no request"
    assert ring(NEW).read_vote(ring(NEW).sign_request(VOTE)) is None, "a request is no vote"
    entry = ring(NEW).sign_entry("run-1.1", 1, {"kind": "hold"})
    assert ring(NEW).read_entry(entry + "=", "run-1.1", 1) is None


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
