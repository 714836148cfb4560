"""Holds that a person has settled and says so. Pure.

Much of what is held cannot be told from Stripe afterwards: a memo that was reversed by hand, an order that is not to be
billed again. The person writes the hold's key into the metadata of the root object in Stripe (invoice, charge or
payout). Stripe keeps who did it, and its event has the object read again: no tool of ours is needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from billing.domain.settlement.records import SettlementPlan

RESOLVED: Final = "netsuite_resolved"


def without_resolved(plan: SettlementPlan, metadata: Mapping[str, str]) -> SettlementPlan:
    """The plan without the holds whose keys stand in the metadata, separated by commas. What is written stays the
    same."""
    said = {one.strip() for one in metadata.get(RESOLVED, "").split(",")}
    return replace(plan, holds=tuple(hold for hold in plan.holds if hold.key not in said))
