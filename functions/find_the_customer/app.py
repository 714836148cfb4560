"""State "Find the customer" of a settlement.

In:  {"pass": ..., "execution": its ARN, "executionName"}
Out: the pass, with what is left to do
"""

from __future__ import annotations

from typing import Any

from billing.runtime import netsuite, settlement, stripe
from billing.runtime.clock import now
from billing.runtime.entry import state
from billing.workflows.settlement.find_the_customer import Finding


@state
def handler(event: dict[str, Any], context: Any) -> Any:
    """Find, or make, NetSuite's customer of each Stripe customer of the plan."""
    finding = Finding(
        bells=settlement.bells(),
        files=settlement.files(),
        rows=settlement.rows(),
        stripe_customer=stripe.customer,
        netsuite=netsuite.customers(),
        policies=settlement.policies(),
        at=now().isoformat(),
    )
    return finding.find(settlement.pass_of(event))
