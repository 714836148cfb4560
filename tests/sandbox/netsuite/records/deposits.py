"""Bank deposits: payments and refunds out of Undeposited Funds, other lines and cash back, into one bank account.

The bank account decides currency and subsidiary (Oracle's help, section_N1542431). "Invalid id reference key" and
"The total can not be negative" are real texts.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from tests.sandbox.netsuite.records import refusals
from tests.sandbox.netsuite.records.chart import Account
from tests.sandbox.netsuite.records.headers import Headers
from tests.sandbox.netsuite.records.model import ZERO, CashLine, Transaction
from tests.sandbox.netsuite.records.register import Register
from tests.sandbox.netsuite.records.request_body import Fields, lines_of

_OWN = frozenset(
    "account currency subsidiary payment other cashback externalId tranDate postingPeriod exchangeRate id tranId "
    "total createdDate lastModifiedDate currencyPrecision isBaseCurrency".split()
)


class Deposits:
    """Makes deposits; nothing is saved until `save` of the register."""

    def __init__(self, register: Register, headers: Headers) -> None:
        self._register = register
        self._chart = register.store.chart
        self._store = register.store
        self._headers = headers

    def deposit(self, fields: Fields) -> Transaction:
        headers = self._headers
        account = self._bank(fields)
        headers.mandatory("deposit", fields)
        day, period = headers.dates(fields, receivables=False)
        subsidiary = self._subsidiary(account, fields)
        currency = self._chart.base_currency(subsidiary) if account.currency is None else account.currency
        asked = headers.references.id_of(fields, "currency", "currency")
        if asked not in (None, currency):
            raise refusals.invalid_value(asked, "currency")
        found = Transaction(
            record="deposit",
            id=0,
            currency=currency,
            subsidiary=subsidiary,
            account=account.id,
            date=day,
            period=period,
            rate=headers.rate(fields, currency, subsidiary, day),
            total=ZERO,
            status=None,
            external_id=headers.external_id(fields, "transaction"),
            fields={name: value for name, value in fields.items() if name not in _OWN and value is not None},
        )
        self.add_lines(found, fields)
        return found

    def edit(self, each: Transaction, fields: Fields, replaced: Iterable[str]) -> None:
        """Change a copy. Payments are keyed by id; other and cash back lines have no key: they are added."""
        if fields.get("account") is not None and self._bank(fields).id != each.account:
            raise refusals.invalid_value(fields["account"].get("id"), "account")
        if "payment" in replaced:
            each.deposited = {}
        if "other" in replaced:
            each.other = []
        if "cashback" in replaced:
            each.cashback = []
        self.add_lines(each, fields)

    def add_lines(self, each: Transaction, fields: Fields) -> None:
        for place, line in enumerate(lines_of(fields, "payment")):
            self._payment(each, line, f"payment.items[{place}]")
        for name in ("other", "cashback"):
            for place, line in enumerate(lines_of(fields, name)):
                self._cash_line(each, name, line, f"{name}.items[{place}]")
        if not (each.deposited or each.other or each.cashback):
            raise refusals.access("You must enter at least one line item for this transaction.")
        each.total = sum(each.deposited.values(), ZERO)
        each.total += sum((line.amount for line in each.other), ZERO)
        each.total -= sum((line.amount for line in each.cashback), ZERO)
        if each.total <= 0:
            raise refusals.access("The total can not be negative.")

    def _bank(self, fields: Fields) -> Account:
        account = self._headers.references.account(fields, "account")
        if account is None:
            raise refusals.enter_value("Account")
        if account.type != "Bank":
            raise refusals.invalid_value(account.id, "account")
        return account

    def _subsidiary(self, account: Account, fields: Fields) -> int:
        default = 1 if self._chart.subsidiary_names else 0
        own = account.subsidiary if account.subsidiary is not None else default
        asked = self._headers.references.id_of(fields, "subsidiary", "subsidiary")
        if asked not in (None, own):
            raise refusals.invalid_value(asked, "subsidiary")
        return own

    def _payment(self, each: Transaction, line: Fields, path: str) -> None:
        key = line.get("id")
        if key is None:
            raise refusals.enter_value("id")
        payment_id = int(key)
        if line.get("deposit") is False:
            each.deposited.pop(payment_id, None)
            return
        payment = self._register.find("customerPayment", payment_id)
        payment = payment or self._register.find("customerRefund", payment_id)
        if (
            payment is None
            or not self._register.is_undeposited(payment.account)
            or self._register.deposit_of(payment_id) not in (None, each.id)
            or payment.subsidiary != each.subsidiary
        ):
            raise refusals.invalid_reference_key(payment_id)
        each.deposited[payment_id] = self._banked(each, payment, line, path)

    def _banked(self, each: Transaction, payment: Transaction, line: Fields, path: str) -> Decimal:
        """The payment in the bank's currency: as it is, as entered, or at the stored rate of the day."""
        amount = payment.total if payment.record == "customerPayment" else -payment.total
        if payment.currency == each.currency:
            return amount
        entered = line.get("paymentAmount")
        if entered is not None and self._store.options.honours_payment_amount:
            found = self._headers.amount(entered, each.currency, "paymentAmount", f"{path}.paymentAmount")
            if found * amount <= 0:
                raise refusals.invalid_value(entered, "paymentAmount", f"{path}.paymentAmount")
            return found
        base = self._chart.base_currency(each.subsidiary)
        if base not in (each.currency, payment.currency):
            raise refusals.enter_value("Payment Amount")
        worth = amount * self._rate(payment.currency, each.subsidiary, each.date)
        unit = self._chart.minor_unit(each.currency)
        return (worth / self._rate(each.currency, each.subsidiary, each.date)).quantize(unit, rounding=ROUND_HALF_UP)

    def _rate(self, currency: int, subsidiary: int, day: date) -> Decimal:
        return self._chart.rate(currency, subsidiary, day)

    def _cash_line(self, each: Transaction, name: str, line: Fields, path: str) -> None:
        account = self._headers.references.account(line, "account", f"{path}.account")
        if account is None:
            raise refusals.enter_value("Account")
        if account.subsidiary not in (None, each.subsidiary):
            raise refusals.invalid_value(account.id, "account", f"{path}.account")
        if line.get("amount") is None:
            raise refusals.enter_value("Amount")
        amount = self._headers.amount(line["amount"], each.currency, "amount", f"{path}.amount")
        if not amount or (name == "other" and amount < 0):
            raise refusals.invalid_value(line["amount"], "amount", f"{path}.amount")
        kept = {key: value for key, value in line.items() if key not in ("account", "amount", "line")}
        if name == "cashback" and amount > 0:
            each.cashback.append(CashLine(account.id, amount, kept))
        else:
            # A negative cash back is stored as an Other line (Oracle's help).
            each.other.append(CashLine(account.id, abs(amount), kept))
