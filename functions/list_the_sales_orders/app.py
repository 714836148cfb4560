"""State "List the sales orders".

In:  {"run": ...}
Out: {"snapshotKey", "sha256", "orders", "problems"}; the orders themselves lie in S3
"""

from __future__ import annotations

from functools import partial
from typing import Any

from billing.adapters.dynamodb.carry_over import CarryOver
from billing.adapters.dynamodb.ended_orders import EndedOrders
from billing.adapters.netsuite.beside_the_listing import order_states, orders_before, orders_of_others
from billing.adapters.netsuite.invoice_previews import InvoicePreviews
from billing.adapters.netsuite.sales_orders import list_sales_orders
from billing.domain.orders.invoice_preview import InvoicePreview
from billing.domain.orders.open_amount import needs_preview
from billing.domain.orders.sales_order import SalesOrder
from billing.domain.run import Run, read_state
from billing.runtime.connections.aws import dynamodb, environment, run_files
from billing.runtime.connections.netsuite import suiteql
from billing.runtime.entry import state
from billing.runtime.parameters.listing_settings import listing_settings
from billing.workflows.monthly_billing.list_the_sales_orders import NetSuite, list_the_sales_orders

env = environment()
files = run_files(env)
netsuite = suiteql(env)
carry_over = CarryOver(dynamodb(), env.text("LEDGER_TABLE"))
ended = EndedOrders(dynamodb(), env.text("LEDGER_TABLE"))
previews, in_advance = env.text("PREVIEW_PARTLY_BILLED") == "on", env.flag("INVOICE_IN_ADVANCE")


def preview(order: SalesOrder) -> InvoicePreview | None:
    """Return the invoice that NetSuite would make of an order, if the order needs it to be priced."""
    return InvoicePreviews(netsuite()).of(order.id) if previews and needs_preview(order, in_advance) else None


@state
def handler(event: dict[str, Any], context: Any) -> Any:
    """Ask NetSuite and keep what it said."""
    asked = netsuite()  # one login for all five
    return list_the_sales_orders(
        read_state(Run, event["run"]),
        listing_settings(env),
        NetSuite(
            partial(list_sales_orders, asked),
            partial(orders_before, asked),
            partial(order_states, asked),
            preview,
            partial(orders_of_others, asked),
        ),
        carry_over,
        ended,
        files,
    )
