"""The link key is rotated in two steps; at each, every process reads what any other signs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from billing.adapters.signatures import Signatures
from billing.domain.approval.key_ring import KeyRing, key_ring, known_at, old_ends_at
from billing.domain.approval.signed_links import Link
from billing.domain.doctor.kept import ring_finding

NOW = datetime(2026, 6, 1, 13, 0, 30, tzinfo=UTC)
LINK = Link("run.1", "0" * 16, "f" * 64, 2_000_000_000)
OLD = {"keys": [{"id": "2026-05", "key": "o" * 64}], "first": "s" * 64}


@pytest.mark.parametrize("before", [{"keys": [], "first": "s" * 64}, OLD], ids=["of the stack", "with a key"])
def test_a_link_of_any_step_opens_at_its_neighbours(before: dict[str, object]) -> None:
    ring = key_ring(before)
    begun = ring.with_new("n" * 64, NOW)
    steps = [ring, begun, begun.signing_by_new()]
    signed = [Signatures(one.as_secret()) for one in steps]
    for one, other in pairwise(signed):
        assert one.read_link(other.sign_link(LINK)) == LINK
        assert other.read_link(one.sign_link(LINK)) == LINK
    assert signed[0].read_link(signed[2].sign_link(LINK)) is None, "the new key signs at last"
    for one in steps:
        assert ring_finding(one.as_secret()).verdict == "fine"
    assert Signatures(steps[2].without_old().as_secret()).read_link(signed[0].sign_link(LINK)) is None


def test_what_has_begun_is_seen_and_known_ten_minutes_later() -> None:
    ring = key_ring(OLD)
    assert ring.begun is None
    begun = ring.with_new("n" * 64, NOW)
    assert begun.begun is not None
    assert known_at(begun.begun) == NOW + timedelta(minutes=10)
    assert begun.signing == "2026-05"
    done = begun.signing_by_new()
    assert (done.begun, done.signing) == (None, "2026-06-01T130030Z")
    again = done.with_new("m" * 64, NOW + timedelta(days=90))
    assert again.begun is not None, "a second rotation, with keys of the first"
    assert again.signing_by_new().begun is None


def test_an_old_key_is_kept_as_long_as_a_run_that_it_signed_may_be_redriven() -> None:
    assert old_ends_at(NOW, 7 * 86_400) == NOW + timedelta(days=37, minutes=10)


def test_the_last_key_is_never_taken_away() -> None:
    assert KeyRing((), "s" * 64).without_old() == KeyRing((), "s" * 64)


@pytest.mark.parametrize("keys", ["abc", [1], [{"id": "x"}]])
def test_a_secret_that_holds_no_ring_is_refused_without_its_text(keys: object) -> None:
    with pytest.raises(ValueError, match='its "keys" is no list'):
        key_ring({"keys": keys})
