"""Records as the bodies that NetSuite's record API takes, and what NetSuite answers as amounts to compare. Pure.

Amounts are Decimals here; the adapter writes them as JSON numbers. Field names are those of REST API Browser 2026.1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any, Final

from billing.domain.money import terminating_decimal
from billing.domain.settlement.dues import shares
from billing.domain.settlement.order_invoices import Preview, PreviewLine
from billing.domain.settlement.periods import Posting
from billing.domain.settlement.policies import CurrencyPolicy, SettlementPolicies
from billing.domain.settlement.postings import from_netsuite, in_netsuite, moved
from billing.domain.settlement.records import ItemRef, NetSuiteRecord, RecordLine, RecordType

_RATE_PLACES: Final = 8
"""NetSuite keeps rates to eight decimals; a rate that needs more is sent as one unit of the amount."""

_CUSTOM_PRICE: Final = {"id": "-1"}
_ROUTED: Final = "2"  # approvalStatus "Approved"


@dataclass(frozen=True, slots=True)
class Resolved:
    """NetSuite's internal ids of what a record names. `documents` are the records it is applied to, by externalId;
    `credited_lines` are (item id, amount in minor units, order line) of the invoice that a memo is about."""

    entity: str
    posting: Posting
    items: Mapping[ItemRef, str] = field(default_factory=dict)
    documents: Mapping[str, str] = field(default_factory=dict)
    credited_lines: Sequence[tuple[str, int, str]] = ()
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
            "item": {"items": _memo_lines(record, resolved, currency)},
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
    for line in _items(answer, "item"):
        amount = minor(line.get("amount") or 0)
        quantity = line.get("quantity")
        lines.append(
            PreviewLine(
                order_line=str(line.get("orderLine") or line.get("line") or ""),
                quantity=_number(quantity) if quantity is not None else None,
                amount=amount,
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
    )


def differences(record: NetSuiteRecord, held: Mapping[str, Any], entity: str) -> tuple[tuple[str, str, str], ...]:
    """What of a record in NetSuite is not as the plan says, as (what, in Stripe, in NetSuite). Empty if it is the same.

    Compared is what matters for the books: externalId, customer, total, and what it is applied to. A record that
    differs is shown and never overwritten.
    """
    minor = _minor_in(record.currency)
    columns = []
    if str(held.get("externalId") or "") != record.external_id:
        columns.append(("externalId", record.external_id, str(held.get("externalId") or "none")))
    holder = _ref(held.get("entity") or held.get("customer"))
    if entity and holder != entity:
        columns.append(("customer", entity, holder or "none"))
    total = held.get("payment") if record.type is RecordType.PAYMENT else None
    total = held.get("total") if total is None else total
    if total is None:
        columns.append(("total", str(record.amount), "none"))
    elif minor(total) != record.amount:
        columns.append(("total", str(record.amount), str(minor(total))))
    return tuple(columns)


def applied_now(held: Mapping[str, Any], currency: str) -> dict[str, int]:
    """What a record is applied to, in minor units by the document's internal id."""
    minor = _minor_in(currency)
    return {
        _ref(line.get("doc")): minor(line.get("amount") or 0)
        for line in _items(held, "apply")
        if line.get("apply") and line.get("amount")
    }


def lines_of_invoice(held: Mapping[str, Any], currency: str) -> list[tuple[str, int, str]]:
    """(item id, amount, order line) of an invoice's lines, for a memo about it. What the lines do not hold (shipping
    and tax in the header) is missing here: the memo's proportion makes up for it."""
    minor = _minor_in(currency)
    return [
        (_ref(line.get("item")), minor(line.get("amount") or 0), str(line.get("orderLine") or ""))
        for line in _items(held, "item")
        if line.get("amount")
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
    body["item"] = {"items": [_line(line, record, resolved, currency) for line in record.lines]}
    return body


def _memo_lines(record: NetSuiteRecord, resolved: Resolved, currency: CurrencyPolicy) -> list[dict[str, Any]]:
    if record.lines:
        return [_line(line, record, resolved, currency) for line in record.lines]
    credited = resolved.credited_lines
    if not credited or not sum(amount for _, amount, _ in credited):
        raise NotResolved(f"{record.external_id}: the invoice {record.credits} has no lines to credit.")
    parts = shares(record.amount, [amount for _, amount, _ in credited])
    return [
        _amount_line(item_id, part, record, currency)
        for (item_id, _, _), part in zip(credited, parts, strict=True)
        if part
    ]


def _line(line: RecordLine, record: NetSuiteRecord, resolved: Resolved, currency: CurrencyPolicy) -> dict[str, Any]:
    item_id = line.item.item_id or resolved.items.get(line.item, "")
    if line.order_line and not item_id:
        item_id = next((one for one, _, order_line in resolved.credited_lines if order_line == line.order_line), "")
    if not item_id:
        raise NotResolved(
            f"The policy file names no item for '{line.item.role.value}'"
            + (f" ({line.item.stripe_id})." if line.item.stripe_id else ".")
        )
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
                "id": resolved.documents[one.external_id],
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


def _ref(value: Any) -> str:
    if isinstance(value, Mapping):
        value = value.get("id")
    return "" if value is None else str(value)


def _items(answer: Mapping[str, Any], sublist: str) -> list[Mapping[str, Any]]:
    held = answer.get(sublist)
    items = held.get("items") if isinstance(held, Mapping) else None
    return [one for one in items or () if isinstance(one, Mapping)]
