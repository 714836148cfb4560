"""What the settlement's functions are made of: the environment's tables, files, policies and queue. What needs the
SDKs of NetSuite or Stripe is in modules of its own, so that a function loads only what it uses.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import boto3
from botocore.config import Config

from billing.adapters.aws.event_queue import EventQueue
from billing.adapters.aws.executions import SettlementExecutions
from billing.adapters.aws.run_files import RunFiles
from billing.adapters.dynamodb.settled_records import SettledRecords
from billing.adapters.dynamodb.settlement_bells import Bells
from billing.domain.settlement.passes import Pass
from billing.domain.settlement.policies import SettlementPolicies, parse_policies
from billing.domain.settlement.postings import Calendar
from billing.runtime.parameters.settlement import policy_file
from billing.runtime.settings import Environment

CONFIG = Config(retries={"mode": "standard", "max_attempts": 5}, connect_timeout=5, read_timeout=20)
_POLICIES_KEPT_SECONDS = 300


def environment() -> Environment:
    """The function's environment variables."""
    return Environment(os.environ)


def now() -> datetime:
    """The only clock."""
    return datetime.now(UTC)


def pass_of(event: Mapping[str, Any]) -> Pass:
    """The pass that a state's event carries."""
    return Pass.of(event["pass"], str(event["execution"]))


@lru_cache(maxsize=1)
def bells() -> Bells:
    """The bells."""
    return Bells(boto3.client("dynamodb", config=CONFIG), environment().text("SETTLEMENT_TABLE"))


@lru_cache(maxsize=1)
def rows() -> SettledRecords:
    """The rows of what is written, and who is who."""
    return SettledRecords(boto3.client("dynamodb", config=CONFIG), environment().text("SETTLEMENT_TABLE"))


@lru_cache(maxsize=1)
def files() -> RunFiles:
    """The bucket."""
    return RunFiles(boto3.client("s3", config=CONFIG), environment().text("RUNS_BUCKET"))


@lru_cache(maxsize=1)
def queue() -> EventQueue:
    """The queue of doorbells."""
    return EventQueue(boto3.client("sqs", config=CONFIG), environment().text("EVENT_QUEUE_URL"))


@lru_cache(maxsize=1)
def executions() -> SettlementExecutions:
    """The settlement's state machine."""
    return SettlementExecutions(
        boto3.client("stepfunctions", config=CONFIG), environment().text("SETTLEMENT_STATE_MACHINE")
    )


def calendar() -> Calendar:
    """Days in the firm's zone."""
    return Calendar(environment().zone("FIRM_TIME_ZONE"))


def policies() -> SettlementPolicies:
    """The policy file, read again every five minutes where it is in the bucket."""
    return _policies(environment().text("SETTLEMENT_POLICIES"), int(time.time() // _POLICIES_KEPT_SECONDS))


@lru_cache(maxsize=2)
def _policies(name: str, _turn: int) -> SettlementPolicies:
    if "/" in name:
        return parse_policies(files().read(name).decode("utf-8"))
    return parse_policies(policy_file(name))
