"""State "Announce the request".

In:  {"run": ..., "matched": ...}
Out: {"posts": how many}
"""

from __future__ import annotations

from typing import Any

from billing.runtime import wiring
from billing.runtime.entry import state

announce_the_request = wiring.announce_the_request()


@state
def handler(event: dict[str, Any], context: Any) -> Any:
    """Tell the channel that finance is asked."""
    return announce_the_request(event)
