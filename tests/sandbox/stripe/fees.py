"""What Stripe keeps of a payment: its published standard prices of a US account, as far as tests need them.

Card 2.9 % + 30, ACH direct debit 0.8 % and at most 5.00, bank transfer 0.5 % and at most 5.00, 1 % more where the
currency is converted; a dispute 15.00. In minor units of the currency in which the money settles; a test may give its
own fees instead.
"""

from __future__ import annotations

from decimal import Decimal

from tests.sandbox.stripe import currencies
from tests.sandbox.stripe.amounts import to_minor
from tests.sandbox.stripe.balance import Fee

_PERCENT = {"card": Decimal("2.9"), "us_bank_account": Decimal("0.8"), "customer_balance": Decimal("0.5")}
_FIXED = {"card": Decimal("0.30")}
_MOST = {"us_bank_account": Decimal(5), "customer_balance": Decimal(5)}
_DISPUTE = Decimal(15)
_CONVERSION_PERCENT = Decimal(1)


def of_payment(method: str, amount: int, currency: str, *, converted: bool) -> list[Fee]:
    """The fees of a payment that settles as `amount`."""
    unit = Decimal(10) ** currencies.decimals(currency)
    step = currencies.step(currency)
    fee = amount * _PERCENT[method] / 100 + _FIXED.get(method, Decimal(0)) * unit
    if method in _MOST:
        fee = min(fee, _MOST[method] * unit)
    found = [Fee("stripe_fee", to_minor(fee, step))]
    if converted:
        conversion = to_minor(amount * _CONVERSION_PERCENT / 100, step)
        found.append(Fee("stripe_fee", conversion, "Stripe currency conversion fee"))
    return [one for one in found if one.amount]


def of_dispute(currency: str) -> list[Fee]:
    """Kept by Stripe however the dispute ends."""
    amount = to_minor(_DISPUTE * Decimal(10) ** currencies.decimals(currency), currencies.step(currency))
    return [Fee("stripe_fee", amount, "Dispute fee")]
