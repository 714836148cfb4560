"""Every night, and by hand: events that were missed, settlements that wait, bells that nobody answers.

In:  {} every night; by hand {"since": "2026-11-01"}, {"missed": true} or {"root": "in_..."}, with "dryRun": true
Out: {"counts": {...}, "roots": [...]}
"""

from __future__ import annotations

from typing import Any

from billing.runtime import settlement, stripe
from billing.runtime.clock import now
from billing.runtime.connections.aws import environment
from billing.runtime.entry import state
from billing.workflows.settlement.sweep_for_events import Sweep

env = environment()


@state
def handler(event: dict[str, Any], context: Any) -> Any:
    """Ring what is to be rung."""
    return Sweep(
        events=stripe.reads().events,
        queue=settlement.queue(),
        bells=settlement.bells(),
        is_running=settlement.executions().is_running,
        live=env.text("STRIPE_EVENT_MODE") == "live",
        missed_only=not env.optional("STRIPE_EVENT_BUS"),
        now=now(),
    ).sweep(event)
