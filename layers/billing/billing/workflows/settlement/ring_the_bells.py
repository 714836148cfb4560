"""The function behind the queue: each message rings the bell of its root, and a root that nobody works on gets an
execution.

A message that cannot be worked on goes back to the queue alone, with those behind it in its group: an order within a
group is what a FIFO queue is for (Lambda, "Reporting batch item failures").
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from billing.domain.settlement.event_roots import Doorbell, RootKind
from billing.domain.settlement.passes import execution_name
from billing.workflows.settlement.ports import Bells, BellState

_LOOKS, _PAUSE = 10, 0.5


class Executions(Protocol):
    """The settlement's state machine."""

    def arn(self, name: str) -> str: ...
    def is_running(self, execution_arn: str) -> bool: ...
    def start(self, name: str, execution_input: Mapping[str, Any]) -> None: ...


class StillStopping(Exception):
    """The bell's holder has given up, and its execution has not ended yet: the message comes again in a moment."""


@dataclass(frozen=True, slots=True)
class Ringing:
    """What ringing needs. `invoice_of_charge` asks Stripe for the invoice that a charge pays."""

    bells: Bells
    executions: Executions
    invoice_of_charge: Callable[[str, str], str | None]
    now: Callable[[], datetime]
    sleep: Callable[[float], None]

    def ring(self, bell: Doorbell, known_root: bool) -> bool:
        """Ring; whether an execution was started. Raises StillStopping, and what the ports raise."""
        root, kind = (bell.root, bell.kind) if known_root else self._root_of(bell)
        if not root:
            return False
        rung = self.bells.ring(root, kind.value, self.now().isoformat())
        return self._start(rung)

    def _root_of(self, bell: Doorbell) -> tuple[str, RootKind]:
        if bell.kind is not RootKind.CHARGE:
            return bell.root, bell.kind
        invoice = self.invoice_of_charge(bell.root, bell.payment_intent)
        if invoice is not None:
            return invoice, RootKind.INVOICE
        # A payment intent without a charge has moved no money.
        return (bell.root if bell.root.startswith(("ch_", "py_")) else ""), RootKind.CHARGE

    def _start(self, rung: BellState) -> bool:
        if rung.holder:
            running = self.executions.is_running(rung.holder)
            for _ in range(_LOOKS if running and rung.stopped is not None else 0):
                # It has given up, and its execution ends in a moment.
                self.sleep(_PAUSE)
                running = self.executions.is_running(rung.holder)
                if not running:
                    break
            if running and rung.stopped is not None:
                raise StillStopping(rung.root)
            if running:
                return False  # it looks at the bell before it ends
        name = execution_name(rung.root, rung.wanted)
        if not self.bells.claim(rung, self.executions.arn(name), self.now().isoformat()):
            return False  # somebody else took it over at this very moment, after our ring
        self.executions.start(name, {"root": rung.root, "kind": rung.kind, "wanted": rung.wanted})
        return True


def ring_the_bells(
    records: Iterable[Mapping[str, Any]],
    ring: Callable[[str], bool],
    failures: Callable[[Exception], None],
) -> dict[str, Any]:
    """SQS's answer for a batch: which messages come again. `ring` takes a message's body; whatever it raises fails that
    message and the ones behind it in its group."""
    failed: list[str] = []
    blocked: set[str] = set()
    for record in records:
        group = str(record.get("attributes", {}).get("MessageGroupId", ""))
        if group in blocked:
            failed.append(str(record["messageId"]))
            continue
        try:
            ring(str(record["body"]))
        except Exception as error:  # noqa: BLE001 - one bad message must not hold up the others
            failures(error)
            failed.append(str(record["messageId"]))
            blocked.add(group)
    return {"batchItemFailures": [{"itemIdentifier": one} for one in failed]}
