"""State "Find the items" of a settlement.

In:  {"pass": ..., "execution": its ARN, "executionName"}
Out: the pass, with what is left to do
"""

from __future__ import annotations

from typing import Any

from billing.runtime import netsuite, settlement
from billing.runtime.clock import now
from billing.runtime.entry import state
from billing.workflows.settlement.find_the_items import Finding


@state
def handler(event: dict[str, Any], context: Any) -> Any:
    """Find, or make, the items of prices and coupons that have their own."""
    finding = Finding(
        bells=settlement.bells(),
        files=settlement.files(),
        rows=settlement.rows(),
        netsuite=netsuite.items(),
        policies=settlement.policies(),
        at=now().isoformat(),
    )
    return finding.find(settlement.pass_of(event))
