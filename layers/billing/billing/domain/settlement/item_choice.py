"""Which item of NetSuite's a line uses. Pure.

The default is a few global items that a person made once. With items.prices = per_price or match, and for coupons, the
item of each is found or made at first use and its pair is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from billing.domain.settlement import external_ids
from billing.domain.settlement.policies import SettlementPolicies
from billing.domain.settlement.records import ItemRef, ItemRole, NetSuiteRecord


def item_key(ref: ItemRef, policies: SettlementPolicies) -> str:
    """The externalId under which an item of its own is found or made, "" for one of the policy's items."""
    if ref.item_id or not ref.stripe_id:
        return ""
    if ref.role is ItemRole.PRICE and policies.choice("items.prices") != "global":
        return external_ids.price_item(ref.stripe_id)
    if ref.role is ItemRole.DISCOUNT and policies.choice("items.discounts") == "per_coupon":
        # One discount item that a person made serves all coupons as well.
        return "" if not policies.discount_account else external_ids.coupon_item(ref.stripe_id)
    return ""


def items_to_find(records: Iterable[NetSuiteRecord], policies: SettlementPolicies) -> tuple[ItemRef, ...]:
    """The items that are neither the policy's nor given by the plan, each once."""
    refs = dict.fromkeys(line.item for record in records for line in record.lines)
    return tuple(ref for ref in refs if item_key(ref, policies))


def items_of(record: NetSuiteRecord, policies: SettlementPolicies, found: Mapping[str, str]) -> dict[ItemRef, str]:
    """Internal ids of a record's items; `found` are those that have items of their own, by `item_key`."""
    chosen = {}
    for ref in dict.fromkeys(line.item for line in record.lines):
        key = item_key(ref, policies)
        item_id = found.get(key, "") if key else ref.item_id or policies.item(ref.role)
        if item_id:
            chosen[ref] = item_id
    return chosen
