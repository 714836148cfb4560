"""The firm's choices: which items, accounts and dates the settlement uses, and what it does where there is a choice.

One TOML file. What it leaves out has the default of Stripe's own connector for NetSuite (Stripe, "Stripe Connector for
NetSuite"), but for the internal ids of NetSuite's accounts and items, which nobody can guess. A key that is unknown, or
a value that is none of the choices, is an error that names it: a misspelt policy must never pass for a default.
"""

from __future__ import annotations

import contextlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from billing.domain.errors import InputInvalid
from billing.domain.settlement.records import ItemRole

_ID: Final = re.compile(r"[0-9]{1,18}")
_CURRENCY: Final = re.compile(r"[a-z]{3}")

CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "orders": ("transform", "plain", "off"),
    "trial_invoices": ("ignore", "sync"),
    "negative_invoice": ("zero_invoice", "credit_memo"),
    "balance": ("when_used", "when_funded"),
    "uncollectible": ("credit_original_items", "bad_debt_item", "keep_open"),
    "prepayment_credit_notes": ("when_paid", "at_once"),
    "out_of_band": ("nothing", "payment_to_account"),
    "duplicate_payment": ("unapplied", "hold"),
    "closed_period": ("park", "first_open"),
    "disputes_won": ("other_line", "payment"),
    "negative_payout": ("hold", "group"),
    "approval_status": ("none", "approved"),
    "items.prices": ("global", "per_price", "match"),
    "items.discounts": ("per_coupon", "global"),
    "tax.mode": ("none", "item_lines", "suitetax"),
    "customer.create": ("yes", "no"),
    "customer.when": ("at_first_use", "at_creation"),
    "customer.kind": ("company", "person"),
}
"""Every policy that is a choice, by its dotted key; the first value is the default."""

_ITEM_IDS: Final = (
    "global",
    "one_time",
    "unlinked",
    "shipping",
    "discount",
    "balance",
    "balance_debit",
    "partial_refund",
    "dispute",
    "custom_credit",
    "bad_debt",
    "rounding",
)
_FEE_TYPES: Final = (
    "application_fee",
    "payment_method_passthrough_fee",
    "stripe_fee",
    "tax",
    "withheld_tax",
    "stripe_fx_fee",
    "climate_order_purchase",
    "dispute",
)
PLACED_MOVEMENTS: Final = frozenset(
    """
    charge payment refund payment_refund payment_failure_refund refund_failure payout
    stripe_fee stripe_fx_fee tax_fee climate_order_purchase climate_order_refund
    reserve_hold reserve_release reserve_transaction reserved_funds payout_minimum_balance_hold
    payout_minimum_balance_release payment_network_reserve_hold payment_network_reserve_release
    """.split()
)
"""Types of balance transactions that have a place on a deposit by themselves."""

FREE_MOVEMENTS: Final = frozenset(
    """
    adjustment advance advance_funding anticipation_repayment application_fee application_fee_refund
    connect_collection_transfer contribution fee_credit_funding inbound_transfer inbound_transfer_reversal
    issuing_authorization_hold issuing_authorization_release issuing_dispute issuing_transaction
    obligation_outbound obligation_reversal_inbound payment_reversal payment_unreconciled payout_cancel
    payout_failure stripe_balance_payment_debit stripe_balance_payment_debit_reversal tax_fund topup
    topup_reversal transfer transfer_cancel transfer_failure transfer_refund
    """.split()
)
"""Those that stop a payout unless the policy gives them an account (Stripe, "The Balance Transaction object")."""

_MATCH_FIELDS: Final = ("netsuite_customer_id", "external_id", "email", "name")
_RECORDS: Final = ("invoice", "invoice_line", "creditMemo", "customerPayment", "customerRefund", "deposit", "customer")


@dataclass(frozen=True, slots=True)
class CurrencyPolicy:
    """A currency in NetSuite: its internal id, its decimals there (0 or 2), the bank account of its payouts, by how
    many minor units a deposit may differ by exchange rates, and the account of money in it that Stripe did not process,
    "" for accounts.out_of_band: a bank account of NetSuite's is of one currency."""

    netsuite_id: str
    precision: int = 2
    bank: str = ""
    max_fx_difference: int = 0
    out_of_band: str = ""


@dataclass(frozen=True, slots=True)
class SettlementPolicies:
    """The policies of one Stripe account. `choices` are by dotted key; ids are NetSuite's internal ids, "" where the
    file names none. Where something is needed that the file leaves out, the plan holds it by that name."""

    start_date: date | None = None
    choices: Mapping[str, str] = field(default_factory=dict)
    items: Mapping[str, str] = field(default_factory=dict)
    income_account: str = ""
    discount_account: str = ""
    match_item_field: str = ""
    tax_items: Mapping[str, str] = field(default_factory=dict)
    tax_codes: Mapping[str, str] = field(default_factory=dict)
    tax_types: Mapping[str, str] = field(default_factory=dict)
    customer_match: tuple[str, ...] = ("netsuite_customer_id", "email")
    fallback_customer: str = ""
    subsidiary: str = ""
    currencies: Mapping[str, CurrencyPolicy] = field(default_factory=dict)
    receivable: str = ""
    undeposited_funds: str = ""
    out_of_band_account: str = ""
    reserve: str = ""
    dispute_reversals: str = ""
    fx: str = ""
    fees: Mapping[str, str] = field(default_factory=dict)
    movements: Mapping[str, str] = field(default_factory=dict)
    block: tuple[tuple[str, str], ...] = (("netsuite_block_integration", "true"),)
    allow: tuple[tuple[str, str], ...] = ()
    defaults: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    mappings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    rounding_line: int = 0
    payments_per_deposit: int = 500
    payment_method: str = ""

    def choice(self, key: str) -> str:
        """The value of a choice, the default where the file says nothing. KeyError for a key that is none."""
        return self.choices.get(key, CHOICES[key][0])

    def outside_account(self, currency: str) -> str:
        """The account of money in this currency (Stripe's code) that Stripe did not process, "" for none."""
        found = self.currencies.get(currency)
        return (found.out_of_band if found is not None else "") or self.out_of_band_account

    def item(self, role: ItemRole) -> str:
        """The internal id of the item of a role. Lines of prices use the global item unless prices have their own."""
        if role is ItemRole.PRICE:
            return self.items.get("global", "")
        if role in (ItemRole.ONE_TIME, ItemRole.UNLINKED):
            return self.items.get(role.value) or self.items.get("global", "")
        return self.items.get(role.value, "")

    def blocks(self, metadata: Mapping[str, str]) -> bool:
        """Whether an object with this metadata is on the block list."""
        return any(metadata.get(key) == value for key, value in self.block)

    def admits(self, metadata: Mapping[str, str]) -> bool:
        """Whether an object with this metadata is settled: the block list keeps it out, and an allow list, where there
        is one, must name it."""
        if self.blocks(metadata):
            return False
        return not self.allow or any(metadata.get(key) == value for key, value in self.allow)


def parse_policies(text: str) -> SettlementPolicies:
    """Read the file. Raises InputInvalid with one sentence for everything that is wrong in it, by dotted key."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputInvalid(f"The settlement's policy file is no TOML: {error}.") from None
    reading = _Reading(data)
    policies = reading.policies()
    if reading.wrong:
        raise InputInvalid(f"The settlement's policy file: {' '.join(reading.wrong)}")
    return policies


class _Reading:
    """Takes every key that is known out of the data; what is left then is unknown."""

    def __init__(self, data: dict[str, Any]) -> None:
        self._left = data
        self.wrong: list[str] = []

    def policies(self) -> SettlementPolicies:
        currencies = self._currencies(self._table("currencies"))
        top = self._left
        items, tax = self._table("items"), self._table("tax")
        customer, accounts = self._table("customer"), self._table("accounts")
        places = {"items": items, "tax": tax, "customer": customer, "": top}
        choices = {}
        for key, values in CHOICES.items():
            place, _, name = key.rpartition(".")
            value = self._text(places[place], name, key)
            if value and value not in values:
                self.wrong.append(f"{key} is {value!r}; it is one of {', '.join(values)}.")
            elif value:
                choices[key] = value
        policies = SettlementPolicies(
            start_date=self._date(top, "start_date"),
            choices=choices,
            items={name: self._id(items, name, f"items.{name}") for name in _ITEM_IDS if name in items},
            income_account=self._id(items, "income_account", "items.income_account"),
            discount_account=self._id(items, "discount_account", "items.discount_account"),
            match_item_field=self._text(items, "match_field", "items.match_field"),
            tax_items=self._ids(tax, "items", "tax.items"),
            tax_codes=self._ids(tax, "codes", "tax.codes"),
            tax_types=self._ids(tax, "types", "tax.types"),
            customer_match=self._match_fields(customer),
            fallback_customer=self._id(customer, "fallback", "customer.fallback"),
            subsidiary=self._id(top, "subsidiary", "subsidiary"),
            currencies=currencies,
            receivable=self._id(accounts, "receivable", "accounts.receivable"),
            undeposited_funds=self._id(accounts, "undeposited_funds", "accounts.undeposited_funds"),
            out_of_band_account=self._id(accounts, "out_of_band", "accounts.out_of_band"),
            reserve=self._id(accounts, "reserve", "accounts.reserve"),
            dispute_reversals=self._id(accounts, "dispute_reversals", "accounts.dispute_reversals"),
            fx=self._id(accounts, "fx", "accounts.fx"),
            fees=self._fees(accounts),
            movements=self._movements(top),
            block=self._pairs("block") or (("netsuite_block_integration", "true"),),
            allow=self._pairs("allow"),
            defaults=self._by_record("defaults"),
            mappings=self._by_record("mappings"),
            rounding_line=self._number(top, "rounding_line", "rounding_line", 0),
            payments_per_deposit=self._number(top, "payments_per_deposit", "payments_per_deposit", 500),
            payment_method=self._id(top, "payment_method", "payment_method"),
        )
        for place, table in places.items():
            self._unknown(table, place)
        self._unknown(accounts, "accounts")
        self._whole(policies)
        return policies

    def _whole(self, policies: SettlementPolicies) -> None:
        """What one choice needs of the others."""
        own = [one.out_of_band for one in policies.currencies.values()]
        outside = policies.out_of_band_account or (own and all(own))
        needs = {
            "uncollectible": ("bad_debt_item", "items.bad_debt", policies.items.get("bad_debt")),
            "out_of_band": ("payment_to_account", "accounts.out_of_band, or out_of_band of every currency", outside),
            "items.prices": ("per_price", "items.income_account", policies.income_account),
            # Credit of a negative invoice would be written when it is given and once more when it is used.
            "negative_invoice": ("credit_memo", "balance = 'when_funded'", policies.choice("balance") == "when_funded"),
        }
        for key, (value, needed, given) in needs.items():
            if policies.choice(key) == value and not given:
                self.wrong.append(f"{key} is {value!r}, which needs {needed}.")
        if policies.choice("items.prices") == "match" and not policies.match_item_field:
            self.wrong.append("items.prices is 'match', which needs items.match_field.")
        for value, table, entries in (
            ("item_lines", "tax.items", policies.tax_items),
            ("suitetax", "tax.codes", policies.tax_codes),
        ):
            if policies.choice("tax.mode") == value and not entries:
                self.wrong.append(f"tax.mode is {value!r}, which needs {table}.")
        if policies.rounding_line and not policies.items.get("rounding"):
            self.wrong.append("rounding_line needs items.rounding.")
        if policies.payments_per_deposit < 1:
            self.wrong.append("payments_per_deposit is at least 1.")

    def _table(self, name: str) -> dict[str, Any]:
        value = self._left.pop(name, {})
        if isinstance(value, dict):
            return dict(value)
        self.wrong.append(f"{name} is a table: [{name}].")
        return {}

    def _text(self, table: dict[str, Any], name: str, key: str) -> str:
        value = table.pop(name, "")
        if isinstance(value, str):
            return value
        self.wrong.append(f"{key} is a text in quotes, not {value!r}.")
        return ""

    def _id(self, table: dict[str, Any], name: str, key: str) -> str:
        value = self._text(table, name, key)
        if value and not _ID.fullmatch(value):
            self.wrong.append(f'{key} is an internal id of NetSuite in quotes, as "123", not {value!r}.')
            return ""
        return value

    def _ids(self, table: dict[str, Any], name: str, key: str) -> dict[str, str]:
        value = table.pop(name, {})
        if not isinstance(value, dict):
            self.wrong.append(f"{key} is a table: [{key}].")
            return {}
        entries = dict(value)
        return {one: self._id(entries, one, f"{key}.{one}") for one in list(entries)}

    def _number(self, table: dict[str, Any], name: str, key: str, default: int) -> int:
        value = table.pop(name, default)
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return value
        self.wrong.append(f"{key} is a whole number of at least 0, not {value!r}.")
        return default

    def _date(self, table: dict[str, Any], name: str) -> date | None:
        value = table.pop(name, None)
        if isinstance(value, str):
            with contextlib.suppress(ValueError):
                value = date.fromisoformat(value)
        if value is None or type(value) is date:
            return value
        self.wrong.append(f"{name} is a day, as 2026-01-31, not {value!r}.")
        return None

    def _currencies(self, table: dict[str, Any]) -> dict[str, CurrencyPolicy]:
        found = {}
        for code, value in table.items():
            key = f"currencies.{code}"
            if not _CURRENCY.fullmatch(code) or not isinstance(value, dict):
                self.wrong.append(f"{key} is a table named by the lower-case code: [currencies.usd].")
                continue
            entry = dict(value)
            precision = self._number(entry, "precision", f"{key}.precision", 2)
            if precision not in (0, 2):
                self.wrong.append(f"{key}.precision is 0 or 2: NetSuite's currencies have no other.")
            found[code] = CurrencyPolicy(
                netsuite_id=self._id(entry, "id", f"{key}.id"),
                precision=precision,
                bank=self._id(entry, "bank", f"{key}.bank"),
                max_fx_difference=self._number(entry, "max_fx_difference", f"{key}.max_fx_difference", 0),
                out_of_band=self._id(entry, "out_of_band", f"{key}.out_of_band"),
            )
            if not found[code].netsuite_id:
                self.wrong.append(f"{key}.id is missing: the currency's internal id in NetSuite.")
            self._unknown(entry, key)
        return found

    def _match_fields(self, customer: dict[str, Any]) -> tuple[str, ...]:
        value = customer.pop("match", ["netsuite_customer_id", "email"])
        if isinstance(value, list) and value and all(one in _MATCH_FIELDS for one in value):
            return tuple(value)
        self.wrong.append(f"customer.match is a list of {', '.join(_MATCH_FIELDS)}, not {value!r}.")
        return ()

    def _fees(self, accounts: dict[str, Any]) -> dict[str, str]:
        fees = self._ids(accounts, "fees", "accounts.fees")
        for name in fees:
            if name not in _FEE_TYPES:
                self.wrong.append(f"accounts.fees.{name} is no fee type; they are {', '.join(_FEE_TYPES)}.")
        return fees

    def _movements(self, top: dict[str, Any]) -> dict[str, str]:
        movements = self._ids(top, "movements", "movements")
        for name in movements:
            if name in PLACED_MOVEMENTS:
                self.wrong.append(f"movements.{name} has a place of its own on a deposit.")
            elif name not in FREE_MOVEMENTS:
                self.wrong.append(f"movements.{name} is no type of a balance transaction that needs an account.")
        return movements

    def _pairs(self, name: str) -> tuple[tuple[str, str], ...]:
        table = self._table(name)
        for key, value in table.items():
            if not isinstance(value, str):
                self.wrong.append(f"{name}.{key} is a text in quotes, not {value!r}.")
        return tuple((key, value) for key, value in table.items() if isinstance(value, str))

    def _by_record(self, name: str) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        for record, value in self._table(name).items():
            if record not in _RECORDS or not isinstance(value, dict):
                self.wrong.append(f"{name}.{record} is no table of a record; they are {', '.join(_RECORDS)}.")
                continue
            entries = dict(value)
            found[record] = {one: self._text(entries, one, f"{name}.{record}.{one}") for one in list(entries)}
        return found

    def _unknown(self, table: Mapping[str, Any], place: str) -> None:
        for name in table:
            self.wrong.append(f"{f'{place}.' if place else ''}{name} is not a policy.")
