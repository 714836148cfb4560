"""What each month has billed, invoice by invoice, for the comparison with the month after.

    pk = "MONTH#<cycle>#<period>", sk = plan key    in the runs' table

One row an invoice and no sums: a repeated or partial run writes the same rows again, and nothing has to be added up
under a lock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from billing.adapters.dynamodb.items import batch_write, query_all, row_as
from billing.domain.batch.month_comparison import MonthInvoice

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class Months:
    """The months of one stack."""

    dynamodb: DynamoDBClient
    table: str

    def of(self, cycle: str, period: str) -> tuple[MonthInvoice, ...]:
        """What the cycle billed in the period; nothing if no run of it has."""
        return tuple(row_as(MonthInvoice, row) for row in query_all(self.dynamodb, self.table, _key(cycle, period)))

    def record(self, cycle: str, period: str, invoices: Mapping[str, MonthInvoice]) -> None:
        """Keep invoices by plan key. Safe to repeat."""
        rows: Iterable[dict[str, object]] = (
            {
                "pk": _key(cycle, period),
                "sk": plan_key,
                "client_id": invoice.client_id,
                "client_name": invoice.client_name,
                "currency": invoice.currency,
                "total": invoice.total,
            }
            for plan_key, invoice in invoices.items()
        )
        batch_write(self.dynamodb, self.table, put=rows)


def _key(cycle: str, period: str) -> str:
    return f"MONTH#{cycle}#{period}"
