"""No state: SNS calls it when SES reports a bounce or a complaint.

In:  an event of SNS with messages of SES
Out: {"bounces": how many were noted}
"""

from __future__ import annotations

from typing import Any

from billing.runtime import wiring
from billing.runtime.entry import state

note_the_bounce = wiring.note_the_bounce()


@state
def handler(event: dict[str, Any], context: Any) -> Any:
    """Put it on record and wake the run."""
    return note_the_bounce(event)
