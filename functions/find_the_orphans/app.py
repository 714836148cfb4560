"""Started by hand, outside the state machine: find drafts that Stripe and the ledger disagree about.

In:  {"since": "2026-05-01", "repair": false}
Out: {"orphans": [...], "counts": {...}}
"""

from __future__ import annotations

from typing import Any

from billing.runtime import wiring
from billing.runtime.entry import state

find_the_orphans = wiring.find_the_orphans()


@state
def handler(event: dict[str, Any], context: Any) -> Any:
    """Say which, and repair what is certain if asked to."""
    return find_the_orphans(event)
