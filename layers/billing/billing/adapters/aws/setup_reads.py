"""How the stack's own resources and SES stand: descriptions only, no contents and no writes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from billing.adapters.aws.secrets import secret, secret_version
from billing.domain.doctor.kept import TableState
from billing.domain.doctor.mail import AccountFound, ConfigurationFound
from billing.domain.errors import PersonNeeded

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sesv2 import SESV2Client

_ABSENT = ("ResourceNotFoundException", "NotFoundException", "NoSuchBucket", "404")


@dataclass(frozen=True, slots=True)
class MailSetup:
    """Amazon SES in the stack's region."""

    ses: SESV2Client

    def is_verified(self, address: str) -> bool:
        """Whether SES may send as, or in its sandbox to, this address: it, its domain or a domain above is verified
        (Amazon SES developer guide, "Verified identities": a domain's verification holds for its subdomains)."""
        labels = address.rpartition("@")[2].split(".")
        domains = [".".join(labels[start:]) for start in range(max(1, len(labels) - 1))]
        return any(self._verified(identity) for identity in (address, *domains))

    def account(self) -> AccountFound:
        """The account's standing."""
        found = self.ses.get_account()
        return AccountFound(
            bool(found.get("ProductionAccessEnabled")),
            bool(found.get("SendingEnabled")),
            str(found.get("EnforcementStatus", "")),
        )

    def configuration(self, name: str) -> ConfigurationFound | None:
        """A configuration set and what its enabled destinations are sent; None if there is none."""
        try:
            found = self.ses.get_configuration_set(ConfigurationSetName=name)
            listed = self.ses.get_configuration_set_event_destinations(ConfigurationSetName=name)
        except ClientError as error:
            if _is_absent(error):
                return None
            raise
        events = {
            str(kind) for one in listed["EventDestinations"] if one.get("Enabled") for kind in one["MatchingEventTypes"]
        }
        return ConfigurationFound(
            bool(found.get("SendingOptions", {}).get("SendingEnabled", True)),
            str(found.get("TrackingOptions", {}).get("CustomRedirectDomain", "")),
            frozenset(events),
        )

    def _verified(self, identity: str) -> bool:
        try:
            return bool(self.ses.get_email_identity(EmailIdentity=identity).get("VerifiedForSendingStatus"))
        except ClientError as error:
            if _is_absent(error):
                return False
            raise


def table_states(dynamodb: DynamoDBClient, tables: Mapping[str, str]) -> list[TableState]:
    """Every table by its logical name -> its name in the account."""
    return [_table_state(dynamodb, name, table) for name, table in tables.items()]


def bucket_versioning(s3: S3Client, bucket: str) -> str | None:
    """S3's word for the bucket's versioning, "" if it was never on, None if there is no such bucket."""
    try:
        return str(s3.get_bucket_versioning(Bucket=bucket).get("Status", ""))
    except ClientError as error:
        if _is_absent(error):
            return None
        raise


def readable_secret(arn: str, parameter: str, fields: Iterable[str] = (), version_id: str = "") -> Mapping[str, Any]:
    """A secret (its current version, or the one named), with the fields that it must have. PersonNeeded naming the
    stack's parameter."""
    try:
        found = secret_version(arn, version_id) if version_id else secret(arn)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "ResourceNotFoundException":
            raise PersonNeeded(
                f"{parameter} names no secret of this account and region: create it (README, step 4), or correct the "
                "parameter."
            ) from None
        if code == "InvalidRequestException":
            raise PersonNeeded(f"The secret of {parameter} is marked for deletion: restore it.") from None
        if code in ("DecryptionFailure", "KMSAccessDeniedException"):
            raise PersonNeeded(
                f"The secret of {parameter} is encrypted with a key of its own: use aws/secretsmanager (README, 4)."
            ) from None
        raise
    return with_fields(found, parameter, fields)


def with_fields(found: Mapping[str, Any], parameter: str, fields: Iterable[str]) -> Mapping[str, Any]:
    """The secret's value, if it has these fields. PersonNeeded naming those that it lacks."""
    lacking = [name for name in fields if not found.get(name)]
    if lacking:
        raise PersonNeeded(f"The secret of {parameter} has no {', '.join(lacking)}. The README shows its fields.")
    return found


def _table_state(dynamodb: DynamoDBClient, name: str, table: str) -> TableState:
    try:
        status = dynamodb.describe_table(TableName=table)["Table"]["TableStatus"]
        backups = dynamodb.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    except ClientError as error:
        if _is_absent(error):
            return TableState(name, "", recoverable=False)
        raise
    recovery = backups.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus")
    return TableState(name, str(status), recovery == "ENABLED")


def _is_absent(error: ClientError) -> bool:
    return error.response["Error"]["Code"] in _ABSENT
