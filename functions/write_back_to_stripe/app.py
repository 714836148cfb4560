"""State "Write back to Stripe" of a settlement.

In:  {"pass": ..., "execution": its ARN, "executionName"}
Out: the pass, with what is left to do
"""

from __future__ import annotations

from typing import Any

from billing.runtime import settlement, stripe
from billing.runtime.entry import state
from billing.workflows.settlement.write_back_to_stripe import write_back_to_stripe


@state
def handler(event: dict[str, Any], context: Any) -> Any:
    """NetSuite's internal ids go into Stripe's metadata."""
    return write_back_to_stripe(
        settlement.pass_of(event), settlement.bells(), settlement.files(), settlement.rows(), stripe.metadata()
    )
