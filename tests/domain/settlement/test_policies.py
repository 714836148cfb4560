"""The policy file: every key and value, what one needs of another, and that nothing misspelt passes for a default."""

from __future__ import annotations

from dataclasses import fields
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.domain.errors import InputInvalid
from billing.domain.settlement.policies import CHOICES, CurrencyPolicy, SettlementPolicies, parse_policies
from billing.domain.settlement.records import ItemRole
from tests.domain.settlement.facts import POLICY

NEEDED = {
    ("uncollectible", "bad_debt_item"): '[items]\nbad_debt = "1"',
    ("out_of_band", "payment_to_account"): '[accounts]\nout_of_band = "1"',
    ("items.prices", "per_price"): '[items]\nincome_account = "1"',
    ("items.prices", "match"): '[items]\nmatch_field = "custitem_price"',
    ("tax.mode", "item_lines"): '[tax.items]\ntxr_1 = "1"',
    ("tax.mode", "suitetax"): '[tax.codes]\ntxr_1 = "1"',
    ("negative_invoice", "credit_memo"): 'balance = "when_funded"',
}
"""What a value needs of the rest of the file."""


def chosen(key: str, value: str, needed: str) -> str:
    table, _, name = key.rpartition(".")
    line = f'{name} = "{value}"'
    if not table:
        return f"{line}\n{needed}"
    header = f"[{table}]"
    if needed.startswith(header):
        return needed.replace(header, f"{header}\n{line}")
    return f"{header}\n{line}\n{needed}"


EVERY_VALUE = [(key, value) for key, values in CHOICES.items() for value in values]


@pytest.mark.parametrize(("key", "value"), EVERY_VALUE)
def test_every_value_of_every_choice_is_taken(key: str, value: str) -> None:
    assert parse_policies(chosen(key, value, NEEDED.get((key, value), ""))).choice(key) == value


@pytest.mark.parametrize(("key", "value"), NEEDED)
def test_a_value_that_needs_another_key_names_both(key: str, value: str) -> None:
    with pytest.raises(InputInvalid, match=f"{key} is '{value}', which needs"):
        parse_policies(chosen(key, value, ""))


def test_money_outside_stripe_needs_an_account_of_each_currency_or_one_for_the_others() -> None:
    chosen_one = 'out_of_band = "payment_to_account"\n'
    usd, eur = '[currencies.usd]\nid = "1"\nout_of_band = "5"\n', '[currencies.eur]\nid = "2"\n'
    assert parse_policies(chosen_one + usd).outside_account("usd") == "5"
    with pytest.raises(InputInvalid, match=r"needs accounts\.out_of_band, or out_of_band of every currency"):
        parse_policies(chosen_one + usd + eur)
    both = parse_policies(f'{chosen_one}{usd}{eur}[accounts]\nout_of_band = "9"')
    assert [both.outside_account(code) for code in ("usd", "eur")] == ["5", "9"]
    with pytest.raises(InputInvalid, match=r"currencies\.usd\.out_of_band is an internal id"):
        parse_policies(usd.replace('"5"', '"petty"'))


@pytest.mark.parametrize("key", CHOICES)
def test_every_choice_has_the_connectors_default_and_refuses_other_values(key: str) -> None:
    assert parse_policies("").choice(key) == CHOICES[key][0]
    with pytest.raises(InputInvalid, match=f"{key} is 'yess'; it is one of {', '.join(CHOICES[key])}"):
        parse_policies(chosen(key, "yess", ""))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('start_dat = "2026-01-01"', "start_dat is not a policy"),
        ('[items]\nglobl = "1"', "items.globl is not a policy"),
        ('[tax]\nmod = "none"', "tax.mod is not a policy"),
        ('[customer]\nfallbak = "1"', "customer.fallbak is not a policy"),
        ('[accounts]\nbank = "1"', "accounts.bank is not a policy"),
        ('[accounts.fees]\nstripefee = "1"', "accounts.fees.stripefee is no fee type"),
        ('[currencies.usd]\nid = "1"\nbnk = "2"', "currencies.usd.bnk is not a policy"),
        ('[currencies.USD]\nid = "1"', "currencies.USD is a table named by the lower-case code"),
        ('[currencies.usd]\nbank = "2"', "currencies.usd.id is missing"),
        ('[currencies.usd]\nid = "1"\nprecision = 3', "currencies.usd.precision is 0 or 2"),
        ("subsidiary = 2", "subsidiary is a text in quotes"),
        ('subsidiary = "two"', "subsidiary is an internal id"),
        ('start_date = "June"', "start_date is a day"),
        ('[customer]\nmatch = ["phone"]', "customer.match is a list of"),
        ("rounding_line = -1", "rounding_line is a whole number"),
        ("rounding_line = 1", "rounding_line needs items.rounding"),
        ("payments_per_deposit = 0", "payments_per_deposit is at least 1"),
        ('items = "100"', "items is a table"),
        ('tax = {items = "1"}', "tax.items is a table"),
        ("[block]\nkey = true", "block.key is a text in quotes"),
        ('[defaults.invoices]\nx = "1"', "defaults.invoices is no table of a record"),
        ('[movements]\ntransfers = "1"', "movements.transfers is no type of a balance transaction"),
        ('[movements]\ncharge = "1"', "movements.charge has a place of its own"),
        ("a = [", "no TOML"),
    ],
)
def test_what_is_wrong_is_named_by_its_key(text: str, named: str) -> None:
    with pytest.raises(InputInvalid) as raised:
        parse_policies(text)
    assert named in str(raised.value)


def test_everything_that_is_wrong_is_named_at_once() -> None:
    with pytest.raises(InputInvalid) as raised:
        parse_policies('a = 1\n[items]\nb = "1"\n[accounts]\nfx = "x"')
    assert all(name in str(raised.value) for name in ("a is not", "items.b is not", "accounts.fx is an internal id"))


def test_a_whole_file_is_read() -> None:
    found = parse_policies(
        POLICY.replace(
            'subsidiary = "2"', 'subsidiary = "2"\nstart_date = 2026-06-01\npayment_method = "8"\nrounding_line = 2'
        )
        + """
max_fx_difference = 3
[tax]
mode = "item_lines"
[tax.items]
txr_1 = "110"
[tax.types]
txr_1 = "111"
[customer]
match = ["email", "name"]
fallback = "99"
[movements]
transfer = "70"
[block]
skip = "yes"
[allow]
sync = "yes"
[defaults.invoice]
custbody_a = "1"
[mappings.customerPayment]
till = "custbody_till"
"""
    )
    assert (found.start_date, found.subsidiary, found.receivable) == (date(2026, 6, 1), "2", "11")
    assert found.currencies["jpy"] == CurrencyPolicy("3", 0, "33", 3)
    assert found.item(ItemRole.PRICE) == found.item(ItemRole.UNLINKED) == "100"
    assert (found.item(ItemRole.BAD_DEBT), found.item(ItemRole.TAX)) == ("108", "")
    assert (found.tax_items, found.tax_types) == ({"txr_1": "110"}, {"txr_1": "111"})
    assert (found.customer_match, found.fallback_customer) == (("email", "name"), "99")
    assert (found.movements, found.payment_method, found.rounding_line) == ({"transfer": "70"}, "8", 2)
    assert (found.defaults, found.mappings) == (
        {"invoice": {"custbody_a": "1"}},
        {"customerPayment": {"till": "custbody_till"}},
    )
    assert not found.admits({"skip": "yes", "sync": "yes"})
    assert found.admits({"sync": "yes"})
    assert not found.admits({})
    assert found.blocks({"skip": "yes"})
    assert not found.blocks({})


def test_an_empty_file_has_every_default() -> None:
    empty = parse_policies("")
    for field in fields(SettlementPolicies):
        assert getattr(empty, field.name) == getattr(SettlementPolicies(), field.name), field.name


NAMES = st.sampled_from(
    (
        "start_date subsidiary items tax customer accounts accounts.fees currencies currencies.usd block allow "
        "movements defaults defaults.invoices match global mode id bank precision rounding_line "
        "payments_per_deposit balance uncollectible"
    ).split()
)
VALUES = st.one_of(
    st.booleans().map(lambda value: str(value).lower()),
    st.integers(-5, 10**20).map(str),
    st.floats(allow_nan=False).map(repr),
    st.text(st.characters(exclude_characters='"\\', exclude_categories=("Cc", "Cs")), max_size=12).map('"{}"'.format),
    st.sampled_from(['["a", "b"]', "[]", "[1]", "{}", '{x = "1"}', "2026-06-01", '"2026-06-01"', '"1"', "inf", "nan"]),
)
LINES = st.one_of(
    st.tuples(NAMES, VALUES).map(" = ".join),
    NAMES.map("[{}]".format),
    NAMES.map("[[{}]]".format),
    st.text(max_size=15),
)


@settings(max_examples=300)
@given(st.lists(LINES, max_size=6).map("\n".join))
def test_a_file_of_any_kind_is_read_or_refused_by_a_sentence(text: str) -> None:
    try:
        parse_policies(text)
    except InputInvalid as refused:
        said = str(refused)
        said.encode()
        assert said
        assert len(said) < 2_000
        assert "Traceback" not in said
