"""Invoices and credit memos: from a sales order, from an invoice, or written by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from tests.sandbox.netsuite.records import refusals
from tests.sandbox.netsuite.records.headers import Headers
from tests.sandbox.netsuite.records.model import ZERO, Line, LineKind, Transaction
from tests.sandbox.netsuite.records.order_billing import BilledOrder, Surroundings, bill_order
from tests.sandbox.netsuite.records.register import Register
from tests.sandbox.netsuite.records.request_body import Fields, choice_of, lines_of
from tests.sandbox.netsuite.world import Customer, Item, Order, resolve_date

_HEADER_ONLY = frozenset(
    "item apply taxDetails entity currency subsidiary account externalId tranDate postingPeriod exchangeRate "
    "dueDate approvalStatus id tranId total subtotal status createdFrom createdDate lastModifiedDate".split()
)
"""What the header's own fields hold; the rest of a body is kept as it was sent."""


class Sales:
    """Makes invoices and memos; nothing is saved until `save` of the register."""

    def __init__(self, register: Register, headers: Headers) -> None:
        self._register = register
        self._store = register.store
        self._headers = headers

    # From a sales order.

    def invoice_of_order(self, order_id: int, fields: Fields) -> tuple[Transaction, BilledOrder]:
        """The invoice that a transform makes. Refused if the order cannot be billed."""
        order = self._store.order_with_id(order_id)
        if order is None:
            raise refusals.nothing_there()
        self._billable(order)
        row = self._store.row("transaction", order_id) or {}
        if row.get("entity") is None:
            raise refusals.enter_value("Customer")
        if row.get("currency") is None:
            raise refusals.enter_value("Currency")
        customer = self._store.customers[int(str(row["entity"]))]
        numbers = self._store.line_numbers(order.number)
        around = Surroundings(
            self._store.index,
            self._store.lists,
            numbers,
            self._store.options,
            self._store.today,
            lambda line: self._register.billed_amount(order_id, line),
        )
        wishes = lines_of(fields, "item")
        billed = bill_order(order, [each for each in wishes if each.get("orderLine") is not None], around)
        currency = int(str(row["currency"]))
        for place, sent in enumerate(wishes):
            if sent.get("orderLine") is None:
                # A line without a key is one more line, as in every keyed sublist.
                number = max(line.line for line in billed.lines) + 1
                billed.lines.append(self.sent_line(sent, number, currency, f"item.items[{place}]"))
        header = self._order_header(order, row) | {
            name: value for name, value in fields.items() if name not in ("item", "entity", "currency", "subsidiary")
        }
        subsidiary = self._store.lists.id_of("subsidiary", order.subsidiary or customer.subsidiary)
        found = self._draft(
            "invoice",
            header,
            customer,
            currency,
            subsidiary or self._headers.references.subsidiary_of(customer),
            billed.lines,
            rate=Decimal(str(row["exchangerate"])),
        )
        found.created_from = order_id
        found.order_status_before = order.status
        return found, billed

    def note_billed(self, order_id: int, billed: BilledOrder) -> None:
        """Move the order's quantitybilled and its letter after the invoice was saved."""
        order = self._store.order_with_id(order_id)
        if order is None:
            raise refusals.nothing_there()
        changes = {line: quantity for line, quantity in billed.quantities.items() if quantity}
        self._rewrite(order, changes, "G" if not billed.left else order.status)

    def note_deleted(self, invoice: Transaction) -> None:
        """Deleting an invoice reopens its order."""
        order = self._store.order_with_id(invoice.created_from or 0)
        if order is None:
            return
        back = {
            line.order_line: -line.quantity
            for line in invoice.lines
            if line.kind is LineKind.ITEM and line.order_line is not None and line.quantity is not None
        }
        status = invoice.order_status_before if order.status == "G" else order.status
        self._rewrite(order, back, status or order.status)

    def _rewrite(self, order: Order, changes: Mapping[int, Decimal], status: str) -> None:
        source = self._store.order_json(order.number)
        lines: list[object] = []
        for line in _dicts(source.get("lines")):
            copied = dict(line)
            members = [dict(member) for member in _dicts(line.get("members"))]
            for entry in (copied, *members):
                change = changes.get(int(str(entry.get("id"))))
                if change is not None:
                    entry["billed"] = Decimal(str(entry.get("billed") or 0)) + change
            if members:
                copied["members"] = members
            lines.append(copied)
        changed = {**source, "lines": lines, "status": status}
        self._store.write_order(changed, stamp=self._store.options.billing_stamps_order)

    def _billable(self, order: Order) -> None:
        letters = "BDEF" if self._store.options.advance_billing else "EF"
        if order.status == "G":
            raise refusals.access(f"The sales order {order.number} has already been processed.")
        if order.status not in letters:
            raise refusals.access(
                f"The sales order {order.number} cannot be transformed to an invoice in its status {order.status}."
            )

    def _order_header(self, order: Order, row: Mapping[str, object]) -> Fields:
        """What an invoice takes over from its order."""
        today = self._store.today
        header: Fields = {
            "memo": row.get("memo"),
            "otherRefNum": row.get("otherrefnum"),
            "email": row.get("email"),
            "startDate": resolve_date(order.start_date, today).isoformat() if order.start_date else None,
            "endDate": resolve_date(order.end_date, today).isoformat() if order.end_date else None,
            "terms": {"id": str(row["terms"])} if row.get("terms") is not None else None,
        }
        header |= {name: value for name, value in row.items() if name.startswith("custbody")}
        return {name: value for name, value in header.items() if value is not None}

    # Written by hand.

    def written(self, record: str, fields: Fields) -> Transaction:
        """An invoice or a credit memo from a POST."""
        customer = self._headers.references.customer(fields, "entity")
        currency = self._headers.currency(fields, customer)
        subsidiary = self._headers.subsidiary(fields, customer)
        lines = [
            self.sent_line(line, place, currency, f"item.items[{place - 1}]")
            for place, line in enumerate(lines_of(fields, "item"), 1)
        ]
        if not lines:
            raise refusals.access("You must enter at least one line item for this transaction.")
        lines += self._header_lines(fields, currency, len(lines))
        return self._draft(record, fields, customer, currency, subsidiary, lines)

    def memo_of_invoice(self, invoice: Transaction, fields: Fields, replaced: Iterable[str]) -> Transaction:
        """POST /invoice/{id}/!transform/creditMemo: the invoice's lines, changed by the lines that are sent.

        As in every transform a line with orderLine (here the invoice's line) edits the line that is there, quantity
        0 leaves it out, a line without a key is added, and replace=item keeps only what is sent.
        """
        if invoice.pending:
            raise refusals.access(f"The invoice {invoice.tran_id} is not approved.")
        customer = self._store.customers[invoice.entity or 0]
        copied = invoice.copy().lines
        taxes = [line for line in copied if line.kind is LineKind.TAX]
        lines = [line for line in copied if line.kind is not LineKind.TAX]
        net = _net(lines)
        for line in lines:
            line.order_line = line.line
        if "item" in replaced:
            lines = [line for line in lines if line.kind not in (LineKind.ITEM, LineKind.TEXT, LineKind.COMPONENT)]
        last = max((line.line for line in copied), default=0)
        for place, sent in enumerate(lines_of(fields, "item")):
            path = f"item.items[{place}]"
            if sent.get("orderLine") is None:
                last += 1
                lines.append(self.sent_line(sent, last, invoice.currency, path))
            else:
                self._edit_copied(lines, sent, invoice.currency, path)
        if not any(line.kind is LineKind.ITEM for line in lines):
            raise refusals.access("You must enter at least one line item for this transaction.")
        lines += self._header_lines(fields, invoice.currency, last)
        unit = self._store.chart.minor_unit(invoice.currency)
        for tax in taxes:
            if net and tax.amount is not None:
                tax.amount = (tax.amount * _net(lines) / net).quantize(unit, rounding=ROUND_HALF_UP)
        header = {"memo": invoice.fields.get("memo"), **fields}
        if "account" not in header:
            header["account"] = {"id": str(invoice.account)}
        lines += taxes
        found = self._draft(
            "creditMemo", header, customer, invoice.currency, invoice.subsidiary, lines, rate=invoice.rate
        )
        found.created_from = invoice.id
        return found

    def _edit_copied(self, lines: list[Line], sent: Fields, currency: int, path: str) -> None:
        key = sent["orderLine"]
        found = next((line for line in lines if line.order_line == key and line.kind is LineKind.ITEM), None)
        if found is None:
            raise refusals.no_matching_line("item", "orderLine", str(key))
        if sent.get("quantity") is not None and Decimal(sent["quantity"]) == 0:
            lines.remove(found)
            return
        changed = self._changed(found, sent, currency, path)
        changed.order_line = found.order_line
        lines[lines.index(found)] = changed

    def _draft(
        self,
        record: str,
        fields: Fields,
        customer: Customer,
        currency: int,
        subsidiary: int,
        lines: list[Line],
        rate: Decimal | None = None,
    ) -> Transaction:
        """`rate` is that of the document it is made from, whose taxes come along; None: written by hand."""
        headers = self._headers
        by_hand = rate is None
        headers.mandatory(record, fields)
        day, period = headers.dates(fields, receivables=True)
        if not headers.references.allows(customer, currency):
            raise refusals.invalid_value(currency, "currency")
        account = headers.receivable(fields, "account", customer, currency, subsidiary)
        if rate is None or fields.get("exchangeRate") is not None:
            rate = headers.rate(fields, currency, subsidiary, day)
        elif currency == self._store.chart.base_currency(subsidiary):
            rate = Decimal(1)
        found = Transaction(
            record=record,
            id=0,
            currency=currency,
            subsidiary=subsidiary,
            account=account.id,
            date=day,
            period=period,
            rate=rate,
            total=ZERO,
            status=self._first_status(record, fields),
            entity=customer.id,
            external_id=headers.external_id(fields, "transaction"),
            lines=lines,
            tax_details=lines_of(fields, "taxDetails"),
            fields={name: value for name, value in fields.items() if name not in _HEADER_ONLY and value is not None},
        )
        if record == "invoice":
            found.fields["dueDate"] = headers.due_date(fields, day)
        self._tax(found, by_hand)
        self.add_up(found)
        return found

    def _first_status(self, record: str, fields: Mapping[str, Any]) -> str:
        routed = record == "invoice" and self._store.options.approval_routing
        if not routed:
            return "A"
        wanted = choice_of(fields.get("approvalStatus"))
        return {"2": "A", "3": "E"}.get(wanted or "", "D")

    def add_up(self, each: Transaction) -> None:
        """The total from the lines; every amount must be one that the currency holds."""
        for place, line in enumerate(each.lines):
            if line.amount is not None:
                self._headers.amount(line.amount, each.currency, "amount", f"item.items[{place}].amount")
        each.total = sum((line.amount for line in each.lines if line.kind.posts and line.amount), ZERO)
        if each.total < 0:
            raise refusals.access("The total can not be negative.")

    def sent_line(self, sent: Fields, place: int, currency: int, path: str) -> Line:
        item_id = self._headers.references.id_of(sent, "item", "item", f"{path}.item")
        if item_id is None:
            raise refusals.enter_value("Item")
        item = self._store.items.get(item_id)
        if item is None:
            raise refusals.invalid_value(item_id, "item", f"{path}.item")
        amount, rate = self._sent_amount(sent, item, currency, path)
        quantity = sent.get("quantity")
        if quantity is None and item.type not in ("Discount", "Markup", "Payment"):
            quantity = 1
        kept = {
            name: value
            for name, value in sent.items()
            if name not in ("item", "quantity", "rate", "amount", "description", "line", "taxDetailsReference")
        }
        return Line(
            line=place,
            kind=LineKind.ITEM,
            item=item_id,
            item_type=item.type,
            amount=amount,
            quantity=None if quantity is None else Decimal(quantity),
            rate=None if rate is None else format(rate, "f"),
            description=sent.get("description", item.description),
            tax_reference=sent.get("taxDetailsReference"),
            fields=kept,
        )

    def _sent_amount(self, sent: Fields, item: Item, currency: int, path: str) -> tuple[Decimal, Decimal | None]:
        unit = self._store.chart.minor_unit(currency)
        quantity = Decimal(sent["quantity"]) if sent.get("quantity") is not None else Decimal(1)
        rate = Decimal(sent["rate"]) if sent.get("rate") is not None else None
        computed = None if rate is None else (quantity * rate).quantize(unit, rounding=ROUND_HALF_UP)
        amount = sent.get("amount")
        if amount is None or (self._store.options.recompute_amounts and computed is not None):
            if computed is None:
                raise refusals.enter_value("Amount")
            found = computed
        else:
            found = self._headers.amount(amount, currency, "amount", f"{path}.amount")
        if item.type in ("Discount", "Payment") and found > 0:
            found = -found
        return found, rate

    def _header_lines(self, fields: Fields, currency: int, last: int) -> list[Line]:
        """Discount, shipping and handling of the header."""
        lines: list[Line] = []
        if fields.get("discountItem") is not None:
            item = self._headers.references.id_of(fields, "discountItem", "item")
            rate = fields.get("discountRate")
            if rate is None:
                raise refusals.enter_value("Rate")
            amount = -abs(self._headers.amount(rate, currency, "discountRate"))
            lines.append(Line(last + 1, LineKind.HEADER_DISCOUNT, item, "Discount", amount, rate=str(amount)))
        for name, kind in (("shippingCost", LineKind.SHIPPING), ("handlingCost", LineKind.HANDLING)):
            if fields.get(name):
                amount = self._headers.amount(fields[name], currency, name)
                lines.append(Line(last + len(lines) + 1, kind, None, "ShipItem", amount, rate=str(amount)))
        return lines

    def edit(self, each: Transaction, fields: Fields, replaced: Iterable[str]) -> None:
        """Change a copy: lines with `line` are edited, lines without one are added, as keyed sublists are."""
        if each.record == "invoice" and each.pending and choice_of(fields.get("approvalStatus")) == "2":
            each.status = "A"
        lines = lines_of(fields, "item")
        if "item" in replaced:
            if any(line.order_line is not None for line in each.lines):
                raise refusals.access("The lines of an invoice of a sales order are not replaced by this stand-in.")
            each.lines = [line for line in each.lines if line.kind is not LineKind.ITEM]
        for place, sent in enumerate(lines):
            self._edit_line(each, sent, f"item.items[{place}]")
        if "taxDetails" in fields:
            each.tax_details = lines_of(fields, "taxDetails")
            last = max((line.line for line in each.lines), default=0)
            each.lines = [line for line in each.lines if line.kind is not LineKind.TAX]
            each.lines += self._sent_taxes(each, last)
        self.add_up(each)

    def _edit_line(self, each: Transaction, sent: Fields, path: str) -> None:
        last = max((line.line for line in each.lines), default=0)
        if sent.get("line") is None:
            each.lines.append(self.sent_line(sent, last + 1, each.currency, path))
            return
        found = next((line for line in each.lines if line.line == sent["line"] and line.kind is LineKind.ITEM), None)
        if found is None:
            raise refusals.no_matching_line("item", "line", str(sent["line"]))
        if found.order_line is not None and sent.get("quantity") not in (None, found.quantity):
            raise refusals.access("The quantity of a line of a sales order is not changed by this stand-in.")
        changed = self._changed(found, sent, each.currency, path)
        changed.order_line, changed.kit_of = found.order_line, found.kit_of
        each.lines[each.lines.index(found)] = changed

    def _changed(self, found: Line, sent: Fields, currency: int, path: str) -> Line:
        """The line with what was sent laid over it; the amount follows quantity and rate."""
        whole = {
            "item": {"id": str(found.item)},
            "quantity": found.quantity,
            "rate": None if found.rate is None or found.rate.endswith("%") else Decimal(found.rate),
            "description": found.description,
            "taxDetailsReference": found.tax_reference,
            **found.fields,
        }
        if not {"rate", "quantity", "amount"} & set(sent):
            whole["amount"] = found.amount
        return self.sent_line({**whole, **sent}, found.line, currency, path)

    # Tax.

    def _tax(self, each: Transaction, by_hand: bool) -> None:
        options = self._store.options
        last = max((line.line for line in each.lines), default=0)
        if options.tax_mode == "suitetax":
            if each.fields.get("taxDetailsOverride") or each.tax_details:
                each.lines = [line for line in each.lines if line.kind is not LineKind.TAX]
                each.lines += self._sent_taxes(each, last)
            return
        if not by_hand or options.legacy_tax_code is None:
            return
        code = next((each for each in self._store.world.tax_codes if each.name == options.legacy_tax_code), None)
        if code is None:
            raise refusals.enter_value("Tax Code")
        net = sum((line.amount for line in each.lines if line.kind.posts and line.amount), ZERO)
        unit = self._store.chart.minor_unit(each.currency)
        amount = (net * code.rate / 100).quantize(unit, rounding=ROUND_HALF_UP)
        each.lines.append(
            Line(last + 1, LineKind.TAX, code.id, "TaxItem", amount, description=code.name, tax_code=code.name)
        )

    def _sent_taxes(self, each: Transaction, last: int) -> list[Line]:
        """SuiteTax's details as sent: each points at a line by its taxDetailsReference."""
        known = {line.tax_reference for line in each.lines if line.tax_reference}
        found: list[Line] = []
        for place, detail in enumerate(each.tax_details):
            path = f"taxDetails.items[{place}]"
            reference = choice_of(detail.get("taxDetailsReference"))
            if reference not in known:
                raise refusals.invalid_value(reference, "taxDetailsReference", f"{path}.taxDetailsReference")
            if detail.get("taxAmount") is None:
                raise refusals.enter_value("Tax Amount")
            amount = self._headers.amount(detail["taxAmount"], each.currency, "taxAmount", f"{path}.taxAmount")
            found.append(
                Line(
                    last + place + 1,
                    LineKind.TAX,
                    None,
                    "TaxItem",
                    amount,
                    rate=None if detail.get("taxRate") is None else f"{detail['taxRate']}%",
                    tax_reference=reference,
                )
            )
        return found


def _net(lines: list[Line]) -> Decimal:
    return sum((line.amount for line in lines if line.kind.posts and line.amount), ZERO)


def _dicts(value: object) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
