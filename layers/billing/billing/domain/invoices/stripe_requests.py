"""A plan as Stripe's parameters. Pure, so that the same plan gives the same bytes on every attempt.

Sources: Stripe's API reference, "Create an invoice" and "Bulk add invoice line items".
"""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from billing.domain.canonical import canonical_json, sha256_hex
from billing.domain.invoices.billing_policy import TaxMode
from billing.domain.invoices.invoice_days import InvoiceDays
from billing.domain.invoices.plan_record import InvoicePlan, PlanLine
from billing.domain.run import Run

_METADATA_VALUE = 500


def invoice_params(
    plan: InvoicePlan,
    customer: str,
    invoice_hash: str,
    days: InvoiceDays,
    zone: ZoneInfo,
    run: Run,
    auto_advance: bool,
    tax: TaxMode,
) -> dict[str, Any]:
    """Parameters of the draft. Due dates are sent as a date, never as days: Stripe counts days from the draft's
    creation, and a late approval would shorten the client's terms. `days.due` lies on the day of drafting or after
    it."""
    params: dict[str, Any] = {
        "customer": customer,
        "currency": plan.currency,
        "auto_advance": auto_advance,
        "collection_method": "send_invoice",
        **day_params(days, zone),
        "pending_invoice_items_behavior": "exclude",
        "metadata": {
            "billing_plan": plan.key,
            "content_sha256": invoice_hash,
            "netsuite_so_id": _joined(order.id for order in plan.orders),
            "netsuite_so_number": _joined(order.number for order in plan.orders),
            "netsuite_customer_id": plan.client.netsuite_id,
            "billing_period": run.period,
            "run_id": run.id,
        },
    }
    if plan.description:
        params["description"] = plan.description
    if plan.footer:
        params["footer"] = plan.footer
    if plan.custom_fields:
        params["custom_fields"] = [{"name": name, "value": value} for name, value in plan.custom_fields]
    if tax == "stripe":
        params["automatic_tax"] = {"enabled": True}
    return params


def day_params(days: InvoiceDays, zone: ZoneInfo) -> dict[str, int]:
    """The draft's two days: due at the end of the due day, and the date on the invoice as the noon of its day, which
    is the same day in every zone from UTC-11 to UTC+11."""
    return {
        "due_date": _epoch(date.fromisoformat(days.due), time(23, 59, 59), zone),
        "effective_at": _epoch(date.fromisoformat(days.invoice), time(12), zone),
    }


def line_params(line: PlanLine, currency: str, zone: ZoneInfo) -> dict[str, Any]:
    """Parameters of one line: an amount, or quantity and unit price where the plan says that Stripe's arithmetic is
    exact."""
    params: dict[str, Any] = {
        "description": line.description,
        "metadata": {
            "netsuite_line_id": line.id,
            "netsuite_so_id": line.netsuite.order_id,
            "netsuite_line": line.netsuite.line,
        },
    }
    if line.unit_amount_minor_decimal is not None and line.quantity is not None:
        params["quantity_decimal"] = line.quantity
        params["price_data"] = {
            "currency": currency,
            "product_data": {"name": line.description[:250] or line.id},
            "unit_amount_decimal": line.unit_amount_minor_decimal,
        }
    else:
        params["amount"] = line.amount
    if line.service_period is not None:
        params["period"] = {
            "start": _epoch(date.fromisoformat(line.service_period.start), time(0), zone),
            "end": _epoch(date.fromisoformat(line.service_period.end), time(23, 59, 59), zone),
        }
    return params


def idempotency_key(what: str, *parts: Any) -> str:
    """A key that stands for exactly this content: other parameters give another key, the same give the same."""
    return f"billing-{what}-{sha256_hex(canonical_json(list(parts)))[:40]}"


def _epoch(day: date, at: time, zone: ZoneInfo) -> int:
    return int(datetime.combine(day, at, zone).timestamp())


def _joined(values: Any) -> str:
    text = ",".join(values)
    return text if len(text) <= _METADATA_VALUE else text[: _METADATA_VALUE - 1] + "…"
