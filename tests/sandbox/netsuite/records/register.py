"""Every transaction that the record API wrote, with what follows from saving one.

Saving keeps four things in step: the records, who is applied to whom, the general ledger, and the rows that
SuiteQL reads. All look-ups are by id; nothing here grows with the number of transactions. Hold the store's lock.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

from tests.sandbox.netsuite.order_rows import Row, midnight
from tests.sandbox.netsuite.records import chart as accounts
from tests.sandbox.netsuite.records import suiteql_rows
from tests.sandbox.netsuite.records.ledger import Ledger
from tests.sandbox.netsuite.records.model import ZERO, Transaction
from tests.sandbox.netsuite.records.postings import Poster
from tests.sandbox.netsuite.store import Store
from tests.sandbox.netsuite.world import Term

_PREFIXES = {
    "invoice": "INV",
    "creditMemo": "CM",
    "customerPayment": "PYMT",
    "customerRefund": "REF",
    "deposit": "DEP",
}


class Register:
    """Saves and deletes; the rules about what may be saved are in `sales`, `money` and `deposits`."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.ledger = Ledger()
        self.poster = Poster(store.chart, store.items, self.get)
        self._transactions: dict[int, Transaction] = {}
        self._taken: dict[int, dict[int, Decimal]] = defaultdict(dict)
        self._deposits: dict[int, int] = {}
        self._billed: dict[tuple[int, int], dict[int, Decimal]] = defaultdict(dict)
        self._of_record: dict[str, dict[int, None]] = defaultdict(dict)
        self._numbered: dict[str, int] = defaultdict(lambda: 1000)
        self._terms: dict[int, Term] = {each.id: each for each in store.world.terms}

    # Reading.

    def get(self, transaction_id: int) -> Transaction:
        """KeyError if the record API wrote no such transaction."""
        return self._transactions[transaction_id]

    def find(self, record: str, transaction_id: int) -> Transaction | None:
        found = self._transactions.get(transaction_id)
        return found if found is not None and found.record == record else None

    def of_record(self, record: str) -> list[Transaction]:
        """In the order in which they were saved first."""
        return [self._transactions[each] for each in self._of_record[record]]

    def takers(self, transaction_id: int) -> dict[int, Decimal]:
        """Who takes up how much of this document: payments and memos of an invoice, refunds of a credit."""
        return dict(self._taken.get(transaction_id, {}))

    def open_amount(self, each: Transaction) -> Decimal:
        """What is due of an invoice, or not yet used of a credit."""
        used = sum(self._taken.get(each.id, {}).values(), ZERO)
        if each.record in ("creditMemo", "customerPayment"):
            used += sum(each.applies.values(), ZERO)
        return each.total - used

    def deposit_of(self, payment_id: int) -> int | None:
        return self._deposits.get(payment_id)

    def billed_amount(self, order_id: int, line: int) -> Decimal | None:
        """What invoices of the record API bill of an order's line; None if none does."""
        found = self._billed.get((order_id, line))
        return sum(found.values(), ZERO) if found else None

    def is_undeposited(self, account: int) -> bool:
        return account == self.store.chart.named(accounts.UNDEPOSITED).id

    def status_of(self, each: Transaction) -> str | None:
        """The letter that follows from what is applied and deposited."""
        if each.record == "invoice":
            if each.pending:
                return each.status
            return "A" if self.open_amount(each) else "B"
        if each.record == "creditMemo":
            return "A" if self.open_amount(each) else "B"
        if each.record == "customerPayment":
            waits = self.is_undeposited(each.account) and each.id not in self._deposits
            return "B" if waits else "C"
        return None

    # Writing.

    def save(self, each: Transaction) -> Transaction:
        """Save a new transaction (id 0), or a changed copy of a saved one in its place."""
        now = self.store.now()
        if not each.id:
            each.id = self.store.take_transaction_id()
            each.created = now
            self._numbered[each.record] += 1
            each.tran_id = f"{_PREFIXES[each.record]}{self._numbered[each.record]}"
        each.modified = now
        before = self._transactions.get(each.id)
        touched = self._unlink(before) if before is not None else set()
        self._transactions[each.id] = each
        self._of_record[each.record][each.id] = None
        touched |= self._link(each)
        each.status = self.status_of(each)
        self._write(each)
        self._refresh(touched - {each.id})
        return each

    def delete(self, each: Transaction) -> None:
        """Take it out of records, ledger and rows. What depends on it is the caller's to check."""
        touched = self._unlink(each)
        del self._transactions[each.id]
        del self._of_record[each.record][each.id]
        self._taken.pop(each.id, None)
        self.ledger.remove(each.id)
        for record, column in (
            ("transaction", "id"),
            ("transactionline", "transaction"),
            ("transactionaccountingline", "transaction"),
            ("previoustransactionlinelink", "nextdoc"),
            ("nexttransactionlinelink", "nextdoc"),
        ):
            self.store.replace_rows(record, column, each.id, [])
        self._refresh(touched)

    def _link(self, each: Transaction) -> set[int]:
        for document, amount in each.applies.items():
            self._taken[document][each.id] = amount
        for payment in each.deposited:
            self._deposits[payment] = each.id
        if each.created_from is not None and each.record == "invoice":
            for line in each.lines:
                if line.order_line is not None:
                    billed = self._billed[each.created_from, line.order_line]
                    billed[each.id] = billed.get(each.id, ZERO) + (line.amount or ZERO)
        return {*each.applies, *each.deposited}

    def _unlink(self, each: Transaction) -> set[int]:
        for document in each.applies:
            self._taken[document].pop(each.id, None)
        for payment in each.deposited:
            self._deposits.pop(payment, None)
        if each.created_from is not None and each.record == "invoice":
            for line in each.lines:
                if line.order_line is not None:
                    self._billed[each.created_from, line.order_line].pop(each.id, None)
        return {*each.applies, *each.deposited}

    def _refresh(self, touched: Iterable[int]) -> None:
        """Statuses and due amounts of the documents that another one is applied to, or deposits."""
        for document in touched:
            found = self._transactions.get(document)
            if found is None:
                continue
            found.status = self.status_of(found)
            found.modified = self.store.now()
            columns = self._standing(found)
            columns["lastmodifieddate"] = suiteql_rows.stamp(found.modified)
            self.store.update_row("transaction", found.id, columns)

    def _standing(self, each: Transaction) -> Row:
        taken = each.total - self.open_amount(each)
        closed_on = midnight(self.store.now().date()) if each.status == "B" else None
        return suiteql_rows.standing(each, taken, closed_on)

    def _write(self, each: Transaction) -> None:
        store = self.store
        entry = self.poster.entry(each)
        if entry is None:
            self.ledger.remove(each.id)
        else:
            self.ledger.write(entry)
        term = self._term(each)
        store.replace_rows(
            "transaction", "id", each.id, [{**suiteql_rows.header_row(each, term), **self._standing(each)}]
        )
        by_line = self.poster.line_accounts(each)
        store.replace_rows("transactionline", "transaction", each.id, suiteql_rows.line_rows(each, by_line))
        store.replace_rows("transactionaccountingline", "transaction", each.id, suiteql_rows.ledger_rows(each, entry))
        links = suiteql_rows.links(each, self._earlier(each))
        if each.record == "invoice" and each.created_from is not None:
            order = store.row("transaction", each.created_from)
            links += suiteql_rows.order_links(each, each.created_from, str(order["trandate"]) if order else "")
        for table in ("previoustransactionlinelink", "nexttransactionlinelink"):
            store.replace_rows(table, "nextdoc", each.id, links)

    def _earlier(self, each: Transaction) -> Iterable[tuple[int, str, Decimal, str]]:
        for document, amount in (*each.applies.items(), *each.deposited.items()):
            found = self._transactions[document]
            yield document, found.record, amount, midnight(found.date) or ""

    def _term(self, each: Transaction) -> Term | None:
        sent = each.fields.get("terms")
        return self._terms.get(int(sent["id"])) if sent and str(sent.get("id", "")).isdigit() else None
