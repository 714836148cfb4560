"""The files of a pass: what Stripe said and what follows from it."""

from __future__ import annotations

from typing import Any

from billing.domain.errors import OurFault
from billing.domain.settlement.passes import Pass
from billing.domain.settlement.records import SettlementPlan
from billing.domain.settlement.typed_json import from_json, to_json
from billing.workflows.settlement.ports import Bells, Files


def keep(files: Files, one: Pass, facts: Any, plan: SettlementPlan) -> tuple[str, str]:
    """Write both; return the plan's key and SHA-256. The same state gives the same bytes."""
    folder = f"settlement/{one.root}/{one.execution.rpartition(':')[2]}"
    files.write_json(f"{folder}/stripe.json", to_json(facts))
    key = f"{folder}/plan.json"
    return key, files.write_json(key, to_json(plan))


def plan_of(bells: Bells, files: Files, one: Pass) -> SettlementPlan:
    """The plan that this pass carries out. Raises Superseded if another execution has taken the root over, and OurFault
    for a plan that an older version wrote in another form: a redrive reads Stripe again."""
    bells.still_holds(one.root, one.execution)
    try:
        return from_json(SettlementPlan, files.read_json(one.plan_key, one.plan_sha256), "plan.json")
    except ValueError as error:
        raise OurFault(f"The plan of {one.root} cannot be read ({error}). Redrive: Stripe is read again.") from None
