"""The nightly sweep, and the same by hand: events that were missed, passes that wait, and bells that nobody answers.

{"since": "2026-11-01"}          every event since that day (Stripe keeps thirty)
{"missed": true}                 only those that Stripe could not deliver
{"root": "in_...", "kind": "invoice"}   one object
{"types": ["invoice", "payout"]}   of all these only objects of these types
{"dryRun": true}                 says what would be rung, and rings nothing
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

from billing.domain.errors import InputInvalid
from billing.domain.settlement.event_roots import EVENTS, TYPES_PER_LIST, Doorbell, RootKind, doorbell
from billing.domain.settlement.passes import BellList
from billing.workflows.settlement.ports import Bells, Ringer

_A_NIGHT: Final = timedelta(hours=50)
"""How far a nightly sweep looks back: one that did not run is made up for by the next."""

_KEPT: Final = timedelta(days=30)
_SHOWN: Final = 100


class Events(Protocol):
    """Stripe's list of events: at most twenty types a call."""

    def __call__(self, types: Sequence[str], since: int, undelivered_only: bool) -> Iterator[Mapping[str, Any]]: ...


class Queue(Ringer, Protocol):
    """The queue of doorbells."""

    def send(self, bell: Doorbell, dedupe_id: str = "") -> None: ...


@dataclass(frozen=True, slots=True)
class Sweep:
    """What sweeping needs. `missed_only` is the nightly sweep's: with a webhook Stripe knows what it could not deliver,
    with an event bus it does not."""

    events: Events
    queue: Queue
    bells: Bells
    is_running: Callable[[str], bool]
    live: bool
    missed_only: bool
    now: datetime

    def sweep(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Ring what is to be rung; return the counts, and of a dry run the roots (the first hundred). Raises
        InputInvalid for what it does not understand."""
        unknown = sorted(asked.keys() - {"since", "missed", "root", "kind", "types", "dryRun", "nightly"})
        if unknown:
            raise InputInvalid(
                f"The sweep does not know {', '.join(unknown)}: since, missed, types, root and kind, dryRun."
            )
        dry = bool(asked.get("dryRun", False))
        at = int(self.now.timestamp())
        if "root" in asked:
            kind = _kind(asked)
            if not dry:
                self.queue.ring(str(asked["root"]), kind.value, "by-hand", at)
            return {"counts": {"rung": 0 if dry else 1}, "roots": [asked["root"]]}
        since = _since(asked, self.now)
        undelivered = bool(asked["missed"]) if "missed" in asked else self.missed_only and "since" not in asked
        types = _types(asked)
        found = [bell for bell in self._missed(since, undelivered) if bell.kind in types]
        waiting = [(bell.root, bell.kind) for bell in self._waiting() if bell.kind in types]
        if not dry:
            for bell in found:
                self.queue.send(bell, f"sweep-{at}-{bell.event_id}")
            for root, kind_name in waiting:
                self.queue.ring(root, kind_name, "sweep", at)
        roots = list(dict.fromkeys([*(bell.root for bell in found), *(root for root, _ in waiting)]))
        return {
            "counts": {
                "events": len(found),
                "waiting": len(waiting),
                "rung": 0 if dry else len(found) + len(waiting),
            },
            "roots": roots[:_SHOWN] if dry else [],
        }

    def _missed(self, since: int, undelivered: bool) -> list[Doorbell]:
        """One doorbell a root: a pass answers all of them."""
        found: dict[tuple[str, str], Doorbell] = {}
        for start in range(0, len(EVENTS), TYPES_PER_LIST):
            for event in self.events(EVENTS[start : start + TYPES_PER_LIST], since, undelivered):
                bell = doorbell(event)
                if bell is not None and bell.live is self.live:
                    found.setdefault((bell.root, bell.payment_intent), bell)
        return list(found.values())

    def _waiting(self) -> Iterator[Any]:
        """Parked passes, those that failed of something passing, and bells whose holder has died."""
        yield from self.bells.listed(BellList.PARKED)
        yield from self.bells.listed(BellList.FAILED)
        for bell in self.bells.listed(BellList.RINGING):
            if not bell.holder or not self.is_running(bell.holder):
                yield bell


def _kind(asked: Mapping[str, Any]) -> RootKind:
    root = str(asked["root"])
    prefixes = {"in_": RootKind.INVOICE, "ch_": RootKind.CHARGE, "py_": RootKind.CHARGE, "po_": RootKind.PAYOUT,
                "cus_": RootKind.CUSTOMER}  # fmt: skip
    found = next((kind for prefix, kind in prefixes.items() if root.startswith(prefix)), None)
    if found is None:
        raise InputInvalid(
            "root is the id of an invoice, a charge, a payout or a customer of Stripe's (in_, ch_, po_)."
        )
    return found


def _types(asked: Mapping[str, Any]) -> frozenset[str]:
    wanted = asked.get("types", [kind.value for kind in RootKind])
    known = {kind.value for kind in RootKind}
    if not isinstance(wanted, list) or not wanted or not known.issuperset(map(str, wanted)):
        raise InputInvalid(f"types is a list of {', '.join(sorted(known))}.")
    return frozenset(map(str, wanted))


def _since(asked: Mapping[str, Any], now: datetime) -> int:
    if "since" not in asked:
        return int((now - (_KEPT if asked.get("missed") else _A_NIGHT)).timestamp())
    try:
        day = datetime.fromisoformat(str(asked["since"]))
    except ValueError:
        raise InputInvalid(f"since is a day, as 2026-11-01, not {asked['since']!r}.") from None
    day = day if day.tzinfo is not None else day.replace(tzinfo=UTC)
    if now - day > _KEPT:
        raise InputInvalid(
            "since is more than thirty days ago; Stripe keeps no older events. Ring single objects by root."
        )
    return int(day.timestamp())
