"""State "Remind the approvers".

In:  {"run": ...}
Out: {"mails": how many, "posts": how many}
"""

from __future__ import annotations

from typing import Any

from billing.runtime import wiring
from billing.runtime.entry import state

remind_the_approvers = wiring.remind_the_approvers()


@state
def handler(event: dict[str, Any], context: Any) -> Any:
    """Remind, and tell of bounces."""
    return remind_the_approvers(event)
