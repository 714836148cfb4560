"""The five states that write records differ in their phase only: one composition."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from billing.adapters.dynamodb.billed_orders import BilledOrdersOfLedger
from billing.adapters.dynamodb.ledger import LedgerTable
from billing.domain.settlement.passes import Step
from billing.runtime import netsuite, settlement
from billing.runtime.clock import now
from billing.runtime.connections.aws import dynamodb, environment
from billing.workflows.settlement.write_the_records import Writing
from billing.workflows.settlement.writing import Writer


def write(event: Mapping[str, Any], step: Step) -> dict[str, Any]:
    """Write this step's records; the pass with what is left."""
    at = now().isoformat()
    policies = settlement.policies()
    ledger = LedgerTable(dynamodb(), environment().text("LEDGER_TABLE"))
    writing = Writing(
        bells=settlement.bells(),
        files=settlement.files(),
        rows=settlement.rows(),
        writer=Writer(netsuite.records(), settlement.rows(), policies, time.sleep, at),
        netsuite=netsuite.records(),
        periods=netsuite.periods,
        ledger=BilledOrdersOfLedger(ledger),
        policies=policies,
        at=at,
    )
    return writing.write_all(settlement.pass_of(event), step)
