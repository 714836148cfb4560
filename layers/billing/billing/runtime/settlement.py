"""What the settlement's functions are made of: the environment's tables, files, policies and queue. What needs the
SDKs of NetSuite or Stripe is in modules of its own, so that a function loads only what it uses.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from billing.adapters.aws.event_queue import EventQueue
from billing.adapters.aws.executions import SettlementExecutions
from billing.adapters.aws.run_files import RunFiles
from billing.adapters.dynamodb.settled_records import SettledRecords
from billing.adapters.dynamodb.settlement_bells import Bells
from billing.domain.settlement.passes import Pass
from billing.domain.settlement.policies import SettlementPolicies, parse_policies
from billing.domain.settlement.postings import Calendar
from billing.runtime.connections.aws import dynamodb, environment, run_files, sqs, stepfunctions
from billing.runtime.parameters.settlement import policy_file

_POLICIES_KEPT_SECONDS = 300


def pass_of(event: Mapping[str, Any]) -> Pass:
    """The pass that a state's event carries."""
    return Pass.of(event["pass"], str(event["execution"]))


@lru_cache(maxsize=1)
def bells() -> Bells:
    """The bells."""
    return Bells(dynamodb(), environment().text("SETTLEMENT_TABLE"))


@lru_cache(maxsize=1)
def rows() -> SettledRecords:
    """The rows of what is written, and who is who."""
    return SettledRecords(dynamodb(), environment().text("SETTLEMENT_TABLE"))


@lru_cache(maxsize=1)
def files() -> RunFiles:
    """The bucket."""
    return run_files(environment())


@lru_cache(maxsize=1)
def queue() -> EventQueue:
    """The queue of doorbells."""
    return EventQueue(sqs(), environment().text("EVENT_QUEUE_URL"))


@lru_cache(maxsize=1)
def executions() -> SettlementExecutions:
    """The settlement's state machine."""
    return SettlementExecutions(stepfunctions(), environment().text("SETTLEMENT_STATE_MACHINE"))


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
