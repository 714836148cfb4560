"""State "Stop the run": the execution fails with the run's own error, or begins again if it is redriven.

Redrive resumes at the state that failed, which is this one. `closed` carries the redrive count at which the run was
closed: a higher one means that a person has clicked "Redrive" since.
"""

from __future__ import annotations

from billing.domain.errors import ENDS, OurFault
from billing.domain.run import Caught, StoppedAt


def stop_the_run(closed: StoppedAt, redrive_count: int) -> dict[str, bool]:
    """Raise the error that `closed` names, or answer that the run begins again."""
    if redrive_count > closed.redrive_count:
        return {"again": True}
    # Of a state that failed for good the cause is Lambda's own JSON, in which the sentence lies.
    raise ENDS.get(closed.error, OurFault)(Caught(closed.error, closed.cause).message or closed.error)
