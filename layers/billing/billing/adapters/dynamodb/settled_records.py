"""What the settlement has written into NetSuite and whom it knows there, in DynamoDB.

pk = "SETTLED#<externalId>"    a record: intended or written, its internal id, what it is applied to (a hash)
pk = "CUSTOMER#<cus_...>"      the NetSuite customer of a Stripe customer
pk = "ITEM#<externalId>"       the NetSuite item of a price or a coupon
pk = "ORDERS#<in_...>"         what the invoice bills of orders of ours; the ledger forgets an invoice that was voided
pk = "WAITING#<externalId>"    the payout that waits for this record
pk = "PERIODS"                 NetSuite's accounting periods as they were read last
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from billing.adapters.dynamodb.items import (
    batch_get,
    batch_write,
    json_as,
    json_text,
    row_as,
    to_item,
    to_row,
    values_of,
    with_format,
)
from billing.domain.settlement.periods import AccountingPeriod
from billing.domain.settlement.stripe_objects import BilledOrder
from billing.domain.settlement.written import WriteState, WrittenRecord

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class SettledRecords:
    """Rows by externalId. They are written by whoever holds the bell of their root, and only moved forward."""

    dynamodb: DynamoDBClient
    table: str

    def record(self, external_id: str) -> WrittenRecord | None:
        """The row of a record."""
        row = self._row(f"SETTLED#{external_id}")
        return _written(row) if row else None

    def records(self, external_ids: Iterable[str]) -> dict[str, WrittenRecord]:
        """The rows that there are, by externalId; a hundred a call."""
        keys = [{"pk": f"SETTLED#{one}"} for one in dict.fromkeys(external_ids)]
        found = (_written(row) for row in batch_get(self.dynamodb, self.table, keys))
        return {one.external_id: one for one in found}

    def intend(self, record: WrittenRecord, at: str) -> None:
        """It may be in NetSuite from now on. A row that says it is written stays so."""
        self.dynamodb.update_item(
            **with_format(
                TableName=self.table,
                Key=to_item({"pk": f"SETTLED#{record.external_id}"}),
                UpdateExpression="SET #type = :type, #state = if_not_exists(#state, :state), root = :root, "
                "intended_at = if_not_exists(intended_at, :at)",
                ExpressionAttributeNames={"#type": "type", "#state": "state"},
                ExpressionAttributeValues=to_item(
                    {":type": record.type, ":state": WriteState.INTENDED, ":root": record.root, ":at": at}
                ),
            )
        )

    def settle(self, record: WrittenRecord, at: str) -> None:
        """It is in NetSuite, and was read back."""
        self.dynamodb.update_item(
            **with_format(
                TableName=self.table,
                Key=to_item({"pk": f"SETTLED#{record.external_id}"}),
                UpdateExpression="SET #type = :type, #state = :state, root = :root, internal_id = :id, "
                "applied_hash = :applied, settled_at = :at",
                ExpressionAttributeNames={"#type": "type", "#state": "state"},
                ExpressionAttributeValues=to_item(
                    {
                        ":type": record.type,
                        ":state": record.state,
                        ":root": record.root,
                        ":id": record.internal_id,
                        ":applied": record.applied_hash,
                        ":at": at,
                    }
                ),
            )
        )

    def customer(self, stripe_customer: str) -> str | None:
        """NetSuite's internal id of a Stripe customer."""
        return self._pair(f"CUSTOMER#{stripe_customer}")

    def customers(self, stripe_customers: Iterable[str]) -> dict[str, str]:
        """NetSuite's internal ids of the Stripe customers that are known; a hundred a call."""
        keys = [{"pk": f"CUSTOMER#{one}"} for one in dict.fromkeys(stripe_customers)]
        return {
            str(row["pk"]).removeprefix("CUSTOMER#"): str(row["netsuite_id"])
            for row in batch_get(self.dynamodb, self.table, keys)
        }

    def keep_customer(self, stripe_customer: str, netsuite_id: str, how: str, at: str) -> None:
        """Keep the pair. `how` says what it was matched by."""
        self._keep(f"CUSTOMER#{stripe_customer}", netsuite_id, how, at)

    def items(self, external_ids: Iterable[str]) -> dict[str, str]:
        """NetSuite's internal ids of items, by the externalId that they were found or made by."""
        keys = [{"pk": f"ITEM#{one}"} for one in dict.fromkeys(external_ids)]
        return {
            str(row["pk"]).removeprefix("ITEM#"): str(row["netsuite_id"])
            for row in batch_get(self.dynamodb, self.table, keys)
        }

    def keep_item(self, external_id: str, netsuite_id: str, how: str, at: str) -> None:
        """Keep the pair."""
        self._keep(f"ITEM#{external_id}", netsuite_id, how, at)

    def orders(self, invoice: str) -> tuple[BilledOrder, ...]:
        """What an invoice bills of orders of ours, as it was kept; () if it was not."""
        row = self._row(f"ORDERS#{invoice}")
        if row is None:
            return ()
        return json_as(_Orders, row, "orders").orders

    def keep_orders(self, invoice: str, orders: tuple[BilledOrder, ...]) -> None:
        """Keep what an invoice bills of orders of ours."""
        self.dynamodb.update_item(
            **with_format(
                TableName=self.table,
                Key=to_item({"pk": f"ORDERS#{invoice}"}),
                UpdateExpression="SET orders = :orders",
                ExpressionAttributeValues=to_item({":orders": json_text(_Orders(orders))}),
            )
        )

    def wait_for(self, external_ids: Iterable[str], payout: str) -> None:
        """Note that a payout waits for these records."""
        rows = ({"pk": f"WAITING#{one}", "payout": payout} for one in dict.fromkeys(external_ids))
        batch_write(self.dynamodb, self.table, put=rows)

    def waiting_for(self, external_ids: Iterable[str]) -> set[str]:
        """The payouts that wait for one of these records."""
        keys = [{"pk": f"WAITING#{one}"} for one in dict.fromkeys(external_ids)]
        return {str(row["payout"]) for row in batch_get(self.dynamodb, self.table, keys)}

    def no_longer_awaited(self, external_ids: Iterable[str]) -> None:
        """Forget who waits for these records: they have been told."""
        keys = [{"pk": f"WAITING#{one}"} for one in dict.fromkeys(external_ids)]
        batch_write(self.dynamodb, self.table, put=(), delete=keys)

    def periods(self) -> tuple[tuple[AccountingPeriod, ...], int] | None:
        """The accounting periods and when they were read (epoch seconds)."""
        row = self._row("PERIODS")
        if row is None:
            return None
        return json_as(_Periods, row, "periods").periods, int(row["read_at"])

    def keep_periods(self, periods: tuple[AccountingPeriod, ...], read_at: int) -> None:
        """Keep the accounting periods."""
        self.dynamodb.put_item(
            TableName=self.table,
            Item=to_row({"pk": "PERIODS", "periods": json_text(_Periods(periods)), "read_at": read_at}),
        )

    def _row(self, pk: str) -> dict[str, Any] | None:
        item = self.dynamodb.get_item(TableName=self.table, Key=to_item({"pk": pk}), ConsistentRead=True).get("Item")
        return values_of(item) if item else None

    def _pair(self, pk: str) -> str | None:
        row = self._row(pk)
        return str(row["netsuite_id"]) if row else None

    def _keep(self, pk: str, netsuite_id: str, how: str, at: str) -> None:
        row = {"pk": pk, "netsuite_id": netsuite_id, "how": how, "kept_at": at}
        self.dynamodb.put_item(TableName=self.table, Item=to_row(row))


@dataclass(frozen=True, slots=True)
class _Periods:
    periods: tuple[AccountingPeriod, ...]


@dataclass(frozen=True, slots=True)
class _Orders:
    orders: tuple[BilledOrder, ...]


def _written(row: Mapping[str, Any]) -> WrittenRecord:
    return row_as(WrittenRecord, {**row, "external_id": str(row["pk"]).removeprefix("SETTLED#")})
