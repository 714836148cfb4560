"""Writing one record into NetSuite once, however often this is started or killed.

    (look, if it may exist) -> intent row -> preview, where NetSuite works amounts out -> POST -> read back -> fact row

NetSuite's synchronous POST has no idempotency key. The externalId in the body is the guard: it is unique among all
transactions, so a second POST of the same record is refused. After anything that leaves doubt (a time-out, a broken
connection, a fault, a refusal because it exists) the record is looked for by its externalId before anything is written
again. A record that is there and differs is shown to a person and never overwritten.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final, Protocol

from billing.domain.errors import PassingError
from billing.domain.money.money import Money
from billing.domain.settlement.bodies import (
    Resolved,
    applied_now,
    body_of,
    differences,
    documents_of,
    preview_of,
    total_of,
    with_line_on,
    with_rounding,
)
from billing.domain.settlement.order_invoices import Preview, compare, of_another_subsidiary, rounding_of
from billing.domain.settlement.policies import SettlementPolicies
from billing.domain.settlement.postings import in_netsuite
from billing.domain.settlement.records import Hold, NetSuiteRecord, RecordType, Transform
from billing.domain.settlement.write_doubts import AlreadyExists, MayBeWritten, Refused, Rule
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
    def preview(self, record_type: str, body: Mapping[str, Any]) -> Mapping[str, Any]: ...
    def by_id(self, record_type: str, record_id: str) -> Mapping[str, Any] | None: ...
    def by_external_id(self, record_type: str, external_id: str) -> Mapping[str, Any] | None: ...
    def set_applies(self, record_type: str, record_id: str, applies: Sequence[Mapping[str, Any]]) -> None: ...


def _nobody(_: NetSuiteRecord, __: WrittenRecord) -> None:
    """Nobody else keeps what was written."""


class Held(Exception):
    """The record is not written: a person decides."""

    def __init__(self, hold: Hold) -> None:
        super().__init__(hold.reason)
        self.hold = hold


@dataclass(frozen=True, slots=True)
class Writer:
    """Everything that writing needs. `at` is the time of the pass (ISO, UTC). `adopted` is told of a record that is in
    NetSuite before our row says so: whoever dies between is told again."""

    records: Records
    rows: RecordRows
    policies: SettlementPolicies
    sleep: Callable[[float], None]
    at: str
    adopted: Callable[[NetSuiteRecord, WrittenRecord], None] = _nobody

    def write(self, record: NetSuiteRecord, resolved: Resolved, root: str) -> WrittenRecord:
        """Make sure that the record is in NetSuite and applied as the plan says; return its row. A record that was
        written and applied before costs no call. Raises Held, NotResolved, PassingError, PersonNeeded."""
        known = self.rows.record(record.external_id)
        if known is not None and known.state is WriteState.WRITTEN:
            return known if known.is_as(record) else self._apply(record, resolved, known)
        body = body_of(record, resolved, self.policies)
        found = self._look_for(record) if known is not None else None
        if found is None:
            try:
                body = self._previewed(record, body)
            except AlreadyExists:
                found = self._look_for(record)
            except Refused as refused:
                found = self._despite(record, refused)
        if found is None:
            self.rows.intend(WrittenRecord(record.external_id, record.type, WriteState.INTENDED, root), self.at)
            found = self._save(record, body)
        return self._adopt(record, resolved, found, root)

    def _save(self, record: NetSuiteRecord, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """POST, and after every doubt look before posting again; the record as NetSuite has it then."""
        taken = False
        for attempt in range(_WRITES):
            found = None
            try:
                internal_id = self._post(record, body)
                found = self.records.by_id(record.type.value, internal_id) if internal_id else None
            except (MayBeWritten, AlreadyExists) as doubt:
                taken = isinstance(doubt, AlreadyExists)
            except Refused as refused:
                found = self._despite(record, refused)
            found = found or self._look_for(record)
            if found is not None:
                return found
            self.sleep(float(2**attempt))
        if taken:
            raise Held(_taken(record))
        raise PassingError(
            f"NetSuite gave no answer to {record.external_id} {_WRITES} times, and does not have it. Redrive later."
        )

    def _despite(self, record: NetSuiteRecord, refused: Refused) -> Mapping[str, Any]:
        """The record that NetSuite refuses to make because its order was processed, if it was so by us, in a call whose
        answer was lost. Raises Held for every other refusal."""
        found = self._look_for(record) if refused.rule is Rule.ALREADY_PROCESSED else None
        if found is None:
            raise Held(_refusal(record, refused)) from None
        return found

    def settled(self, record: NetSuiteRecord) -> WrittenRecord | None:
        """The row of a record that is written and applied as the plan says: it needs no ids and no call. Else None."""
        known = self.rows.record(record.external_id)
        return known if known is not None and known.is_as(record) else None

    def loosen(self, records: Iterable[tuple[NetSuiteRecord, Resolved]]) -> int:
        """Take back what written records are applied to and should not be, before anything is written: a payment that
        failed must be off its invoice before a memo can close it. Returns how many were changed; a record that is
        applied as it was costs no call."""
        changed = 0
        for record, resolved in records:
            known = self.rows.record(record.external_id)
            if known is None or known.state is not WriteState.WRITTEN or known.is_as(record):
                continue
            found = self.records.by_id(record.type.value, known.internal_id)
            wanted = {
                resolved.documents[one.external_id]: one.amount
                for one in record.applies
                if one.external_id in resolved.documents
            }
            now = applied_now(found or {}, record.currency)
            less = [
                self._apply_line(record, document, wanted.get(document, 0))
                for document, amount in now.items()
                if wanted.get(document, 0) < amount
            ]
            if less:
                self._set_applies(record, known.internal_id, less)
                changed += 1
        return changed

    def _post(self, record: NetSuiteRecord, body: Mapping[str, Any]) -> str:
        if record.transform is not None:
            return self.records.transform("salesOrder", record.transform.order_id, record.type.value, body)
        return self.records.create(record.type.value, body)

    def _look_for(self, record: NetSuiteRecord) -> Mapping[str, Any] | None:
        return self.records.by_external_id(record.type.value, record.external_id)

    def _previewed(self, record: NetSuiteRecord, body: dict[str, Any]) -> dict[str, Any]:
        """Never save to find out: what NetSuite would save is compared first, where it works amounts out by itself. The
        body with the policy's rounding or exchange line, if one is needed and allowed."""
        if record.transform is not None:
            return self._previewed_transform(record, record.transform, body)
        if record.type is RecordType.DEPOSIT:
            return self._previewed_deposit(record, body)
        if record.type is RecordType.CREDIT_MEMO:
            self._same_total(record, self.records.preview(record.type.value, body))
        return body

    def _previewed_transform(
        self, record: NetSuiteRecord, transform: Transform, body: dict[str, Any]
    ) -> dict[str, Any]:
        codes = {currency.netsuite_id: code for code, currency in self.policies.currencies.items()}

        def preview(of: Mapping[str, Any]) -> Preview:
            answer = self.records.preview_transform("salesOrder", transform.order_id, record.type.value, of)
            return preview_of(answer, record, codes)

        would = preview(body)
        elsewhere = of_another_subsidiary(record, would, self.policies.subsidiary)
        if elsewhere is not None:
            raise Held(elsewhere)
        hold = compare(record, would)
        rounding = rounding_of(record, would, self.policies.rounding_line)
        if hold is not None and rounding:
            body = with_rounding(body, self.policies.items["rounding"], self._amount(record, rounding))
            # An account that takes no line beside the order's keeps the hold.
            with contextlib.suppress(Refused):
                hold = compare(record, preview(body), rounding)
        if hold is not None:
            raise Held(hold)
        return body

    def _previewed_deposit(self, record: NetSuiteRecord, body: dict[str, Any]) -> dict[str, Any]:
        """Payments in another currency than the bank's are worth what NetSuite's stored rate says, unless it takes
        ours: the difference goes to the exchange account as far as the policy allows."""
        answer = self.records.preview(record.type.value, body)
        missing = record.amount - total_of(answer, record.currency)
        allowed = self.policies.currencies[record.currency].max_fx_difference
        if missing and abs(missing) <= allowed and self.policies.fx:
            body = with_line_on(body, self.policies.fx, self._amount(record, missing), "Exchange difference")
            answer = self.records.preview(record.type.value, body)
        self._same_total(record, answer)
        return body

    def _same_total(self, record: NetSuiteRecord, answer: Mapping[str, Any]) -> None:
        total = total_of(answer, record.currency)
        if total != record.amount:
            raise Held(
                Hold(
                    "unequal_amounts",
                    f"NetSuite would save {record.external_id} with another total than Stripe says. Nothing was saved.",
                    (
                        (
                            "total",
                            str(Money(record.amount, record.currency)),
                            str(Money(total, record.currency)),
                        ),
                    ),
                )
            )

    def _amount(self, record: NetSuiteRecord, minor: int) -> Decimal:
        return in_netsuite(minor, record.currency, self.policies.currencies[record.currency].precision)

    def _adopt(self, record: NetSuiteRecord, resolved: Resolved, found: Mapping[str, Any], root: str) -> WrittenRecord:
        """The record is there: ours if it is what the plan says. What it is applied to may be made so."""
        columns = differences(record, found, resolved, self.policies)
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
        self.adopted(record, written)
        if not _is_applied(record, resolved, found):
            return self._apply(record, resolved, written)
        self.rows.settle(written, self.at)
        return written

    def _apply(self, record: NetSuiteRecord, resolved: Resolved, written: WrittenRecord) -> WrittenRecord:
        """Change what the record is applied to, and read it back. Lines that are to go are unapplied by name."""
        wanted = documents_of(record, resolved)
        for attempt in range(_WRITES):
            found = self.records.by_id(record.type.value, written.internal_id)
            if found is None:
                raise Held(
                    Hold(
                        "deleted_netsuite_record",
                        f"NetSuite no longer has {record.external_id}. Somebody deleted it: the settlement does not "
                        "write it a second time by itself.",
                    )
                )
            if _is_applied(record, resolved, found):
                settled = replace(written, applied_hash=applied_hash(record))
                self.rows.settle(settled, self.at)
                return settled
            if attempt:
                self.sleep(float(2**attempt))
            now = applied_now(found, record.currency)
            changes = {document: 0 for document in now if document not in wanted} | wanted
            self._set_applies(
                record,
                written.internal_id,
                [
                    self._apply_line(record, document, amount)
                    for document, amount in changes.items()
                    if now.get(document) != amount
                ],
            )
        raise PassingError(f"NetSuite does not show {record.external_id} applied as it was asked to. Redrive later.")

    def _set_applies(self, record: NetSuiteRecord, internal_id: str, lines: Sequence[Mapping[str, Any]]) -> None:
        with contextlib.suppress(MayBeWritten):  # Whoever asked reads it back.
            try:
                self.records.set_applies(record.type.value, internal_id, lines)
            except Refused as refused:
                raise Held(_refusal(record, refused)) from None

    def _apply_line(self, record: NetSuiteRecord, document: str, amount: int) -> dict[str, Any]:
        if not amount:
            return {"doc": {"id": document}, "apply": False}
        return {"doc": {"id": document}, "apply": True, "amount": self._amount(record, amount)}


def _is_applied(record: NetSuiteRecord, resolved: Resolved, found: Mapping[str, Any]) -> bool:
    if record.type in (RecordType.INVOICE, RecordType.DEPOSIT):
        return True
    return applied_now(found, record.currency) == documents_of(record, resolved)


def _refusal(record: NetSuiteRecord, refused: Refused) -> Hold:
    """NetSuite's own sentence goes into the row that a person reads, and into no log."""
    return Hold(
        refused.rule.value,
        f"NetSuite refuses {record.external_id} by one of its rules. Correct what its sentence names, then redrive.",
        (("NetSuite says", "", refused.detail),),
    )


def _taken(record: NetSuiteRecord) -> Hold:
    return Hold(
        "external_id_taken",
        f"NetSuite refuses {record.external_id} because it exists, but shows no {record.type.value} of that id: "
        "another record has it. Give that record another externalId, then redrive.",
    )
