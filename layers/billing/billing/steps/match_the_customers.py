"""State "Match the customers": orders become invoice plans, the ledger sets aside what is done, and each client is matched
to its Stripe customer. Reads Stripe and the tables; writes two files of the run and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from billing.adapters.stripe_customers import StripeCustomer
from billing.domain.batch import Batch, BatchInvoice, with_pieces
from billing.domain.billing_policy import BillingPolicy
from billing.domain.customer_match import (
    Candidate,
    How,
    MatchedCustomer,
    Unmatched,
    match_by_email,
    match_by_metadata,
)
from billing.domain.invoice_plan import plan_invoices
from billing.domain.ledger import Approval, Disposition, EntryState, LedgerEntry, decide
from billing.domain.order_rows import read_orders
from billing.domain.plan_record import InvoicePlan, PlanClient, content_hash
from billing.domain.sales_order import Problem
from billing.steps.list_the_sales_orders import rows_of

# What the approvers and the report are shown of the run's frame.
_PUBLIC = ("id", "cycle", "period", "listedFrom", "listedBefore", "invoiceDate", "dryRun", "filter")


class Files(Protocol):
    """The run's files."""

    def read_json(self, key: str, sha256: str | None = None) -> Any: ...
    def write_json(self, key: str, value: Any) -> str: ...
    def write(self, key: str, data: bytes, content_type: str) -> None: ...


class Ledger(Protocol):
    """What earlier runs did."""

    def entries_and_approvals(
        self, hashes: Mapping[str, str]
    ) -> tuple[dict[str, LedgerEntry], dict[str, Approval]]: ...


class KnownCustomers(Protocol):
    """Our own map from NetSuite to Stripe."""

    def known(self, netsuite_ids: Iterable[str]) -> dict[str, str]: ...


class Customers(Protocol):
    """Stripe's customers."""

    def by_id(self, customer_id: str) -> StripeCustomer | None: ...
    def by_netsuite_id(self, netsuite_id: str) -> list[StripeCustomer]: ...
    def by_email(self, email: str) -> list[StripeCustomer]: ...


def match_the_customers(
    run: Mapping[str, Any],
    listed: Mapping[str, Any],
    policy_of: Any,
    files: Files,
    ledger: Ledger,
    known: KnownCustomers,
    customers: Customers,
) -> dict[str, Any]:
    """Write the batch; answer its key, its SHA-256 and counts of what is to be done. Safe to repeat.

    `policy_of(period, email_columns)` gives the BillingPolicy. Stripe is asked only for clients that have something to
    draft: a second run of a billed month asks it nothing.
    """
    snapshot = files.read_json(listed["snapshotKey"], listed["sha256"])
    policy: BillingPolicy = policy_of(run["period"], tuple(snapshot["emailColumns"]))
    plans = plan_invoices(read_orders(rows_of(snapshot)), policy)
    hashes = {plan.key: content_hash(plan) for plan in plans.invoices}
    entries, approvals = ledger.entries_and_approvals(hashes)

    done = {key for key, entry in entries.items() if entry.state in (EntryState.DRAFTED, EntryState.DIFFERS)}
    matches = _match([plan.client for plan in plans.invoices if plan.key not in done], known, customers)

    invoices: list[BatchInvoice] = []
    problems = list(plans.problems)
    for plan in plans.invoices:
        match = matches.get(plan.client.netsuite_id) if plan.key not in done else None
        if isinstance(match, Unmatched):
            problems += _problems(plan, match)
            continue
        decision = decide(hashes[plan.key], match.id if match else None, entries.get(plan.key), approvals.get(plan.key))
        invoices.append(
            BatchInvoice(plan, hashes[plan.key], decision.disposition, decision.reason, match, decision.invoice_id)
        )
    placed, ndjson = with_pieces(invoices)
    batch = Batch(
        run={name: run[name] for name in _PUBLIC},
        invoices=placed,
        problems=tuple(problems),
        absent_columns=tuple(snapshot["absentColumns"]),
    )
    files.write(f"{run['prefix']}invoices.ndjson", ndjson, "application/x-ndjson")
    sha256 = files.write_json(f"{run['prefix']}batch.json", batch.to_dict())
    return {
        "batchKey": f"{run['prefix']}batch.json",
        "sha256": sha256,
        "toAsk": len(batch.of(Disposition.ASK)),
        "toFinish": len(batch.of(Disposition.FINISH)),
        "skipped": len(batch.of(Disposition.SKIP)),
        "held": len(batch.of(Disposition.HOLD)),
        "problems": len(batch.problems),
    }


def _match(
    clients: Iterable[PlanClient], known: KnownCustomers, customers: Customers
) -> dict[str, MatchedCustomer | Unmatched]:
    """Each client's customer: what NetSuite stores, what we know, what Stripe's metadata says, and last the e-mail."""
    by_id: dict[str, PlanClient] = {}
    for client in clients:
        # Orders may name different addresses: the first that names one speaks for the client.
        if by_id.get(client.netsuite_id) is None or by_id[client.netsuite_id].email is None:
            by_id[client.netsuite_id] = client
    kept = known.known(by_id)
    matches: dict[str, MatchedCustomer | Unmatched] = {}
    unsettled: dict[str, list[StripeCustomer]] = {}
    for netsuite_id, client in by_id.items():
        match = _by_id(client, kept.get(netsuite_id), customers)
        found: list[StripeCustomer] = []
        if match is None and client.email is not None:
            # A list is strongly consistent and carries metadata, so it often settles what a search would be asked for.
            found = customers.by_email(client.email)
            match = match_by_metadata(client.name, [_candidate(c) for c in found if c.netsuite_id == netsuite_id])
        if match is None:
            match = match_by_metadata(client.name, [_candidate(c) for c in customers.by_netsuite_id(netsuite_id)])
        if match is None:
            unsettled[netsuite_id] = found
        else:
            matches[netsuite_id] = match
    for netsuite_id, found in unsettled.items():
        client = by_id[netsuite_id]
        rivals = [
            by_id[other].name
            for other in unsettled
            if other != netsuite_id and client.email is not None and by_id[other].email == client.email
        ]
        matches[netsuite_id] = match_by_email(
            client.name, netsuite_id, client.email, [_candidate(customer) for customer in found], rivals
        )
    return matches


def _by_id(client: PlanClient, kept: str | None, customers: Customers) -> MatchedCustomer | Unmatched | None:
    if client.stripe_id is not None:
        if customers.by_id(client.stripe_id) is None:
            return Unmatched(
                "customer_deleted",
                "customer",
                f"NetSuite's record of {client.name} names the Stripe customer {client.stripe_id}, which does not exist "
                "(any more). Correct the field in NetSuite.",
            )
        return MatchedCustomer(client.stripe_id, How.STORED)
    if kept is not None and customers.by_id(kept) is not None:
        return MatchedCustomer(kept, How.KNOWN)
    return None


def _candidate(customer: StripeCustomer) -> Candidate:
    return Candidate(customer.id, customer.netsuite_id)


def _problems(plan: InvoicePlan, unmatched: Unmatched) -> list[Problem]:
    """One problem per order of the plan, with that order's share of it."""
    shares = {order.id: 0 for order in plan.orders}
    for line in plan.lines:
        shares[line.netsuite.order_id] += line.amount
    return [
        Problem(
            order_id=order.id,
            order_number=order.number,
            field=unmatched.field,
            reason_code=unmatched.reason_code,
            message=f"{order.number}: {unmatched.message}",
            currency=plan.currency,
            total_minor=shares[order.id],
            client_id=plan.client.netsuite_id,
            client_name=plan.client.name,
        )
        for order in plan.orders
    ]
