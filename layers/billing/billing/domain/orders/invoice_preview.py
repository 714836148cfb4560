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

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe, without floats; from_dict gives an equal one."""
        return {
            "total": str(self.total),
            "lines": [
                [one.line, None if one.quantity is None else str(one.quantity), str(one.amount)] for one in self.lines
            ],
            "shipping": str(self.shipping),
            "discount": str(self.discount),
            "tax": None if self.tax is None else str(self.tax),
            "refused": self.refused,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> InvoicePreview:
        """What to_dict wrote. Raises PreviewUnreadable."""
        try:
            return cls(
                Decimal(data["total"]),
                tuple(
                    PreviewLine(line, None if quantity is None else Decimal(quantity), Decimal(amount))
                    for line, quantity, amount in data["lines"]
                ),
                Decimal(data["shipping"]),
                Decimal(data["discount"]),
                None if data["tax"] is None else Decimal(data["tax"]),
                str(data["refused"]),
            )
        except (KeyError, TypeError, ValueError, ArithmeticError) as error:
            raise PreviewUnreadable(f"the stored preview of an invoice cannot be read: {error}") from error


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
