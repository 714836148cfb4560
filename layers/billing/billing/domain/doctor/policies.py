"""The settlement's policy file against the NetSuite account: every internal id that it names must be there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from billing.domain.doctor.finding import Finding, fine, listed, note, wrong
from billing.domain.doctor.netsuite import PERMISSIONS
from billing.domain.settlement.policies import SettlementPolicies

_SHOWN: Final = 20
TABLES: Final = ("account", "item", "subsidiary", "currency", "customer")


@dataclass(frozen=True, slots=True)
class Existing:
    """What the account has of the ids that were asked for: whether each is inactive, and for currencies their ISO
    codes. `refused` is NetSuite's answer where the role may not see the table."""

    inactive: Mapping[str, bool]
    symbols: Mapping[str, str]
    refused: str = ""


def ids_of(policies: SettlementPolicies) -> dict[str, dict[str, str]]:
    """Internal ids by table and by the policy's key: {"account": {"accounts.fx": "58"}}."""
    accounts = {
        "accounts.receivable": policies.receivable,
        "accounts.undeposited_funds": policies.undeposited_funds,
        "accounts.out_of_band": policies.out_of_band_account,
        "accounts.reserve": policies.reserve,
        "accounts.dispute_reversals": policies.dispute_reversals,
        "accounts.fx": policies.fx,
        "items.income_account": policies.income_account,
        "items.discount_account": policies.discount_account,
        **{f"accounts.fees.{name}": given for name, given in policies.fees.items()},
        **{f"movements.{name}": given for name, given in policies.movements.items()},
        **{f"currencies.{code}.bank": one.bank for code, one in policies.currencies.items()},
        **{f"currencies.{code}.out_of_band": one.out_of_band for code, one in policies.currencies.items()},
    }
    items = {
        **{f"items.{name}": given for name, given in policies.items.items()},
        **{f"tax.items.{name}": given for name, given in policies.tax_items.items()},
    }
    found = {
        "account": accounts,
        "item": items,
        "subsidiary": {"subsidiary": policies.subsidiary},
        "currency": {f"currencies.{code}.id": one.netsuite_id for code, one in policies.currencies.items()},
        "customer": {"customer.fallback": policies.fallback_customer},
    }
    return {table: {key: given for key, given in keys.items() if given} for table, keys in found.items()}


def policies_finding(
    policies: SettlementPolicies,
    existing: Mapping[str, Existing],
    subsidiaries: Sequence[str] = (),
    billed: Sequence[str] = (),
) -> Finding:
    """`existing` by table, for those of which ids are named. `subsidiaries` are all that the role sees, none without
    OneWorld, `billed` those of the parameter Subsidiaries; internal ids."""
    check = "settlement.policies"
    mistakes, hidden = [], []
    for table, keys in ids_of(policies).items():
        if not keys:
            continue
        found = existing[table]
        if found.refused:
            hidden.append(PERMISSIONS[table])
            continue
        mistakes += [
            f"{key} = {given} is no {table} of the account"
            for key, given in keys.items()
            if given not in found.inactive
        ]
        mistakes += [f"{key} = {given} is inactive" for key, given in keys.items() if found.inactive.get(given)]
    mistakes += _wrong_codes(policies, existing.get("currency"))
    mistakes += _wrong_subsidiary(policies.subsidiary, subsidiaries, billed)
    if mistakes:
        return wrong(check, f"{listed(mistakes)}. Correct the policy file, or the account.")
    if not policies.currencies:
        return wrong(check, "the file names no currency: everything would be held. Name each as [currencies.usd].")
    if hidden:
        return note(check, f"its ids cannot all be looked up: the role lacks {listed(hidden)}.")
    lacking = _lacking(policies)
    if lacking:
        return note(check, f"{listed(lacking)} is not set: what needs it will be held.")
    return fine(check, f"{sum(len(keys) for keys in ids_of(policies).values())} ids are there and active")


def _wrong_subsidiary(settled: str, subsidiaries: Sequence[str], billed: Sequence[str]) -> list[str]:
    """One Stripe account is one subsidiary: where there are several, both files have to say which."""
    if not settled and len(subsidiaries) > 1:
        return [f"subsidiary is missing, and the role sees {len(subsidiaries)} ({', '.join(subsidiaries[:_SHOWN])})"]
    if settled and billed and list(billed) != [settled]:
        return [f"subsidiary = {settled}, but the parameter Subsidiaries bills {', '.join(billed)} into this account"]
    if settled and not billed and len(subsidiaries) > 1:
        return [f"the parameter Subsidiaries is empty: this stack would also bill orders of others than {settled}"]
    return []


def _wrong_codes(policies: SettlementPolicies, found: Existing | None) -> list[str]:
    if found is None or found.refused:
        return []
    return [
        f"currencies.{code}.id = {one.netsuite_id} is {found.symbols[one.netsuite_id]} in NetSuite"
        for code, one in policies.currencies.items()
        if one.netsuite_id in found.symbols and found.symbols[one.netsuite_id].strip().lower() != code
    ]


def _lacking(policies: SettlementPolicies) -> list[str]:
    return [
        key
        for key, given in (
            ("accounts.undeposited_funds", policies.undeposited_funds),
            ("accounts.fees.stripe_fee", policies.fees.get("stripe_fee", "")),
            *((f"currencies.{code}.bank", one.bank) for code, one in policies.currencies.items()),
        )
        if not given
    ]
