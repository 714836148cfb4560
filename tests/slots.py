"""Slots as the parameter Approvers names them."""

from __future__ import annotations

from billing.domain.approval.approvers import Slot, parse_slot_rules


def slots_of(text: str) -> tuple[Slot, ...]:
    """Every slot of the parameter, whenever it is asked."""
    return tuple(rule.slot for rule in parse_slot_rules(text))
