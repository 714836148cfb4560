"""The invoice as it will be drafted: the record that is approved, hashed and kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from billing.domain.canonical import canonical_json, sha256_hex
from billing.domain.money.money import rule_of
from billing.domain.orders.due_date import Due, due_from_dict

LineKind = Literal["item", "shipping", "tax", "discount", "payment"]


class PlanUnreadable(ValueError):
    """A stored plan is not what to_dict writes: it was altered, or written by another version."""


@dataclass(frozen=True, slots=True)
class PlanOrder:
    """A sales order that the invoice bills: NetSuite's internal id, its number, its date (YYYY-MM-DD)."""

    id: str
    number: str
    date: str


@dataclass(frozen=True, slots=True)
class PlanClient:
    """Who is billed. `stripe_id` is what NetSuite has stored, if anything; it is a hint, not content."""

    netsuite_id: str
    number: str
    name: str
    email: str | None
    stripe_id: str | None


@dataclass(frozen=True, slots=True)
class ServicePeriod:
    """First and last day of the service, both included (YYYY-MM-DD)."""

    start: str
    end: str


@dataclass(frozen=True, slots=True)
class LineTax:
    """NetSuite's tax code and rate ("10%") of a tax line."""

    code: str
    rate: str | None


@dataclass(frozen=True, slots=True)
class LineSource:
    """Where the line comes from in NetSuite: order's internal id, line id, item's internal id."""

    order_id: str
    line: str
    item: str | None


@dataclass(frozen=True, slots=True)
class PlanLine:
    """One line of the invoice.

    `amount` is in minor units, signed. `quantity` (open quantity) and `unit_amount` (major units) are
    plain decimals for reading. `unit_amount_minor_decimal` is set only when the line may be sent to
    Stripe as quantity and unit price: quantity times it is exactly `amount`.
    """

    id: str
    kind: LineKind
    description: str
    amount: int
    quantity: str | None
    unit_amount: str | None
    unit_amount_minor_decimal: str | None
    service_period: ServicePeriod | None
    tax: LineTax | None
    netsuite: LineSource


@dataclass(frozen=True, slots=True)
class PlanWarning:
    """Something that the approver must see; it does not change what is billed."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class InvoicePlan:
    """One invoice, ready to be drafted.

    Amounts are minor units of `currency`. `total` is the sum of `lines` always; under Stripe's automatic
    tax that sum is net and Stripe's own total will be higher by its tax. `net_total` is the lines without
    tax, `tax_total` the tax lines. `part` of `parts` counts from 1.
    """

    key: str
    orders: tuple[PlanOrder, ...]
    part: int
    parts: int
    client: PlanClient
    currency: str
    lines: tuple[PlanLine, ...]
    total: int
    net_total: int
    tax_total: int
    due: Due
    description: str
    footer: str
    custom_fields: tuple[tuple[str, str], ...]
    memo: str | None
    warnings: tuple[PlanWarning, ...]
    status: str
    last_modified: str

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe, without floats; from_dict gives an equal plan."""
        return {
            "key": self.key,
            "orders": [{"id": o.id, "number": o.number, "date": o.date} for o in self.orders],
            "part": self.part,
            "parts": self.parts,
            "client": {
                "netsuite_id": self.client.netsuite_id,
                "number": self.client.number,
                "name": self.client.name,
                "email": self.client.email,
                "stripe_id": self.client.stripe_id,
            },
            "currency": self.currency,
            "lines": [_line_to_dict(line) for line in self.lines],
            "total": self.total,
            "net_total": self.net_total,
            "tax_total": self.tax_total,
            "due": self.due.to_dict(),
            "description": self.description,
            "footer": self.footer,
            "custom_fields": [[name, value] for name, value in self.custom_fields],
            "memo": self.memo,
            "warnings": [{"code": w.code, "message": w.message} for w in self.warnings],
            "status": self.status,
            "last_modified": self.last_modified,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> InvoicePlan:
        """The plan that to_dict wrote. Raises PlanUnreadable, also when the sums do not add up."""
        try:
            plan = cls(
                key=_text(data, "key"),
                orders=tuple(
                    PlanOrder(_text(o, "id"), _text(o, "number"), _text(o, "date")) for o in _items(data, "orders")
                ),
                part=_int(data, "part"),
                parts=_int(data, "parts"),
                client=_client_from_dict(_object(data, "client")),
                currency=_text(data, "currency"),
                lines=tuple(_line_from_dict(line) for line in _items(data, "lines")),
                total=_int(data, "total"),
                net_total=_int(data, "net_total"),
                tax_total=_int(data, "tax_total"),
                due=due_from_dict(_object(data, "due")),
                description=_text(data, "description"),
                footer=_text(data, "footer"),
                custom_fields=tuple(_pair(pair) for pair in _list(data, "custom_fields")),
                memo=_text_or_none(data, "memo"),
                warnings=tuple(PlanWarning(_text(w, "code"), _text(w, "message")) for w in _items(data, "warnings")),
                status=_text(data, "status"),
                last_modified=_text(data, "last_modified"),
            )
            rule_of(plan.currency)
        except (KeyError, TypeError, ValueError) as error:
            raise PlanUnreadable(f"the stored invoice plan cannot be read: {error}") from error
        if plan != with_lines(plan, plan.lines):
            raise PlanUnreadable(f"the stored invoice plan {plan.key} does not add up")
        return plan


def with_lines(plan: InvoicePlan, lines: Sequence[PlanLine]) -> InvoicePlan:
    """`plan` with these lines and the totals that follow from them."""
    tax_total = sum(line.amount for line in lines if line.kind == "tax")
    total = sum(line.amount for line in lines)
    return replace(plan, lines=tuple(lines), total=total, net_total=total - tax_total, tax_total=tax_total)


def plan_hash(plan: InvoicePlan) -> str:
    """SHA-256 (hex) over what is billed: who, what, how much, when due, and the texts.

    Left out is what may change without changing the invoice: the stored Stripe id, warnings, NetSuite's
    status and time of last change. An approval counts for exactly this content.
    """
    content = plan.to_dict()
    for field in ("warnings", "status", "last_modified"):
        del content[field]
    del content["client"]["stripe_id"]
    return sha256_hex(canonical_json({"format": 1, **content}))


def _line_to_dict(line: PlanLine) -> dict[str, Any]:
    period, tax = line.service_period, line.tax
    return {
        "id": line.id,
        "kind": line.kind,
        "description": line.description,
        "amount": line.amount,
        "quantity": line.quantity,
        "unit_amount": line.unit_amount,
        "unit_amount_minor_decimal": line.unit_amount_minor_decimal,
        "service_period": {"start": period.start, "end": period.end} if period else None,
        "tax": {"code": tax.code, "rate": tax.rate} if tax else None,
        "netsuite": {
            "order_id": line.netsuite.order_id,
            "line": line.netsuite.line,
            "item": line.netsuite.item,
        },
    }


def _line_from_dict(data: Mapping[str, Any]) -> PlanLine:
    kind = _text(data, "kind")
    if kind not in get_args(LineKind):
        raise ValueError(f"kind is {kind!r}")
    period = _object(data, "service_period") if data["service_period"] is not None else None
    tax = _object(data, "tax") if data["tax"] is not None else None
    source = _object(data, "netsuite")
    return PlanLine(
        id=_text(data, "id"),
        kind=kind,  # type: ignore[arg-type]  # checked above; mypy does not narrow by get_args
        description=_text(data, "description"),
        amount=_int(data, "amount"),
        quantity=_text_or_none(data, "quantity"),
        unit_amount=_text_or_none(data, "unit_amount"),
        unit_amount_minor_decimal=_text_or_none(data, "unit_amount_minor_decimal"),
        service_period=ServicePeriod(_text(period, "start"), _text(period, "end")) if period else None,
        tax=LineTax(_text(tax, "code"), _text_or_none(tax, "rate")) if tax else None,
        netsuite=LineSource(_text(source, "order_id"), _text(source, "line"), _text_or_none(source, "item")),
    )


def _client_from_dict(data: Mapping[str, Any]) -> PlanClient:
    return PlanClient(
        _text(data, "netsuite_id"),
        _text(data, "number"),
        _text(data, "name"),
        _text_or_none(data, "email"),
        _text_or_none(data, "stripe_id"),
    )


def _text(data: Mapping[str, Any], field: str) -> str:
    value = data[field]
    if not isinstance(value, str):
        raise TypeError(f"{field} is no text")
    return value


def _text_or_none(data: Mapping[str, Any], field: str) -> str | None:
    return None if data[field] is None else _text(data, field)


def _int(data: Mapping[str, Any], field: str) -> int:
    value = data[field]
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{field} is no whole number")
    return value


def _list(data: Mapping[str, Any], field: str) -> list[Any]:
    value = data[field]
    if not isinstance(value, list):
        raise TypeError(f"{field} is no list")
    return value


def _object(data: Mapping[str, Any], field: str) -> Mapping[str, Any]:
    value = data[field]
    if not isinstance(value, Mapping):
        raise TypeError(f"{field} is no object")
    return value


def _items(data: Mapping[str, Any], field: str) -> list[Mapping[str, Any]]:
    items = _list(data, field)
    if not all(isinstance(item, Mapping) for item in items):
        raise TypeError(f"{field} holds something that is no object")
    return items


def _pair(value: object) -> tuple[str, str]:
    if isinstance(value, list) and len(value) == 2 and all(isinstance(part, str) for part in value):
        return (value[0], value[1])
    raise TypeError("custom_fields holds something that is no pair of texts")
