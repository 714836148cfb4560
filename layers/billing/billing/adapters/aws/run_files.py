"""A run's files in S3. Keys are "runs/<period>/<run id>/<name>"; each is written whole and never changed in place."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from billing.domain.canonical import canonical_json, sha256_hex
from billing.domain.errors import OurFault

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True, slots=True)
class RunFiles:
    """The bucket of runs."""

    s3: S3Client
    bucket: str

    def write_json(self, key: str, value: Any) -> str:
        """Write canonical JSON; answers its SHA-256. The same value written again gives the same bytes."""
        data = canonical_json(value)
        self.write(key, data, "application/json")
        return sha256_hex(data)

    def write(self, key: str, data: bytes, content_type: str) -> None:
        """Write bytes."""
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=data, ContentType=content_type)

    def read(self, key: str, sha256: str | None = None) -> bytes:
        """Read bytes. OurFault if the file is missing or is not what `sha256` says was written."""
        try:
            data = self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        except ClientError as error:
            _raise_if_lost(error, key)
            raise
        if sha256 is not None and sha256_hex(data) != sha256:
            raise OurFault(f"The run's file {key} was altered after it was written. Start a new execution.")
        return data

    def read_json(self, key: str, sha256: str | None = None) -> Any:
        """Read JSON; see `read`."""
        return _json(self.read(key, sha256), key)

    def read_piece(self, key: str, offset: int, length: int, sha256: str) -> Any:
        """One line of an NDJSON file, by its place. OurFault if it is missing or altered."""
        try:
            answer = self.s3.get_object(Bucket=self.bucket, Key=key, Range=f"bytes={offset}-{offset + length - 1}")
        except ClientError as error:
            if error.response["Error"]["Code"] == "InvalidRange":
                raise OurFault(f"The run's file {key} is too short. Start a new execution.") from None
            _raise_if_lost(error, key)
            raise
        data = answer["Body"].read()
        if sha256_hex(data) != sha256:
            raise OurFault(f"A piece of the run's file {key} was altered after it was approved. Start a new execution.")
        return _json(data, key)


def _json(data: bytes, key: str) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        raise OurFault(f"The run's file {key} is no JSON: it was altered. Start a new execution.") from None


def _raise_if_lost(error: ClientError, key: str) -> None:
    """S3 answers 403 for an object that is not there to whoever may not list the bucket (GetObject, S3 API reference),
    which none of the functions may: a run's file that cannot be read for that reason may as well be gone."""
    code = error.response["Error"]["Code"]
    if code in ("NoSuchKey", "404"):
        raise OurFault(f"The run's file {key} is missing. Start a new execution: it lists again.") from None
    if code in ("AccessDenied", "403"):
        raise OurFault(
            f"The run's file {key} is missing, or this function's role may not read it. Start a new execution: "
            "it lists again. If that ends the same way, compare template.yaml with what is deployed."
        ) from None
