"""Approval requests, votes, entries and outcomes in DynamoDB. All but the head's counter is written once, never
changed.

pk = "RUN#<run id>",         sk = "CURRENT"              the number of the run's present request
pk = "REQUEST#<request id>", sk = "REQUEST"              what is asked, of whom, until when; the signature over
                                                         that; the sealed task token; how many changes there were;
                                                         the content asked about now
                             sk = "VOTE#<person>#<hash>" one per person and content, signed
                             sk = "ENTRY#<number>"       holds, delegations, escalations, signed
                             sk = "BOUNCE#<person>"      mail does not reach this person
                             sk = "OUTCOME"              one
                             sk = "MESSAGE#<what>"       see message_log
pk = "END#<request id>",     sk = "<redrive count>"     how the run ended; once for each redrive
pk = "PERSON#<approver id>", sk = "REQUEST#<request id>" what this person was asked
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import Binary
from botocore.exceptions import ClientError

from billing.adapters.dynamodb.items import query_all, readable, row_as, to_item, to_row, values_of, with_format
from billing.domain.approval.approval_request import (
    ApprovalRequest,
    Bounce,
    RecordedOutcome,
    RunEnd,
    SentMessage,
)
from billing.domain.approval.stored_request import StoredRequest, request_owner
from billing.domain.errors import PassingError
from billing.domain.records import to_record

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_CONFLICTS = 10


@dataclass(frozen=True, slots=True)
class ApprovalsTable:
    """Reads are consistent: a decision must never be made on an old picture."""

    dynamodb: DynamoDBClient
    table: str

    def current_number(self, run_id: str) -> int:
        """The number of the run's present request, 0 if there was none."""
        item = self.dynamodb.get_item(
            TableName=self.table, Key=to_item({"pk": f"RUN#{run_id}", "sk": "CURRENT"}), ConsistentRead=True
        ).get("Item")
        if not item:
            return 0
        row = values_of(item)
        with readable(row):
            return int(row["request_number"])

    def newest(self, run_id: str) -> StoredRequest | None:
        """The run's present request, or None if it never asked."""
        number = self.current_number(run_id)
        return self.read(f"{run_id}.{number}") if number else None

    def every(self, run_id: str) -> tuple[StoredRequest, ...]:
        """All requests of the run up to its present one, oldest first: a redriven run may have asked several times."""
        numbers = range(1, self.current_number(run_id) + 1)
        read = (self.read(f"{run_id}.{number}") for number in numbers)
        return tuple(stored for stored in read if stored is not None)

    def make_current(self, run_id: str, number: int) -> None:
        """Point the run at a request. Safe to repeat."""
        self.dynamodb.put_item(
            TableName=self.table, Item=to_row({"pk": f"RUN#{run_id}", "sk": "CURRENT", "request_number": number})
        )

    def open(self, request: ApprovalRequest, signature: str) -> bool:
        """Write a request if it is not there yet, with the signature over all of it. Answers whether it was written
        now."""
        written = {name: value for name, value in to_record(request).items() if name != "id"}
        return self._put_once({"pk": request_owner(request.id), "sk": "REQUEST", **written, "signature": signature})

    def seal(self, request_id: str, sealed_token: bytes) -> None:
        """Keep the task token of the present wait. A retried or renewed wait has a new token, and only that one wakes
        it."""
        update: Any = {
            "TableName": self.table,
            "Key": to_item({"pk": request_owner(request_id), "sk": "REQUEST"}),
            "UpdateExpression": "SET sealed_token = :token",
            "ConditionExpression": "attribute_exists(pk)",
            "ExpressionAttributeValues": to_item({":token": Binary(sealed_token)}),
        }
        self.dynamodb.update_item(**with_format(**update))

    def read(self, request_id: str) -> StoredRequest | None:
        """Everything about a request, or None if there is none of that id."""
        rows = {row["sk"]: row for row in query_all(self.dynamodb, self.table, request_owner(request_id))}
        head = rows.get("REQUEST")
        if head is None:
            return None
        with readable(head):
            return _stored(request_id, head, rows)

    def vote(self, request_id: str, approver: str, signed: str, content: str) -> bool:
        """Keep a person's vote for a content and count it, while the request asks about that content and is not
        decided.

        Answers False if this person has voted about this content before (the first answer stands), the content has
        changed, or the request was decided meanwhile.
        """
        return self._change(
            request_id,
            {"sk": f"VOTE#{approver}#{content[:16]}", "signed": signed},
            update="ADD changes :one",
            condition="content = :content OR (attribute_not_exists(content) AND batch_sha256 = :content)",
            values={":one": 1, ":content": content},
        )

    def append(self, request_id: str, seen: int, signed: str, content: str) -> bool:
        """Keep an entry as the next change, and the content that is asked about from now on.

        Answers False if there was a change since `seen`, or the request was decided: read again.
        """
        return self._change(
            request_id,
            {"sk": f"ENTRY#{seen + 1:06d}", "signed": signed},
            update="ADD changes :one SET content = :content",
            condition="changes = :seen" if seen else "attribute_exists(pk) AND attribute_not_exists(changes)",
            values={":one": 1, ":content": content, **({":seen": seen} if seen else {})},
        )

    def note_bounce(self, request_id: str, bounce: Bounce) -> bool:
        """Keep that mail does not reach a person. Answers whether it was written now."""
        return self._put_once(
            {
                "pk": request_owner(request_id),
                "sk": f"BOUNCE#{bounce.approver}",
                "kind": bounce.kind,
                "detail": bounce.detail,
                "at": bounce.at,
            }
        )

    def index(self, approver: str, request_id: str, at: str) -> None:
        """Remember that a person was asked. Safe to repeat."""
        self._put_once({"pk": f"PERSON#{approver}", "sk": request_owner(request_id), "at": at})

    def asked(self, approver: str) -> tuple[str, ...]:
        """Ids of the requests that a person was asked about, the newest first."""
        rows = query_all(self.dynamodb, self.table, f"PERSON#{approver}")
        newest = sorted(rows, key=lambda row: (str(row.get("at", "")), str(row["sk"])), reverse=True)
        return tuple(str(row["sk"]).removeprefix("REQUEST#") for row in newest)

    def note_end(self, request_id: str, redrive_count: int, end: RunEnd) -> None:
        """Keep how the run ended. Safe to repeat: of one redrive the first end stands, and no other one is touched."""
        self._put_once(
            {
                "pk": f"END#{request_id}",
                "sk": f"{redrive_count:06d}",
                "outcome": end.outcome,
                "at": end.at,
                "drafted": end.drafted,
                "failed": end.failed,
                "left_out": end.left_out,
            }
        )

    def end(self, request_id: str) -> RunEnd | None:
        """How the run ended the last time, None while it has not. The highest redrive count counts."""
        rows = query_all(self.dynamodb, self.table, f"END#{request_id}")
        if not rows:
            return None
        last = max(rows, key=lambda row: str(row["sk"]))
        return row_as(RunEnd, last)

    def _change(
        self, request_id: str, row: Mapping[str, Any], update: str, condition: str, values: Mapping[str, Any]
    ) -> bool:
        """A row, the head's counter, and "no outcome yet", together."""
        return self._together(
            [
                {
                    "Put": {
                        "TableName": self.table,
                        "Item": to_row({"pk": request_owner(request_id), **row}),
                        "ConditionExpression": "attribute_not_exists(pk)",
                    }
                },
                {
                    "Update": with_format(
                        TableName=self.table,
                        Key=to_item({"pk": request_owner(request_id), "sk": "REQUEST"}),
                        UpdateExpression=update,
                        ConditionExpression=condition,
                        ExpressionAttributeValues=to_item(values),
                    )
                },
                {
                    "ConditionCheck": {
                        "TableName": self.table,
                        "Key": to_item({"pk": request_owner(request_id), "sk": "OUTCOME"}),
                        "ConditionExpression": "attribute_not_exists(pk)",
                    }
                },
            ]
        )

    def conclude(self, request_id: str, outcome: RecordedOutcome, seen: int) -> bool:
        """Keep the outcome if it was made from all changes there are. Answers False if one came in between or an
        outcome is there already: read again. So two opposite answers at the same instant are both counted, and
        never one missed.
        """
        return self._together(
            [
                {
                    "ConditionCheck": {
                        "TableName": self.table,
                        "Key": to_item({"pk": request_owner(request_id), "sk": "REQUEST"}),
                        "ConditionExpression": "changes = :seen"
                        if seen
                        else "attribute_exists(pk) AND attribute_not_exists(changes)",
                        **({"ExpressionAttributeValues": to_item({":seen": seen})} if seen else {}),
                    }
                },
                {
                    "Put": {
                        "TableName": self.table,
                        "Item": to_row(
                            {
                                "pk": request_owner(request_id),
                                "sk": "OUTCOME",
                                "outcome": outcome.outcome,
                                "reason": outcome.reason,
                                "at": outcome.at,
                            }
                        ),
                        "ConditionExpression": "attribute_not_exists(pk)",
                    }
                },
            ]
        )

    def _together(self, items: list[Any]) -> bool:
        """Write all or nothing. False if a condition does not hold; PassingError if others write the same rows now."""
        for _ in range(_CONFLICTS):
            try:
                self.dynamodb.transact_write_items(TransactItems=items)
            except ClientError as error:
                if error.response["Error"]["Code"] != "TransactionCanceledException":
                    raise
                reasons = [str(reason.get("Code")) for reason in error.response.get("CancellationReasons", [])]
                if "ConditionalCheckFailed" in reasons:
                    return False
            else:
                return True
        raise PassingError("Others write to the same approval request at this moment.")

    def _put_once(self, row: Mapping[str, Any]) -> bool:
        try:
            self.dynamodb.put_item(
                TableName=self.table, Item=to_row(row), ConditionExpression="attribute_not_exists(pk)"
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return False
            raise
        return True


def _stored(request_id: str, head: Mapping[str, Any], rows: Mapping[str, Mapping[str, Any]]) -> StoredRequest:
    outcome, token = rows.get("OUTCOME"), head.get("sealed_token")
    return StoredRequest(
        request=row_as(ApprovalRequest, {**head, "id": request_id}),
        sealed_token=bytes(token) if token is not None else b"",
        signature=str(head.get("signature", "")),
        signed_votes=tuple(str(row["signed"]) for sk, row in sorted(rows.items()) if sk.startswith("VOTE#")),
        changes=int(head.get("changes", 0)),
        outcome=row_as(RecordedOutcome, outcome) if outcome else None,
        signed_entries=tuple(
            (int(sk.removeprefix("ENTRY#")), str(row["signed"]))
            for sk, row in sorted(rows.items())
            if sk.startswith("ENTRY#")
        ),
        bounces=tuple(
            row_as(Bounce, {**row, "approver": sk.removeprefix("BOUNCE#")})
            for sk, row in sorted(rows.items())
            if sk.startswith("BOUNCE#")
        ),
        messages=tuple(
            SentMessage(sk.removeprefix("MESSAGE#"), row["done_at"])
            for sk, row in sorted(rows.items())
            if sk.startswith("MESSAGE#") and row.get("done_at")
        ),
    )
