"""State "Find the items": items of their own for prices and coupons, found or made once and never changed.

The income account of an item that was used cannot be changed back (Stripe, "Stripe Connector for NetSuite"), so nothing
here updates one.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from billing.domain.errors import PassingError
from billing.domain.settlement import external_ids
from billing.domain.settlement.item_choice import item_key, items_to_find
from billing.domain.settlement.passes import Pass, Step
from billing.domain.settlement.policies import SettlementPolicies
from billing.domain.settlement.records import Hold, ItemRef, ItemRole
from billing.domain.settlement.write_doubts import AlreadyExists, MayBeWritten
from billing.workflows.settlement.holding import holds_noted
from billing.workflows.settlement.plan_files import plan_of
from billing.workflows.settlement.ports import Bells, Files, ItemSearch, SettledRows
from billing.workflows.settlement.writing import Held

_SERVICE, _DISCOUNT = "serviceSaleItem", "discountItem"


@dataclass(frozen=True, slots=True)
class Finding:
    """What finding needs. `at` is the time of the pass (ISO, UTC)."""

    bells: Bells
    files: Files
    rows: SettledRows
    netsuite: ItemSearch
    policies: SettlementPolicies
    at: str

    def find(self, one: Pass) -> dict[str, Any]:
        """Make sure that every price and coupon of the plan has its item."""
        plan = plan_of(self.bells, self.files, one)
        wanted = {item_key(ref, self.policies): ref for ref in items_to_find(plan.records, self.policies)}
        known = self.rows.items(wanted)
        with holds_noted(self.bells, one, self.at):
            for key, ref in wanted.items():
                if key not in known:
                    item_id, how = self._found(key, ref)
                    self.rows.keep_item(key, item_id, how, self.at)
        return one.after(Step.ITEMS).to_dict()

    def _found(self, key: str, ref: ItemRef) -> tuple[str, str]:
        if ref.role is ItemRole.PRICE and self.policies.choice("items.prices") == "match":
            field = self.policies.match_item_field
            found = self.netsuite.with_field(field, ref.stripe_id)
            if len(found) != 1:
                raise Held(
                    Hold(
                        "item_ambiguous" if found else "item_missing",
                        f"{len(found) or 'No'} items of NetSuite's have the price {ref.stripe_id} in their field "
                        f"{field}. Write it into the right one, then redrive.",
                    )
                )
            return found[0], field
        record_type = _DISCOUNT if ref.role is ItemRole.DISCOUNT else _SERVICE
        own = external_ids.item_of_subsidiary(key, self.policies.subsidiary)
        for name in dict.fromkeys((own, key)):
            held = self.netsuite.by_external_id(record_type, name)
            if held is not None and (name == own or self._may_be_used(held)):
                return str(held["id"]), "external_id"
        return self._made(record_type, own), "created"

    def _may_be_used(self, item: Mapping[str, Any]) -> bool:
        """Whether an item under a bare typed id is of our subsidiary: another Stripe account may have made it."""
        listed = (item.get("subsidiary") or {}).get("items") or ()
        return any(str(one.get("id")) == self.policies.subsidiary for one in listed)

    def _made(self, record_type: str, key: str) -> str:
        body: dict[str, Any] = {"externalId": key, "itemId": key}
        if record_type == _SERVICE:
            body["incomeAccount"] = {"id": self.policies.income_account}
        else:
            body |= {"account": {"id": self.policies.discount_account}, "nonPosting": False}
        if self.policies.subsidiary:
            body["subsidiary"] = {"items": [{"id": self.policies.subsidiary}]}
            body["includeChildren"] = True
        made = ""
        with suppress(AlreadyExists, MayBeWritten):
            made = self.netsuite.create(record_type, body)
        if made:
            return made
        held = self.netsuite.by_external_id(record_type, key)
        if held is None:
            raise PassingError(f"NetSuite did not say whether it made the item {key}. Redrive later.")
        return str(held["id"])
