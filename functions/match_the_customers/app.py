"""State "Match the customers".

In:  {"run": ..., "listed": ...}
Out: {"batchKey", "sha256", "toAsk", "toFinish", "skipped", "held", "problems"}
"""

from __future__ import annotations

from functools import partial
from typing import Any

from billing.adapters.dynamodb.customers import CustomersTable
from billing.adapters.dynamodb.ledger import LedgerTable
from billing.adapters.dynamodb.months import Months
from billing.adapters.netsuite.beside_the_listing import order_states
from billing.adapters.netsuite.clients import clients_sharing
from billing.adapters.netsuite.sales_orders import orders_of_status
from billing.adapters.stripe.customers import StripeCustomers
from billing.adapters.stripe.invoices import StripeInvoices
from billing.domain.batch.upper_bounds import parse_upper_bounds
from billing.domain.ledger.billed_otherwise import BILLED
from billing.domain.run import Listed, Run, read_state
from billing.runtime.clock import now
from billing.runtime.connections.aws import dynamodb, environment, run_files
from billing.runtime.connections.netsuite import suiteql
from billing.runtime.connections.stripe import stripe
from billing.runtime.entry import state
from billing.runtime.parameters.policy import billing_policy
from billing.workflows.monthly_billing.list_the_sales_orders import ListingSettings, order_query
from billing.workflows.monthly_billing.match_the_customers import Matching

env = environment()
files, tables = run_files(env), dynamodb()
netsuite, connect = suiteql(env), stripe(env, share=1)


@state
def handler(event: dict[str, Any], context: Any) -> Any:
    """Plan the invoices and find their customers. Reads only."""
    return Matching(
        policy_of=partial(billing_policy, env),
        bounds=parse_upper_bounds(env.optional("UPPER_BOUNDS")),
        change_percent=env.number("CHANGE_WARNING_PERCENT"),
        files=files,
        ledger=LedgerTable(tables, env.text("LEDGER_TABLE")),
        known=CustomersTable(tables, env.text("CUSTOMERS_TABLE")),
        customers=StripeCustomers(*connect()),
        invoices=StripeInvoices(*connect()),
        unsigned_drafts=env.text("UNSIGNED_DRAFTS"),  # type: ignore[arg-type]
        months=Months(tables, env.text("RUNS_TABLE")),
        now=now(),
        sharing=lambda addresses: clients_sharing(netsuite(), addresses),
        order_states=lambda order_ids: order_states(netsuite(), order_ids),
        # Whom it would be mailed to is no part of the comparison.
        billed_orders=lambda run, order_ids, absent: orders_of_status(
            netsuite(), order_query(run, ListingSettings((BILLED,)), ()), BILLED, order_ids, absent
        ),
    ).match(read_state(Run, event["run"]), read_state(Listed, event["listed"]))
