"""Random sequences of writes: the ledger balances, the sub-ledgers agree with it, and every letter follows.

The balances are computed here from what GET shows of the records, not from the ledger's own sums.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sandbox.netsuite import NetSuiteServer, load_world
from tests.sandbox_tests.netsuite.account_client import Account, MovableClock
from tests.sandbox_tests.netsuite.books import CURRENCIES, WORLD, Books

ORDERS = [
    {
        "number": f"SO-{number}",
        "status": "F",
        "date": "2026-05-12",
        "customer": "C-1",
        "currency": currency,
        "taxCode": "NY",
        "lines": [
            {"item": "Work", "quantity": "7", "rate": "33.33" if currency != "JPY" else "333"},
            {"discount": "10%"},
            {"item": "Hosting", "quantity": "3", "rate": "10"},
        ],
    }
    for number, currency in enumerate(("USD", "EUR", "JPY"), 1)
]
SYMBOLS = {number: symbol for symbol, number in CURRENCIES.items()}
ZERO = Decimal(0)

KINDS = "invoice bill bill pay pay pay memo refund refund refund deposit deposit unapply delete edit".split()

steps = st.lists(
    st.tuples(
        st.sampled_from(KINDS),
        st.integers(0, 2),
        st.integers(0, 10_000),
        st.integers(1, 400),
    ),
    min_size=20,
    max_size=40,
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps)
def test_the_books_balance_whatever_is_written(sequence: list[tuple[str, int, int, int]]) -> None:
    clock = MovableClock()
    with NetSuiteServer(load_world({**WORLD, "orders": ORDERS}), clock, date_format="M/D/YYYY") as server:
        books = Books(Account(server, clock))
        player = Player(books)
        for kind, currency, pick, amount in sequence:
            player.play(kind, list(CURRENCIES)[currency], pick, amount)
        assert server.errors == []
        check(books)


class Player:
    """Plays steps; what NetSuite refuses is refused and leaves the ledger as it was."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.steps: dict[str, Callable[[str, int, int], tuple[str, str, Any] | None]] = {
            "invoice": lambda currency, _, amount: ("POST", "invoice", books.invoice_body(amount, currency=currency)),
            "bill": self.bill,
            "pay": self.pay,
            "memo": self.memo,
            "refund": self.refund,
            "deposit": self.deposit,
            "unapply": self.unapply,
            "delete": self.delete,
            "edit": self.edit,
        }

    def play(self, kind: str, currency: str, pick: int, amount: int) -> None:
        call = self.steps[kind](currency, pick, amount)
        if call is None:
            return
        before = self.books.server.ledger()
        answer = self.books.account.send(*call)
        assert answer.status_code in (204, 400), answer.text
        if answer.status_code == 400:
            assert self.books.server.ledger() == before

    def one(self, pick: int, *records: str, currency: str | None = None) -> dict[str, Any] | None:
        found = [
            {**each, "record": record}
            for record in records
            for each in self.books.server.records(record)
            if currency is None or each["currency"]["id"] == str(CURRENCIES[currency])
        ]
        return found[pick % len(found)] if found else None

    def bill(self, currency: str, pick: int, amount: int) -> tuple[str, str, Any]:
        order = 20001 + list(CURRENCIES).index(currency)
        lines = [{"orderLine": 1, "quantity": amount % 9 / 2}, {"orderLine": 3, "quantity": pick % 4}]
        return "POST", f"salesOrder/{order}/!transform/invoice", {"item": {"items": lines[: 1 + pick % 2]}}

    def pay(self, currency: str, pick: int, amount: int) -> tuple[str, str, Any]:
        invoice = self.one(pick, "invoice", currency=currency)
        applies: dict[int, float] = {} if invoice is None else {int(invoice["id"]): min(amount, invoice["total"])}
        return "POST", "customerPayment", self.books.payment_body(amount, applies, currency=currency)

    def memo(self, currency: str, pick: int, amount: int) -> tuple[str, str, Any]:
        invoice = self.one(pick, "invoice", currency=currency)
        if invoice is not None and pick % 2:
            return "POST", f"invoice/{invoice['id']}/!transform/creditMemo", {}
        applies = {int(invoice["id"]): amount / 2 if currency != "JPY" else amount} if invoice else {}
        body = self.books.invoice_body(amount, currency=currency)
        return "POST", "creditMemo", {**body, "apply": self.books.apply(applies)}

    def refund(self, currency: str, pick: int, amount: int) -> tuple[str, str, Any] | None:
        credit = self.one(pick, "creditMemo", "customerPayment", currency=currency)
        if credit is None:
            return None
        part = min(amount, credit["unapplied"]) if pick % 3 else amount
        return "POST", "customerRefund", self.books.refund_body({int(credit["id"]): part}, currency=currency)

    def deposit(self, currency: str, pick: int, amount: int) -> tuple[str, str, Any] | None:
        payments = [int(each["id"]) for each in self.books.server.records("customerPayment")]
        refunds = [int(each["id"]) for each in self.books.server.records("customerRefund")]
        chosen = [each for place, each in enumerate([*payments, *refunds]) if (pick >> place % 13) & 1]
        bank = "US Bank" if currency != "EUR" else "US Euro Bank"
        return "POST", "deposit", self.books.deposit_body(chosen, bank, fee=amount % 40 / 100)

    def unapply(self, currency: str, pick: int, amount: int) -> tuple[str, str, Any] | None:
        credit = self.one(pick, "creditMemo", "customerPayment", "customerRefund", currency=currency)
        if credit is None or not credit["apply"]["items"]:
            return None
        line = {"doc": {"id": credit["apply"]["items"][0]["doc"]["id"]}, "apply": False}
        return "PATCH", f"{credit['record']}/{credit['id']}", {"apply": {"items": [line]}}

    def delete(self, currency: str, pick: int, amount: int) -> tuple[str, str, Any] | None:
        records = ("invoice", "creditMemo", "customerPayment", "customerRefund", "deposit")
        found = self.one(pick, *records)
        return None if found is None else ("DELETE", f"{found['record']}/{found['id']}", None)

    def edit(self, currency: str, pick: int, amount: int) -> tuple[str, str, Any] | None:
        found = self.one(pick, "invoice", "creditMemo", currency=currency)
        if found is None:
            return None
        return "PATCH", f"{found['record']}/{found['id']}", {"item": {"items": [self.books.line(amount)]}}


def check(books: Books) -> None:
    records = {name: books.server.records(name) for name in ("invoice", "creditMemo", "customerPayment")}
    refunds, deposits = books.server.records("customerRefund"), books.server.records("deposit")
    every_entry_balances(books)
    letters_follow(books, records)
    due: dict[str, Decimal] = defaultdict(Decimal)
    for each in records["invoice"]:
        due[symbol(each)] += number(each["amountRemaining"])
    for each in (*records["creditMemo"], *records["customerPayment"]):
        due[symbol(each)] -= number(each["unapplied"])
    waiting: dict[str, Decimal] = defaultdict(Decimal)
    deposited = {line["id"] for each in deposits for line in each["payment"]["items"]}
    for sign, cash in ((1, records["customerPayment"]), (-1, refunds)):
        for each in cash:
            if int(each["id"]) not in deposited:
                waiting[symbol(each)] += sign * number(each["total"])
    ledger = books.server.ledger()
    for currency in CURRENCIES:
        assert ledger["Accounts Receivable"][currency] == due[currency]
        assert ledger["Undeposited Funds"][currency] == waiting[currency]
    fees = sum((number(line["amount"]) for each in deposits for line in each["cashback"]["items"]), ZERO)
    assert sum(ledger["Stripe Fees"].values()) == fees
    banked = sum((number(each["total"]) for each in deposits), ZERO)
    assert sum(amount for name in ("US Bank", "US Euro Bank") for amount in ledger[name].values()) == banked


def every_entry_balances(books: Books) -> None:
    rows = books.account.rows(
        "SELECT tal.transaction AS doc, SUM(NVL(tal.debit, 0)) AS debit, SUM(NVL(tal.credit, 0)) AS credit "
        "FROM transactionaccountingline tal GROUP BY tal.transaction ORDER BY tal.transaction ASC"
    )
    for row in rows:
        assert round(Decimal(row["debit"]), 2) == round(Decimal(row["credit"]), 2), row
    for entry in books.server.entries():
        assert sum((leg.in_transaction for leg in entry.postings), ZERO) == 0
        assert sum((leg.base for leg in entry.postings), ZERO) == 0
    posted = {int(row["doc"]) for row in rows}
    assert posted <= {int(row["id"]) for row in books.account.rows("SELECT id FROM transaction WHERE posting = 'T'")}


def letters_follow(books: Books, records: dict[str, list[dict[str, Any]]]) -> None:
    for each in records["invoice"]:
        assert 0 <= each["amountRemaining"] <= each["total"]
        assert each["status"]["id"] == ("A" if each["amountRemaining"] else "B")
    for each in records["creditMemo"]:
        assert 0 <= each["unapplied"] <= each["total"]
        assert each["status"]["id"] == ("A" if each["unapplied"] else "B")
    billed: dict[tuple[str, int], Decimal] = defaultdict(Decimal)
    for invoice in records["invoice"]:
        for line in invoice["item"]["items"]:
            if "orderLine" in line and "quantity" in line:
                billed[invoice["createdFrom"]["id"], line["orderLine"]] += number(line["quantity"])
    for order in books.server.orders().values():
        goods = [line for line in order.lines if hasattr(line, "billed")]
        assert [line.billed for line in goods] == [billed[str(order.id), line.id] for line in goods]
        assert order.status == ("G" if all(line.billed == line.quantity for line in goods) else "F")


def symbol(each: dict[str, Any]) -> str:
    return SYMBOLS[int(each["currency"]["id"])]


def number(value: float) -> Decimal:
    return Decimal(str(value))
