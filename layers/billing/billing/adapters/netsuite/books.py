"""What NetSuite's books say of the settlement's records, by SuiteQL: a thousand rows a call, and few calls.

Records and columns: Oracle's SuiteAnalytics "Transaction", "Transaction Line" and "Previous Transaction Line Link"
record types, as production clients query them. Signs of a line: a sale's lines are below zero and its main line above,
a memo's the reverse; of a deposit, what goes to the bank is above zero, what leaves Undeposited Funds below.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from billing.adapters.netsuite.suiteql import PAGE_SIZE, Row, SuiteQL
from billing.domain.errors import OurFault
from billing.domain.settlement.books import (
    BookedApply,
    BookedDepositLine,
    BookedDepositPayment,
    BookedLines,
    BookedOrder,
    BookedOrderInvoice,
    BookedRecord,
    Books,
    Lookalike,
)
from billing.domain.settlement.external_ids import is_legal
from billing.domain.settlement.records import RecordType

_TYPES: Final = {
    "CustInvc": RecordType.INVOICE,
    "CustCred": RecordType.CREDIT_MEMO,
    "CustPymt": RecordType.PAYMENT,
    "CustRfnd": RecordType.REFUND,
    "Deposit": RecordType.DEPOSIT,
}
_PREFIXES: Final = ("in_", "ch_", "py_", "re_", "pyr_", "cn_", "dp_", "du_", "cbtxn_", "po_", "inpay_", "pr_")
_ALL_TYPES: Final = ", ".join(f"'{one}'" for one in _TYPES)
_OURS: Final = " OR ".join(f"{{t}}.externalid LIKE '{one}%'" for one in _PREFIXES)


@dataclass(frozen=True, slots=True)
class NetSuiteBooks:
    """Reads only. With `subsidiary` (an internal id) only what belongs to it: in OneWorld another Stripe account, which
    another stack settles, may be another subsidiary's."""

    suiteql: SuiteQL
    subsidiary: str = ""

    def since(self, day: date) -> Books:
        """Every record with an externalId of ours that is dated on that day or later, or still open."""
        return self._of(_Chosen((day.isoformat(),), (), self.subsidiary), with_lookalikes=True)

    def of_records(self, external_ids: Iterable[str]) -> Books:
        """The records with these externalIds, whatever their dates."""
        found = Books()
        names = sorted({one for one in external_ids if is_legal(one)})
        for start in range(0, len(names), PAGE_SIZE):
            found = found.and_also(
                self._of(_Chosen((), tuple(names[start : start + PAGE_SIZE])), with_lookalikes=False)
            )
        return found

    def of_ids(self, internal_ids: Iterable[str]) -> Books:
        """The transactions with these internal ids, whatever their dates and externalIds."""
        found = Books()
        ids = sorted({int(one) for one in internal_ids if one.isdecimal()})
        for start in range(0, len(ids), PAGE_SIZE):
            chosen = _Chosen((), internal_ids=tuple(ids[start : start + PAGE_SIZE]), subsidiary=self.subsidiary)
            found = found.and_also(self._of(chosen, with_lookalikes=False))
        return found

    def of_orders(self, order_ids: Iterable[str]) -> Books:
        """The billed quantities of these sales orders, and what each invoice bills of them."""
        orders: list[BookedOrder] = []
        invoices: list[BookedOrderInvoice] = []
        ids = sorted({int(one) for one in order_ids if one.isdigit()})
        # One fewer than a page: as many rows as a page holds would ask for a page that is empty.
        for start in range(0, len(ids), PAGE_SIZE - 1):
            chosen = ", ".join(map(str, ids[start : start + PAGE_SIZE - 1]))
            where = f"tl.transaction IN ({chosen}) AND tl.mainline = 'F' AND tl.kitcomponent = 'F'"
            orders += [
                BookedOrder(row["id"], row.get("status", ""), _number(row.get("billed")))
                for row in self._paged(
                    "SELECT tl.transaction AS id, MIN(t.status) AS status, SUM(NVL(tl.quantitybilled, 0)) AS billed "
                    "FROM transactionline tl JOIN transaction t ON t.id = tl.transaction",
                    where,
                    (),
                    ("tl.transaction",),
                    ("id",),
                    "GROUP BY tl.transaction",
                )
            ]
            invoices += [
                BookedOrderInvoice(
                    row["ordered"], row["id"], row.get("externalid", ""), abs(_number(row.get("quantity")))
                )
                for row in self._paged(
                    "SELECT tl.createdfrom AS ordered, tl.transaction AS id, MIN(t.externalid) AS externalid, "
                    "SUM(NVL(tl.quantity, 0)) AS quantity "
                    "FROM transactionline tl JOIN transaction t ON t.id = tl.transaction",
                    f"tl.createdfrom IN ({chosen}) AND t.type = 'CustInvc' AND tl.mainline = 'F' "
                    "AND tl.kitcomponent = 'F'",
                    (),
                    ("tl.createdfrom", "tl.transaction"),
                    ("ordered", "id"),
                    "GROUP BY tl.createdfrom, tl.transaction",
                )
            ]
        return Books(orders=tuple(orders), order_invoices=tuple(invoices))

    def ask_each(self, day: date) -> None:
        """Every query once, whatever the others answer: for whoever examines what the role may read."""
        chosen = _Chosen((day.isoformat(),))
        for rows in (
            self._records(chosen),
            self._lines(chosen),
            self._applies(chosen),
            self._deposited(chosen),
            self._deposit_lines(chosen),
            self._by_memo(chosen),
            self._by_number(chosen),
        ):
            list(rows)
        self.of_orders(["1"])

    def _of(self, chosen: _Chosen, with_lookalikes: bool) -> Books:
        records = tuple(self._records(chosen))
        kinds = {one.type for one in records}
        sales = kinds & {RecordType.INVOICE, RecordType.CREDIT_MEMO}
        applied = kinds & {RecordType.CREDIT_MEMO, RecordType.PAYMENT, RecordType.REFUND}
        money = kinds & {RecordType.PAYMENT, RecordType.REFUND}
        return Books(
            records,
            tuple(self._lines(chosen)) if sales else (),
            tuple(self._applies(chosen)) if applied else (),
            tuple(self._deposited(chosen)) if money else (),
            tuple(self._deposit_lines(chosen)) if RecordType.DEPOSIT in kinds else (),
            lookalikes=(*self._by_memo(chosen), *(self._by_number(chosen) if sales else ())) if with_lookalikes else (),
        )

    def _records(self, chosen: _Chosen) -> Iterator[BookedRecord]:
        for row in self._paged(
            "SELECT t.id, t.type, t.externalid, t.tranid, t.entity, t.currency, t.foreigntotal, t.posting, t.voided, "
            "t.foreignamountunpaid, t.foreignpaymentamountunused, t.memo, tl.expenseaccount AS account, "
            "TO_CHAR(t.trandate, 'YYYY-MM-DD') AS trandate, "
            "TO_CHAR(SYS_EXTRACT_UTC(t.lastmodifieddate), 'YYYY-MM-DD HH24:MI:SS') AS modified, "
            "TO_CHAR(p.startdate, 'YYYY-MM-DD') AS periodstart, TO_CHAR(p.enddate, 'YYYY-MM-DD') AS periodend "
            "FROM transaction t JOIN transactionline tl ON tl.transaction = t.id AND tl.mainline = 'T' "
            "LEFT JOIN accountingperiod p ON p.id = t.postingperiod",
            f"t.type IN ({_ALL_TYPES}) AND {chosen.where('t')}",
            chosen.params,
            ("t.id",),
            ("id",),
            also=("tl.uniquekey",),
        ):
            yield _record(row)

    def _lines(self, chosen: _Chosen) -> Iterator[BookedLines]:
        for row in self._paged(
            "SELECT tl.transaction AS record, NVL(tl.item, 0) AS item, SUM(NVL(tl.foreignamount, 0)) AS amount "
            "FROM transactionline tl JOIN transaction t ON t.id = tl.transaction",
            "t.type IN ('CustInvc', 'CustCred') AND tl.mainline = 'F' AND tl.iscogs = 'F' AND tl.kitcomponent = 'F' "
            f"AND {chosen.where('t')}",
            chosen.params,
            ("tl.transaction", "NVL(tl.item, 0)"),
            ("record", "item"),
            "GROUP BY tl.transaction, NVL(tl.item, 0)",
        ):
            item = row.get("item", "0")
            yield BookedLines(row["record"], "" if item == "0" else item, -_number(row.get("amount")))

    def _applies(self, chosen: _Chosen) -> Iterator[BookedApply]:
        for row in self._paged(
            "SELECT l.nextdoc AS record, l.previousdoc AS document, SUM(l.foreignamount) AS amount "
            "FROM previoustransactionlinelink l JOIN transaction t ON t.id = l.nextdoc",
            f"l.nexttype IN ('CustPymt', 'CustCred', 'CustRfnd') AND l.linktype = 'Payment' AND {chosen.where('t')}",
            chosen.params,
            ("l.nextdoc", "l.previousdoc"),
            ("record", "document"),
            "GROUP BY l.nextdoc, l.previousdoc",
        ):
            yield BookedApply(row["record"], row["document"], abs(_number(row.get("amount"))))

    def _deposited(self, chosen: _Chosen) -> Iterator[BookedDepositPayment]:
        for row in self._paged(
            "SELECT l.previousdoc AS payment, l.nextdoc AS deposit, MIN(d.externalid) AS depositid "
            "FROM previoustransactionlinelink l JOIN transaction t ON t.id = l.previousdoc "
            "JOIN transaction d ON d.id = l.nextdoc",
            f"l.nexttype = 'Deposit' AND t.type IN ('CustPymt', 'CustRfnd') AND {chosen.where('t')}",
            chosen.params,
            ("l.previousdoc", "l.nextdoc"),
            ("payment", "deposit"),
            "GROUP BY l.previousdoc, l.nextdoc",
        ):
            yield BookedDepositPayment(row["deposit"], row.get("depositid", ""), row["payment"])

    def _deposit_lines(self, chosen: _Chosen) -> Iterator[BookedDepositLine]:
        for row in self._paged(
            "SELECT tl.transaction AS deposit, NVL(tl.expenseaccount, 0) AS account, SUM(tl.foreignamount) AS amount "
            "FROM transactionline tl JOIN transaction t ON t.id = tl.transaction",
            f"t.type = 'Deposit' AND tl.mainline = 'F' AND tl.createdfrom IS NULL AND {chosen.where('t')}",
            chosen.params,
            ("tl.transaction", "NVL(tl.expenseaccount, 0)"),
            ("deposit", "account"),
            "GROUP BY tl.transaction, NVL(tl.expenseaccount, 0)",
        ):
            yield BookedDepositLine(row["deposit"], row.get("account", ""), _number(row.get("amount")))

    def _by_memo(self, chosen: _Chosen) -> Iterator[Lookalike]:
        for row in self._paged(
            "SELECT t.id, t.type, t.memo FROM transaction t",
            f"t.type IN ({_ALL_TYPES}) AND t.externalid IS NULL AND t.memo LIKE 'Stripe: %' "
            f"AND t.trandate >= TO_DATE(?, 'YYYY-MM-DD'){chosen.of_subsidiary('t')}",
            chosen.params,
            ("t.id",),
            ("id",),
        ):
            yield Lookalike(row["id"], _TYPES[row["type"]], row.get("memo", ""))

    def _by_number(self, chosen: _Chosen) -> Iterator[Lookalike]:
        """Invoices of the same customer with the number that one of ours has from Stripe."""
        for row in self._paged(
            "SELECT d.id AS id, MIN(t.id) AS alike FROM transaction d JOIN transaction t "
            "ON t.otherrefnum = d.otherrefnum AND t.entity = d.entity AND t.type = d.type",
            f"d.type = 'CustInvc' AND d.externalid IS NULL AND {chosen.where('t')}",
            chosen.params,
            ("d.id",),
            ("id",),
            "GROUP BY d.id",
        ):
            yield Lookalike(row["id"], RecordType.INVOICE, "", row["alike"])

    def _paged(
        self,
        select: str,
        where: str,
        params: Sequence[str],
        keys: Sequence[str],
        names: Sequence[str],
        group: str = "",
        also: Sequence[str] = (),
    ) -> Iterator[Row]:
        """Every row, by keyset paging on one or two numeric keys; `also` is what else tells rows apart."""

        def query(after: tuple[int, ...] | None) -> tuple[str, Sequence[str]]:
            later = f" AND {_after(keys, after)}" if after is not None else ""
            # Every key with the word ASC: without it rows may be lost or repeated at a page's border.
            order = ", ".join(f"{key} ASC" for key in (*keys, *also))
            return f"{select} WHERE {where}{later} {group} ORDER BY {order}", params

        return self.suiteql.rows(query, _cursor_of(names))


@dataclass(frozen=True, slots=True)
class _Chosen:
    """Which records: since a day or open, or by their externalIds or internal ids."""

    params: tuple[str, ...]
    external_ids: tuple[str, ...] = ()
    subsidiary: str = ""
    internal_ids: tuple[int, ...] = ()

    def where(self, t: str) -> str:
        if self.external_ids:
            listed = ", ".join(f"'{one}'" for one in self.external_ids)
            return f"{t}.externalid IN ({listed})"
        if self.internal_ids:
            return f"{t}.id IN ({', '.join(map(str, self.internal_ids))}){self.of_subsidiary(t)}"
        return (
            f"({_OURS.format(t=t)}) AND ({t}.trandate >= TO_DATE(?, 'YYYY-MM-DD') "
            f"OR {t}.foreignamountunpaid <> 0 OR {t}.foreignpaymentamountunused <> 0){self.of_subsidiary(t)}"
        )

    def of_subsidiary(self, t: str) -> str:
        """SuiteQL keeps a transaction's subsidiary on its lines."""
        if not self.subsidiary.isdigit():
            return ""
        main = f"s.transaction = {t}.id AND s.mainline = 'T' AND s.subsidiary = {self.subsidiary}"
        return f" AND EXISTS (SELECT 1 FROM transactionline s WHERE {main})"  # noqa: S608 - digits only


def _after(keys: Sequence[str], after: tuple[int, ...]) -> str:
    if len(keys) == 1:
        return f"{keys[0]} > {after[0]}"
    return f"({keys[0]} > {after[0]} OR ({keys[0]} = {after[0]} AND {keys[1]} > {after[1]}))"


def _cursor_of(names: Sequence[str]) -> Callable[[Row], tuple[int, ...]]:
    def cursor(row: Row) -> tuple[int, ...]:
        try:
            return tuple(int(row[name]) for name in names)
        except (KeyError, ValueError):
            raise OurFault("NetSuite answered a row without its internal ids: paging cannot go on.") from None

    return cursor


def _record(row: Row) -> BookedRecord:
    period = None
    if row.get("periodstart") and row.get("periodend"):
        period = date.fromisoformat(row["periodstart"]), date.fromisoformat(row["periodend"])
    return BookedRecord(
        internal_id=row["id"],
        type=_TYPES[row["type"]],
        external_id=row.get("externalid", ""),
        customer=row.get("entity", ""),
        currency=row.get("currency", ""),
        total=abs(_number(row.get("foreigntotal"))),
        on=date.fromisoformat(row["trandate"]),
        due=_number(row.get("foreignamountunpaid")),
        unused=_number(row.get("foreignpaymentamountunused")),
        account=row.get("account", ""),
        modified=row.get("modified", ""),
        posting=row.get("posting") != "F",
        voided=row.get("voided") == "T",
        period=period,
        number=row.get("tranid", ""),
        memo=row.get("memo", ""),
    )


def _number(text: str | None) -> Decimal:
    return Decimal(text) if text else Decimal(0)
