"""The page about the policy file says what the code reads."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from billing.domain.settlement import policies
from billing.domain.settlement.policies import (
    CHOICES,
    FREE_MOVEMENTS,
    CurrencyPolicy,
    SettlementPolicies,
    parse_policies,
)

PAGE = (Path(__file__).parents[2] / "docs" / "settlement-policies.md").read_text(encoding="utf-8")
SAMPLE = PAGE.partition("```toml\n")[2].partition("```")[0]


def test_every_choice_is_on_the_page_with_its_values_and_its_default_first() -> None:
    rows = dict(re.findall(r"^\| `([a-z_.]+)` \| ((?:`[a-z_]+`(?:, )?)+) \|", PAGE, re.MULTILINE))
    assert rows == {key: ", ".join(f"`{value}`" for value in values) for key, values in CHOICES.items()}


def test_the_sample_is_read_and_has_every_key() -> None:
    sample = parse_policies(SAMPLE)
    assert set(sample.choices) == set(CHOICES)
    untouched = [one.name for one in fields(SettlementPolicies) if getattr(sample, one.name) == one.default]
    assert untouched == []
    assert all(getattr(sample, one.name) for one in fields(SettlementPolicies))
    assert set(sample.items) == set(policies._ITEM_IDS)
    assert set(sample.fees) == set(policies._FEE_TYPES)
    assert set(sample.customer_match) == set(policies._MATCH_FIELDS)
    (currency,) = sample.currencies.values()
    assert all(getattr(currency, one.name) for one in fields(CurrencyPolicy))


@pytest.mark.parametrize("name", policies._RECORDS)
def test_every_record_that_takes_defaults_is_named(name: str) -> None:
    assert re.search(rf"\b{name}\b", SAMPLE)


def test_every_movement_that_needs_an_account_is_named() -> None:
    listed = PAGE.partition("`movements` may name:")[2].partition("A payout with")[0]
    assert set(re.findall(r"`([a-z_]+)`", listed)) == FREE_MOVEMENTS
