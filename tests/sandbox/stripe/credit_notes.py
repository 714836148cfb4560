"""Credit notes before payment, after it, and of both kinds at once. Source: Stripe's API reference and docs on them.

What the invoice still asks for is lowered first (pre-payment); the rest was paid already and is refunded, credited to
the customer's balance, or given back outside Stripe (post-payment).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from tests.sandbox.stripe import payments, refunds
from tests.sandbox.stripe.amounts import Tax, line_taxes, to_minor, totals
from tests.sandbox.stripe.errors import Refusal, no_such
from tests.sandbox.stripe.invoice_notices import changed
from tests.sandbox.stripe.records import Invoice, Item, Json
from tests.sandbox.stripe.shapes import tax_shape
from tests.sandbox.stripe.store import Store


@dataclass(frozen=True)
class CreditLine:
    """One line: `amount` (before discounts and exclusive tax) of an invoice's line, or a custom one if `line` is ""."""

    amount: int
    line: str = ""
    description: str = ""


@dataclass(frozen=True)
class Credit:
    """What is to be credited. Of what was paid, `refund`, `to_balance` and `out_of_band` say where it goes; if all are
    None it is refunded as far as charges allow, and the rest is out of band."""

    lines: Sequence[CreditLine] = ()
    shipping: bool = False
    refund: int | None = None
    to_balance: int | None = None
    out_of_band: int | None = None
    refunds: Sequence[tuple[str, int]] = ()
    """Refunds that were made before, with what of each belongs to this note."""
    reason: str | None = None
    memo: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Line:
    shape: Json
    discount: int
    exclusive: int
    inclusive: int


def create(store: Store, invoice: Invoice, credit: Credit) -> Json:
    """Issue a credit note of an open, paid or uncollectible invoice."""
    if invoice.status not in ("open", "paid", "uncollectible"):
        raise Refusal(f"You can only issue credit notes for finalized invoices; this one is {invoice.status}.")
    lines = [_line(store, invoice, one) for one in credit.lines]
    shipping = invoice.shipping_cost if credit.shipping else None
    subtotal = sum(one.shape["amount"] for one in lines)
    discount = sum(one.discount for one in lines)
    exclusive = sum(one.exclusive for one in lines)
    shipped = shipping["amount_total"] if shipping else 0
    total = subtotal - discount + exclusive + shipped
    # What the customer's balance paid can be credited too, though never refunded.
    most = totals(store, invoice).total - invoice.pre_payment_credit - invoice.post_payment_credit
    if not 0 < total <= most:
        raise Refusal(f"The credit note's total of {total} must be above 0 and at most {most}.", param="amount")
    before = min(total, invoice.amount_remaining)
    after = total - before
    ways = _ways(store, invoice, credit, after)
    identifier = store.new_id("cn")
    made = [(one, amount) for one, amount in credit.refunds]
    for charge, amount in _shares(store, invoice, ways[0]):
        made.append((refunds.give_back(store, charge, amount, None)["id"], amount))
    entry = store.move_balance(
        invoice.customer, invoice.currency, -ways[1], "credit_note", invoice.id, identifier
    )  # fmt: skip
    number = len(store.linked("credit_notes", invoice.id)) + 1
    taxes = _joined([tax for one in lines for tax in one.shape["taxes"]])
    kind = "mixed" if before and after else "pre_payment" if before else "post_payment"
    note = store.keep(
        {
            "id": identifier, "object": "credit_note", "amount": total, "amount_shipping": shipped,
            "created": store.now, "currency": invoice.currency, "customer": invoice.customer,
            "customer_account": None, "customer_balance_transaction": entry, "discount_amount": discount,
            "discount_amounts": _joined_discounts(lines), "effective_at": store.now, "invoice": invoice.id,
            "lines": {"object": "list", "data": [one.shape for one in lines][:10], "has_more": len(lines) > 10,
                      "url": f"/v1/credit_notes/{identifier}/lines"},
            "livemode": False, "memo": credit.memo, "metadata": dict(credit.metadata),
            "number": f"{invoice.number}-CN-{number:02d}",
            "out_of_band_amount": ways[2] or None, "pdf": f"https://pay.stripe.com/credit_notes/{identifier}/pdf",
            "post_payment_amount": after, "pre_payment_amount": before, "pretax_credit_amounts": [],
            "reason": credit.reason,
            "refunds": [{"amount_refunded": amount, "payment_record_refund": None, "refund": one, "type": "refund"}
                        for one, amount in made],
            "shipping_cost": shipping, "status": "issued", "subtotal": subtotal - discount,
            "subtotal_excluding_tax": subtotal - discount - sum(one.inclusive for one in lines), "total": total,
            "total_excluding_tax": total - exclusive - sum(one.inclusive for one in lines)
            - (shipping["amount_tax"] if shipping else 0),
            "total_taxes": taxes, "type": kind, "voided_at": None,
        }
    )  # fmt: skip
    store.credit_lines[identifier] = [one.shape for one in lines]
    store.link("credit_notes", invoice.id, identifier)
    invoice.pre_payment_credit += before
    invoice.amount_due -= before
    invoice.post_payment_credit += after
    was_paid = invoice.status == "paid"
    payments.settle(store, invoice)
    store.emit("credit_note.created", note)
    now_paid = invoice.status == "paid" and not was_paid
    changed(store, invoice, *(["invoice.paid"] if now_paid else []), "invoice.updated")
    return note


def _ways(store: Store, invoice: Invoice, credit: Credit, after: int) -> tuple[int, int, int]:
    """What is refunded anew, credited to the balance, and given back outside Stripe."""
    linked = sum(amount for _, amount in credit.refunds)
    if credit.refund is None and credit.to_balance is None and credit.out_of_band is None:
        here = min(after - linked, sum(refunds.refundable(one) for one in _charges(store, invoice)))
        return here, 0, after - linked - here
    ways = credit.refund or 0, credit.to_balance or 0, credit.out_of_band or 0
    if sum(ways) + linked != after or min(ways) < 0:
        raise Refusal(
            "The sum of credit amount, refund amount and out of band amount must equal the post payment amount "
            f"({after})."
        )
    return ways


def _charges(store: Store, invoice: Invoice) -> list[Json]:
    """The invoice's charges, newest first."""
    return [
        store.objects["charge"][one]
        for payment in reversed(payments.payments_of(store, invoice.id))
        for one in reversed(store.linked("charges", payment["payment"].get("payment_intent", "")))
    ]


def _shares(store: Store, invoice: Invoice, amount: int) -> list[tuple[Json, int]]:
    """`amount` over the invoice's charges, the newest first."""
    shares = []
    for charge in _charges(store, invoice):
        share = min(amount, refunds.refundable(charge))
        if share:
            shares.append((charge, share))
            amount -= share
    if amount:
        raise Refusal("The refund amount is greater than what the invoice's charges can still give back.")
    return shares


def _line(store: Store, invoice: Invoice, wanted: CreditLine) -> _Line:
    shape: Json = {
        "id": store.new_id("cnli"), "object": "credit_note_line_item", "amount": wanted.amount,
        "description": wanted.description or None, "discount_amount": 0, "discount_amounts": [], "livemode": False,
        "metadata": None, "pretax_credit_amounts": [], "quantity": 1, "tax_rates": [], "taxes": [],
        "type": "custom_line_item", "unit_amount": wanted.amount, "unit_amount_decimal": str(wanted.amount),
    }  # fmt: skip
    if not wanted.line:
        return _Line(shape, 0, 0, 0)
    item = next((one for one in store.lines(invoice.id) if one.line_id == wanted.line), None)
    if item is None:
        raise no_such("invoice line item", wanted.line, "lines")
    if item.amount == 0 or not 0 < Decimal(wanted.amount) / item.amount <= 1:
        raise Refusal(f"The line {wanted.line} is over {item.amount}: {wanted.amount} cannot be credited of it.")
    return _share_of(store, invoice, item, wanted, shape)


def _share_of(store: Store, invoice: Invoice, item: Item, wanted: CreditLine, shape: Json) -> _Line:
    """A part of an invoice's line, with the same part of its discounts and taxes."""
    part = Decimal(wanted.amount) / item.amount
    amounts = [to_minor(one.amount * part) for one in item.discounts]
    discounts = [
        {"amount": amount, "discount": one.discount} for amount, one in zip(amounts, item.discounts, strict=True)
    ]
    taxes = [
        Tax(one.tax_rate, to_minor(one.amount * part), to_minor(one.taxable_amount * part), one.inclusive, one.reason)
        for one in line_taxes(store, invoice, item)
    ]
    shape.update(
        type="invoice_line_item", invoice_line_item=item.line_id, description=wanted.description or item.description,
        discount_amounts=discounts, discount_amount=sum(amounts),
        taxes=[tax_shape(one) for one in taxes],
    )  # fmt: skip
    return _Line(
        shape, shape["discount_amount"], sum(one.amount for one in taxes if not one.inclusive),
        sum(one.amount for one in taxes if one.inclusive),
    )  # fmt: skip


def _joined(taxes: list[Json]) -> list[Json]:
    joined: dict[tuple[str, str], Json] = {}
    for tax in taxes:
        key = (tax["tax_rate_details"]["tax_rate"], tax["tax_behavior"])
        if key in joined:
            joined[key]["amount"] += tax["amount"]
            joined[key]["taxable_amount"] += tax["taxable_amount"]
        else:
            joined[key] = dict(tax)
    return list(joined.values())


def _joined_discounts(lines: list[_Line]) -> list[Json]:
    joined: dict[str, int] = {}
    for line in lines:
        for one in line.shape["discount_amounts"]:
            joined[one["discount"]] = joined.get(one["discount"], 0) + one["amount"]
    return [{"amount": amount, "discount": discount} for discount, amount in joined.items()]


def void(store: Store, note: Json) -> None:
    """Take a credit note back. Only before payment: what was refunded or credited stays so."""
    invoice = store.invoices[note["invoice"]]
    if note["status"] == "void":
        raise Refusal("This credit note has already been voided.")
    if note["post_payment_amount"] or invoice.status not in ("open", "uncollectible"):
        raise Refusal("You can only void a credit note of an open invoice.")
    note.update(status="void", voided_at=store.now)
    invoice.pre_payment_credit -= note["pre_payment_amount"]
    invoice.amount_due += note["pre_payment_amount"]
    payments.settle(store, invoice)
    store.emit("credit_note.voided", note)
    changed(store, invoice, "invoice.updated")
