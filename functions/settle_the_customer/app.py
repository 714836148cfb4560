"""Started by hand, outside the state machine: say once for ever which Stripe customer a NetSuite customer is.

In:  {"netsuiteCustomer": "1234", "stripeCustomer": "cus_1Mf0", "by": "ann@firm.example"}
Out: {"netsuiteCustomer", "stripeCustomer", "before", "state"}
"""

from __future__ import annotations

from typing import Any

from billing.runtime import wiring
from billing.runtime.entry import state

settle_the_customer = wiring.settle_the_customer()


@state
def handler(event: dict[str, Any], context: Any) -> Any:
    """Check both, and put on record who said so."""
    return settle_the_customer(event)
