"""What each transaction does to the general ledger, as NetSuite's GL Impact shows it.

Invoice: A/R against income, discounts, shipping, tax. Credit memo: the reverse. Customer payment: Undeposited Funds
or a bank against A/R. Customer refund: the reverse. Deposit: bank, fees and other accounts against Undeposited
Funds. Receivables are cleared at the rate of the document that they clear; the difference to the rate of the
payment is an exchange gain or loss, in base currency only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import ROUND_HALF_UP, Decimal

from tests.sandbox.netsuite.records import chart as accounts
from tests.sandbox.netsuite.records.chart import Chart
from tests.sandbox.netsuite.records.ledger import Entry, Posting
from tests.sandbox.netsuite.records.model import ZERO, LineKind, Transaction
from tests.sandbox.netsuite.world import Item

Find = Callable[[int], Transaction]

_BY_TYPE = {
    "Discount": accounts.DISCOUNTS,
    "Payment": accounts.CUSTOMER_DEPOSITS,
    "ShipItem": accounts.SHIPPING_INCOME,
}


class Poster:
    """Makes entries. `find` gives the transaction with an id."""

    def __init__(self, chart: Chart, items: dict[int, Item], find: Find) -> None:
        self._chart = chart
        self._items = items
        self._find = find

    def entry(self, each: Transaction) -> Entry | None:
        """None for what does not post: an invoice that waits for approval."""
        if each.pending:
            return None
        if each.record in ("invoice", "creditMemo"):
            legs = list(self._sale(each))
        elif each.record == "deposit":
            legs = list(self._deposit(each))
        else:
            legs = list(self._cash(each))
        legs += self._balancing(each, legs)
        kept = tuple(leg for leg in legs if leg.amount or leg.in_transaction or leg.base)
        return Entry(each.id, each.record, each.date, each.period, each.subsidiary, kept)

    def base(self, each: Transaction, amount: Decimal, rate: Decimal | None = None) -> Decimal:
        """In the base currency of the transaction's subsidiary, rounded half up."""
        unit = self._chart.minor_unit(self._chart.base_currency(each.subsidiary))
        return (amount * (each.rate if rate is None else rate)).quantize(unit, rounding=ROUND_HALF_UP)

    def income_account(self, item: int | None, item_type: str) -> int:
        """Where an item's line posts: the account on the item, or the chart's for its type."""
        known = self._items.get(item) if item is not None else None
        name = known.income_account if known is not None else None
        return self._chart.named(name or _BY_TYPE.get(item_type, accounts.INCOME)).id

    def line_accounts(self, each: Transaction) -> dict[int, int]:
        """Line number -> account, of the lines of an invoice or a memo that post."""
        found: dict[int, int] = {}
        above = self._chart.named(accounts.INCOME).id
        for line in each.lines:
            if not line.kind.posts:
                continue
            if line.kind is LineKind.TAX:
                found[line.line] = self._chart.named(accounts.TAX_PAYABLE).id
                continue
            if line.kind in (LineKind.SHIPPING, LineKind.HANDLING) and line.item is None:
                found[line.line] = self._chart.named(accounts.SHIPPING_INCOME).id
                continue
            item = self._items.get(line.item) if line.item is not None else None
            if item is not None and item.non_posting:
                found[line.line] = above
            else:
                above = found[line.line] = self.income_account(line.item, line.item_type)
        return found

    def _leg(self, each: Transaction, account: int, amount: Decimal, line: int = 0) -> Posting:
        return Posting(account, each.currency, amount, amount, self.base(each, amount), line)

    def _sale(self, each: Transaction) -> Iterable[Posting]:
        sign = 1 if each.record == "invoice" else -1
        if each.record == "invoice":
            yield self._leg(each, each.account, each.total)
        else:
            yield self._receivable(each, -each.total)
        by_line = self.line_accounts(each)
        for line in each.lines:
            if line.line in by_line and line.amount:
                yield self._leg(each, by_line[line.line], -sign * line.amount, line.line)

    def _cash(self, each: Transaction) -> Iterable[Posting]:
        """A payment debits the money and credits A/R; a refund does the reverse."""
        sign = 1 if each.record == "customerPayment" else -1
        yield self._leg(each, each.account, sign * each.total)
        yield self._receivable(each, -sign * each.total)

    def _receivable(self, each: Transaction, amount: Decimal) -> Posting:
        """The A/R leg: what is applied at the rates of the documents it is applied to."""
        sign = 1 if amount > 0 else -1
        applied = sum(each.applies.values(), ZERO)
        base = self.base(each, abs(amount) - applied)
        for document, part in each.applies.items():
            base += self.base(each, part, self._find(document).rate)
        account = each.account if each.receivable is None else each.receivable
        return Posting(account, each.currency, amount, amount, sign * base, 1)

    def _deposit(self, each: Transaction) -> Iterable[Posting]:
        yield self._leg(each, each.account, each.total)
        for place, (payment_id, banked) in enumerate(each.deposited.items(), 1):
            payment = self._find(payment_id)
            amount = payment.total if payment.record == "customerPayment" else -payment.total
            yield Posting(payment.account, payment.currency, -amount, -banked, -self.base(payment, amount), place)
        place = len(each.deposited)
        for sign, lines in ((-1, each.other), (1, each.cashback)):
            for line in lines:
                place += 1
                yield self._leg(each, line.account, sign * line.amount, place)

    def _balancing(self, each: Transaction, legs: list[Posting]) -> list[Posting]:
        """The base amounts that remain: an exchange difference, or cents from rounding each line."""
        rest = -sum((leg.base for leg in legs), ZERO)
        if not rest:
            return []
        rounding = each.record == "invoice" or (each.record == "creditMemo" and not each.applies)
        name = accounts.ROUNDING if rounding else accounts.EXCHANGE_GAIN_OR_LOSS
        base = self._chart.base_currency(each.subsidiary)
        return [Posting(self._chart.named(name).id, base, ZERO, ZERO, rest, 0)]
