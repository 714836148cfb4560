"""The five states that write records differ in their phase only: one composition."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from billing.adapters.dynamodb.billed_orders import BilledOrdersOfLedger
from billing.adapters.dynamodb.ledger import LedgerTable
from billing.domain.settlement.passes import Step
from billing.domain.settlement.records import NetSuiteRecord
from billing.domain.settlement.written import WrittenRecord
from billing.runtime import netsuite, settlement
from billing.runtime.clock import now
from billing.runtime.connections.aws import dynamodb, environment
from billing.workflows.settlement.write_the_records import Writing
from billing.workflows.settlement.writing import Writer


def write(event: Mapping[str, Any], step: Step) -> dict[str, Any]:
    """Write this step's records; the pass with what is left."""
    at = now().isoformat()
    policies = settlement.policies()
    ledger = BilledOrdersOfLedger(LedgerTable(dynamodb(), environment().text("LEDGER_TABLE")))
    writing = Writing(
        bells=settlement.bells(),
        files=settlement.files(),
        rows=settlement.rows(),
        writer=Writer(netsuite.records(), settlement.rows(), policies, time.sleep, at, _mirrored(ledger)),
        netsuite=netsuite.records(),
        periods=netsuite.periods,
        policies=policies,
        at=at,
    )
    return writing.write_all(settlement.pass_of(event), step)


def _mirrored(ledger: BilledOrdersOfLedger) -> Callable[[NetSuiteRecord, WrittenRecord], None]:
    """Our ledger knows which of NetSuite's invoices is which draft of ours: both bill the same goods."""

    def note(record: NetSuiteRecord, written: WrittenRecord) -> None:
        if record.transform is not None:
            ledger.note_mirrored(record.transform.order_id, written.root, written.internal_id)

    return note
