"""States "Finish the pass" and "Hold the object": how a pass lets go of its root.

A pass that was rung meanwhile begins again. One that is held ends red by the name of what holds it and keeps its bell,
so that a redrive goes on: it reads Stripe again. One that is parked ends green, and every night rings it again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from billing.domain.errors import SETTLEMENT_ENDS, OurFault
from billing.domain.settlement.event_roots import RootKind
from billing.domain.settlement.passes import NOTHING, PARKED, READ, SETTLED, Pass, first_hold
from billing.domain.settlement.records import Hold
from billing.workflows.settlement.holding import holds_noted
from billing.workflows.settlement.plan_files import plan_of
from billing.workflows.settlement.ports import Bells, Files, Ringer, SettledRows
from billing.workflows.settlement.writing import Held


def finish_the_pass(
    one: Pass, bells: Bells, files: Files, rows: SettledRows, ringer: Ringer, now: datetime
) -> dict[str, Any]:
    """Wake the payouts that wait for what was written, and let go of the bell; or begin again. Raises Differs or
    PersonNeeded for a plan that a person must decide about, when all that does not depend on it is written."""
    plan = plan_of(bells, files, one)
    written = [record.external_id for record in plan.records]
    if one.kind != RootKind.PAYOUT and written:
        for payout in sorted(rows.waiting_for(written)):
            ringer.ring(payout, RootKind.PAYOUT.value, f"awaited-{one.root}", int(now.timestamp()))
        rows.no_longer_awaited(written)
    hold = first_hold(plan)
    with holds_noted(bells, one, now.isoformat()):
        if hold is not None:
            raise Held(hold)
    if not bells.release(one.root, one.execution, one.wanted):
        return one.to_dict(READ)
    return one.to_dict(SETTLED if one.written else NOTHING)


def hold_the_object(one: Pass, error: Mapping[str, Any], redrives: int, bells: Bells, now: datetime) -> dict[str, Any]:
    """Keep why the pass cannot go on. Returns the pass to "The object is parked", or to "Read the Stripe object" where
    it was rung meanwhile or a person has redriven it; raises the error's own name otherwise, which ends it red.

    A redrive resumes at this state, which is the one that failed: a higher redrive count than the one at which it
    stopped means that a person has clicked "Redrive" since.
    """
    name = str(error.get("Error", ""))
    bell = bells.still_holds(one.root, one.execution)
    if bell.stopped is not None:
        if redrives > bell.stopped:
            return one.to_dict(READ)
        raise SETTLEMENT_ENDS.get(name, OurFault)(message_of(error))
    hold = bell.hold or Hold(_names(name), message_of(error))
    at = now.isoformat()
    if name == "Parked":
        left = bells.park(one.root, one.execution, bell.answering, hold, at)
        return one.to_dict(PARKED if left else READ)
    if not bells.stop(bell, bell.answering, hold, name, redrives, at):
        return one.to_dict(READ)
    raise SETTLEMENT_ENDS.get(name, OurFault)(message_of(error))


def message_of(error: Mapping[str, Any]) -> str:
    """The sentence in a Cause, which is Lambda's JSON for whatever a function raised."""
    cause = str(error.get("Cause") or "")
    try:
        found = json.loads(cause)
    except ValueError:
        found = None
    sentence = found.get("errorMessage") if isinstance(found, dict) else cause
    return str(sentence or error.get("Error") or "It stopped without saying why.")[:2000]


def _names(error: str) -> str:
    return {"PassingError": "passing", "PersonNeeded": "person_needed", "InputInvalid": "set_up"}.get(
        error, "our_fault"
    )
