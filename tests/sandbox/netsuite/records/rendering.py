"""Records as the record API shows them: references, positive amounts, sublists as links or expanded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from tests.sandbox.netsuite.records.model import NAME_OF, STATUS_WORDS, TYPE_OF, ZERO, Line, LineKind, Transaction
from tests.sandbox.netsuite.records.property_names import properties
from tests.sandbox.netsuite.records.register import Register
from tests.sandbox.netsuite.records.suiteql_rows import unique_key

Body = dict[str, Any]

_SHOWN = frozenset({LineKind.ITEM, LineKind.TEXT})
_ITEM_TYPES_NAMELESS = frozenset({-2, -3, 0})


class Renderer:
    """`root` is the URL up to and with /services/rest/record/v1/."""

    def __init__(self, register: Register, root: str, expand: bool) -> None:
        self._register = register
        self._store = register.store
        self._root = root
        self._expand = expand

    def transaction(self, each: Transaction) -> Body:
        here = f"{self._root}{each.record}/{each.id}" if each.id else f"{self._root}{each.record}"
        body = self._header(each)
        if each.record in ("invoice", "creditMemo"):
            body |= self._sale(each, here)
        elif each.record == "deposit":
            body |= self._deposit(each, here)
        else:
            body |= self._cash(each, here)
        known = properties(each.record)
        for name, value in each.fields.items():
            if name not in body and (name in known or name.startswith(("custbody", "cseg"))):
                body[name] = plain(value)
        body["links"] = [{"rel": "self", "href": here}] if each.id else []
        return dict(sorted((name, value) for name, value in body.items() if value is not None))

    def href(self, record: str, key: int) -> str:
        return f"{self._root}{record}/{key}"

    def reference(self, record: str, key: int | None, display: str = "name", table: str | None = None) -> Body | None:
        """{"links", "id", "refName"} of a row; None for None."""
        if key is None:
            return None
        row = self._store.row(table or record, key)
        found: Body = {"links": [{"rel": "self", "href": f"{self._root}{record}/{key}"}], "id": str(key)}
        if row is not None and row.get(display) is not None:
            found["refName"] = row[display]
        return found

    def utc(self, moment: datetime | None) -> str | None:
        return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def _header(self, each: Transaction) -> Body:
        words = STATUS_WORDS[each.record]
        entity = "customer" if each.record in ("customerPayment", "customerRefund") else "entity"
        body: Body = {
            "createdDate": self.utc(each.created),
            "currency": self.reference("currency", each.currency),
            "exchangeRate": number(each.rate),
            "externalId": each.external_id,
            "id": str(each.id) if each.id else None,
            "lastModifiedDate": self.utc(each.modified),
            "postingPeriod": self.reference("accountingPeriod", each.period, "periodname", "accountingperiod"),
            "status": {"id": each.status, "refName": words.get(each.status, each.status)} if each.status else None,
            "subsidiary": self.reference("subsidiary", each.subsidiary or None),
            "total": number(each.total),
            "tranDate": each.date.isoformat(),
            "tranId": each.tran_id,
            "account": self.reference("account", each.account, "accountsearchdisplayname"),
        }
        if each.entity is not None:
            body[entity] = self.reference("customer", each.entity, "altname")
        if isinstance(each.fields.get("terms"), Mapping):
            body["terms"] = self.reference("term", _id(each.fields["terms"]))
        return body

    def _sale(self, each: Transaction, here: str) -> Body:
        shown = [line for line in each.lines if line.kind in _SHOWN]
        due = self._register.open_amount(each) if each.id else each.total
        body: Body = {
            "createdFrom": self._created_from(each.created_from),
            "item": self.sublist(here, "item", (self._sale_line(each, line, here) for line in shown)),
            "subtotal": number(_sum(line for line in shown if line.kind is LineKind.ITEM)),
            "discountTotal": self._total_of(each, LineKind.HEADER_DISCOUNT),
            "shippingCost": self._total_of(each, LineKind.SHIPPING),
            "handlingCost": self._total_of(each, LineKind.HANDLING),
            "amountRemaining": number(due),
        }
        discount = next((line for line in each.lines if line.kind is LineKind.HEADER_DISCOUNT), None)
        if discount is not None:
            body["discountItem"] = self.reference("discountItem", discount.item, "itemid", "item")
        if each.record == "invoice":
            body["amountPaid"] = number(each.total - due)
        else:
            body |= {"applied": number(sum(each.applies.values(), ZERO)), "unapplied": number(due)}
            body["apply"] = self._apply(each, here)
        if self._store.options.tax_mode == "suitetax":
            body["taxTotal"] = number(_sum(line for line in each.lines if line.kind is LineKind.TAX))
            body["totalAfterTaxes"] = number(each.total)
            body["taxDetails"] = self._tax_details(each, here)
        return body

    def _created_from(self, document: int | None) -> Body | None:
        if document is None:
            return None
        row = self._store.row("transaction", document)
        name = {"salesorder": "salesOrder", "invoice": "invoice"}[str(row["recordtype"])] if row else "salesOrder"
        return self.reference(name, document, "trandisplayname", "transaction")

    def _sale_line(self, each: Transaction, line: Line, here: str) -> Body:
        body: Body = {
            "amount": None if line.amount is None else number(line.amount),
            "description": line.description,
            "item": self._item(line.item),
            "itemType": {"id": line.item_type, "refName": line.item_type},
            "line": line.line,
            "orderLine": line.order_line,
            "quantity": None if line.quantity is None else number(line.quantity),
            "rate": _rate(line.rate),
            "taxDetailsReference": line.tax_reference,
            "lineUniqueKey": str(unique_key(each.id, line.line)) if each.id else None,
        }
        if line.order_line is not None:
            body["orderDoc"] = self._created_from(each.created_from)
        body |= {name: plain(value) for name, value in line.fields.items() if name not in body}
        body["links"] = [{"rel": "self", "href": f"{here}/item/{line.line}"}] if each.id else []
        return {name: value for name, value in body.items() if value is not None}

    def _item(self, item: int | None) -> Body | None:
        if item is None:
            return None
        if item in _ITEM_TYPES_NAMELESS:
            return {"links": [], "id": str(item)}
        return self.reference("inventoryItem", item, "itemid", "item")

    def _total_of(self, each: Transaction, kind: LineKind) -> Decimal | int | float | None:
        lines = [line for line in each.lines if line.kind is kind]
        return number(_sum(lines)) if lines else None

    def _tax_details(self, each: Transaction, here: str) -> Body:
        details = [
            {
                "taxDetailsReference": {"id": line.tax_reference} if line.tax_reference else None,
                "taxAmount": number(line.amount or ZERO),
                "taxRate": _rate(line.rate),
                "lineName": line.description,
            }
            for line in each.lines
            if line.kind is LineKind.TAX
        ]
        if each.tax_details:
            details = [{name: plain(value) for name, value in detail.items()} for detail in each.tax_details]
        shown = ({name: value for name, value in detail.items() if value is not None} for detail in details)
        return self.sublist(here, "taxDetails", shown)

    def _apply(self, each: Transaction, here: str) -> Body:
        return self.sublist(here, "apply", (self._apply_line(each, doc, part) for doc, part in each.applies.items()))

    def _apply_line(self, each: Transaction, document: int, amount: Decimal) -> Body:
        found = self._register.get(document)
        on_memo = found.record == "creditMemo"
        return {
            "amount": number(amount),
            "apply": True,
            "applyDate": found.date.isoformat(),
            "currency": self._store.chart.currency_name(found.currency),
            "doc": self.reference("transaction", document, "trandisplayname"),
            "due": number(self._register.open_amount(found) + (amount if each.id else ZERO)),
            "line": self._store.options.refund_memo_line if on_memo else 0,
            "refNum": found.tran_id,
            "total": number(found.total),
            "type": NAME_OF[found.record],
        }

    def _cash(self, each: Transaction, here: str) -> Body:
        body: Body = {
            "arAcct": self.reference("account", each.receivable, "accountsearchdisplayname"),
            "apply": self._apply(each, here),
        }
        if each.record == "customerRefund":
            # Oracle's help: always empty on GET.
            return body | {"deposit": self.sublist(here, "deposit", ())}
        open_amount = self._register.open_amount(each) if each.id else each.total - sum(each.applies.values(), ZERO)
        undeposited = self._register.is_undeposited(each.account)
        return body | {
            "payment": number(each.total),
            "applied": number(sum(each.applies.values(), ZERO)),
            "unapplied": number(open_amount),
            "undepFunds": {"id": "T" if undeposited else "F", "refName": "T" if undeposited else "F"},
        }

    def _deposit(self, each: Transaction, here: str) -> Body:
        payments = (self._deposited(payment, banked) for payment, banked in each.deposited.items())
        body: Body = {"payment": self.sublist(here, "payment", payments)}
        for name, lines in (("other", each.other), ("cashback", each.cashback)):
            shown = (
                {
                    **{key: plain(value) for key, value in line.fields.items()},
                    "account": self.reference("account", line.account, "accountsearchdisplayname"),
                    "amount": number(line.amount),
                    "line": str(place),
                }
                for place, line in enumerate(lines, 1)
            )
            body[name] = self.sublist(here, name, shown)
        return body

    def _deposited(self, payment_id: int, banked: Decimal) -> Body:
        payment = self._register.get(payment_id)
        sign = 1 if payment.record == "customerPayment" else -1
        return {
            "currency": self.reference("currency", payment.currency),
            "deposit": True,
            "docDate": payment.date.isoformat(),
            "docNumber": payment.tran_id,
            "entity": self.reference("customer", payment.entity, "altname"),
            "id": payment.id,
            "paymentAmount": number(banked),
            "transactionAmount": number(sign * payment.total),
            "type": {"id": TYPE_OF[payment.record], "refName": NAME_OF[payment.record]},
        }

    def sublist(self, here: str, name: str, lines: Iterable[Body]) -> Body:
        found: Body = {"links": [{"rel": "self", "href": f"{here}/{name}"}]}
        if self._expand:
            items = list(lines)
            found |= {"items": items, "totalResults": len(items)}
        return found


def number(value: Decimal) -> int | float:
    """A JSON number, as NetSuite writes money: 8197.0."""
    return float(value)


def plain(value: Any) -> Any:
    """A value as it was sent, fit for JSON."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, Mapping):
        return {name: plain(each) for name, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, list) else value


def _rate(value: str | None) -> float | None:
    return None if value is None else float(value.rstrip("%"))


def _sum(lines: Iterable[Line]) -> Decimal:
    return sum((line.amount for line in lines if line.amount is not None), ZERO)


def _id(reference: Mapping[str, Any]) -> int | None:
    value = str(reference.get("id", ""))
    return int(value) if value.isdigit() else None
