"""The ledger in DynamoDB.

    pk = plan key, sk = "INVOICE"                the entry, one for ever
    pk = plan key, sk = "APPROVED#<content hash>"  that this content was signed for

A row is only ever moved forward by conditional writes: drafted never becomes anything else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from billing.adapters.dynamo import batch_get, to_item, values_of
from billing.domain.errors import OurFault, PassingError, PersonNeeded
from billing.domain.ledger import Approval, EntryState, LedgerEntry

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_ENTRY = "INVOICE"
_LOCK = "LOCK"
_OPEN_STATES = (EntryState.INTENDED, EntryState.FAILED)


@dataclass(frozen=True, slots=True)
class LedgerTable:
    """`runs_table` holds the period's lock, which every intent checks in the same transaction."""

    dynamodb: DynamoDBClient
    table: str
    runs_table: str = ""

    def entries_and_approvals(self, hashes: Mapping[str, str]) -> tuple[dict[str, LedgerEntry], dict[str, Approval]]:
        """Entries and approvals of the plans {key: content hash}, by key. 100 rows a call."""
        keys = [(key, _ENTRY) for key in hashes] + [(key, f"APPROVED#{hash_}") for key, hash_ in hashes.items()]
        entries: dict[str, LedgerEntry] = {}
        approvals: dict[str, Approval] = {}
        for row in batch_get(self.dynamodb, self.table, [{"pk": pk, "sk": sk} for pk, sk in keys]):
            if row["sk"] == _ENTRY:
                entries[row["pk"]] = _entry(row)
            else:
                approvals[row["pk"]] = Approval(row["pk"], row["content_hash"], row.get("stripe_customer"))
        return entries, approvals

    def entries(self, keys: Iterable[str]) -> dict[str, LedgerEntry]:
        """Entries by key."""
        wanted = [{"pk": key, "sk": _ENTRY} for key in keys]
        return {row["pk"]: _entry(row) for row in batch_get(self.dynamodb, self.table, wanted)}

    def record_approvals(self, approvals: Iterable[Approval], run_id: str, at: str) -> None:
        """Record what was signed for. Writing the same again changes nothing that counts."""
        rows = [
            {
                "pk": approval.key,
                "sk": f"APPROVED#{approval.content_hash}",
                "content_hash": approval.content_hash,
                "stripe_customer": approval.stripe_customer,
                "run_id": run_id,
                "approved_at": at,
            }
            for approval in approvals
        ]
        for start in range(0, len(rows), 25):
            requests: Any = {self.table: [{"PutRequest": {"Item": to_item(row)}} for row in rows[start : start + 25]]}
            for _ in range(8):
                requests = self.dynamodb.batch_write_item(RequestItems=requests).get("UnprocessedItems")
                if not requests:
                    break
            else:
                raise PassingError("The ledger is throttled: not every approval could be recorded.")

    def entry(self, key: str) -> LedgerEntry | None:
        """The entry as it is now, or None."""
        item = self.dynamodb.get_item(
            TableName=self.table, Key=to_item({"pk": key, "sk": _ENTRY}), ConsistentRead=True
        ).get("Item")
        return _entry(values_of(item)) if item else None

    def intend(self, entry: LedgerEntry, lock_key: str) -> None:
        """Write the intent, in one transaction with three checks: the run holds its period, this very content was
        approved, and nothing was drafted yet. Safe to repeat by the same run.

        Raises OurFault if the run has lost its period or the content was never approved, PersonNeeded if the plan is
        drafted already, PassingError if DynamoDB is busy with the same row.
        """
        try:
            self.dynamodb.transact_write_items(
                TransactItems=[
                    {
                        "ConditionCheck": {
                            "TableName": self.runs_table,
                            "Key": to_item({"pk": lock_key, "sk": _LOCK}),
                            "ConditionExpression": "run_id = :run AND #state = :held",
                            "ExpressionAttributeNames": {"#state": "state"},
                            "ExpressionAttributeValues": to_item({":run": entry.run_id, ":held": "held"}),
                        }
                    },
                    {
                        "ConditionCheck": {
                            "TableName": self.table,
                            "Key": to_item({"pk": entry.key, "sk": f"APPROVED#{entry.content_hash}"}),
                            "ConditionExpression": "attribute_exists(pk)",
                        }
                    },
                    {
                        "Update": {
                            "TableName": self.table,
                            "Key": to_item({"pk": entry.key, "sk": _ENTRY}),
                            "UpdateExpression": "SET #state = :state, content_hash = :hash, run_id = :run, period = :period, "
                            "attempt = :attempt, invoice_day = :day, stripe_customer = :customer "
                            "REMOVE reason, reason_name",
                            "ConditionExpression": "attribute_not_exists(pk) OR #state IN (:intended, :failed)",
                            "ExpressionAttributeNames": {"#state": "state"},
                            "ExpressionAttributeValues": to_item(
                                {
                                    ":state": EntryState.INTENDED,
                                    ":hash": entry.content_hash,
                                    ":run": entry.run_id,
                                    ":period": entry.period,
                                    ":attempt": entry.attempt,
                                    ":day": entry.invoice_day,
                                    ":customer": entry.stripe_customer,
                                    ":intended": EntryState.INTENDED,
                                    ":failed": EntryState.FAILED,
                                }
                            ),
                        }
                    },
                ]
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "TransactionCanceledException":
                raise
            reasons = [str(reason.get("Code")) for reason in error.response.get("CancellationReasons", [])]
            lock, approval, row = (reasons + ["None"] * 3)[:3]
            if lock == "ConditionalCheckFailed":
                raise OurFault(
                    "This run no longer holds its billing period: another run took it over. Start a new execution."
                ) from None
            if approval == "ConditionalCheckFailed":
                raise OurFault(f"{entry.key}: nobody has signed for this content. Nothing is drafted.") from None
            if row == "ConditionalCheckFailed":
                raise PersonNeeded(f"{entry.key} has been drafted meanwhile. Nothing is drafted twice.") from None
            raise PassingError(f"The ledger is busy with {entry.key}.") from None

    def remember_invoice(self, key: str, run_id: str, invoice_id: str) -> None:
        """Note the draft's id as soon as Stripe has given it."""
        self._update(key, "SET invoice_id = :invoice", {":invoice": invoice_id, ":run": run_id}, "run_id = :run")

    def settle(self, entry: LedgerEntry) -> None:
        """Write the fact: drafted, or differs. Safe to repeat with the same fact; OurFault if another one is written."""
        self._update(
            entry.key,
            "SET #state = :state, invoice_id = :invoice, currency = :currency, #total = :total, reason = :reason, "
            "reason_name = :name, stripe_customer = :customer, live_mode = :live",
            {
                ":state": entry.state,
                ":invoice": entry.invoice_id,
                ":currency": entry.currency,
                ":total": entry.total,
                ":reason": entry.reason,
                ":name": entry.reason_name,
                ":customer": entry.stripe_customer,
                ":live": entry.live_mode,
                ":hash": entry.content_hash,
                ":intended": EntryState.INTENDED,
                ":failed": EntryState.FAILED,
            },
            "content_hash = :hash AND (#state IN (:intended, :failed) OR (#state = :state AND invoice_id = :invoice))",
            {"#state": "state", "#total": "total"},
        )

    def explain(self, key: str, run_id: str, reason: str) -> None:
        """Keep the full reason of a failure, which may name amounts and people, out of logs and history but not lost."""
        self._update(key, "SET reason = :reason", {":reason": reason[:2000], ":run": run_id}, "run_id = :run")

    def note_failure(self, key: str, content_hash: str, run_id: str, period: str, name: str, reason: str) -> bool:
        """Mark a plan as failed, unless it has been drafted after all. Answers whether it was marked.

        The reason that this run has explained already stays; one of an earlier run, whose drafting this run did not even
        begin, gives way.
        """
        values = {
            ":failed": EntryState.FAILED,
            ":intended": EntryState.INTENDED,
            ":name": name,
            ":reason": reason[:2000],
            ":run": run_id,
        }
        if self._marked(
            key,
            "SET #state = :failed, reason_name = :name, reason = if_not_exists(reason, :reason)",
            "run_id = :run AND #state IN (:intended, :failed)",
            values,
        ):
            return True
        return self._marked(
            key,
            "SET #state = :failed, reason_name = :name, reason = :reason, content_hash = :hash, run_id = :run, "
            "period = :period, attempt = if_not_exists(attempt, :one), invoice_day = :none",
            "attribute_not_exists(pk) OR (run_id <> :run AND #state IN (:intended, :failed))",
            {**values, ":hash": content_hash, ":period": period, ":one": 1, ":none": ""},
        )

    def _marked(self, key: str, expression: str, condition: str, values: Mapping[str, Any]) -> bool:
        try:
            self.dynamodb.update_item(
                TableName=self.table,
                Key=to_item({"pk": key, "sk": _ENTRY}),
                UpdateExpression=expression,
                ConditionExpression=condition,
                ExpressionAttributeNames={"#state": "state"},
                ExpressionAttributeValues=to_item(values),
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return False
            raise
        return True

    def _update(
        self,
        key: str,
        expression: str,
        values: Mapping[str, Any],
        condition: str,
        names: Mapping[str, str] | None = None,
    ) -> None:
        arguments: Any = {
            "TableName": self.table,
            "Key": to_item({"pk": key, "sk": _ENTRY}),
            "UpdateExpression": expression,
            "ConditionExpression": condition,
            "ExpressionAttributeValues": to_item(values),
            **({"ExpressionAttributeNames": dict(names)} if names else {}),
        }
        try:
            self.dynamodb.update_item(**arguments)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                raise OurFault(f"{key}: another run has taken this order over. Start a new execution.") from None
            raise


def _entry(row: Mapping[str, Any]) -> LedgerEntry:
    return LedgerEntry(
        key=row["pk"],
        state=EntryState(row["state"]),
        content_hash=row["content_hash"],
        run_id=row["run_id"],
        period=row["period"],
        attempt=int(row["attempt"]),
        invoice_day=row["invoice_day"],
        stripe_customer=row.get("stripe_customer"),
        invoice_id=row.get("invoice_id"),
        currency=row.get("currency"),
        total=None if row.get("total") is None else int(row["total"]),
        reason_name=row.get("reason_name"),
        reason=row.get("reason"),
        live_mode=row.get("live_mode"),
    )
