"""The account's own balance: every movement is a balance transaction, in the currency in which it settles.

Source: Stripe's API reference (BalanceTransaction) and docs on currency conversion. What is charged in a currency
that the account has no bank account for settles in its default currency, at the rate of that moment. `exchange_rate`
is what minor units are multiplied by, as the reference's example has it.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from tests.sandbox.stripe import currencies
from tests.sandbox.stripe.amounts import to_minor
from tests.sandbox.stripe.errors import Refusal
from tests.sandbox.stripe.records import Json
from tests.sandbox.stripe.store import Store

DAY = 86_400
CATEGORIES = {
    "adjustment": "other_adjustment", "charge": "charge", "payment": "charge", "payment_failure_refund":
    "charge_failure", "payment_refund": "refund", "payout": "payout", "payout_cancel": "payout_reversal",
    "payout_failure": "payout_reversal", "refund": "refund", "refund_failure": "refund_failure", "stripe_fee": "fee",
    "stripe_fx_fee": "fee", "tax_fee": "tax",
}  # fmt: skip
"""Reporting categories by type; every other type is its own here."""


@dataclass(frozen=True)
class Fee:
    """One fee of a movement, in minor units of the currency in which it settles. `kind` is Stripe's fee_details.type:
    stripe_fee, application_fee, payment_method_passthrough_fee, tax or withheld_tax."""

    kind: str
    amount: int
    description: str = "Stripe processing fees"


@dataclass(frozen=True)
class Movement:
    """What is to be booked. `amount` is signed, in `currency`, which is converted unless `settles_as` (amount, currency
    and rate of an earlier movement) says what it comes to."""

    kind: str
    amount: int
    currency: str
    source: str | None
    fees: Sequence[Fee] = ()
    description: str | None = None
    days: int = 0
    """After how many days the money can be paid out."""
    settles_as: tuple[int, str, float | None] | None = None
    category: str | None = None


def settlement_currency(store: Store, currency: str) -> str:
    """The currency that money of `currency` settles in: its own if there is a bank account for it."""
    return currency if currency in store.bank_accounts else store.default_currency


def minor_rate(store: Store, source: str, target: str) -> Decimal:
    """What minor units of `source` are multiplied by to give minor units of `target`."""
    rates = store.rates
    if (source, target) in rates:
        rate = rates[source, target]
    elif (target, source) in rates:
        rate = 1 / rates[target, source]
    else:
        raise Refusal(f"The sandbox's Stripe knows no rate from {source} to {target}: call set_rate first.")
    shift = Decimal(10) ** (currencies.decimals(target) - currencies.decimals(source))
    return (rate * shift).quantize(Decimal("0.0000000001"))


def settled(store: Store, amount: int, currency: str) -> tuple[int, str, float | None]:
    """Amount, currency and exchange rate that `amount` settles as now."""
    target = settlement_currency(store, currency)
    if target == currency:
        return amount, currency, None
    rate = minor_rate(store, currency, target)
    return to_minor(amount * rate, currencies.step(target)), target, float(rate)


def book(store: Store, movement: Movement) -> Json:
    """Book a movement and return its balance transaction."""
    amount, currency, rate = movement.settles_as or settled(store, movement.amount, movement.currency)
    fee = sum(one.amount for one in movement.fees)
    category = movement.category or CATEGORIES.get(movement.kind, movement.kind)
    shape = store.keep(
        {
            "id": store.new_id("txn"), "object": "balance_transaction", "amount": amount,
            "available_on": store.now + movement.days * DAY, "balance_type": "payments", "created": store.now,
            "currency": currency, "description": movement.description, "exchange_rate": rate, "fee": fee,
            "fee_details": [
                {"amount": one.amount, "application": None, "currency": currency, "description": one.description,
                 "type": one.kind} for one in movement.fees
            ],
            "net": amount - fee, "reporting_category": category, "source": movement.source,
            "status": "pending" if movement.days else "available", "type": movement.kind,
        }
    )  # fmt: skip
    if movement.days:
        heapq.heappush(store.pending, (shape["available_on"], shape["id"]))
    store.link("movements", currency, shape["id"])
    if movement.source:
        store.link("movements_of_source", movement.source, shape["id"])
    return shape


def refresh(store: Store) -> None:
    """Make available whatever has waited its days."""
    held = store.objects["balance_transaction"]
    while store.pending and store.pending[0][0] <= store.now:
        held[heapq.heappop(store.pending)[1]]["status"] = "available"


def movements(store: Store, currency: str) -> list[Json]:
    """Every movement that settled in `currency`, oldest first."""
    held = store.objects["balance_transaction"]
    return [held[identifier] for identifier in store.linked("movements", currency)]


def balances(store: Store) -> dict[str, tuple[int, int]]:
    """Available and pending money by currency, in minor units: together the sum of the net of all movements."""
    found: dict[str, tuple[int, int]] = {store.default_currency: (0, 0)}
    for shape in store.objects["balance_transaction"].values():
        available, pending = found.get(shape["currency"], (0, 0))
        if shape["status"] == "pending":
            pending += shape["net"]
        else:
            available += shape["net"]
        found[shape["currency"]] = available, pending
    return found
