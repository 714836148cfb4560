"""State "Write back to Stripe": NetSuite's internal ids go into Stripe's metadata, by the names that Stripe's own
connector uses. It is the last write of a pass: it rings invoice.updated, and that pass must find nothing to write.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Protocol

from billing.domain.settlement.passes import Pass, Step
from billing.domain.settlement.records import NetSuiteRecord
from billing.domain.settlement.write_backs import metadata_of
from billing.domain.settlement.written import WrittenRecord
from billing.workflows.settlement.plan_files import plan_of
from billing.workflows.settlement.ports import Bells, Files, SettledRows


class Metadata(Protocol):
    """Stripe's metadata: adds keys to an object and leaves the others."""

    def __call__(self, stripe_object: str, metadata: Mapping[str, str]) -> None: ...


def write_back_to_stripe(
    one: Pass, bells: Bells, files: Files, rows: SettledRows, metadata: Metadata
) -> dict[str, Any]:
    """Write what Stripe lacks. Repeated, it changes nothing."""
    plan = plan_of(bells, files, one)
    facts = files.read_json(one.plan_key.removesuffix("plan.json") + "stripe.json")
    known = rows.records(record.external_id for record in plan.records)
    there = metadata_of_objects(facts)
    for stripe_object, wanted in metadata_wanted(plan.records, known).items():
        lacking = {key: value for key, value in wanted.items() if there.get(stripe_object, {}).get(key) != value}
        if lacking:
            metadata(stripe_object, lacking)
    return one.after(Step.BACK).to_dict()


def metadata_in_place(facts: Any, records: Iterable[NetSuiteRecord], rows: Mapping[str, WrittenRecord]) -> bool:
    """Whether Stripe's objects name NetSuite's records already."""
    there = metadata_of_objects(facts)
    return all(
        there.get(stripe_object, {}).get(key) == value
        for stripe_object, wanted in metadata_wanted(records, rows).items()
        for key, value in wanted.items()
    )


def metadata_wanted(records: Iterable[NetSuiteRecord], rows: Mapping[str, WrittenRecord]) -> dict[str, dict[str, str]]:
    """{Stripe object: {key: internal id}} of the records that are written."""
    written = [
        (record, row.internal_id) for record in records if (row := rows.get(record.external_id)) and row.internal_id
    ]
    return metadata_of(written)


def metadata_of_objects(facts: Any) -> dict[str, Mapping[str, str]]:
    """The metadata of every object in what Stripe said, by its id: from the dataclasses or from their JSON."""
    found: dict[str, Mapping[str, str]] = {}
    _collect(facts, found)
    return found


def _collect(value: Any, found: dict[str, Mapping[str, str]]) -> None:
    if is_dataclass(value) and not isinstance(value, type):
        value = {one.name: getattr(value, one.name) for one in fields(value)}
    if isinstance(value, Mapping):
        if isinstance(value.get("id"), str) and isinstance(value.get("metadata"), Mapping):
            found[value["id"]] = value["metadata"]
        for inner in value.values():
            _collect(inner, found)
    elif isinstance(value, tuple | list):
        for inner in value:
            _collect(inner, found)
