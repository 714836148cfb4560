"""State "Find the customer": NetSuite's customer of each Stripe customer that has no pair yet.

As Stripe's connector does it: the fields of the policy customer.match in their order, exact but for case and outer
blanks, the first field that hits wins; else a customer is made; else the fallback of the policy. Several customers that
fit are a person's decision. A pair is kept in our own table, and never changed by us.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from billing.domain.errors import PassingError
from billing.domain.ledger.stripe_customer import StripeCustomer
from billing.domain.settlement.passes import Pass, Step
from billing.domain.settlement.policies import SettlementPolicies
from billing.domain.settlement.records import Hold
from billing.domain.settlement.write_doubts import AlreadyExists, MayBeWritten
from billing.workflows.settlement.holding import holds_noted
from billing.workflows.settlement.plan_files import plan_of
from billing.workflows.settlement.ports import Bells, CustomerSearch, Files, SettledRows
from billing.workflows.settlement.writing import Held

_LONGEST_NAME = 83  # NetSuite's company name
_MOST_READ = 10


@dataclass(frozen=True, slots=True)
class Finding:
    """What finding needs. `stripe_customer` reads one of Stripe; `at` is the time of the pass (ISO, UTC)."""

    bells: Bells
    files: Files
    rows: SettledRows
    stripe_customer: Callable[[str], StripeCustomer]
    netsuite: CustomerSearch
    policies: SettlementPolicies
    at: str

    def find(self, one: Pass) -> dict[str, Any]:
        """Make sure that every customer of the plan has its pair, and may be billed in its currency."""
        plan = plan_of(self.bells, self.files, one)
        wanted: dict[str, set[str]] = {}
        for record in plan.records:
            if record.netsuite_customer is None and record.stripe_customer:
                wanted.setdefault(record.stripe_customer, set()).add(record.currency)
        if one.kind == "customer":
            wanted.setdefault(one.root, set())
        with holds_noted(self.bells, one, self.at):
            for customer, currencies in wanted.items():
                self._pair(customer, currencies)
        return one.after(Step.CUSTOMER).to_dict()

    def _pair(self, stripe_id: str, currencies: set[str]) -> None:
        kept = self.rows.customer(stripe_id)
        known, how = (kept, "") if kept is not None else self._found(stripe_id)
        held = self.netsuite.by_id(known)
        if held is None:
            raise Held(
                Hold(
                    "deleted_netsuite_record",
                    f"NetSuite no longer has the customer {known}, the pair of {stripe_id}: it was deleted or merged. "
                    "Say which customer it is now by netsuite_customer_id in the metadata of Stripe's customer, and "
                    "take the old pair away (see the runbook), then redrive.",
                )
            )
        if not self._is_of_our_subsidiary(held):
            # A pair that is kept was of this subsidiary once, or the policies named another then.
            old = ", and take the old pair away (see the runbook)" if kept is not None else ""
            raise Held(
                Hold(
                    "invalid_subsidiary",
                    f"The NetSuite customer {known}, the pair of {stripe_id}, belongs to another subsidiary than this "
                    f"Stripe account ({self.policies.subsidiary}). Write the id of this subsidiary's customer into the "
                    f"metadata of Stripe's customer as netsuite_customer_id{old}, then redrive.",
                )
            )
        if kept is None:
            self.rows.keep_customer(stripe_id, known, how, self.at)
        self._admit(known, held, currencies)

    def _is_of_our_subsidiary(self, held: Mapping[str, Any] | None) -> bool:
        """A record that shows no subsidiary is of an account without OneWorld."""
        of = str(((held or {}).get("subsidiary") or {}).get("id") or "")
        return not self.policies.subsidiary or not of or of == self.policies.subsidiary

    def _ours(self, found: list[str]) -> list[str]:
        """Of the customers that fit by a field, those of our subsidiary: a client of two subsidiaries is two customers,
        with one address. One call each, the first ten."""
        if not self.policies.subsidiary:
            return found
        return [one for one in found[:_MOST_READ] if self._is_of_our_subsidiary(self.netsuite.by_id(one))]

    def _found(self, stripe_id: str) -> tuple[str, str]:
        """The customer's internal id, and what it was found by."""
        customer = self.stripe_customer(stripe_id)
        for field in self.policies.customer_match:
            found = self._matches(field, customer)
            if len(found) > 1:
                raise Held(
                    Hold(
                        "customer_ambiguous",
                        f"NetSuite has {len(found)} customers that fit {stripe_id} by its {field}: "
                        f"{', '.join(sorted(found)[:10])}. Write the right one's internal id into the metadata of "
                        "Stripe's customer as netsuite_customer_id, then redrive.",
                    )
                )
            if found:
                return found[0], field
        if self.policies.choice("customer.create") == "yes" and not customer.deleted:
            return self._created(customer), "created"
        if self.policies.fallback_customer:
            return self.policies.fallback_customer, "fallback"
        raise Held(
            Hold(
                "customer_missing",
                f"No customer of NetSuite's fits {stripe_id}, and the policies neither create one (customer.create) "
                "nor name a fallback (customer.fallback).",
            )
        )

    def _matches(self, field: str, customer: StripeCustomer) -> list[str]:
        if field == "netsuite_customer_id":
            named = (customer.netsuite_id or "").strip()
            if not named:
                return []
            if not named.isdecimal() or self.netsuite.by_id(named) is None:
                raise Held(
                    Hold(
                        "customer_missing",
                        f"{customer.id} names a customer of NetSuite's in its metadata (netsuite_customer_id) that "
                        "does not exist there. Correct or remove it, then redrive.",
                    )
                )
            return [named]
        if field == "external_id":
            held = self.netsuite.by_external_id(customer.id)
            return [str(held["id"])] if held is not None else []
        by_field = {
            "email": (customer.email, self.netsuite.with_email),
            "name": (customer.name, self.netsuite.with_name),
        }
        text, search = by_field[field]
        return self._ours(search(text)) if text and text.strip() else []

    def _created(self, customer: StripeCustomer) -> str:
        """A new customer. Its externalId is the guard: a repeat finds the one that was made."""
        found = self.netsuite.by_external_id(customer.id)
        if found is not None:
            return str(found["id"])
        body = self._body(customer)
        for attempt in (body, {**body, "entityId": customer.id}):
            try:
                made = self.netsuite.create(attempt)
                if made:
                    return made
            except (AlreadyExists, MayBeWritten) as doubt:
                found = self.netsuite.by_external_id(customer.id)
                if found is not None:
                    return str(found["id"])
                if isinstance(doubt, MayBeWritten):
                    raise PassingError(f"NetSuite gave no answer about the new customer of {customer.id}.") from None
                continue  # its name is taken: the connector falls back to Stripe's id
            found = self.netsuite.by_external_id(customer.id)
            if found is not None:
                return str(found["id"])
        raise Held(
            Hold(
                "customer_missing",
                f"NetSuite has another customer of the name of {customer.id}, and takes none of that id either. Write "
                "the right one's internal id into the metadata of Stripe's customer as netsuite_customer_id.",
            )
        )

    def _body(self, customer: StripeCustomer) -> dict[str, Any]:
        name = (customer.name or customer.email or customer.id).strip()[:_LONGEST_NAME]
        body: dict[str, Any] = {"externalId": customer.id}
        if self.policies.choice("customer.kind") == "person":
            first, _, last = name.partition(" ")
            body |= {"isPerson": True, "firstName": first if last else "", "lastName": last or first}
        else:
            body |= {"isPerson": False, "companyName": name}
        if customer.email:
            body["email"] = customer.email
        if self.policies.subsidiary:
            body["subsidiary"] = {"id": self.policies.subsidiary}
        listed = [one.netsuite_id for one in self.policies.currencies.values()]
        if listed:
            body["currencyList"] = {"items": [{"currency": {"id": one}} for one in listed]}
        return {**body, **self.policies.defaults.get("customer", {})}

    def _admit(self, netsuite_id: str, held: Any, currencies: set[str]) -> None:
        """A transaction's currency must be in the customer's list. An account without that feature shows no list."""
        sublist = held.get("currencyList")
        listed = sublist.get("items") if isinstance(sublist, dict) else None
        if not listed:
            return
        there = {str((one.get("currency") or {}).get("id", "")) for one in listed}
        for code in sorted(currencies):
            policy = self.policies.currencies.get(code)
            if policy is not None and policy.netsuite_id not in there:
                self.netsuite.add_currency(netsuite_id, policy.netsuite_id)
