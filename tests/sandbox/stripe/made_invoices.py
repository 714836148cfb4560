"""Invoices that a person or a subscription makes: with coupons, taxes, shipping, prorations, and revisions of others.

The API of this stand-in makes drafts as the product does; what only Stripe's Dashboard, a subscription or a coupon
brings about is made here, for tests.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from tests.sandbox.stripe import catalogue, currencies
from tests.sandbox.stripe.amounts import to_minor
from tests.sandbox.stripe.charges import mint
from tests.sandbox.stripe.charges import plan as plan_charge
from tests.sandbox.stripe.errors import Refusal, no_such
from tests.sandbox.stripe.invoice_states import touched
from tests.sandbox.stripe.records import DiscountAmount, Invoice, Item, Json
from tests.sandbox.stripe.store import Store


@dataclass(frozen=True)
class InvoiceLine:
    """A line to be made. `amount` is for all of `quantity`, before discounts and exclusive tax. `tax` is a percentage,
    `coupon` one made by `coupon()`, `price` an existing price (else a one-time price is made)."""

    amount: int
    description: str = "Services"
    quantity: int = 1
    price: str = ""
    period: tuple[int, int] | None = None
    tax: Decimal | int | None = None
    inclusive: bool = False
    coupon: str = ""
    proration: bool = False
    subscription: bool = False
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class InvoiceExtras:
    """What belongs to the whole invoice: a coupon over all lines, shipping (minor units) and its tax rate in percent,
    the id of a subscription, metadata, days until it is due."""

    coupon: str = ""
    shipping: int = 0
    shipping_tax: Decimal | int | None = None
    subscription: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    due_days: int = 30


def create(store: Store, customer: str, currency: str, lines: Sequence[InvoiceLine], extras: InvoiceExtras) -> Invoice:
    """A draft."""
    if customer not in store.customers or store.customers[customer].get("deleted"):
        raise no_such("customer", customer, "customer")
    subscription = extras.subscription or (store.new_id("sub") if any(one.subscription for one in lines) else "")
    invoice = Invoice(
        id=store.new_id("in"), created=store.now, customer=customer, currency=currency,
        collection_method="send_invoice", days_until_due=extras.due_days,
        due_date=store.now + extras.due_days * 86_400, metadata=dict(extras.metadata),
        subscription=subscription or None, billing_reason="subscription_cycle" if subscription else "manual",
    )  # fmt: skip
    store.invoices[invoice.id] = invoice
    store.invoices_of_customer.setdefault(customer, []).append(invoice.id)
    stored = store.customers[customer]
    stored["currency"] = stored["currency"] or currency
    items = [_item(store, invoice, line) for line in lines]
    batch = store.next_batch()
    for place, item in enumerate(items):
        store.items[item.id] = item
        store.attach(item, invoice.id, batch, place)
    _discount(store, invoice, items, lines, extras.coupon)
    if extras.shipping:
        invoice.shipping_cost = _shipping(store, currency, extras)
    touched(store, invoice, "invoice.created")
    return invoice


def _item(store: Store, invoice: Invoice, line: InvoiceLine) -> Item:
    currency = invoice.currency
    unit = Decimal(line.amount) / line.quantity if line.quantity else Decimal(line.amount)
    if line.price:
        charge = plan_charge(store, {"pricing": {"price": line.price}}, currency, "", Decimal(line.quantity))
        assert charge is not None
        price, product, unit = str(charge.price), str(charge.product), charge.unit_amount
        if charge.amount != line.amount and not line.proration:
            raise Refusal(f"{line.quantity} of the price {line.price} are {charge.amount}, not {line.amount}.")
    else:
        made = plan_charge(store, {"amount": line.amount}, currency, "")
        assert made is not None
        price, product = mint(store, made, line.description)
    begin, end = line.period or (store.now, store.now)
    rates = None
    if line.tax is not None:
        rates = [tax_rate(store, Decimal(line.tax), inclusive=line.inclusive)]
    item = Item(
        id=store.new_id("ii"), line_id=store.new_id("il"), customer=invoice.customer, invoice=None,
        created=store.now, currency=currency, amount=line.amount,
        unit_amount=unit.quantize(Decimal("0.000000000001")), quantity=Decimal(line.quantity), price=price,
        product=product, description=line.description, discountable=line.amount >= 0 and not line.proration,
        metadata=dict(line.metadata), period_start=begin, period_end=end, tax_rates=rates,
        tax_behavior="inclusive" if line.inclusive else "exclusive", proration=line.proration,
    )  # fmt: skip
    if line.subscription:
        item.subscription, item.subscription_item = invoice.subscription, store.new_id("si")
    return item


def tax_rate(store: Store, percentage: Decimal, *, inclusive: bool) -> str:
    """The id of the sales tax rate of this percentage; made at first use."""
    data = {"display_name": "Sales tax", "inclusive": inclusive, "percentage": percentage, "country": "US",
            "jurisdiction": "US", "tax_type": "sales_tax"}  # fmt: skip
    return catalogue.find_or_mint_tax_rate(store, data)


def coupon(store: Store, identifier: str, percent_off: Decimal | None, amount_off: int | None, currency: str) -> Json:
    """A coupon; its id is free text that a person typed."""
    if (percent_off is None) == (amount_off is None):
        raise Refusal("You must pass either percent_off or amount_off.", param="percent_off")
    return store.keep(
        {
            "id": identifier, "object": "coupon", "amount_off": amount_off, "created": store.now,
            "currency": currency if amount_off is not None else None, "duration": "once",
            "duration_in_months": None, "livemode": False, "max_redemptions": None, "metadata": {}, "name": identifier,
            "percent_off": float(percent_off) if percent_off is not None else None, "redeem_by": None,
            "times_redeemed": 0, "valid": True,
        }
    )  # fmt: skip


def _discount(store: Store, invoice: Invoice, items: list[Item], lines: Sequence[InvoiceLine], whole: str) -> None:
    """Take the lines' own coupons off first, then the invoice's off what they leave (Stripe's docs on coupons)."""
    for item, line in zip(items, lines, strict=True):
        if line.coupon:
            _take(store, invoice, [item], line.coupon, whole_invoice=False)
    if whole:
        _take(store, invoice, [item for item in items if item.discountable], whole, whole_invoice=True)


def _take(store: Store, invoice: Invoice, items: list[Item], identifier: str, *, whole_invoice: bool) -> None:
    found = store.objects["coupon"].get(identifier)
    if found is None:
        raise no_such("coupon", identifier, "coupon")
    found["times_redeemed"] += 1
    discount = store.keep(
        {
            "id": store.new_id("di"), "object": "discount", "checkout_session": None, "customer": invoice.customer,
            "customer_account": None, "end": None, "invoice": invoice.id,
            "invoice_item": None if whole_invoice else items[0].id, "promotion_code": None,
            "source": {"coupon": identifier, "type": "coupon"}, "start": store.now, "subscription": None,
            "subscription_item": None,
        }
    )  # fmt: skip
    step = currencies.step(invoice.currency)
    bases = [item.charged for item in items]
    if found["percent_off"] is not None:
        percent = Decimal(str(found["percent_off"]))
        amounts = [to_minor(base * percent / 100, step) for base in bases]
    else:
        amounts = _spread(min(found["amount_off"], sum(bases)), bases, step)
    for item, amount in zip(items, amounts, strict=True):
        item.discounts.append(DiscountAmount(discount["id"], amount, whole_invoice))


def _spread(amount: int, bases: list[int], step: int) -> list[int]:
    """`amount` in proportion; the last line takes what rounding leaves."""
    shares: list[int] = []
    left, weight = amount, sum(bases)
    for base in bases:
        share = to_minor(Decimal(left) * base / weight, step) if weight else 0
        shares.append(share)
        left, weight = left - share, weight - base
    return shares


def _shipping(store: Store, currency: str, extras: InvoiceExtras) -> Json:
    taxes: list[Json] = []
    amount = 0
    if extras.shipping_tax is not None:
        rate = tax_rate(store, Decimal(extras.shipping_tax), inclusive=False)
        amount = to_minor(extras.shipping * Decimal(extras.shipping_tax) / 100, currencies.step(currency))
        taxes = [{"amount": amount, "rate": dict(store.tax_rates[rate]), "taxability_reason": "standard_rated",
                  "taxable_amount": extras.shipping}]  # fmt: skip
    return {
        "amount_subtotal": extras.shipping, "amount_tax": amount, "amount_total": extras.shipping + amount,
        "shipping_rate": store.new_id("shr"), "taxes": taxes,
    }  # fmt: skip


def revise(store: Store, original: Invoice) -> Invoice:
    """A draft that replaces the original once it is finalized: its lines, their metadata and the invoice's are copied
    (Stripe's docs on invoice edits)."""
    if original.status not in ("open", "uncollectible") or original.amount_paid or original.latest_revision:
        raise Refusal("You can only revise an invoice that is open or uncollectible, unpaid, and not revised before.")
    draft = Invoice(
        id=store.new_id("in"), created=store.now, customer=original.customer, currency=original.currency,
        collection_method=original.collection_method, days_until_due=original.days_until_due,
        due_date=original.due_date, metadata=dict(original.metadata), from_invoice=original.id,
        default_tax_rates=list(original.default_tax_rates), description=original.description,
        footer=original.footer, custom_fields=original.custom_fields, shipping_cost=original.shipping_cost,
        payment_settings=dict(original.payment_settings), automatic_tax=original.automatic_tax,
    )  # fmt: skip
    store.invoices[draft.id] = draft
    store.invoices_of_customer[draft.customer].append(draft.id)
    batch = store.next_batch()
    for place, item in enumerate(store.lines(original.id)):
        copy = dataclasses.replace(
            item, id=store.new_id("ii"), line_id=store.new_id("il"), invoice=None, created=store.now,
            metadata=dict(item.metadata), discounts=list(item.discounts),
        )  # fmt: skip
        store.items[copy.id] = copy
        store.attach(copy, draft.id, batch, place)
    return draft
