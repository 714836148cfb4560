"""Secrets Manager, read once in five minutes by each process."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import boto3

from billing.domain.errors import PersonNeeded

KEPT_SECONDS = 300
"""After this long every process knows what was put into a secret. docs/runbook, "Rotating", counts on it."""


def secret(arn: str) -> Mapping[str, Any]:
    """The secret's JSON object. PersonNeeded if it is not one."""
    return _read(arn, int(time.time() // KEPT_SECONDS))


def secret_version(arn: str, version_id: str) -> Mapping[str, Any]:
    """One version of the secret, current or not. PersonNeeded if it is no JSON object."""
    return _object(
        arn, boto3.client("secretsmanager").get_secret_value(SecretId=arn, VersionId=version_id)["SecretString"]
    )


@lru_cache(maxsize=8)
def _read(arn: str, _turn: int) -> Mapping[str, Any]:
    return _object(arn, boto3.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"])


def _object(arn: str, text: str) -> Mapping[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise PersonNeeded(f"The secret {arn.rsplit(':', 1)[-1]} must hold a JSON object. The README shows its fields.")
    return value


def forget() -> None:
    """Read every secret again: whoever has just written one asks whether it is right now."""
    _read.cache_clear()


def field(arn: str, name: str) -> str:
    """One text field of a secret. PersonNeeded if it is absent or empty."""
    value = secret(arn).get(name)
    if not isinstance(value, str) or not value:
        raise PersonNeeded(f'The secret {arn.rsplit(":", 1)[-1]} has no field "{name}". The README shows its fields.')
    return value
