"""Reads one sales order of a world file (see README.md), or says which field of which order is wrong."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal

from tests.sandbox.netsuite.record_ids import Ids
from tests.sandbox.netsuite.world import (
    Charge,
    Component,
    Currency,
    Customer,
    DiscountLine,
    GroupLine,
    HeaderDiscount,
    Item,
    ItemLine,
    Line,
    Order,
    RawValue,
    SubtotalLine,
    TaxCode,
    Term,
    TextLine,
)
from tests.sandbox.netsuite.world_fields import Fields, WorldError

ITEM_TYPES = frozenset(
    "Group Description Discount EndGroup GiftCert Subtotal Service ShipItem TaxItem InvtPart Payment Expense "
    "NonInvtPart TaxGroup Kit Markup DwnLdItem OthCharge Assembly SubscriPlan".split()
)
STATUSES = frozenset("ABCDEFGH")


class OrderReader:
    """Reads orders against the lists of a world; also used for orders added or edited later."""

    def __init__(
        self,
        currencies: tuple[Currency, ...],
        terms: tuple[Term, ...],
        customers: tuple[Customer, ...],
        items: tuple[Item, ...],
        tax_codes: tuple[TaxCode, ...],
    ) -> None:
        self._currencies = {currency.symbol: currency for currency in currencies}
        self._terms = {term.name for term in terms}
        self._customers = {customer.number for customer in customers}
        self._items = {item.name: item for item in items}
        self._tax_codes = {code.name for code in tax_codes}

    def know_customer(self, number: str) -> None:
        """Let later orders name a customer that was added after the world was loaded."""
        self._customers.add(number)

    def know_item(self, item: Item) -> None:
        """Let later orders name an item that was added after the world was loaded."""
        self._items[item.name] = item

    def read(self, data: object, order_id: int, first_new_line: int = 1) -> tuple[Order, dict[str, object]]:
        """The order, and its JSON with the line ids filled in: new ones from `first_new_line`. WorldError."""
        number = data.get("number") if isinstance(data, Mapping) else None
        fields = Fields(f"order {number or f'with id {order_id}'}", data)
        lenient = fields.flag("lenient")
        fields.lenient = lenient
        fields.get("id")
        status = fields.text("status")
        if status not in STATUSES:
            raise fields.wrong("status", f"must be one letter of {''.join(sorted(STATUSES))}, not {status!r}")
        currency = self._currency(fields, lenient)
        default_tax = self._tax_code(fields, "taxCode", None)
        source = copy.deepcopy(dict(data)) if isinstance(data, Mapping) else {}
        lines = self._lines(fields, source, currency, default_tax, first_new_line)
        date = fields.optional_date("date")
        if date is None:
            raise fields.wrong("date", 'is missing; give "2026-05-12" or {"month": -1, "day": 12}')
        order = Order(
            id=order_id,
            number=fields.text("number"),
            status=status,
            date=date,
            customer=self._known(fields, "customer", self._customers, "customers", required=not lenient),
            currency=fields.optional_text("currency"),
            lines=lines,
            terms=self._known(fields, "terms", self._terms, "terms", required=False),
            exchange_rate=fields.optional_quantity("exchangeRate"),
            po_number=fields.optional_text("poNumber"),
            memo=fields.optional_text("memo"),
            email=fields.optional_text("email"),
            external_id=fields.optional_text("externalId"),
            start_date=fields.optional_date("startDate"),
            end_date=fields.optional_date("endDate"),
            created=fields.optional_date("created"),
            modified=fields.optional_text("modified"),
            subsidiary=fields.optional_text("subsidiary"),
            shipping=self._charge(fields, "shipping", currency),
            handling=self._charge(fields, "handling", currency),
            discount=self._header_discount(fields, currency, default_tax),
            tax_amounts=self._tax_amounts(fields, currency),
            total=fields.optional_decimal("total"),
            billing_schedule=fields.optional_text("billingSchedule"),
            next_bill=fields.optional_date("nextBill"),
            lenient=lenient,
            custom=custom_fields(fields, "custbody"),
            raw=fields.raw_values("raw"),
        )
        fields.end()
        source["id"] = order_id
        return order, source

    def _currency(self, fields: Fields, lenient: bool) -> Currency:
        symbol = fields.optional_text("currency")
        if symbol in self._currencies:
            return self._currencies[symbol]
        if symbol is None and lenient:
            return Currency(0, "", "", 2)
        known = ", ".join(self._currencies)
        raise fields.wrong("currency", f"must be one of the world's currencies ({known}), not {symbol!r}")

    def _known(self, fields: Fields, name: str, known: set[str], list_name: str, required: bool) -> str | None:
        value = fields.optional_text(name)
        if value is None and not required:
            return None
        if value not in known:
            raise fields.wrong(name, f"{value!r} is not in the world's '{list_name}'; add it there")
        return value

    def _tax_code(self, fields: Fields, name: str, default: str | None) -> str | None:
        if not fields.explicit(name):
            fields.get(name)
            return default
        return self._known(fields, name, self._tax_codes, "taxCodes", required=False)

    def _item(self, fields: Fields, name: str, kinds: frozenset[str], default: str | None = None) -> Item:
        value = fields.optional_text(name) or default
        item = self._items.get(value or "")
        if item is None:
            raise fields.wrong(name, f"{value!r} is not in the world's 'items'; add it there")
        if item.type not in kinds:
            raise fields.wrong(name, f"{item.name!r} has type {item.type}, which does not belong here")
        return item

    def _lines(
        self,
        fields: Fields,
        source: dict[str, object],
        currency: Currency,
        tax: str | None,
        first_new_line: int,
    ) -> tuple[Line, ...]:
        lenient = fields.lenient
        given = fields.objects("lines")
        if not given and not lenient:
            raise fields.wrong("lines", "is missing or empty; give at least one line")
        written = [dict(line) if isinstance(line, Mapping) else line for line in given]
        flat: list[dict[str, object]] = []
        for line in written:
            if isinstance(line, dict):
                flat.append(line)
                if isinstance(line.get("members"), list):
                    line["members"] = [dict(m) if isinstance(m, Mapping) else m for m in line["members"]]
                    flat.extend(member for member in line["members"] if isinstance(member, dict))
        ids = Ids(first_new_line)
        for entry in flat:
            if entry.get("id") is not None:
                line_id = Fields(f"{fields.where}, a line", entry).optional_whole("id")
                ids.take(line_id, f"{fields.where}, line {entry['id']}")
        for entry in flat:
            if entry.get("id") is None:
                entry["id"] = ids.take(None, f"{fields.where}, a line")
        source["lines"] = written
        return tuple(
            self._line(Fields(f"{fields.where}, line {place}", line, lenient), currency, tax)
            for place, line in enumerate(written, 1)
        )

    def _line(self, fields: Fields, currency: Currency, tax: str | None) -> Line:
        line_id = fields.optional_whole("id") or 0
        line: Line
        if fields.has("text"):
            line = TextLine(line_id, fields.text("text"))
        elif fields.flag("subtotal"):
            line = SubtotalLine(line_id, fields.optional_text("description"))
        elif fields.has("group"):
            item = self._item(fields, "group", frozenset({"Group"}))
            members = tuple(
                self._simple_line(Fields(f"{fields.where}, member {place}", member, fields.lenient), currency, tax)
                for place, member in enumerate(fields.objects("members"), 1)
            )
            quantity = fields.optional_quantity("quantity")
            text = fields.optional_text("description") or item.description
            line = GroupLine(line_id, item.name, members, quantity if quantity is not None else Decimal(1), text)
        else:
            return self._simple_line(fields, currency, tax)
        fields.end()
        return line

    def _simple_line(self, fields: Fields, currency: Currency, tax: str | None) -> ItemLine | DiscountLine:
        line_id = fields.optional_whole("id") or 0
        closed = fields.flag("closed")
        tax_code = self._tax_code(fields, "taxCode", tax)
        raw = fields.raw_values("raw")
        line: ItemLine | DiscountLine
        if fields.has("discount"):
            item = self._item(fields, "item", frozenset({"Discount"}), default="Discount")
            percent, amount = _percent_or_amount(fields, "discount", currency)
            text = fields.optional_text("description") or item.description
            line = DiscountLine(line_id, item.name, percent, amount, closed, tax_code, text, raw)
        else:
            item = self._item(fields, "item", ITEM_TYPES - {"Group", "EndGroup", "Subtotal", "Description"})
            quantity = fields.optional_quantity("quantity")
            rate = fields.optional_quantity("rate")
            amount = self._line_amount(fields, currency, quantity, rate, raw)
            billed = fields.optional_quantity("billed") or Decimal(0)
            if quantity is not None and billed > quantity and not fields.lenient:
                raise fields.wrong("billed", f"{billed} is more than the quantity {quantity}")
            line = ItemLine(
                id=line_id,
                item=item.name,
                quantity=quantity,
                rate=rate,
                amount=amount,
                billed=billed,
                fulfilled=fields.optional_quantity("fulfilled"),
                closed=closed,
                tax_code=tax_code,
                description=fields.optional_text("description") or item.description,
                components=self._components(fields, item, currency),
                department=fields.optional_text("department"),
                class_name=fields.optional_text("class"),
                location=fields.optional_text("location"),
                unit=fields.optional_text("unit"),
                service_start=fields.optional_date("serviceStart"),
                service_end=fields.optional_date("serviceEnd"),
                billing_schedule=fields.optional_text("billingSchedule"),
                custom=custom_fields(fields, "custcol"),
                raw=raw,
            )
        fields.end()
        return line

    def _line_amount(
        self,
        fields: Fields,
        currency: Currency,
        quantity: Decimal | None,
        rate: Decimal | None,
        raw: dict[str, RawValue],
    ) -> Decimal | None:
        """The written amount, else quantity x rate, rounded half up as NetSuite rounds a line."""
        if fields.lenient and fields.has("amount"):
            try:
                return fields.optional_amount("amount", 6)
            except WorldError:
                # A lenient order may carry what no person types: the words go into the row as they are.
                raw.setdefault("foreignamount", str(fields.get("amount")))
                return None
        amount = fields.optional_amount("amount", currency.decimals)
        if amount is None and quantity is not None and rate is not None:
            amount = (quantity * rate).quantize(currency.minor_unit, rounding=ROUND_HALF_UP)
        if amount is None and not fields.lenient:
            raise fields.wrong("amount", "is missing; give an amount, or a quantity and a rate")
        return amount

    def _components(self, fields: Fields, item: Item, currency: Currency) -> tuple[Component, ...]:
        components: list[Component] = []
        for place, data in enumerate(fields.objects("components"), 1):
            inner = Fields(f"{fields.where}, component {place}", data)
            component = self._item(inner, "item", ITEM_TYPES)
            quantity = inner.optional_quantity("quantity")
            amount = inner.optional_amount("amount", currency.decimals)
            components.append(Component(component.name, quantity or Decimal(1), amount))
            inner.end()
        if components and item.type not in ("Kit", "Assembly"):
            raise fields.wrong("components", f"only a Kit or an Assembly has them; {item.name} is {item.type}")
        return tuple(components)

    def _charge(self, fields: Fields, name: str, currency: Currency) -> Charge | None:
        value = fields.get(name)
        if value is None:
            return None
        if not isinstance(value, Mapping):
            value = {"amount": value}
        inner = Fields(f"{fields.where}, field '{name}'", value)
        amount = inner.optional_amount("amount", currency.decimals)
        if amount is None:
            raise inner.wrong("amount", 'is missing; give an amount such as "25.00"')
        kind = frozenset({"ShipItem"})
        item = self._item(inner, "item", kind, default="Shipping" if name == "shipping" else "Handling")
        charge = Charge(amount, item.name, self._tax_code(inner, "taxCode", None))
        inner.end()
        return charge

    def _header_discount(self, fields: Fields, currency: Currency, tax: str | None) -> HeaderDiscount | None:
        value = fields.get("discount")
        if value is None:
            return None
        if not isinstance(value, Mapping):
            value = {"value": value}
        inner = Fields(f"{fields.where}, field 'discount'", value)
        percent, amount = _percent_or_amount(inner, "value", currency)
        item = self._item(inner, "item", frozenset({"Discount"}), default="Discount")
        discount = HeaderDiscount(item.name, percent, amount, self._tax_code(inner, "taxCode", tax))
        inner.end()
        return discount

    def _tax_amounts(self, fields: Fields, currency: Currency) -> dict[str, Decimal]:
        amounts: dict[str, Decimal] = {}
        value = fields.get("taxAmounts")
        if value is None:
            return amounts
        inner = Fields(f"{fields.where}, field 'taxAmounts'", value)
        for name in value if isinstance(value, Mapping) else ():
            if name not in self._tax_codes:
                raise inner.wrong(str(name), "is not in the world's 'taxCodes'; add it there")
            amount = inner.optional_amount(str(name), currency.decimals)
            if amount is not None:
                amounts[str(name)] = amount
        inner.end()
        return amounts


def _percent_or_amount(fields: Fields, name: str, currency: Currency) -> tuple[Decimal | None, Decimal | None]:
    """ "10%" is a percentage, "50.00" an amount."""
    value = fields.get(name)
    if isinstance(value, str) and value.endswith("%"):
        percent = Fields(fields.where, {name: value[:-1].strip()}).optional_quantity(name)
        return percent, None
    amount = fields.optional_amount(name, currency.decimals)
    if amount is None:
        raise fields.wrong(name, 'must be a percentage such as "10%" or an amount such as "50.00"')
    return None, amount


def custom_fields(fields: Fields, prefix: str) -> dict[str, RawValue]:
    values = fields.raw_values("custom")
    for name in values:
        if not name.startswith(prefix) or name != name.lower():
            raise fields.wrong("custom", f"'{name}' must be lower case and begin with '{prefix}'")
    return values
