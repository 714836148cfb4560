"""The files of a pass: what Stripe said and what follows from it."""

from __future__ import annotations

from typing import Any, Final

from billing.domain.records import read_stored, stored
from billing.domain.settlement.passes import Pass
from billing.domain.settlement.records import SettlementPlan
from billing.workflows.settlement.ports import Bells, Files

_TO_DO: Final = "Redrive: Stripe is read again."


def keep(files: Files, one: Pass, facts: Any, plan: SettlementPlan) -> tuple[str, str]:
    """Write both; return the plan's key and SHA-256. The same state gives the same bytes. `facts` is None for an object
    that is gone, and for a customer, of which the plan needs nothing from Stripe."""
    folder = f"settlement/{one.root}/{one.execution.rpartition(':')[2]}"
    files.write_json(f"{folder}/stripe.json", stored(facts) if facts is not None else None)
    key = f"{folder}/plan.json"
    return key, files.write_json(key, stored(plan))


def plan_of(bells: Bells, files: Files, one: Pass) -> SettlementPlan:
    """The plan that this pass carries out. Raises Superseded if another execution has taken the root over, and
    RecordUnreadable for a plan that another version wrote in another form: a redrive reads Stripe again."""
    bells.still_holds(one.root, one.execution)
    data = files.read_json(one.plan_key, one.plan_sha256)
    return read_stored(SettlementPlan, data, f"the plan of {one.root}", to_do=_TO_DO)
