"""Orders that NetSuite calls Billed while an invoice of ours bills something else of them. Pure.

NetSuite lists nothing of a billed order as open, so no listing shows it again. What NetSuite billed of our own draft is
the same goods (billed_union), and such an order is done. But where it was changed after our draft, and then billed to
the end by hand, our invoice may bill hours that are no longer ordered, at a price that is no longer the order's, or
beside what NetSuite's own invoices bill.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from billing.domain.invoices.billing_policy import BillingPolicy
from billing.domain.ledger.billed_union import both_numbers, readings_of
from billing.domain.ledger.billing_state import Done, Held, State, state_of_order
from billing.domain.ledger.ledger import LedgerEntry, OrderRecord
from billing.domain.ledger.still_to_bill import plan_one
from billing.domain.orders.sales_order import Listing, Reason, SalesOrder

BILLED = "G"
"""NetSuite's letter of the status Billed."""
_TO_DO = "Correct or remove our invoice in Stripe; if all is right, end the order with a reason."


def billed_otherwise(
    listing: Listing,
    policy: BillingPolicy,
    records: Mapping[str, OrderRecord],
    entries: Mapping[str, LedgerEntry],
    removed: Collection[str],
) -> dict[str, str]:
    """Of the orders of `listing`, all Billed in NetSuite, those that our live invoices bill otherwise: a sentence that
    names both, by internal id. `records` go by order id, `entries` by plan key; `removed` are invoices of ours that a
    person deleted or voided in Stripe. An order without a live invoice of ours is nobody's to name.
    """
    found: dict[str, str] = {}
    for order in listing.orders:
        record = records.get(order.id)
        live = sorted(set(record.billed) - set(removed)) if record is not None else []
        if record is None or not live:
            continue
        why = _why(order, policy, record, entries, removed)
        if why is not None:
            said = f"It is Billed in NetSuite, and otherwise than in our {', '.join(live)}. {why}"
            found[order.id] = f"{said} {both_numbers(order, record, removed)} {_TO_DO}".replace("  ", " ")
    for problem in listing.problems:
        record = records.get(problem.order_id)
        if record is not None and set(record.billed) - set(removed):
            found[problem.order_id] = (
                f"It is Billed in NetSuite, and cannot be compared with our invoice: {problem.message}"
            )
    return found


def _why(
    order: SalesOrder,
    policy: BillingPolicy,
    record: OrderRecord,
    entries: Mapping[str, LedgerEntry],
    removed: Collection[str],
) -> str | None:
    """Why it is not billed as we did, or None. NetSuite is taken to have billed our goods first: whoever bills an order
    to the end bills what was invoiced already."""
    plans, refused = plan_one(readings_of(order, record, removed).least, policy)
    if not plans:
        beside = not refused or refused[0].reason_code == Reason.NOTHING_OPEN
        return "NetSuite has billed all of it beside ours." if beside else refused[0].message
    states: Sequence[State] = state_of_order(plans, record, entries, removed)
    for state in states:
        if isinstance(state, Held):
            return state.reason
        if not isinstance(state, Done):
            return "Some of it is on none of our invoices, and NetSuite has billed no more than ours."
    return None
