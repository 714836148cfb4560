"""State "Draft the invoice".

In:  {"run": ..., "item": {"key", "order", "contentHash", "piece"}}
Out: {"outcome": "drafted" or "differs"}
"""

from __future__ import annotations

from typing import Any

from billing.runtime import wiring
from billing.runtime.entry import state

draft_the_invoice = wiring.draft_the_invoice()


@state
def handler(event: dict[str, Any], context: Any) -> Any:
    """Draft one approved invoice, once."""
    return draft_the_invoice(event).draft(event["item"])
