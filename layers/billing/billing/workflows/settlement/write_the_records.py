"""The states "Write the invoices", "Write the credits", "Write the payments", "Write the refunds" and "Write the
deposit": the records of one phase, each once (see `writing`).

What a record names is resolved just before it is written: its period, the records that it is applied to, and the lines
of its order, whose numbers move when somebody edits it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from billing.domain.settlement.bodies import CreditedLine, NotResolved, Resolved, lines_of_invoice, order_lines
from billing.domain.settlement.item_choice import item_key, items_of
from billing.domain.settlement.passes import PERIOD_CLOSED, WRITING, Pass, Step
from billing.domain.settlement.periods import Parked, Posting, posting
from billing.domain.settlement.policies import SettlementPolicies
from billing.domain.settlement.records import Hold, NetSuiteRecord, Phase, SettlementPlan, Transform
from billing.domain.settlement.written import WriteState, WrittenRecord
from billing.workflows.settlement.holding import holds_noted
from billing.workflows.settlement.plan_files import plan_of
from billing.workflows.settlement.ports import Bells, Files, Periods, SettledRows
from billing.workflows.settlement.writing import Held


class Reader(Protocol):
    """NetSuite's records by internal id."""

    def by_id(self, record_type: str, record_id: str) -> Mapping[str, Any] | None: ...


class RecordWriter(Protocol):
    """Writes a record once (see `writing.Writer`)."""

    def write(self, record: NetSuiteRecord, resolved: Resolved, root: str) -> WrittenRecord: ...
    def loosen(self, records: Iterable[tuple[NetSuiteRecord, Resolved]]) -> int: ...


@dataclass(frozen=True, slots=True)
class Writing:
    """What writing needs. `at` is the time of the pass (ISO, UTC)."""

    bells: Bells
    files: Files
    rows: SettledRows
    writer: RecordWriter
    netsuite: Reader
    periods: Periods
    policies: SettlementPolicies
    at: str

    def write_all(self, one: Pass, step: Step) -> dict[str, Any]:
        """Write what is left of this step's records. Raises Superseded, Parked, Differs, PersonNeeded, and what the
        ports raise."""
        plan = plan_of(self.bells, self.files, one)
        records = [record for record in plan.records if WRITING[record.phase] is step]
        known = self.rows.records(record.external_id for record in records)
        left = [
            record
            for record in records
            if record.external_id not in known or not known[record.external_id].is_as(record)
        ]
        with holds_noted(self.bells, one, self.at):
            self._loosen(plan)
            for number, record in enumerate(left):
                if number:
                    self.bells.still_holds(one.root, one.execution)
                self.writer.write(record, self._resolved(record), one.root)
        return one.after(step, len(left)).to_dict()

    def _loosen(self, plan: SettlementPlan) -> None:
        """Before anything is written, take back what written records are applied to and should not be."""
        known = self.rows.records(record.external_id for record in plan.records if record.phase is not Phase.INVOICES)
        changed = [
            record
            for record in plan.records
            if (row := known.get(record.external_id)) is not None
            and row.state is WriteState.WRITTEN
            and not row.is_as(record)
        ]
        if changed:
            self.writer.loosen(
                (record, Resolved(self._entity(record), self._posting(record), documents=self._documents(record)))
                for record in changed
            )

    def _resolved(self, record: NetSuiteRecord) -> Resolved:
        documents = self._documents(record)
        return Resolved(
            entity=self._entity(record),
            posting=self._posting(record),
            items=items_of(record, self.policies, self._own_items(record)),
            documents=documents,
            credited_lines=self._credited(record),
            order_lines=self._order_lines(record.transform) if record.transform is not None else (),
        )

    def _entity(self, record: NetSuiteRecord) -> str:
        if record.netsuite_customer:
            return record.netsuite_customer
        if not record.stripe_customer:
            return ""
        found = self.rows.customer(record.stripe_customer)
        if found is None:
            raise NotResolved(f"{record.external_id}: the customer {record.stripe_customer} has no pair in NetSuite.")
        return found

    def _posting(self, record: NetSuiteRecord) -> Posting:
        choice = self.policies.choice("closed_period")
        found = posting(record.on, self.periods(), choice)
        if isinstance(found, Parked):
            # It may have been opened since the periods were read.
            found = posting(record.on, self.periods(fresh=True), choice)
        if isinstance(found, Parked):
            raise Held(Hold(PERIOD_CLOSED, f"{record.external_id}: {found.reason}"))
        return found

    def _own_items(self, record: NetSuiteRecord) -> Mapping[str, str]:
        keys = [key for line in record.lines if (key := item_key(line.item, self.policies))]
        return self.rows.items(keys) if keys else {}

    def _documents(self, record: NetSuiteRecord) -> dict[str, str]:
        wanted = [apply.external_id for apply in record.applies]
        if record.deposit is not None:
            wanted += [payment.external_id for payment in record.deposit.payments]
        rows = self.rows.records(wanted) if wanted else {}
        return {external_id: row.internal_id for external_id, row in rows.items() if row.internal_id}

    def _order_lines(self, transform: Transform) -> list[tuple[str, str]]:
        """Read just before the transform: a line's number moves when somebody edits the order, its key does not."""
        order = self.netsuite.by_id("salesOrder", transform.order_id)
        if order is None:
            raise NotResolved(
                f"NetSuite has no order {transform.order_number} (internal id {transform.order_id}) any more. It was "
                "billed in Stripe: bill it in NetSuite by hand, or credit it in Stripe."
            )
        return order_lines(order)

    def _credited(self, record: NetSuiteRecord) -> list[CreditedLine]:
        """The lines of the invoice that a memo is about, where it has none of its own."""
        if record.credits is None or record.lines:
            return []
        row = self.rows.record(record.credits)
        held = self.netsuite.by_id("invoice", row.internal_id) if row is not None and row.internal_id else None
        if held is None:
            raise NotResolved(f"{record.external_id}: NetSuite has no invoice {record.credits}.")
        return lines_of_invoice(held, record.currency, self.policies)
