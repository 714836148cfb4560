"""The rows that SuiteQL shows of an invoice, memo, payment, refund or deposit, with NetSuite's signs.

As on a sales order, an invoice's main line is positive and its lines are negative; a credit memo and a refund are
the reverse (production SuiteQL; likely). A deposit's link type is the stand-in's own word.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from tests.sandbox.netsuite.order_rows import Row, midnight, number_of
from tests.sandbox.netsuite.records.ledger import Entry
from tests.sandbox.netsuite.records.model import NAME_OF, TYPE_OF, ZERO, Line, LineKind, Transaction
from tests.sandbox.netsuite.world import Term

_ABBREVIATIONS = {
    "invoice": "INV",
    "creditMemo": "CREDMEM",
    "customerPayment": "PYMT",
    "customerRefund": "REFUND",
    "deposit": "DEP",
}
_NEGATIVE = frozenset({"creditMemo", "customerRefund"})
_KEY_SPACE = 100_000
_KEYS_FROM = 10**12
"""Unique keys of lines lie above those of sales orders, whatever an order's id."""


def stamp(moment: datetime | None) -> str | None:
    return None if moment is None else moment.strftime("%Y-%m-%d %H:%M:%S")


def header_row(each: Transaction, term: Term | None) -> Row:
    """The row in `transaction`, without what changes with other transactions (see `standing`)."""
    sign = -1 if each.record in _NEGATIVE else 1
    row: Row = {
        "id": each.id,
        "tranid": each.tran_id,
        "type": TYPE_OF[each.record],
        "recordtype": each.record.lower(),
        "abbrevtype": _ABBREVIATIONS[each.record],
        "trandisplayname": f"{NAME_OF[each.record]} #{each.tran_id}",
        "trandate": midnight(each.date),
        "createddate": stamp(each.created),
        "lastmodifieddate": stamp(each.modified),
        "entity": each.entity,
        "currency": each.currency,
        "exchangerate": number_of(each.rate),
        "foreigntotal": number_of(sign * each.total),
        "externalid": each.external_id,
        "memo": _text(each.fields.get("memo")),
        "otherrefnum": _text(each.fields.get("otherRefNum")),
        "email": _text(each.fields.get("email")),
        "terms": term.id if term else None,
        "duedate": _day(each.fields.get("dueDate")),
        "startdate": _day(each.fields.get("startDate")),
        "enddate": _day(each.fields.get("endDate")),
        "postingperiod": each.period,
        "posting": "F" if each.pending else "T",
        "voided": "F",
    }
    for name, value in each.fields.items():
        if name.startswith("custbody"):
            row[name] = _custom(value)
    return row


def standing(each: Transaction, taken: Decimal, closed_on: str | None) -> Row:
    """The columns that other transactions move. `taken` is what is paid of an invoice, or used of a credit."""
    row: Row = {"status": each.status}
    if each.record == "invoice":
        row |= {
            "foreignamountpaid": number_of(taken),
            "foreignamountunpaid": number_of(each.total - taken),
            "closedate": closed_on,
        }
    elif each.record in ("customerPayment", "creditMemo"):
        row |= {
            "foreignpaymentamountused": number_of(taken),
            "foreignpaymentamountunused": number_of(each.total - taken),
        }
    return row


def line_rows(each: Transaction, accounts: dict[int, int]) -> list[Row]:
    """The rows in `transactionline`. `accounts` are those of the lines that post."""
    sign = -1 if each.record in _NEGATIVE else 1
    rows = [_row(each, 0, sign * each.total, mainline="T", expenseaccount=each.account, memo=each.fields.get("memo"))]
    rows += [_sales_row(each, line, sign, accounts.get(line.line)) for line in each.lines]
    if each.record in ("customerPayment", "customerRefund"):
        rows.append(_row(each, 1, -sign * each.total, expenseaccount=each.receivable))
    place = 0
    for payment, banked in each.deposited.items():
        place += 1
        rows.append(_row(each, place, -banked, createdfrom=payment))
    for turn, cash_lines in ((-1, each.other), (1, each.cashback)):
        for cash in cash_lines:
            place += 1
            memo = _text(cash.fields.get("memo"))
            rows.append(_row(each, place, turn * cash.amount, expenseaccount=cash.account, memo=memo))
    return rows


def ledger_rows(each: Transaction, entry: Entry | None) -> list[Row]:
    """The rows in `transactionaccountingline`: base currency, one book."""
    return [
        {
            "transaction": each.id,
            "transactionline": leg.line,
            "accountingbook": 1,
            "account": leg.account,
            "amount": number_of(leg.base),
            "debit": number_of(leg.base) if leg.base > 0 else None,
            "credit": number_of(-leg.base) if leg.base < 0 else None,
            "posting": "T",
        }
        for leg in (entry.postings if entry else ())
    ]


def links(each: Transaction, find: Iterable[tuple[int, str, Decimal, str]]) -> list[Row]:
    """`find` gives (earlier document, its record, amount, its day) for what this one applies to or deposits."""
    kind = "DepPay" if each.record == "deposit" else "Payment"
    return [_link(each, document, TYPE_OF[record], 0, 0, kind, amount, day) for document, record, amount, day in find]


def order_links(each: Transaction, order: int, day: str) -> list[Row]:
    """One link for each line of the sales order that an invoice bills."""
    return [
        _link(each, order, "SalesOrd", line.order_line, line.line, "OrdBill", line.amount or ZERO, day)
        for line in each.lines
        if line.order_line is not None
    ]


def _link(
    each: Transaction,
    previous: int,
    previous_type: str,
    previous_line: int,
    line: int,
    kind: str,
    amount: Decimal,
    day: str,
) -> Row:
    return {
        "previousdoc": previous,
        "previousline": previous_line,
        "previoustype": previous_type,
        "previousdate": day,
        "nextdoc": each.id,
        "nextline": line,
        "nexttype": TYPE_OF[each.record],
        "nextdate": midnight(each.date),
        "linktype": kind,
        "foreignamount": number_of(amount),
    }


def _sales_row(each: Transaction, line: Line, sign: int, account: int | None) -> Row:
    amount = None if line.amount is None else -sign * line.amount
    row = _row(
        each,
        line.line,
        amount,
        item=line.item,
        quantity=None if line.quantity is None else number_of(-sign * line.quantity),
        rate=line.rate,
        memo=line.description,
        taxline="T" if line.kind is LineKind.TAX else "F",
        transactiondiscount="T" if line.kind is LineKind.HEADER_DISCOUNT else "F",
        kitcomponent="T" if line.kit_of is not None else "F",
        kitmemberof=line.kit_of,
        createdfrom=each.created_from if line.order_line is not None else None,
        expenseaccount=account,
    )
    row |= {name: _custom(value) for name, value in line.fields.items() if name.startswith("custcol")}
    return row


def _row(each: Transaction, line: int, amount: Decimal | None, **more: object) -> Row:
    row: Row = {
        "transaction": each.id,
        "id": line,
        "uniquekey": unique_key(each.id, line),
        "linesequencenumber": line,
        "foreignamount": None if amount is None else number_of(amount),
        "netamount": None if amount is None else number_of((amount * each.rate).quantize(Decimal("0.01"))),
        "isclosed": "F",
        "mainline": "F",
        "taxline": "F",
        "iscogs": "F",
        "donotdisplayline": "F",
        "transactiondiscount": "F",
        "kitcomponent": "F",
        "assemblycomponent": "F",
        "subsidiary": each.subsidiary or None,
    }
    row.update({name: value for name, value in more.items() if value is None or isinstance(value, (str, int))})
    return row


def unique_key(transaction: int, line: int) -> int:
    """`lineUniqueKey` of a line that the record API wrote."""
    return _KEYS_FROM + transaction * _KEY_SPACE + line


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _day(value: object) -> str | None:
    return None if value is None else f"{value} 00:00:00"


def _custom(value: object) -> str | int | Decimal | None:
    if isinstance(value, bool):
        return "T" if value else "F"
    if isinstance(value, dict):
        value = value.get("id")
    return value if value is None or isinstance(value, (int, Decimal)) else str(value)
