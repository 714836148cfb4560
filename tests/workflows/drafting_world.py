"""Approved invoices ready to be drafted: real tables and files in moto, the real Stripe client, the Stripe stand-in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from billing.adapters.aws.run_files import RunFiles
from billing.adapters.dynamodb.customers import CustomersTable
from billing.adapters.dynamodb.ledger import LedgerTable
from billing.adapters.dynamodb.runs import RunsTable
from billing.adapters.stripe.client import Caller, stripe_client
from billing.adapters.stripe.customers import StripeCustomers
from billing.adapters.stripe.invoices import StripeInvoices
from billing.domain.batch.batch import BatchInvoice, MapItem, map_items, with_pieces
from billing.domain.invoices.billing_policy import BillingPolicy
from billing.domain.invoices.invoice_plan import plan_hash, plan_invoices
from billing.domain.ledger.customer_match import How, MatchedCustomer
from billing.domain.ledger.ledger import Approval, Disposition, LedgerEntry, OrderLink, order_hash
from billing.domain.orders.order_rows import read_orders
from billing.domain.runs.period_lock import lock_key
from billing.workflows.monthly_billing.draft_the_invoice import Drafting, DraftSettings
from tests.a_run import a_run
from tests.adapters.aws_world import BUCKET, CUSTOMERS, LEDGER, RUNS, AwsWorld
from tests.sandbox.stripe import StripeServer
from tests.workflows.moving_clock import MovingClock

Item = MapItem


class Killed(BaseException):
    """The process dies: nothing of the product may catch this."""


class Countdown:
    """Kills at the k-th outside call of any port, before the call is made or after it was."""

    def __init__(self, at: int = 0, after: bool = False) -> None:
        self.at, self.after, self.calls = at, after, 0

    def around(self, port: Any) -> Any:
        return _Mortal(port, self)


class _Mortal:
    def __init__(self, port: Any, countdown: Countdown) -> None:
        self._port, self._countdown = port, countdown

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method, countdown = getattr(self._port, name), self._countdown

        def call(*arguments: Any, **named: Any) -> Any:
            countdown.calls += 1
            if countdown.calls == countdown.at and not countdown.after:
                raise Killed
            answer = method(*arguments, **named)
            if countdown.calls == countdown.at:
                raise Killed
            return answer

        return call


@dataclass
class DraftingWorld:
    """`run_as` opens a run, `approve` signs for rows, `draft` drafts an item."""

    aws: AwsWorld
    stripe: StripeServer
    clock: MovingClock
    run_id: str = "run-1"
    period: str = "2026-05"
    listed_from: str = "2026-05-01"
    invoice_date: str = "2026-06-01"
    settings: DraftSettings = field(default_factory=lambda: DraftSettings(False, "netsuite"))

    def __post_init__(self) -> None:
        self.ledger = LedgerTable(self.aws.dynamodb, LEDGER, RUNS)
        self.known = CustomersTable(self.aws.dynamodb, CUSTOMERS)
        self.files = RunFiles(self.aws.s3, BUCKET)
        self.client = stripe_client("sk_test_sandbox", self.stripe.url)
        self.caller = Caller(sleep=lambda _: None, now=lambda: 0.0)
        self.run_as(self.run_id)

    @property
    def lock(self) -> str:
        return lock_key("main", self.period)

    @property
    def run(self) -> Mapping[str, Any]:
        return {
            "id": self.run_id,
            "period": self.period,
            "zone": "America/New_York",
            "prefix": f"runs/{self.period}/{self.run_id}/",
            "lockKey": self.lock,
            "listedFrom": self.listed_from,
            "invoiceDate": self.invoice_date,
        }

    def run_as(self, run_id: str) -> None:
        """Another run takes the period over."""
        former, self.run_id = self.run_id, run_id
        assert RunsTable(self.aws.dynamodb, RUNS).take(self.lock, run_id, f"arn:{run_id}", "now", former)

    def approve(self, rows: Iterable[Mapping[str, str]], customer: str | None = None, **policy: Any) -> list[Item]:
        """The items of these orders, signed for: for the Stripe customer, or (None) for one to be created."""
        plans = plan_invoices(read_orders(rows), BillingPolicy(**policy))
        assert plans.problems == ()
        known = self.ledger.order_records(order.id for plan in plans.invoices for order in plan.orders)
        versions = {order_id: record.version for order_id, record in known.items()}
        hashed = order_hash(plans.invoices)
        links = {
            plan.key: tuple(OrderLink(order.id, hashed, versions.get(order.id, 0)) for order in plan.orders)
            for plan in plans.invoices
        }
        invoices = []
        for plan in plans.invoices:
            match = MatchedCustomer(customer, How.NEW if customer is None else How.EMAIL, plan.client.email)
            invoices.append(BatchInvoice(plan, plan_hash(plan), Disposition.ASK, "New.", match, orders=links[plan.key]))
        placed, ndjson = with_pieces(invoices)
        self.files.write(f"{self.run['prefix']}invoices.ndjson", ndjson, "application/x-ndjson")
        self.ledger.record_approvals(
            [Approval(one.plan.key, one.invoice_hash, customer) for one in placed], self.run_id, "now"
        )
        return map_items(placed)

    def drafting(self, countdown: Countdown | None = None) -> Drafting:
        """What a fresh process makes of the state's event."""
        ports = (
            self.files,
            self.ledger,
            self.known,
            StripeCustomers(self.client, self.caller),
            StripeInvoices(self.client, self.caller),
        )
        files, ledger, known, customers, invoices = (countdown.around(port) if countdown else port for port in ports)
        return Drafting(a_run(self.run), self.settings, files, ledger, known, customers, invoices, self.clock.now)

    def draft(self, item: Item) -> str:
        return self.drafting().draft(item)["outcome"]

    def kill(self, item: Item, at: int, after: bool = True) -> bool:
        """Draft and die at the k-th outside call. Answers False if drafting had fewer calls and ended."""
        try:
            self.drafting(Countdown(at, after)).draft(item)
        except Killed:
            return True
        return False

    def kill_at(self, item: Item, call: str) -> None:
        """Die right after the first Stripe call of this kind was answered: "create", "add_lines"."""

        class Deadly:
            def __init__(self, port: Any) -> None:
                self._port = port

            def __getattr__(self, name: str) -> Any:
                method = getattr(self._port, name)

                def called(*arguments: Any, **named: Any) -> Any:
                    answer = method(*arguments, **named)
                    if name == call:
                        raise Killed
                    return answer

                return called

        alive = self.drafting()
        try:
            Drafting(
                alive.run, alive.settings, alive.files, alive.ledger, alive.known, alive.customers,
                Deadly(alive.invoices), alive.now,
            ).draft(item)  # fmt: skip
        except Killed:
            return
        raise AssertionError(f"drafting never called {call}")

    def entry(self, item: Item) -> LedgerEntry:
        known = self.ledger.entry(item.key)
        assert known is not None
        return known

    def live(self) -> list[dict[str, Any]]:
        """Stripe's invoices that could still be paid."""
        return [one for one in self.stripe.invoices() if one["status"] != "void"]
