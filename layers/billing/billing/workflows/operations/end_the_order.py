"""Started by hand: a person says that nothing more is to be billed of an order, or takes that back.

{"order": "SO-1001", "reason": "billed by hand", "by": "ann@firm.example"}
{"order": "SO-1001", "reason": "ended by mistake", "by": "ann@firm.example", "open_again": true}

`order` is NetSuite's number or internal id. `cycle` names another billing cycle than the stack's own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from billing.domain.email_address import is_address
from billing.domain.errors import InputInvalid
from billing.domain.ledger.ended_orders import EndedOrder
from billing.domain.orders.outstanding import Carried

_KNOWN: Final = ("order", "reason", "by", "cycle", "open_again")
_CYCLE: Final = re.compile(r"[a-z][a-z0-9-]{0,29}")
LONGEST_REASON: Final = 500


class CarriedOrders(Protocol):
    """Orders that earlier runs listed and did not draft."""

    def of(self, cycle: str) -> tuple[Carried, ...]: ...


class EndedOrders(Protocol):
    """Orders that a person has ended."""

    def latest(self) -> dict[str, EndedOrder]: ...
    def say(self, ended: EndedOrder) -> bool: ...


@dataclass(frozen=True, slots=True)
class Instruction:
    """What a person has typed."""

    order: str
    reason: str
    by: str
    cycle: str
    open_again: bool


def end_the_order(
    raw_input: object, own_cycle: str, carried: CarriedOrders, ended: EndedOrders, now: datetime
) -> dict[str, str]:
    """Put it on record. Answers {"order", "id", "state", "message"}; `state` is ended, ended already, open, or open
    already. Safe to repeat: what stands already is not written again.

    Only an order that a run listed and did not draft can be ended: what was last read of it is what it is ended with,
    and when NetSuite lists something else it is asked about again. Raises InputInvalid with the field's name, and
    without what was typed into "reason" and "by".
    """
    instruction = _read(raw_input, own_cycle)
    found = _carried(instruction, carried.of(instruction.cycle))
    before = ended.latest().get(found.order_id)
    is_ended = before is not None and not before.open_again
    number = found.number
    if instruction.open_again:
        if not is_ended:
            return _answer(found, "open already", f"Order {number} is not ended. Nothing was changed.")
    elif is_ended and before is not None and before.content == found.content:
        return _answer(
            found, "ended already", f"Order {number} was ended on {before.at[:10]} already. Nothing was changed."
        )
    at = now.astimezone(UTC).isoformat()
    ended.say(
        EndedOrder(
            found.order_id,
            number,
            instruction.reason,
            instruction.by,
            at,
            found.content,
            open_again=instruction.open_again,
        )
    )
    if instruction.open_again:
        return _answer(found, "open", f"Order {number} comes back in the next run.")
    return _answer(
        found,
        "ended",
        f"Order {number} is ended until it changes in NetSuite. The next run's report names it with who and why. A run "
        "that waits for approval now still shows it, and drafts nothing of it.",
    )


def _answer(found: Carried, state: str, message: str) -> dict[str, str]:
    return {"order": found.number, "id": found.order_id, "state": state, "message": message}


def _read(raw: object, own_cycle: str) -> Instruction:
    fields: Mapping[str, Any] = raw if isinstance(raw, Mapping) else {}
    unknown = sorted(set(fields) - set(_KNOWN))
    if unknown:
        raise InputInvalid(f"The field {unknown[0][:60]!a} is not known here. Known are {', '.join(_KNOWN)}.")
    order, reason = _text(fields, "order", 80), _text(fields, "reason", LONGEST_REASON)
    by = _text(fields, "by", 254).lower()
    if not is_address(by):
        raise InputInvalid('The field "by" must be the e-mail address of the person who ends the order.')
    if not any(map(str.isalpha, reason)):
        raise InputInvalid('The field "reason" must say why, in words.')
    cycle = fields.get("cycle", own_cycle)
    if not isinstance(cycle, str) or not _CYCLE.fullmatch(cycle):
        raise InputInvalid('The field "cycle" must be the name of a billing cycle, such as "monthly".')
    open_again = fields.get("open_again", False)
    if not isinstance(open_again, bool):
        raise InputInvalid('The field "open_again" must be true or false.')
    return Instruction(order, reason, by, cycle, open_again)


def _text(fields: Mapping[str, Any], name: str, longest: int) -> str:
    value = fields.get(name)
    text = " ".join(value.split()) if isinstance(value, str) else ""
    if not text or len(text) > longest or not text.isprintable():
        raise InputInvalid(f'The field "{name}" must be a text of 1 to {longest} characters on one line.')
    return text


def _carried(instruction: Instruction, carried: tuple[Carried, ...]) -> Carried:
    """The order that is meant: by its internal id, else by its number, whatever its letters' case."""
    found = [one for one in carried if one.order_id == instruction.order] or [
        one for one in carried if one.number.casefold() == instruction.order.casefold()
    ]
    if not found:
        raise InputInvalid(
            f'The field "order": no order {instruction.order!a} is open from an earlier run of the cycle '
            f'"{instruction.cycle}". Only '
            "what a run listed and did not draft can be ended; an order that waits for its first approval is held back "
            "on the approval page."
        )
    if len(found) > 1:
        ids = ", ".join(one.order_id for one in found[:5])
        raise InputInvalid(
            f'The field "order": {len(found)} orders have this number. Type the internal id of one of them: {ids}.'
        )
    return found[0]
