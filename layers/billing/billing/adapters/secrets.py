"""Secrets Manager, read once per process."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import boto3

from billing.domain.errors import PersonNeeded


@cache
def secret(arn: str) -> Mapping[str, Any]:
    """The secret's JSON object. PersonNeeded if it is not one."""
    text = boto3.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise PersonNeeded(f"The secret {arn.rsplit(':', 1)[-1]} must hold a JSON object. The README shows its fields.")
    return value


def field(arn: str, name: str) -> str:
    """One text field of a secret. PersonNeeded if it is absent or empty."""
    value = secret(arn).get(name)
    if not isinstance(value, str) or not value:
        raise PersonNeeded(f'The secret {arn.rsplit(":", 1)[-1]} has no field "{name}". The README shows its fields.')
    return value
