"""The invoice that NetSuite would make of an order, as its record API shows it without saving it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any


class PreviewUnreadable(ValueError):
    """An answer, or a stored preview, that is not what this version writes."""


@dataclass(frozen=True, slots=True)
class PreviewLine:
    """A line of the order as the invoice would bill it: the order's line id, quantity, and amount in major units."""

    line: str
    quantity: Decimal | None
    amount: Decimal


@dataclass(frozen=True, slots=True)
class InvoicePreview:
    """Amounts in major units of the order's currency, in the sense of an invoice. `discount` is that of the whole
    order. `tax` is None where the account shows none (legacy tax): `total` then tells it. `refused` is NetSuite's own
    sentence where it would not make the invoice; nothing else counts then.
    """

    total: Decimal = Decimal(0)
    lines: tuple[PreviewLine, ...] = ()
    shipping: Decimal = Decimal(0)
    discount: Decimal = Decimal(0)
    tax: Decimal | None = None
    refused: str = ""


def preview_of_record(record: Mapping[str, Any]) -> InvoicePreview:
    """The preview in the record API's answer to a transform with `type=create-form` and expanded sublists.

    Source: Oracle's help, "Using Create-Form" (article_1217103046) and the invoice of the REST API Browser:
    `item.items` with `orderLine`, `quantity` and `amount` (discounts and payments negative), `shippingCost`,
    `handlingCost`, `discountTotal` (negative), `taxTotal` (SuiteTax only, as REST shows no legacy tax), `total`. Raises
    PreviewUnreadable.
    """
    sublist = record.get("item")
    items = sublist.get("items") if isinstance(sublist, Mapping) else None
    if not isinstance(items, list) or "total" not in record:
        raise PreviewUnreadable("NetSuite's preview has no lines or no total")
    lines = [
        PreviewLine(str(item["orderLine"]), _number(item, "quantity"), _number(item, "amount") or Decimal(0))
        for item in items
        if isinstance(item, Mapping) and item.get("orderLine") is not None
    ]
    return InvoicePreview(
        total=_number(record, "total") or Decimal(0),
        lines=tuple(lines),
        shipping=(_number(record, "shippingCost") or Decimal(0)) + (_number(record, "handlingCost") or Decimal(0)),
        discount=-abs(_number(record, "discountTotal") or Decimal(0)),
        tax=_number(record, "taxTotal"),
    )


def _number(record: Mapping[str, Any], name: str) -> Decimal | None:
    value = record.get(name)
    if value is None:
        return None
    try:
        # JSON numbers arrive as floats; their shortest writing is the number that NetSuite wrote.
        number = Decimal(str(value))
    except ArithmeticError:
        number = Decimal("NaN")
    if not number.is_finite():
        raise PreviewUnreadable(f"NetSuite's preview has a {name} that is no number")
    return number
