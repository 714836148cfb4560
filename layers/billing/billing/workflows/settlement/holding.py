"""What keeps a pass from going on, kept where a person sees it, and named so that the state machine knows it.

Reasons and columns name amounts: they go into the bell's row, and the execution's history gets the name and a sentence
with ids only.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from billing.domain.errors import Differs, Parked, PersonNeeded
from billing.domain.settlement.bodies import NotResolved
from billing.domain.settlement.passes import DIFFERING, PERIOD_CLOSED, WAITS_FOR_MEMBERS, Pass
from billing.domain.settlement.postings import AmountNotHeld
from billing.domain.settlement.records import Hold
from billing.domain.settlement.write_doubts import Refused
from billing.workflows.settlement.ports import Bells
from billing.workflows.settlement.writing import Held

_PARKING: Final = frozenset({PERIOD_CLOSED, WAITS_FOR_MEMBERS})


def end_of(hold: Hold) -> Exception:
    """The error by which a pass ends that is held for this."""
    kind = Parked if hold.name in _PARKING else Differs if hold.name in DIFFERING else PersonNeeded
    return kind(f"{hold.key}: {hold.reason}")


@contextmanager
def holds_noted(bells: Bells, one: Pass, at: str) -> Iterator[None]:
    """Keep the hold of whatever is raised inside, and raise it by the name that the state machine knows."""
    try:
        yield
    except Held as held:
        hold = held.hold
    except (NotResolved, AmountNotHeld) as missing:
        hold = Hold("not_resolved", str(missing))
    except Refused as refused:
        hold = Hold(
            refused.rule.value,
            f"NetSuite refuses what {one.root} needs by one of its rules. Correct what its sentence names, "
            "then redrive.",
            (("NetSuite says", "", refused.detail),),
        )
    else:
        return
    bells.note(one.root, one.execution, hold, at)
    raise end_of(hold)
