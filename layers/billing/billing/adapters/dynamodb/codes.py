"""The newest code of each person for each request, in the approvals table; see second_factor.

pk = "REQUEST#<request id>", sk = "CODE#<person>"    its signature, until when it is good, tries, and how many were made
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from billing.adapters.dynamodb.items import readable, to_item, values_of, with_format
from billing.domain.approval.second_factor import AGAIN_AFTER, MOST_CODES, MOST_TRIES, Code, KeptCode
from billing.domain.approval.stored_request import request_owner

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class Codes:
    """Each is one conditional write: two clicks at once make one code, and tries at the same moment are all counted."""

    dynamodb: DynamoDBClient
    table: str

    def keep(self, code: Code, signature: str, now: int) -> bool:
        """Keep a new code in the place of the one before. Answers False if that was made less than a minute ago, or
        the person has had as many as they may."""
        return (
            self._update(
                code.request_id,
                code.approver,
                "SET signature = :signature, expires_at = :until, made_at = :now, tries = :none ADD made :one",
                "attribute_not_exists(pk) OR (made_at <= :before AND made < :most)",
                {
                    ":signature": signature,
                    ":until": code.expires_at,
                    ":now": now,
                    ":none": 0,
                    ":one": 1,
                    ":before": now - AGAIN_AFTER,
                    ":most": MOST_CODES,
                },
            )
            is not None
        )

    def try_(self, request_id: str, approver: str) -> KeptCode | None:
        """Count a try, and answer what there is to compare with; None if there is no code, or it was tried too
        often."""
        row = self._update(
            request_id,
            approver,
            "ADD tries :one",
            "attribute_exists(pk) AND tries < :most",
            {":one": 1, ":most": MOST_TRIES},
        )
        if row is None:
            return None
        with readable(row):
            return KeptCode(str(row["signature"]), int(row["expires_at"]), int(row["tries"]))

    def _update(
        self, request_id: str, approver: str, expression: str, condition: str, values: dict[str, Any]
    ) -> dict[str, Any] | None:
        try:
            answer = self.dynamodb.update_item(
                **with_format(
                    TableName=self.table,
                    Key=to_item({"pk": request_owner(request_id), "sk": f"CODE#{approver}"}),
                    UpdateExpression=expression,
                    ConditionExpression=condition,
                    ExpressionAttributeValues=to_item(values),
                    ReturnValues="ALL_NEW",
                )
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return None
            raise
        return values_of(answer.get("Attributes", {}))
