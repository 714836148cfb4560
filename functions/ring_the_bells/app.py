"""Behind the queue of doorbells: rings, and starts a settlement of what nobody works on.

In:  a batch of SQS messages, each a doorbell (ids only)
Out: {"batchItemFailures": [...]}: the messages that come again
"""

from __future__ import annotations

import time
from typing import Any

from billing.adapters.aws.event_queue import from_message, is_ours
from billing.runtime import settlement, stripe
from billing.runtime.clock import now
from billing.runtime.telemetry import logger, metrics, tracer
from billing.workflows.settlement.ring_the_bells import Ringing, ring_the_bells


def failed(error: Exception) -> None:
    """Count it. The message is kept by the queue; the error's text may quote Stripe's and is not logged."""
    metrics.add_metric(name="BellsNotRung", unit="Count", value=1)
    logger.warning("not rung", extra={"error_name": type(error).__name__})


def invoice_of_charge(charge: str, payment_intent: str) -> str | None:
    """Ask Stripe; the client is made when it is needed."""
    return stripe.reads().invoice_of_charge(charge, payment_intent)


@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Ring each message's bell."""
    ringing = Ringing(settlement.bells(), settlement.executions(), invoice_of_charge, now, time.sleep)

    def ring(body: str) -> bool:
        bell = from_message(body)
        started = ringing.ring(bell, is_ours(bell))
        metrics.add_metric(name="SettlementsStarted", unit="Count", value=int(started))
        return started

    return ring_the_bells(event["Records"], ring, failed)
