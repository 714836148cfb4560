"""The product's AWS resources in moto: tables with template.yaml's keys, a bucket, a key, a verified sender."""

from __future__ import annotations

import functools
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from moto import mock_aws

from tests.sandbox.aws import moto_dynamodb

LEDGER, RUNS, APPROVALS, CUSTOMERS, BUCKET = "ledger", "runs", "approvals", "customers", "runs-bucket"
REGION = "eu-central-1"
SENDER = "billing@firm.example"


@functools.cache
def client(service: str) -> Any:
    """One client per service and process: making one costs more than a test. moto answers it while a test runs."""
    moto_dynamodb.install()
    session = boto3.Session("testing", "testing", region_name=REGION)
    return session.client(service, config=Config(retries={"total_max_attempts": 1}))


class OneCallAtATime:
    """DynamoDB takes each call as a whole and its transactions are serialisable; moto, asked by threads, lets two
    conditions hold at once and loses updates. Each call is whole here, and threads still meet between any two calls."""

    def __init__(self, real: Any) -> None:
        self._real, self._lock = real, threading.RLock()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)
        if not callable(found):
            return found

        def call(**arguments: Any) -> Any:
            with self._lock:
                return found(**arguments)

        return call


@functools.cache
def _tables() -> OneCallAtATime:
    return OneCallAtATime(client("dynamodb"))


@dataclass(frozen=True)
class AwsWorld:
    """An empty account with what the functions use. `stack` ends the names of its tables and bucket, "" for the only
    stack."""

    key_id: str
    stack: str = ""

    @property
    def dynamodb(self) -> Any:
        return _tables()

    @property
    def s3(self) -> Any:
        return client("s3")

    @property
    def kms(self) -> Any:
        return client("kms")

    def secret(self, name: str, value: Any) -> str:
        """Keep a secret; answers its ARN."""
        manager, text, name = client("secretsmanager"), json.dumps(value), name + self.stack
        try:
            return str(manager.create_secret(Name=name, SecretString=text)["ARN"])
        except ClientError:
            return str(manager.put_secret_value(SecretId=name, SecretString=text)["ARN"])

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Every row of a table in DynamoDB's own notation, in the order of their keys."""
        found = self.dynamodb.scan(TableName=table + self.stack)["Items"]
        return sorted(found, key=lambda row: (row["pk"]["S"], row.get("sk", {"S": ""})["S"]))

    def dump(self) -> dict[str, Any]:
        """All tables and files, to compare before and after."""
        bucket = BUCKET + self.stack
        listed = self.s3.list_objects_v2(Bucket=bucket).get("Contents", [])
        files = {one["Key"]: self.s3.get_object(Bucket=bucket, Key=one["Key"])["Body"].read() for one in listed}
        return {"files": files, **{table: self.rows(table) for table in (LEDGER, RUNS, APPROVALS, CUSTOMERS)}}


@contextmanager
def aws_world(stack: str = "") -> Iterator[AwsWorld]:
    """An empty account. Opened inside another it is the same account, with the tables of one more stack."""
    with mock_aws():
        for table in (LEDGER, RUNS, APPROVALS, CUSTOMERS):
            keys = ["pk"] if table == CUSTOMERS else ["pk", "sk"]
            client("dynamodb").create_table(
                TableName=table + stack,
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
                KeySchema=[
                    {"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)
                ],
            )
        client("s3").create_bucket(Bucket=BUCKET + stack, CreateBucketConfiguration={"LocationConstraint": REGION})
        if not stack:
            client("sesv2").create_email_identity(EmailIdentity=SENDER)
        yield AwsWorld(client("kms").create_key()["KeyMetadata"]["KeyId"], stack)


class Refusing:
    """A client whose calls fail with an AWS error code, `times` times; then it is the real one."""

    def __init__(self, real: Any, operation: str, code: str, times: int = 10**6, status: int = 400) -> None:
        self._real, self._operation, self._code, self._left, self._status = real, operation, code, times, status

    def __getattr__(self, name: str) -> Any:
        if name != self._operation or self._left <= 0:
            return getattr(self._real, name)
        self._left -= 1

        def refuse(**_: Any) -> Any:
            raise ClientError(
                {
                    "Error": {"Code": self._code, "Message": "scripted"},
                    "ResponseMetadata": {"HTTPStatusCode": self._status},
                },  # type: ignore[typeddict-item]
                name,
            )

        return refuse
