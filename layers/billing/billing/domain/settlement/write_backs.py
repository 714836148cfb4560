"""NetSuite's internal ids in Stripe's metadata, under the names that Stripe's connector uses.

Stripe takes 50 keys an object, 40 characters a key and 500 characters a value (Stripe, "Metadata"). A Stripe invoice
over ninety orders is ninety NetSuite invoices: their ids share one key, cut between ids where the value is full.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from billing.domain.settlement.records import NetSuiteRecord

LONGEST_VALUE: Final = 500


def metadata_of(written: Iterable[tuple[NetSuiteRecord, str]]) -> dict[str, dict[str, str]]:
    """What goes into the metadata of each Stripe object, from records and their internal ids. Pure: the order is the
    plan's, so a second pass gives the same values."""
    ids: dict[tuple[str, str], list[str]] = {}
    for record, internal_id in written:
        for write_back in record.write_backs:
            ids.setdefault((write_back.stripe_object, write_back.key), []).append(internal_id)
    found: dict[str, dict[str, str]] = {}
    for (stripe_object, key), values in ids.items():
        for number, value in enumerate(_values(values), 1):
            found.setdefault(stripe_object, {})[key if number == 1 else f"{key}_{number}"] = value
    return found


def _values(ids: Iterable[str]) -> list[str]:
    values: list[str] = []
    for one in ids:
        if values and len(values[-1]) + 1 + len(one) <= LONGEST_VALUE:
            values[-1] += f",{one}"
        else:
            values.append(one)
    return values
