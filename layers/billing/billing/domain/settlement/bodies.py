"""Records as the bodies that NetSuite's record API takes, and what NetSuite answers as amounts to compare. Pure.

Amounts are Decimals here; the adapter writes them as JSON numbers. Field names are those of REST API Browser 2026.1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any, Final

from billing.domain.money.money import Money, terminating_decimal
from billing.domain.orders.item_types import role_of
from billing.domain.orders.sales_order import LineRole
from billing.domain.settlement.dues import shares
from billing.domain.settlement.order_invoices import Preview, PreviewLine
from billing.domain.settlement.other_invoices import ORDER_TAX
from billing.domain.settlement.periods import Posting
from billing.domain.settlement.policies import CurrencyPolicy, SettlementPolicies
from billing.domain.settlement.postings import from_netsuite, in_netsuite, moved
from billing.domain.settlement.records import ItemRef, ItemRole, NetSuiteRecord, RecordLine, RecordType

_RATE_PLACES: Final = 8
"""NetSuite keeps rates to eight decimals; a rate that needs more is sent as one unit of the amount."""

_RATE_STEP: Final = Decimal("0.0001")
_CUSTOM_PRICE: Final = {"id": "-1"}
_TEXTS: Final = frozenset({LineRole.TEXT, LineRole.SUBTOTAL, LineRole.GROUP_START, LineRole.GROUP_END})
"""Lines that bill nothing of their own: subtotals and group ends repeat the amounts of the lines above them."""

_HEADER_DISCOUNT: Final = "items.discount"
_NOT_COUNTED: Final = frozenset({LineRole.DISCOUNT, LineRole.MARKUP, LineRole.PAYMENT})
_ROUTED: Final = "2"  # approvalStatus "Approved"


@dataclass(frozen=True, slots=True)
class CreditedLine:
    """A line of an invoice that a memo credits a part of: the item's internal id ("" where the policy names none for
    it), the amount in minor units, and the first and last day of its service (YYYY-MM-DD). A line that is not `counted`
    (a discount, a markup, a payment) takes an amount and no quantity."""

    item: str
    amount: int
    rev_rec: tuple[str, str] | None = None
    what: str = "a line"
    counted: bool = True


@dataclass(frozen=True, slots=True)
class Resolved:
    """NetSuite's internal ids of what a record names. `documents` are the records it is applied to, and those that a
    deposit takes, by externalId. `credited_lines` are those of the invoice that a memo without lines is about.
    `order_lines` are (line number, unique key) of every line of the order that can be billed, for a transform."""

    entity: str
    posting: Posting
    items: Mapping[ItemRef, str] = field(default_factory=dict)
    documents: Mapping[str, str] = field(default_factory=dict)
    credited_lines: Sequence[CreditedLine] = ()
    order_lines: Sequence[tuple[str, str]] = ()


class NotResolved(ValueError):
    """Something that the record names is not there: the sentence says what."""


def body_of(record: NetSuiteRecord, resolved: Resolved, policies: SettlementPolicies) -> dict[str, Any]:
    """The body of POST (or of the transform) for a record. Raises NotResolved, and AmountNotHeld for an amount that
    NetSuite's currency cannot hold."""
    currency = _currency(record, policies)
    text = moved(record.memo, record.on) if resolved.posting.moved else record.memo
    body: dict[str, Any] = {
        "externalId": record.external_id,
        "tranDate": resolved.posting.on.isoformat(),
        "postingPeriod": {"id": resolved.posting.period.id},
        "memo": text,
    }
    if record.type is RecordType.DEPOSIT:
        return {**body, **_deposit(record, resolved, currency), **_fields(record)}
    if record.type is RecordType.INVOICE:
        body |= _invoice(record, resolved, policies, currency)
    elif record.type is RecordType.CREDIT_MEMO:
        body |= {
            "entity": {"id": resolved.entity},
            "currency": {"id": currency.netsuite_id},
            **(
                _lines(record, resolved, policies, currency)
                if record.lines
                else _proportion(record, resolved, currency)
            ),
        }
        if policies.receivable:
            body["account"] = {"id": policies.receivable}
    else:
        body |= {
            "customer": {"id": resolved.entity},
            "currency": {"id": currency.netsuite_id},
        }
        if record.type is RecordType.PAYMENT:
            body["payment"] = in_netsuite(record.amount, record.currency, currency.precision)
            if policies.receivable:
                body["arAcct"] = {"id": policies.receivable}
        if not record.account:
            raise NotResolved(
                f"{record.external_id}: the policy file names no account for it (accounts.undeposited_funds)."
            )
        body["account"] = {"id": record.account}
        if policies.payment_method:
            # The record has no paymentMethod; its payment options hold the methods (REST API Browser 2026.1).
            body["paymentOption"] = {"id": policies.payment_method}
    if record.type is RecordType.REFUND and sum(one.amount for one in record.applies) != record.amount:
        # NetSuite's refund is as large as what it is applied to.
        raise NotResolved(f"{record.external_id} refunds more than the memos and payments that it is applied to.")
    if record.applies:
        body["apply"] = {"items": apply_lines(record, resolved, policies)}
    return {**body, **_fields(record)}


def apply_lines(record: NetSuiteRecord, resolved: Resolved, policies: SettlementPolicies) -> list[dict[str, Any]]:
    """The lines of the apply sublist, keyed by `doc`."""
    currency = _currency(record, policies)
    lines = []
    for apply in record.applies:
        if apply.external_id not in resolved.documents:
            raise NotResolved(f"{record.external_id} is applied to {apply.external_id}, which is not in NetSuite yet.")
        lines.append(
            {
                "doc": {"id": resolved.documents[apply.external_id]},
                "apply": True,
                "amount": in_netsuite(apply.amount, record.currency, currency.precision),
            }
        )
    return lines


def preview_of(answer: Mapping[str, Any], record: NetSuiteRecord, currency_codes: Mapping[str, str]) -> Preview:
    """The invoice that NetSuite would save (create-form), in minor units. `currency_codes` are Stripe's codes by
    NetSuite's currency id. An account with legacy tax shows no tax in REST: the total decides then.

    Raises ValueError for an answer that has no total.
    """
    code = currency_codes.get(_ref(answer.get("currency")), "")
    minor = _minor_in(record.currency)
    lines = []
    for line in _billing_lines(answer):
        amount = minor(line.get("amount") or 0)
        quantity = line.get("quantity")
        lines.append(
            PreviewLine(
                order_line=str(line.get("orderLine") or ""),
                quantity=_number(quantity) if quantity is not None else None,
                amount=amount,
                item=_ref(line.get("item")),
            )
        )
    shows_tax = answer.get("taxTotal") is not None or answer.get("taxDetails") is not None
    tax = minor(answer["taxTotal"]) if answer.get("taxTotal") is not None else None
    if tax is None and shows_tax:
        tax = sum(minor(one.get("taxAmount") or 0) for one in _items(answer, "taxDetails"))
    if answer.get("total") is None:
        raise ValueError("NetSuite's preview of an invoice has no total")
    return Preview(
        customer=_ref(answer.get("entity")),
        currency=code or record.currency,
        total=minor(answer["total"]),
        lines=tuple(lines),
        tax=tax,
        shipping=minor(answer.get("shippingCost") or 0) + minor(answer.get("handlingCost") or 0),
        discount=-abs(minor(answer.get("discountTotal") or 0)),
        subsidiary=_ref(answer.get("subsidiary")),
    )


def differences(
    record: NetSuiteRecord, held: Mapping[str, Any], resolved: Resolved, policies: SettlementPolicies
) -> tuple[tuple[str, str, str], ...]:
    """What of a record in NetSuite is not as the plan says, as (what, in Stripe, in NetSuite). Empty if it is the same.

    Compared is what matters for the books: externalId, customer, currency, date, account and total. What it is applied
    to may change later. A record that differs is shown and never overwritten.
    """
    minor = _minor_in(record.currency)
    total = held.get("payment") if record.type is RecordType.PAYMENT else None
    total = held.get("total") if total is None else total
    days = {record.on.isoformat(), resolved.posting.on.isoformat()}
    day = str(held.get("tranDate") or "")
    is_cash = record.type in (RecordType.PAYMENT, RecordType.REFUND, RecordType.DEPOSIT)
    pairs = [
        ("externalId", record.external_id, str(held.get("externalId") or "")),
        ("customer", resolved.entity, _ref(held.get("entity") or held.get("customer"))),
        ("currency", _currency(record, policies).netsuite_id, _ref(held.get("currency"))),
        ("date", day if day in days else resolved.posting.on.isoformat(), day),
        ("account", record.account if is_cash else "", _ref(held.get("account"))),
        (
            "total",
            str(Money(record.amount, record.currency)),
            "" if total is None else str(Money(minor(total), record.currency)),
        ),
    ]
    optional = {"currency", "date", "account"}
    return tuple(
        (what, wanted, found or "none")
        for what, wanted, found in pairs
        if wanted != found and wanted and (found or what not in optional)
    )


def applied_now(held: Mapping[str, Any], currency: str) -> dict[str, int]:
    """What a record is applied to, in minor units by the document's internal id."""
    minor = _minor_in(currency)
    return {
        _ref(line.get("doc")): minor(line["amount"])
        for line in _items(held, "apply")
        if line.get("apply") and line.get("amount")
    }


def lines_of_invoice(held: Mapping[str, Any], currency: str, policies: SettlementPolicies) -> list[CreditedLine]:
    """The lines of an invoice as GET shows it, for a memo about it. Discount, shipping and tax of the header become
    lines of the policy's items; tax that REST does not show (legacy tax) is what the lines lack to the total."""
    minor = _minor_in(currency)
    lines = []
    for line in _billing_lines(held):
        if not line.get("amount"):
            continue
        days = line.get("revRecStartDate"), line.get("revRecEndDate")
        rev_rec = (str(days[0]), str(days[1])) if all(days) else None
        counted = _role(line) not in _NOT_COUNTED
        lines.append(CreditedLine(_ref(line.get("item")), minor(line["amount"]), rev_rec, counted=counted))
    shipping = minor(held.get("shippingCost") or 0) + minor(held.get("handlingCost") or 0)
    discount = -abs(minor(held.get("discountTotal") or 0))
    tax = minor(held.get("total") or 0) - sum(line.amount for line in lines) - shipping - discount
    header = (
        (_ref(held.get("discountItem")) or policies.item(ItemRole.DISCOUNT), discount, _HEADER_DISCOUNT),
        (policies.item(ItemRole.SHIPPING), shipping, "items.shipping"),
        (policies.tax_items.get(ORDER_TAX, ""), tax, f"tax.items.{ORDER_TAX}"),
    )
    return [
        *lines,
        *(
            CreditedLine(item, amount, what=what, counted=what != _HEADER_DISCOUNT)
            for item, amount, what in header
            if amount
        ),
    ]


def order_lines(order: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(line number, unique key) of the lines of a sales order as GET shows it that an invoice can take a part of: not
    texts, subtotals, heads and ends of groups, and not the components of kits, which go with their kit."""
    return [
        (str(line["line"]), str(line.get("lineUniqueKey") or line["line"]))
        for line in _items(order, "item")
        if line.get("line") is not None and _role(line) not in _TEXTS and not line.get("kitMemberOf")
    ]


def _invoice(
    record: NetSuiteRecord, resolved: Resolved, policies: SettlementPolicies, currency: CurrencyPolicy
) -> dict[str, Any]:
    body: dict[str, Any] = {}
    if record.due is not None:
        body["dueDate"] = record.due.isoformat()
    if policies.choice("approval_status") == "approved":
        body["approvalStatus"] = {"id": _ROUTED}
    if policies.receivable:
        body["account"] = {"id": policies.receivable}
    if record.transform is not None:
        wanted = {line.unique_key: line for line in record.transform.lines}
        lines: list[dict[str, Any]] = []
        for order_line, unique_key in resolved.order_lines:
            line = wanted.pop(unique_key, None)
            if unique_key in record.transform.kept:
                # NetSuite shares a discount by what is billed; the preview shows whether as Stripe did.
                continue
            if line is None:
                # A line that is not named would be billed whole.
                lines.append({"orderLine": int(order_line), "quantity": 0})
            elif line.quantity is not None:
                lines.append({"orderLine": int(order_line), "quantity": Decimal(line.quantity)})
        if wanted:
            missing = ", ".join(line.order_line for line in wanted.values())
            raise NotResolved(
                f"Line {missing} of order {record.transform.order_number}, which Stripe's invoice bills, is no longer "
                "on the order."
            )
        body["item"] = {"items": lines}
        return body
    body |= {"entity": {"id": resolved.entity}, "currency": {"id": currency.netsuite_id}}
    if policies.subsidiary:
        body["subsidiary"] = {"id": policies.subsidiary}
    if record.number:
        body["otherRefNum"] = record.number
    return body | _lines(record, resolved, policies, currency)


def _lines(
    record: NetSuiteRecord, resolved: Resolved, policies: SettlementPolicies, currency: CurrencyPolicy
) -> dict[str, Any]:
    """The item lines; under `suitetax` the taxes as details of the lines that they are on."""
    if policies.choice("tax.mode") != "suitetax":
        return {"item": {"items": [_line(line, record, resolved, currency) for line in record.lines]}}
    details = [line for line in record.lines if line.item.role is ItemRole.TAX and not line.item.item_id]
    places = {line.stripe_line: number for number, line in enumerate(record.lines, 1) if line not in details}
    items = []
    for number, line in enumerate(record.lines, 1):
        if line in details:
            continue
        body = _line(line, record, resolved, currency)
        if any(places.get(tax.stripe_line) == number for tax in details):
            body["taxDetailsReference"] = f"L{number}"
        items.append(body)
    found: dict[str, Any] = {"item": {"items": items}}
    if details:
        found["taxDetailsOverride"] = True
        found["taxDetails"] = {"items": [_tax_detail(tax, places, record, policies, currency) for tax in details]}
    return found


def _tax_detail(
    tax: RecordLine,
    places: Mapping[str, int],
    record: NetSuiteRecord,
    policies: SettlementPolicies,
    currency: CurrencyPolicy,
) -> dict[str, Any]:
    key = tax.item.stripe_id
    if tax.stripe_line not in places:
        raise NotResolved(f"{record.external_id}: the tax {key} is on a line that the record does not have.")
    detail: dict[str, Any] = {
        "taxDetailsReference": {"id": f"L{places[tax.stripe_line]}"},
        "taxCode": {"id": policies.tax_codes[key]},
        "taxBasis": in_netsuite(tax.taxable, record.currency, currency.precision),
        "taxAmount": in_netsuite(tax.amount, record.currency, currency.precision),
    }
    if key in policies.tax_types:
        detail["taxType"] = policies.tax_types[key]
    if tax.taxable:
        detail["taxRate"] = (Decimal(tax.amount) * 100 / Decimal(tax.taxable)).quantize(_RATE_STEP).normalize()
    return detail


def _proportion(record: NetSuiteRecord, resolved: Resolved, currency: CurrencyPolicy) -> dict[str, Any]:
    """The lines of the credited invoice in proportion to the memo's amount."""
    credited = resolved.credited_lines
    if not credited or not sum(line.amount for line in credited):
        raise NotResolved(f"{record.external_id}: the invoice {record.credits} has no lines to credit.")
    lines = []
    for line, part in zip(credited, shares(record.amount, [line.amount for line in credited]), strict=True):
        if not part:
            continue
        if not line.item:
            raise NotResolved(f"{record.external_id}: the policy file names no item for {line.what}.")
        body = (
            _amount_line(line.item, part, record, currency)
            if line.counted
            else {"item": {"id": line.item}, "amount": in_netsuite(part, record.currency, currency.precision)}
        )
        if line.rev_rec is not None:
            body["revRecStartDate"], body["revRecEndDate"] = line.rev_rec
        lines.append(body)
    return {"item": {"items": lines}}


def _line(line: RecordLine, record: NetSuiteRecord, resolved: Resolved, currency: CurrencyPolicy) -> dict[str, Any]:
    item_id = line.item.item_id or resolved.items.get(line.item, "")
    if not item_id:
        raise NotResolved(
            f"The policy file names no item for '{line.item.role.value}'"
            + (f" ({line.item.stripe_id})." if line.item.stripe_id else ".")
        )
    if line.item.role is ItemRole.DISCOUNT:
        # Discount items take a rate or an amount, and no quantity.
        body: dict[str, Any] = {
            "item": {"id": item_id},
            "amount": in_netsuite(line.amount, record.currency, currency.precision),
        }
    else:
        body = _amount_line(item_id, line.amount, record, currency, line.quantity)
    if line.description:
        body["description"] = line.description
    if line.rev_rec is not None:
        body["revRecStartDate"], body["revRecEndDate"] = (day.isoformat() for day in line.rev_rec)
    return body


def _amount_line(
    item_id: str, amount: int, record: NetSuiteRecord, currency: CurrencyPolicy, quantity: str | None = None
) -> dict[str, Any]:
    """Rate and amount both: NetSuite works the amount of some items out of quantity and rate again."""
    value = in_netsuite(amount, record.currency, currency.precision)
    count = Decimal(quantity) if quantity else Decimal(1)
    rate = terminating_decimal(Fraction(value) / Fraction(count), _RATE_PLACES) if count > 0 else None
    if rate is None:
        count, rate = Decimal(1), value
    return {"item": {"id": item_id}, "quantity": count, "rate": rate, "amount": value, "price": _CUSTOM_PRICE}


def _deposit(record: NetSuiteRecord, resolved: Resolved, currency: CurrencyPolicy) -> dict[str, Any]:
    deposit = record.deposit
    if deposit is None:
        raise NotResolved(f"{record.external_id} is a deposit of nothing")
    payments = []
    for one in deposit.payments:
        if one.external_id not in resolved.documents:
            raise NotResolved(f"{record.external_id} deposits {one.external_id}, which is not in NetSuite yet.")
        payments.append(
            {
                "id": int(resolved.documents[one.external_id]),
                "deposit": True,
                "paymentAmount": in_netsuite(one.amount, record.currency, currency.precision),
            }
        )
    body: dict[str, Any] = {"account": {"id": record.account}, "payment": {"items": payments}}
    for name, lines in (
        ("other", [line for line in deposit.lines if line.amount > 0]),
        ("cashback", [line for line in deposit.lines if line.amount < 0]),
    ):
        if lines:
            body[name] = {
                "items": [
                    {
                        "account": {"id": line.account},
                        "amount": in_netsuite(abs(line.amount), record.currency, currency.precision),
                        "memo": line.memo,
                    }
                    for line in lines
                ]
            }
    return body


def _fields(record: NetSuiteRecord) -> dict[str, Any]:
    """The policy's defaults and mappings. A value of digits in a field that is a reference is written as its id."""
    return {name: ({"id": value} if value.isdecimal() else value) for name, value in record.fields}


def _currency(record: NetSuiteRecord, policies: SettlementPolicies) -> CurrencyPolicy:
    found = policies.currencies.get(record.currency)
    if found is None:
        raise NotResolved(
            f"The policy file does not name the currency {record.currency.upper()}: add currencies.{record.currency}."
        )
    return found


def _minor_in(currency: str) -> Any:
    def minor(value: Any) -> int:
        return from_netsuite(_number(value), currency)

    return minor


def _number(value: Any) -> Decimal:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        raise ValueError(f"NetSuite gives {str(value)[:20]!r} where a number belongs") from None


def _billing_lines(answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The item lines whose amounts are in the total."""
    return [line for line in _items(answer, "item") if _role(line) not in _TEXTS]


def _role(line: Mapping[str, Any]) -> LineRole | None:
    return role_of(_ref(line.get("itemType")) or None, _ref(line.get("item")) or None, tax_line=False)


def _ref(value: Any) -> str:
    if isinstance(value, Mapping):
        value = value.get("id")
    return "" if value is None else str(value)


def _items(answer: Mapping[str, Any], sublist: str) -> list[Mapping[str, Any]]:
    held = answer.get(sublist)
    items = held.get("items") if isinstance(held, Mapping) else None
    return [one for one in items or () if isinstance(one, Mapping)]


def documents_of(record: NetSuiteRecord, resolved: Resolved) -> dict[str, int]:
    """What a record is to be applied to, in minor units by the document's internal id. Raises NotResolved."""
    missing = [one.external_id for one in record.applies if one.external_id not in resolved.documents]
    if missing:
        raise NotResolved(f"{record.external_id} is applied to {missing[0]}, which is not in NetSuite yet.")
    return {resolved.documents[one.external_id]: one.amount for one in record.applies}


def total_of(answer: Mapping[str, Any], currency: str) -> int:
    """The total of a record or of a preview in minor units. Raises ValueError where it shows none."""
    if answer.get("total") is None:
        raise ValueError("NetSuite's answer has no total")
    return from_netsuite(_number(answer["total"]), currency)


def with_line_on(body: Mapping[str, Any], account: str, amount: Decimal, text: str) -> dict[str, Any]:
    """The body of a deposit with one more line: Other Deposits above zero, Cash Back below."""
    name = "other" if amount > 0 else "cashback"
    line = {"account": {"id": account}, "amount": abs(amount), "memo": text}
    return {**body, name: {"items": [*_items(body, name), line]}}


def with_rounding(body: Mapping[str, Any], item: str, amount: Decimal) -> dict[str, Any]:
    """The body of a transform with the policy's rounding line below the order's lines."""
    line = {"item": {"id": item}, "quantity": Decimal(1), "rate": amount, "amount": amount, "price": _CUSTOM_PRICE}
    return {**body, "item": {"items": [*_items(body, "item"), line]}}
