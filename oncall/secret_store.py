"""Secrets Manager: a new version is stored beside the current one, examined by the stack itself, and made the current
one if it will do. Until then every function goes on with the old one.

AWS, "Rotate AWS Secrets Manager secrets": the staging labels AWSPENDING and AWSCURRENT.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from oncall.exits import NotFound
from oncall.setup_examination import examined
from oncall.stack import Stack

_CURRENT, _PENDING = "AWSCURRENT", "AWSPENDING"


@dataclass(frozen=True, slots=True)
class SecretStore:
    """One secret of the stack."""

    stack: Stack
    service: str
    arn: str

    def current(self) -> tuple[Mapping[str, Any], str, datetime | None]:
        """The value in force, its version, and since when it is. An empty value for a secret without one."""
        try:
            found = self._client.get_secret_value(SecretId=self.arn)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                raise NotFound(f"There is no secret {self.arn}, or it has no value: create it (README, 4).") from None
            raise
        try:
            value = json.loads(found["SecretString"])
        except (ValueError, KeyError):
            value = {}
        return value if isinstance(value, dict) else {}, found["VersionId"], found.get("CreatedDate")

    def examined(self, value: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """Store a version that nobody uses yet; its id, and what the stack's examination says of it."""
        version = self._client.put_secret_value(
            SecretId=self.arn,
            ClientRequestToken=str(uuid.uuid4()),
            SecretString=json.dumps(value),
            VersionStages=[_PENDING],
        )["VersionId"]
        try:
            return version, examined(self.stack, {"secret": self.service, "version": version})
        except BaseException:
            self.forget(version)
            raise

    def use(self, version: str, former: str) -> None:
        """Make it the current one, if `former` still is; every function reads it within five minutes."""
        self._client.update_secret_version_stage(
            SecretId=self.arn, VersionStage=_CURRENT, MoveToVersionId=version, RemoveFromVersionId=former
        )
        self.forget(version)

    def forget(self, version: str) -> None:
        """Take the label of a version that waits; one without a label is deleted by Secrets Manager. Safe to repeat."""
        stages = self._client.describe_secret(SecretId=self.arn).get("VersionIdsToStages", {}).get(version, [])
        if _PENDING in stages:
            self._client.update_secret_version_stage(
                SecretId=self.arn, VersionStage=_PENDING, RemoveFromVersionId=version
            )

    @property
    def _client(self) -> Any:
        return self.stack.client("secretsmanager")
