"""Only a certain match is taken; everything else goes to a person."""

from __future__ import annotations

import json

import pytest

from billing.domain.customer_match import (
    Candidate,
    How,
    MatchedCustomer,
    Unmatched,
    match_by_email,
    match_by_metadata,
)

FREE, OURS, THEIRS = Candidate("cus_free", None), Candidate("cus_ours", "77"), Candidate("cus_theirs", "78")


@pytest.mark.parametrize(
    ("email", "found", "rivals", "expected"),
    [
        ("ap@x.example", [], [], MatchedCustomer(None, How.NEW)),
        ("ap@x.example", [FREE], [], MatchedCustomer("cus_free", How.EMAIL)),
        ("ap@x.example", [OURS], [], MatchedCustomer("cus_ours", How.EMAIL)),
        # One that another NetSuite customer claims is no match, and does not stand in the way.
        ("ap@x.example", [THEIRS], [], MatchedCustomer(None, How.NEW)),
        ("ap@x.example", [FREE, THEIRS], [], MatchedCustomer("cus_free", How.EMAIL)),
        ("ap@x.example", [], ["Other Ltd"], MatchedCustomer(None, How.NEW)),
        ("ap@x.example", [THEIRS], ["Other Ltd"], MatchedCustomer(None, How.NEW)),
        ("ap@x.example", [FREE, Candidate("cus_free2", None)], [], "customer_ambiguous"),
        ("ap@x.example", [FREE], ["Other Ltd"], "customer_ambiguous"),
        (None, [], [], "customer_without_email"),
        (None, [], ["Other Ltd"], "customer_without_email"),
    ],
)
def test_an_e_mail_counts_only_while_nothing_contradicts_it(
    email: str | None, found: list[Candidate], rivals: list[str], expected: MatchedCustomer | str
) -> None:
    match = match_by_email("Acme", "77", email, found, rivals)
    if isinstance(expected, str):
        assert isinstance(match, Unmatched)
        assert match.reason_code == expected
        assert match.field == "email"
        assert "Acme" in match.message
    else:
        assert isinstance(match, MatchedCustomer)
        assert (match.id, match.how) == (expected.id, expected.how)


def test_a_new_customer_keeps_the_address_it_will_be_created_with() -> None:
    match = match_by_email("Acme", "77", "ap@x.example", [], [])
    assert isinstance(match, MatchedCustomer)
    assert match.email == "ap@x.example"


def test_metadata_decides_only_if_one_customer_bears_it() -> None:
    assert match_by_metadata("Acme", []) is None
    assert match_by_metadata("Acme", [OURS]) == MatchedCustomer("cus_ours", How.METADATA)
    several = match_by_metadata("Acme", [OURS, Candidate("cus_b", "77")])
    assert isinstance(several, Unmatched)
    assert several.reason_code == "customer_ambiguous"
    assert "cus_b, cus_ours" in several.message, "a person needs the ids to choose between them"


def test_the_message_stays_short_with_a_hundred_candidates() -> None:
    several = match_by_metadata("Acme", [Candidate(f"cus_{n:03}", "77") for n in range(100)])
    assert isinstance(several, Unmatched)
    assert "100 Stripe customers" in several.message
    assert len(several.message) < 400


@pytest.mark.parametrize("how", How)
def test_a_match_survives_storage(how: How) -> None:
    match = MatchedCustomer(None if how is How.NEW else "cus_1", how, "ap@x.example" if how is How.NEW else None)
    assert MatchedCustomer.from_dict(json.loads(json.dumps(match.to_dict()))) == match
