"""Only a certain match is taken; everything else goes to a person."""

from __future__ import annotations

import json

import pytest

from billing.domain.ledger.client_name import same_client_name
from billing.domain.ledger.customer_match import (
    How,
    MatchedCustomer,
    Unmatched,
    match_by_email,
    match_by_id,
    match_by_metadata,
)
from billing.domain.ledger.stripe_customer import StripeCustomer
from billing.domain.records import from_record, to_record


def candidate(id: str, netsuite_id: str | None, name: str | None = None, email: str | None = None) -> StripeCustomer:
    return StripeCustomer(id=id, email=email, name=name, netsuite_id=netsuite_id)


FREE = candidate("cus_free", None, "ACME, Inc.", "AP@x.example")
OURS, THEIRS = candidate("cus_ours", "77"), candidate("cus_theirs", "78")


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
        ("ap@x.example", [FREE, candidate("cus_free2", None)], [], "customer_ambiguous"),
        ("ap@x.example", [FREE], ["Other Ltd"], "customer_ambiguous"),
        # Another name under the same address is a shared mailbox until a person says otherwise.
        ("ap@x.example", [candidate("cus_free", None, "Acme Holdings")], [], "customer_name_differs"),
        ("ap@x.example", [candidate("cus_free", None)], [], "customer_name_differs"),
        ("ap@x.example", [candidate("cus_free", None, "Other"), THEIRS], [], "customer_name_differs"),
        (None, [], [], "customer_without_email"),
        (None, [], ["Other Ltd"], "customer_without_email"),
    ],
)
def test_an_e_mail_counts_only_while_nothing_contradicts_it(
    email: str | None, found: list[StripeCustomer], rivals: list[str], expected: MatchedCustomer | str
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
    several = match_by_metadata("Acme", [OURS, candidate("cus_b", "77")])
    assert isinstance(several, Unmatched)
    assert several.reason_code == "customer_ambiguous"
    assert "cus_b, cus_ours" in several.message, "a person needs the ids to choose between them"


def test_the_message_stays_short_with_a_hundred_candidates() -> None:
    several = match_by_metadata("Acme", [candidate(f"cus_{n:03}", "77") for n in range(100)])
    assert isinstance(several, Unmatched)
    assert "100 Stripe customers" in several.message
    assert len(several.message) < 400


@pytest.mark.parametrize("how", How)
def test_a_match_survives_storage(how: How) -> None:
    match = MatchedCustomer(None if how is How.NEW else "cus_1", how, "ap@x.example" if how is How.NEW else None)
    assert from_record(MatchedCustomer, json.loads(json.dumps(to_record(match)))) == match


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Acme", "ACME, Inc."),
        ("Acme Pty Ltd", "acme pty. ltd."),
        ("Müller & Söhne GmbH & Co. KG", "MÜLLER UND SÖHNE".replace("UND", "and")),
        ("Cafe\u0301 Noir S.A.R.L.", "Caf\u00e9 Noir"),
        ("Ａｃｍｅ", "acme llc"),
        ("Straße AG", "STRASSE"),
        ("O'Reilly, Byrne & Partners", "O’Reilly Byrne and Partners LLP"),
        ("Alder Sp. z o.o.", "Alder"),
        ("株式会社ノースウィンド", "ノースウィンド"),
    ],
)
def test_names_are_one_but_for_case_legal_form_and_punctuation(one: str, other: str) -> None:
    assert same_client_name(one, other)
    assert same_client_name(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Acme", "Acme Holdings"),
        ("Acme UK Ltd", "Acme US Ltd"),
        ("Northwind 1", "Northwind 2"),
        ("Resume", "Résumé"),
        ("Acme", None),
        ("", ""),
        ("---", "..."),
        ("Ltd", "LLC"),
    ],
)
def test_any_other_word_makes_another_client(one: str | None, other: str | None) -> None:
    assert not same_client_name(one, other)
    assert not same_client_name(other, one)


@pytest.mark.parametrize("how", [How.STORED, How.KNOWN, How.SETTLED])
def test_a_stored_id_is_no_match_while_its_customer_names_another_client(how: How) -> None:
    """A copied customer record copies its custom fields."""
    match = match_by_id("Acme", "77", THEIRS, how)
    assert isinstance(match, Unmatched)
    assert match.reason_code == "customer_of_another"
    assert "77" in match.message
    assert "netsuite_customer_id = 78" in match.message
    assert match_by_id("Acme", "77", OURS, how) == MatchedCustomer("cus_ours", how)
    assert match_by_id("Acme", "77", FREE, how) == MatchedCustomer(
        "cus_free", how, stripe_name="ACME, Inc.", stripe_email="AP@x.example"
    )


def test_a_match_that_an_earlier_version_stored_is_read() -> None:
    assert from_record(MatchedCustomer, {"id": "cus_1", "how": "known", "email": None}) == MatchedCustomer(
        "cus_1", How.KNOWN
    )
