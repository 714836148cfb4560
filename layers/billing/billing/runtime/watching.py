"""What the hourly watch is made of: reads of AWS, and of one secret for its certificate's end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain

import boto3

from billing.adapters.aws.listed_executions import ListedExecutions
from billing.adapters.aws.schedules import schedule_seen
from billing.adapters.aws.secrets import secret
from billing.adapters.dynamodb.settlement_bells import Bells
from billing.adapters.netsuite.certificates import certificate_in
from billing.domain.settlement.passes import BellList
from billing.runtime.clock import now
from billing.runtime.connections.aws import CONFIG, dynamodb, environment, stepfunctions
from billing.workflows.operations.watch_the_stack import (
    Measure,
    backlog_measure,
    certificate_measure,
    running_measure,
    schedule_measure,
)

env = environment()


def measures() -> Sequence[Measure]:
    """Every measure of this stack."""
    found = [
        Measure("running", lambda: running_measure(_runs(), now(), env.number("APPROVAL_TIMEOUT_SECONDS"))),
        Measure("schedule", _schedule),
        Measure(
            "certificate", lambda: certificate_measure(certificate_in(secret(env.text("NETSUITE_SECRET_ARN"))), now())
        ),
    ]
    return [*found, *([Measure("backlog", _backlog)] if env.optional("SETTLEMENT_TABLE") else [])]


def _runs() -> ListedExecutions:
    return ListedExecutions(stepfunctions(), env.text("STATE_MACHINE"))


def _schedule() -> Mapping[str, int]:
    seen = schedule_seen(boto3.client("scheduler", config=CONFIG), env.text("SCHEDULE_NAME"))
    wanted = env.text("SCHEDULE_STATE") == "ENABLED"
    return schedule_measure(seen, wanted, _runs(), now(), env.text("CYCLE_NAME"))


def _certificate() -> Mapping[str, int]:
    return certificate_measure(certificate_in(secret(env.text("NETSUITE_SECRET_ARN"))), now())


def _backlog() -> Mapping[str, int]:
    bells = Bells(dynamodb(), env.text("SETTLEMENT_TABLE"))
    held = chain(bells.listed(BellList.HELD), bells.listed(BellList.FAILED))
    return backlog_measure(bells.listed(BellList.PARKED), held, now())
