"""State "Tell of the failure".

In:  {"closed": {"state": which state failed, "error": ..., "cause": ..., "redriveCount": n}, "executionArn": ...,
      "executionName": ...}
Out: {"told": how many}
"""

from __future__ import annotations

from typing import Any

from billing.runtime import wiring
from billing.runtime.entry import state

tell_of_the_failure = wiring.tell_of_the_failure()


@state
def handler(event: dict[str, Any], context: Any) -> Any:
    """Post to Slack and mail the owners that a run could not be opened or closed."""
    return tell_of_the_failure(event)
