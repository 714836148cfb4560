"""Products, prices and tax rates: the endpoints, and what lines mint on the way."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.sandbox.stripe import currencies
from tests.sandbox.stripe.endpoint import Exchange
from tests.sandbox.stripe.errors import Refusal, missing_parameter, no_such
from tests.sandbox.stripe.kinds import within
from tests.sandbox.stripe.metadata import merged
from tests.sandbox.stripe.paging import page
from tests.sandbox.stripe.records import Json
from tests.sandbox.stripe.shapes import plain
from tests.sandbox.stripe.store import Store


def mint_product(store: Store, data: dict[str, Any], active: bool = True) -> str:
    identifier = store.new_id("prod")
    store.products[identifier] = {
        "id": identifier,
        "object": "product",
        "active": active,
        "created": store.now,
        "default_price": None,
        "description": data.get("description"),
        "images": data.get("images", []),
        "livemode": False,
        "marketing_features": [],
        "metadata": merged({}, data.get("metadata", {})),
        "name": data["name"],
        "package_dimensions": None,
        "shippable": None,
        "statement_descriptor": None,
        "tax_code": data.get("tax_code"),
        "unit_label": data.get("unit_label"),
        "updated": store.now,
        "url": None,
    }
    return identifier


def mint_price(
    store: Store, product: str, currency: str, unit_amount: Decimal, tax_behavior: str, active: bool = False
) -> str:
    """A one-off price; those minted by lines are inactive, as Stripe's are."""
    identifier = store.new_id("price")
    whole = unit_amount == unit_amount.to_integral_value()
    store.prices[identifier] = {
        "id": identifier,
        "object": "price",
        "active": active,
        "billing_scheme": "per_unit",
        "created": store.now,
        "currency": currency,
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": None,
        "metadata": {},
        "nickname": None,
        "product": product,
        "recurring": None,
        "tax_behavior": tax_behavior,
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "one_time",
        "unit_amount": int(unit_amount) if whole else None,
        "unit_amount_decimal": plain(unit_amount),
    }
    return identifier


def unit_amount(data: dict[str, Any], where: str) -> Decimal:
    """Exactly one of unit_amount and unit_amount_decimal, in minor units, checked against the currency."""
    names = [name for name in ("unit_amount", "unit_amount_decimal") if name in data]
    if len(names) == 2:
        raise Refusal(
            "You may only specify one of these parameters: unit_amount, unit_amount_decimal.",
            param=f"{where}[unit_amount]" if where else "unit_amount",
        )
    if not names:
        raise missing_parameter(f"{where}[unit_amount]" if where else "unit_amount")
    amount = Decimal(data[names[0]])
    if names[0] == "unit_amount":
        check_step(int(amount), data["currency"], f"{where}[unit_amount]" if where else "unit_amount")
    return amount


def check_step(amount: int, currency: str, param: str) -> None:
    """Refuse what the currency cannot hold: ISK and UGX divide by 100, three-decimal ones end in 0."""
    step = currencies.step(currency)
    if amount % step:
        raise Refusal(
            f"Invalid amount: {currency.upper()} amounts must be evenly divisible by {step}, but {amount} is not.",
            code="parameter_invalid_integer",
            param=param,
        )


def find_or_mint_tax_rate(store: Store, data: dict[str, Any]) -> str:
    """The tax rate of a line's tax_rate_data; an equal one is used again (Stripe's docs on tax_amounts)."""
    wanted = _tax_rate(data, active=False)
    for identifier, rate in store.tax_rates.items():
        if all(rate[key] == value for key, value in wanted.items()):
            return identifier
    return mint_tax_rate(store, data, active=False)


def mint_tax_rate(store: Store, data: dict[str, Any], active: bool, identifier: str | None = None) -> str:
    identifier = identifier or store.new_id("txr")
    store.tax_rates[identifier] = {
        "id": identifier,
        "object": "tax_rate",
        "created": store.now,
        "livemode": False,
        "metadata": merged({}, data.get("metadata", {})),
        **_tax_rate(data, active),
    }
    return identifier


def _tax_rate(data: dict[str, Any], active: bool) -> Json:
    percentage = data["percentage"]
    shown = int(percentage) if percentage == percentage.to_integral_value() else float(percentage)
    return {
        "active": active,
        "country": data.get("country"),
        "description": data.get("description"),
        "display_name": data["display_name"],
        "effective_percentage": None,
        "flat_amount": None,
        "inclusive": data["inclusive"],
        "jurisdiction": data.get("jurisdiction"),
        "jurisdiction_level": data.get("jurisdiction_level"),
        "percentage": shown,
        "rate_type": "percentage",
        "state": data.get("state"),
        "tax_type": data.get("tax_type"),
    }


def create_tax_rate(call: Exchange) -> Json:
    identifier = mint_tax_rate(call.store, call.params, call.params.get("active", True))
    return call.store.tax_rates[identifier]


def _tax_rate_named(call: Exchange) -> Json:
    if call.ids[0] not in call.store.tax_rates:
        raise no_such("tax rate", call.ids[0], "tax_rate", 404)
    return call.store.tax_rates[call.ids[0]]


def retrieve_tax_rate(call: Exchange) -> Json:
    return _tax_rate_named(call)


def update_tax_rate(call: Exchange) -> Json:
    rate = _tax_rate_named(call)
    for name, value in call.params.items():
        if name == "metadata":
            rate["metadata"] = merged(rate["metadata"], value)
        elif name != "expand":
            rate[name] = value
    return rate


def list_tax_rates(call: Exchange) -> Json:
    params = call.params
    rates = [
        rate
        for rate in reversed(list(call.store.tax_rates.values()))
        if rate["active"] == params.get("active", rate["active"])
        and rate["inclusive"] == params.get("inclusive", rate["inclusive"])
        and within(rate["created"], params.get("created", {}))
    ]
    return page(rates, params, "/v1/tax_rates", "tax rate", lambda rate: str(rate["id"]), dict)


def create_product(call: Exchange) -> Json:
    return call.store.products[mint_product(call.store, call.params, call.params.get("active", True))]


def retrieve_product(call: Exchange) -> Json:
    if call.ids[0] not in call.store.products:
        raise no_such("product", call.ids[0], "id", 404)
    return call.store.products[call.ids[0]]


def list_products(call: Exchange) -> Json:
    products = [
        product
        for product in reversed(list(call.store.products.values()))
        if product["active"] == call.params.get("active", product["active"])
        and within(product["created"], call.params.get("created", {}))
    ]
    return page(products, call.params, "/v1/products", "product", lambda product: str(product["id"]), dict)


def create_price(call: Exchange) -> Json:
    params, store = call.params, call.store
    if ("product" in params) == ("product_data" in params):
        raise Refusal("You must specify exactly one of these parameters: product, product_data.", param="product")
    amount = unit_amount(params, "")
    product = params.get("product")
    if product is not None and product not in store.products:
        raise no_such("product", product, "product")
    if product is None:
        product = mint_product(store, params["product_data"], params["product_data"].get("active", True))
    identifier = mint_price(
        store,
        product,
        params["currency"],
        amount,
        params.get("tax_behavior", "unspecified"),
        params.get("active", True),
    )
    store.prices[identifier].update(nickname=params.get("nickname"), metadata=merged({}, params.get("metadata", {})))
    return store.prices[identifier]


def retrieve_price(call: Exchange) -> Json:
    if call.ids[0] not in call.store.prices:
        raise no_such("price", call.ids[0], "price", 404)
    return call.store.prices[call.ids[0]]


def list_prices(call: Exchange) -> Json:
    params = call.params
    prices = [
        price
        for price in reversed(list(call.store.prices.values()))
        if price["active"] == params.get("active", price["active"])
        and price["currency"] == params.get("currency", price["currency"])
        and price["product"] == params.get("product", price["product"])
        and within(price["created"], params.get("created", {}))
    ]
    return page(prices, params, "/v1/prices", "price", lambda price: str(price["id"]), dict)
