"""Writing one record into NetSuite once, however often this is started or killed.

    intent row -> (look, if it may exist) -> POST -> read back and compare -> fact row

NetSuite's synchronous POST has no idempotency key. The externalId in the body is the guard: it is unique among all
transactions, so a second POST of the same record is refused. After anything that leaves doubt (a time-out, a broken
connection, a fault, a refusal because it exists) the record is looked for by its externalId before anything is written
again. A record that is there and differs is shown to a person and never overwritten.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from billing.domain.errors import PassingError
from billing.domain.settlement.bodies import (
    Resolved,
    applied_now,
    apply_lines,
    body_of,
    differences,
    preview_of,
)
from billing.domain.settlement.order_invoices import compare
from billing.domain.settlement.policies import SettlementPolicies
from billing.domain.settlement.records import Hold, NetSuiteRecord, RecordType
from billing.domain.settlement.write_doubts import AlreadyExists, MayBeWritten
from billing.domain.settlement.written import WriteState, WrittenRecord, applied_hash

_WRITES: Final = 3
"""How often one pass posts a record, each time after a fresh look."""


class RecordRows(Protocol):
    """What was written before."""

    def record(self, external_id: str) -> WrittenRecord | None: ...
    def intend(self, record: WrittenRecord, at: str) -> None: ...
    def settle(self, record: WrittenRecord, at: str) -> None: ...


class Records(Protocol):
    """NetSuite's record API."""

    def create(self, record_type: str, body: Mapping[str, Any]) -> str: ...
    def transform(self, record_type: str, record_id: str, target: str, body: Mapping[str, Any]) -> str: ...
    def preview_transform(
        self, record_type: str, record_id: str, target: str, body: Mapping[str, Any]
    ) -> Mapping[str, Any]: ...
    def by_id(self, record_type: str, record_id: str) -> Mapping[str, Any] | None: ...
    def by_external_id(self, record_type: str, external_id: str) -> Mapping[str, Any] | None: ...
    def set_applies(self, record_type: str, record_id: str, applies: Sequence[Mapping[str, Any]]) -> None: ...


class Held(Exception):
    """The record is not written: a person decides."""

    def __init__(self, hold: Hold) -> None:
        super().__init__(hold.reason)
        self.hold = hold


@dataclass(frozen=True, slots=True)
class Writer:
    """Everything that writing needs. `at` is the time of the pass (ISO, UTC)."""

    records: Records
    rows: RecordRows
    policies: SettlementPolicies
    sleep: Callable[[float], None]
    at: str

    def write(self, record: NetSuiteRecord, resolved: Resolved, root: str) -> WrittenRecord:
        """Make sure that the record is in NetSuite and applied as the plan says; return its row. A record that was
        written and applied before costs no call. Raises Held, PassingError, and what the ports raise."""
        known = self.rows.record(record.external_id)
        wanted = applied_hash(record)
        if known is not None and known.state is WriteState.WRITTEN:
            if known.applied_hash == wanted:
                return known
            return self._apply(record, resolved, known)
        body = body_of(record, resolved, self.policies)
        if known is not None:
            found = self.records.by_external_id(record.type.value, record.external_id)
            if found is not None:
                return self._adopt(record, resolved, found, root)
        if record.transform is not None:
            self._preview(record, body)
        self.rows.intend(WrittenRecord(record.external_id, record.type, WriteState.INTENDED, root), self.at)
        for attempt in range(_WRITES):
            try:
                internal_id = self._post(record, body)
            except (MayBeWritten, AlreadyExists) as doubt:
                if attempt:
                    self.sleep(float(2**attempt))
                found = self.records.by_external_id(record.type.value, record.external_id)
                if found is not None:
                    return self._adopt(record, resolved, found, root)
                if isinstance(doubt, AlreadyExists):
                    raise Held(_taken(record)) from None
                continue
            found = self.records.by_id(record.type.value, internal_id) if internal_id else None
            found = found or self.records.by_external_id(record.type.value, record.external_id)
            if found is None:
                raise PassingError(f"NetSuite does not show {record.external_id}, which it has just saved.")
            return self._adopt(record, resolved, found, root)
        raise PassingError(
            f"NetSuite gave no answer to {record.external_id} {_WRITES} times, and does not have it. Redrive later."
        )

    def _post(self, record: NetSuiteRecord, body: Mapping[str, Any]) -> str:
        if record.transform is not None:
            return self.records.transform("salesOrder", record.transform.order_id, record.type.value, body)
        return self.records.create(record.type.value, body)

    def _preview(self, record: NetSuiteRecord, body: Mapping[str, Any]) -> None:
        """Never save to find out: what NetSuite would save is compared first."""
        assert record.transform is not None  # noqa: S101 - for the type checker; the caller has asked
        answer = self.records.preview_transform("salesOrder", record.transform.order_id, record.type.value, body)
        codes = {currency.netsuite_id: code for code, currency in self.policies.currencies.items()}
        hold = compare(record, preview_of(answer, record, codes), self.policies.rounding_line)
        if hold is not None:
            raise Held(hold)

    def _adopt(self, record: NetSuiteRecord, resolved: Resolved, found: Mapping[str, Any], root: str) -> WrittenRecord:
        """The record is there: ours if it is what the plan says. What it is applied to may be made so."""
        columns = differences(record, found, resolved.entity)
        if columns:
            raise Held(
                Hold(
                    "record_differs",
                    f"NetSuite has {record.external_id}, and it is not what Stripe says. The settlement overwrites "
                    "nothing: correct it in NetSuite, or delete it there and redrive.",
                    columns,
                )
            )
        written = WrittenRecord(
            record.external_id,
            record.type,
            WriteState.WRITTEN,
            root,
            internal_id=str(found.get("id") or ""),
            applied_hash=applied_hash(record),
        )
        if not self._is_applied(record, resolved, found):
            return self._apply(record, resolved, written)
        self.rows.settle(written, self.at)
        return written

    def _is_applied(self, record: NetSuiteRecord, resolved: Resolved, found: Mapping[str, Any]) -> bool:
        if record.type in (RecordType.INVOICE, RecordType.DEPOSIT):
            return True
        wanted = {resolved.documents[one.external_id]: one.amount for one in record.applies}
        return applied_now(found, record.currency) == wanted

    def _apply(self, record: NetSuiteRecord, resolved: Resolved, written: WrittenRecord) -> WrittenRecord:
        """Change what the record is applied to, and read it back. Lines that are to go are unapplied by name."""
        record_type = record.type.value
        for attempt in range(_WRITES):
            found = self.records.by_id(record_type, written.internal_id)
            if found is None:
                raise Held(
                    Hold(
                        "deleted_netsuite_record",
                        f"NetSuite no longer has {record.external_id}. Somebody deleted it: the settlement does not "
                        "write it a second time by itself.",
                    )
                )
            if self._is_applied(record, resolved, found):
                settled = WrittenRecord(
                    written.external_id,
                    written.type,
                    WriteState.WRITTEN,
                    written.root,
                    written.internal_id,
                    applied_hash(record),
                )
                self.rows.settle(settled, self.at)
                return settled
            wanted = {resolved.documents[one.external_id] for one in record.applies}
            gone = [
                {"doc": {"id": document}, "apply": False}
                for document in applied_now(found, record.currency)
                if document not in wanted
            ]
            if attempt:
                self.sleep(float(2**attempt))
            try:
                self.records.set_applies(
                    record_type, written.internal_id, [*gone, *apply_lines(record, resolved, self.policies)]
                )
            except MayBeWritten:
                continue
        raise PassingError(f"NetSuite does not show {record.external_id} applied as it was asked to. Redrive later.")


def _taken(record: NetSuiteRecord) -> Hold:
    return Hold(
        "external_id_taken",
        f"NetSuite refuses {record.external_id} because it exists, but shows no {record.type.value} of that id: "
        "another record has it. Give that record another externalId, then redrive.",
    )
