"""Stripe's webhook, behind the HTTP API; and its events from the partner event bus, where there is one.

In:  a request of API Gateway (payload 2.0) to POST /stripe/events, or an event of the bus
Out: 200 once the queue has it, 400 for what is not Stripe's or not this stack's, 500 to have it sent again
"""

from __future__ import annotations

import time
from typing import Any

from billing.runtime import settlement
from billing.runtime.connections.aws import environment
from billing.runtime.telemetry import logger, metrics, tracer
from billing.runtime.webhook import signing_secrets
from billing.workflows.settlement.receive_the_event import Door

env = environment()
door = Door(
    secrets=lambda: signing_secrets(env),
    live=env.text("STRIPE_EVENT_MODE") == "live",
    account=env.optional("STRIPE_ACCOUNT"),
    send=settlement.queue().send,
    now=time.time,
)


@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Check, queue, answer. The body is never logged."""
    if "requestContext" in event:
        status, reception = door.by_http(event)
    else:
        status, reception = 200, door.by_event_bus(event)
    metrics.add_metric(name=reception.value, unit="Count", value=1)
    logger.info("received", extra={"reception": reception.value})
    return {"statusCode": status, "headers": {"Content-Type": "text/plain"}, "body": reception.name.lower()}
