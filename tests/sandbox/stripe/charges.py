"""What an invoice item charges: read from its parameters, checked whole, and only then written.

Everything is planned before anything is stored, so that a request with one bad line leaves no trace.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tests.sandbox.stripe.amounts import line_amount
from tests.sandbox.stripe.catalogue import (
    check_step,
    find_or_mint_tax_rate,
    mint_price,
    mint_product,
    unit_amount,
)
from tests.sandbox.stripe.errors import Refusal, missing_parameter, no_such
from tests.sandbox.stripe.metadata import merged
from tests.sandbox.stripe.records import Item, Json, TaxAmount
from tests.sandbox.stripe.store import Store

WAYS = ("amount", "price_data", "pricing", "unit_amount_decimal", "invoice_item")


@dataclass(frozen=True)
class Charge:
    """A checked charge: `price` and `product` are ids that exist, or None where one is to be minted."""

    amount: int
    currency: str
    unit_amount: Decimal
    quantity: Decimal
    price: str | None
    product: str | None
    product_data: dict[str, Any]
    tax_behavior: str
    description: str | None


def exclusive(params: dict[str, Any], names: tuple[str, ...], where: str) -> str | None:
    """The one of `names` that was sent; refuses two, in the words recorded from the real API."""
    sent = [name for name in names if name in params]
    if len(sent) > 1:
        raise Refusal(f"You may only specify one of these parameters: {', '.join(sent)}.", param=at(where, sent[0]))
    return sent[0] if sent else None


def at(where: str, name: str) -> str:
    return f"{where}[{name}]" if where else name


def plan(
    store: Store, params: dict[str, Any], currency: str | None, where: str, quantity: Decimal = Decimal(1)
) -> Charge | None:
    """The charge that the parameters describe, or None if they describe none.

    `currency` is the one it must be in, if that is settled; `quantity` stands in where none is sent.
    """
    way = exclusive(params, WAYS, where)
    sent_quantity = exclusive(params, ("quantity", "quantity_decimal"), where)
    if way == "amount" and sent_quantity:
        exclusive(params, ("amount", sent_quantity), where)
    if sent_quantity:
        quantity = Decimal(params[sent_quantity])
    charge: Charge
    if way is None or way == "invoice_item":
        return None
    if way == "amount":
        if currency is None:
            raise missing_parameter(at(where, "currency"))
        check_step(params["amount"], currency, at(where, "amount"))
        charge = Charge(
            params["amount"], currency, Decimal(params["amount"]), Decimal(1), None, None, {},
            params.get("tax_behavior", "unspecified"), None,
        )  # fmt: skip
    elif way == "unit_amount_decimal":
        if currency is None:
            raise missing_parameter(at(where, "currency"))
        unit = params["unit_amount_decimal"]
        charge = Charge(
            line_amount(unit, quantity), currency, unit, quantity, None, None, {},
            params.get("tax_behavior", "unspecified"), None,
        )  # fmt: skip
    elif way == "pricing":
        charge = _by_price(store, params["pricing"].get("price"), quantity, where)
    else:
        charge = _by_price_data(store, params["price_data"], quantity, at(where, "price_data"))
    if currency is not None and charge.currency != currency:
        raise Refusal(
            f"The price specified is in `{charge.currency}`, but this invoice is in `{currency}`: all lines "
            "of an invoice must be in its currency.",
            param=at(where, way),
        )
    check_step(charge.amount, charge.currency, at(where, way))
    return charge


def _by_price(store: Store, identifier: str | None, quantity: Decimal, where: str) -> Charge:
    price = store.prices.get(identifier or "")
    if price is None:
        raise no_such("price", identifier or "", f"{at(where, 'pricing')}[price]")
    if not price["active"]:
        raise Refusal(
            "The price specified is inactive. This field only accepts active prices.",
            param=f"{at(where, 'pricing')}[price]",
        )
    unit = Decimal(price["unit_amount_decimal"])
    name = store.products[price["product"]]["name"]
    return Charge(
        line_amount(unit, quantity),
        price["currency"],
        unit,
        quantity,
        price["id"],
        price["product"],
        {},
        price["tax_behavior"],
        name,
    )


def _by_price_data(store: Store, data: dict[str, Any], quantity: Decimal, where: str) -> Charge:
    if exclusive(data, ("product", "product_data"), where) is None:
        raise missing_parameter(at(where, "product"))
    unit = unit_amount(data, where)
    product = data.get("product")
    if product is not None and product not in store.products:
        raise no_such("product", product, at(where, "product"))
    name = store.products[product]["name"] if product else data["product_data"]["name"]
    return Charge(
        line_amount(unit, quantity),
        data["currency"],
        unit,
        quantity,
        None,
        product,
        data.get("product_data", {}),
        data.get("tax_behavior", "unspecified"),
        name,
    )


def check_taxes(store: Store, params: dict[str, Any], automatic: bool, where: str) -> None:
    """Refuse unknown or archived tax rates, and any mixture of the three ways to tax."""
    sent = exclusive(
        {name: True for name in ("tax_rates", "tax_amounts") if params.get(name)},
        ("tax_amounts", "tax_rates"),
        where,
    )
    if sent and automatic:
        raise Refusal(f"You cannot set {sent} on an invoice with automatic tax enabled.", param=at(where, sent))
    check_tax_rates(store, params.get("tax_rates") or [], at(where, "tax_rates"))


def check_tax_rates(store: Store, identifiers: list[str], param: str) -> None:
    for index, identifier in enumerate(identifiers):
        rate = store.tax_rates.get(identifier)
        if rate is None:
            raise no_such("tax rate", identifier, f"{param}[{index}]")
        if not rate["active"]:
            raise Refusal(f"The tax rate {identifier} is archived and cannot be used anew.", param=f"{param}[{index}]")


def check_period(params: dict[str, Any], where: str) -> None:
    period = params.get("period")
    if period and period["end"] < period["start"]:
        raise Refusal("The period's end must not be before its start.", param=f"{at(where, 'period')}[end]")


def mint(store: Store, charge: Charge, description: str | None) -> tuple[str, str]:
    """Ids of price and product; a charge without a price gets a one-off one, as Stripe makes them."""
    product = charge.product or mint_product(
        store,
        charge.product_data or {"name": description or "Invoice item"},
        active=bool(charge.product_data),
    )
    price = charge.price or mint_price(store, product, charge.currency, charge.unit_amount, charge.tax_behavior)
    return price, product


def new_item(store: Store, customer: str, charge: Charge, params: dict[str, Any]) -> Item:
    """Store a new, still pending, item."""
    description = params.get("description") or charge.description
    price, product = mint(store, charge, description)
    period = params.get("period") or {"start": store.now, "end": store.now}
    item = Item(
        id=store.new_id("ii"),
        line_id=store.new_id("il"),
        customer=customer,
        invoice=None,
        created=store.now,
        currency=charge.currency,
        amount=charge.amount,
        unit_amount=charge.unit_amount,
        quantity=charge.quantity,
        price=price,
        product=product,
        description=description,
        # "False by default for negative invoice items, true for all others" (Stripe's docs)
        discountable=params.get("discountable", charge.amount >= 0),
        metadata=merged({}, params.get("metadata", {})),
        period_start=period["start"],
        period_end=period["end"],
        tax_behavior=charge.tax_behavior,
    )
    apply_taxes(store, item, params)
    store.items[item.id] = item
    return item


def apply_taxes(store: Store, item: Item, params: dict[str, Any]) -> None:
    if "tax_rates" in params:
        item.tax_rates = params["tax_rates"] or None
        if item.tax_rates:
            item.tax_amounts = None
    if "tax_amounts" in params:
        item.tax_amounts = [_tax_amount(store, tax) for tax in params["tax_amounts"] or []] or None
        if item.tax_amounts:
            item.tax_rates = None


def _tax_amount(store: Store, tax: Json) -> TaxAmount:
    rate = find_or_mint_tax_rate(store, tax["tax_rate_data"])
    reason = tax.get("taxability_reason") or ("standard_rated" if tax["amount"] else "zero_rated")
    return TaxAmount(rate, tax["amount"], tax["taxable_amount"], reason)


@dataclass(frozen=True)
class ItemChange:
    """A checked change of an item, not yet written."""

    item: Item
    charge: Charge | None
    params: dict[str, Any]

    def write(self, store: Store) -> None:
        item, params = self.item, self.params
        if self.charge is not None:
            item.price, item.product = mint(store, self.charge, params.get("description") or item.description)
            item.amount, item.unit_amount = self.charge.amount, self.charge.unit_amount
            item.quantity, item.tax_behavior = self.charge.quantity, self.charge.tax_behavior
        if "description" in params:
            item.description = params["description"]
        if "discountable" in params:
            item.discountable = params["discountable"]
        if "metadata" in params:
            item.metadata = merged(item.metadata, params["metadata"])
        if "period" in params:
            item.period_start, item.period_end = params["period"]["start"], params["period"]["end"]
        if "tax_behavior" in params:
            item.tax_behavior = params["tax_behavior"]
        apply_taxes(store, item, params)


def plan_change(store: Store, item: Item, params: dict[str, Any], automatic: bool, where: str) -> ItemChange:
    """Check a change of an item; a quantity alone multiplies the unit amount that the item has."""
    check_taxes(store, params, automatic, where)
    check_period(params, where)
    charge = plan(store, params, item.currency, where, item.quantity)
    quantity = params.get("quantity_decimal", params.get("quantity"))
    if charge is None and quantity is not None:
        charge = Charge(
            line_amount(item.unit_amount, Decimal(quantity)), item.currency, item.unit_amount,
            Decimal(quantity), item.price, item.product, {}, item.tax_behavior, item.description,
        )  # fmt: skip
        check_step(charge.amount, charge.currency, at(where, "quantity"))
    merged(item.metadata, params.get("metadata", {}), at(where, "metadata"))
    return ItemChange(item, charge, params)
