"""The batch as a table: one row per invoice line, and one per order that is not billed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final

from billing.domain.batch.batch import Batch, BatchInvoice
from billing.domain.invoices.invoice_days import InvoiceDays
from billing.domain.invoices.order_plan import PO_FIELD
from billing.domain.ledger.ledger import Disposition
from billing.domain.orders.sales_order import Problem
from billing.pages.csv_file import Amount, Cell, csv_bytes, csv_parts, number_cell
from billing.pages.formatting import customer_words, due_words

HEAD: Final = (
    "What is done",
    "Reason",
    "Invoice",
    "Orders",
    "Order dates",
    "Client",
    "Client number",
    "Client's NetSuite id",
    "Client's e-mail",
    "Stripe customer",
    "PO number",
    "Due",
    "Line",
    "Kind",
    "Description",
    "Quantity",
    "Unit price",
    "Currency",
    "Amount",
    "Service from",
    "Service to",
    "Tax code",
    "Tax rate",
    "Memo",
    "Warnings",
    "Content SHA-256",
    "Invoice date",
)
_DONE: Final = {
    Disposition.ASK: "will be drafted",
    Disposition.FINISH: "will be drafted, approved earlier",
    Disposition.SKIP: "already drafted",
    Disposition.HOLD: "held",
}


def batch_csv(batch: Batch, today: date | None = None) -> bytes:
    """Every line of every invoice and every problem, texts in full. Amounts are plain numbers and add up. With `today`
    the due days are those of drafts that are made today."""
    return csv_bytes(HEAD, _rows(batch, today))


def batch_csv_parts(batch: Batch, most: int, today: date | None = None) -> tuple[bytes, ...]:
    """The same as files of at most `most` bytes each."""
    return csv_parts(HEAD, _rows(batch, today), most)


def _rows(batch: Batch, today: date | None) -> Iterator[tuple[Cell, ...]]:
    for invoice in batch.invoices:
        yield from _invoice_rows(invoice, batch.days_of(invoice), today)
    for problem in batch.problems:
        yield _problem_row(problem)


def _invoice_rows(invoice: BatchInvoice, days: InvoiceDays | None, today: date | None) -> Iterator[tuple[Cell, ...]]:
    plan = invoice.plan
    for number, line in enumerate(plan.lines, start=1):
        period, tax = line.service_period, line.tax
        yield (
            _DONE[invoice.disposition],
            invoice.reason,
            plan.key,
            ", ".join(order.number for order in plan.orders),
            ", ".join(order.date for order in plan.orders),
            plan.client.name,
            plan.client.number,
            plan.client.netsuite_id,
            plan.client.email or "",
            customer_words(invoice.customer),
            ", ".join(value for name, value in plan.custom_fields if name == PO_FIELD),
            due_words(plan.due, days, today),
            number,
            line.kind,
            line.description,
            number_cell(line.quantity),
            number_cell(line.unit_amount),
            plan.currency.upper(),
            Amount(line.amount, plan.currency),
            period.start if period else "",
            period.end if period else "",
            tax.code if tax else "",
            (tax.rate or "") if tax else "",
            plan.memo or "",
            " ".join(warning.message for warning in plan.warnings),
            invoice.invoice_hash,
            days.invoice if days else "",
        )


def _problem_row(problem: Problem) -> tuple[Cell, ...]:
    row: dict[str, Cell] = dict.fromkeys(HEAD, "")
    row.update(
        {
            "What is done": "not billed",
            "Reason": problem.message,
            "Orders": problem.order_number,
            "Client": problem.client_name or "",
            "Client's NetSuite id": problem.client_id or "",
            "Currency": (problem.currency or "").upper(),
            "Amount": (
                Amount(problem.total_minor, problem.currency)
                if problem.total_minor is not None and problem.currency
                else None
            ),
        }
    )
    return tuple(row.values())
