"""State "Note the failure".

In:  {"run": ..., "item": ..., "error": {"Error", "Cause"}}
Out: {"outcome": "failed"}, or "drafted" if it was drafted after all
"""

from __future__ import annotations

from typing import Any

from billing.runtime import wiring
from billing.runtime.entry import state

note_the_failure = wiring.note_the_failure()


@state
def handler(event: dict[str, Any], context: Any) -> Any:
    """Keep the reason in the ledger."""
    return note_the_failure(event)
