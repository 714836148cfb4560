"""State "Draft the invoice".

In:  {"run": ..., "item": {"key", "order", "contentHash", "piece"}}
Out: {"outcome": "drafted" or "differs"}
"""

from __future__ import annotations

from typing import Any

from billing.adapters.dynamodb.customers import CustomersTable
from billing.adapters.dynamodb.ledger import LedgerTable
from billing.adapters.stripe.customers import StripeCustomers
from billing.adapters.stripe.invoices import StripeInvoices
from billing.domain.batch.batch import read_item
from billing.domain.run import Run, read_state
from billing.runtime.clock import now
from billing.runtime.connections.aws import dynamodb, environment, run_files
from billing.runtime.connections.stripe import stripe
from billing.runtime.entry import state
from billing.runtime.telemetry import metrics
from billing.workflows.monthly_billing.draft_the_invoice import Drafting, DraftSettings

env = environment()
files, tables = run_files(env), dynamodb()
connect = stripe(env, share=env.number("DRAFT_CONCURRENCY"))
settings = DraftSettings(env.flag("AUTO_ADVANCE"), env.text("TAX_MODE"))  # type: ignore[arg-type]


@state
def handler(event: dict[str, Any], context: Any) -> Any:
    """Draft one approved invoice, once."""
    drafted = Drafting(
        read_state(Run, event["run"]),
        settings,
        files,
        LedgerTable(tables, env.text("LEDGER_TABLE"), env.text("RUNS_TABLE")),
        CustomersTable(tables, env.text("CUSTOMERS_TABLE")),
        StripeCustomers(*connect()),
        StripeInvoices(*connect()),
        now(),
    ).draft(read_item(event["item"]))
    # An alarm's metric: a draft that is not what was approved must not be sent.
    metrics.add_metric(name="DraftsDiffering", unit="Count", value=int(drafted["outcome"] == "differs"))
    return drafted
