"""Random lives in Stripe's stand-in, which keeps its own books: for every invoice, what the plan's records come to is
what the stand-in says is open, and every payout is deposited to the cent."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, settings

from billing.adapters.stripe.client import Caller, stripe_client
from billing.adapters.stripe.settlement import SettlementReads
from billing.domain.settlement.desired_invoice import desired_for_charge, desired_for_invoice
from billing.domain.settlement.external_ids import is_legal
from billing.domain.settlement.payout import desired_for_payout
from billing.domain.settlement.policies import CurrencyPolicy, SettlementPolicies
from billing.domain.settlement.postings import Calendar
from billing.domain.settlement.records import RecordType, SettlementPlan
from tests.domain.settlement.facts import policies
from tests.sandbox.stripe import RateLimits, StripeServer
from tests.sandbox_tests.stripe.test_stripe_random_lives import Lives

CALENDAR = Calendar(ZoneInfo("America/New_York"))


def due(plan: SettlementPlan) -> int:
    invoices = {one.external_id: one.amount for one in plan.records if one.type is RecordType.INVOICE}
    for record in plan.records:
        for apply in record.applies:
            if apply.external_id in invoices:
                invoices[apply.external_id] -= apply.amount
    assert all(amount >= 0 for amount in invoices.values()), plan
    return sum(invoices.values())


class PlannedLives(Lives):
    """The stand-in's lives; when one ends, every plan of it is made and compared."""

    def __init__(self) -> None:
        super().__init__()
        self.server = StripeServer(self.clock, rate_limits=RateLimits.off())

    def teardown(self) -> None:
        with self.server:
            self.compare()
        super().teardown()

    def compare(self) -> None:
        found = policies(
            prepayment_credit_notes="at_once",
            out_of_band="payment_to_account",
            uncollectible="keep_open",
            trial_invoices="sync",
            tax__mode="item_lines",
            disputes_won="payment",
        )
        listed = self.server.as_person("GET", "/v1/tax_rates", {"limit": 100})["data"]
        rates = {str(one["id"]): "110" for one in listed}
        policy = _with(found, rates)
        reads = SettlementReads(
            stripe_client("sk_test_sandbox", self.server.url), Caller(lambda _: None, lambda: 0.0, share=0)
        )
        for invoice in self.server.invoices():
            facts = reads.invoice(str(invoice["id"]))
            if facts is None or facts.invoice.finalized_at is None:
                continue
            plan = desired_for_invoice(facts, policy, CALENDAR)
            names = {hold.name for hold in plan.holds}
            assert names <= EXPECTED, plan.holds
            _sound(plan)
            if not names & APART:
                remaining = 0 if invoice["status"] == "void" else invoice["amount_remaining"]
                assert due(plan) == remaining, (invoice["id"], invoice["status"], plan)
        for charge in self.server.objects("charge"):
            if reads.invoice_of_charge(str(charge["id"]), str(charge["payment_intent"] or "")) is None:
                of = reads.charge(str(charge["id"]))
                if of is not None:
                    _sound(desired_for_charge(of, policy, CALENDAR))
        for payout in self.server.objects("payout"):
            members = reads.payout(str(payout["id"]))
            assert members is not None
            plan = desired_for_payout(members, policy, CALENDAR)
            if plan.records:
                assert sum(one.amount for one in plan.records) == payout["amount"]
            assert plan.records or plan.holds or plan.nothing_because


EXPECTED = {
    "balance_credit_to_apply",
    "credit_note_voided",
    "refund_failed",
    "refund_without_movement",
    "refunded_more_than_paid",
    "dispute_moved_twice",
}
APART = {"balance_credit_to_apply", "credit_note_voided"}
"""Where a person applies or reverses something, NetSuite differs from Stripe until then."""


def _with(found: SettlementPolicies, rates: dict[str, str]) -> SettlementPolicies:
    banks = {code: CurrencyPolicy("1", 0 if code == "jpy" else 2, "13") for code in ("usd", "eur", "gbp", "jpy")}
    return replace(found, tax_items=rates, currencies=banks, fallback_customer="99")


def _sound(plan: SettlementPlan) -> None:
    by_id = {record.external_id: record for record in plan.records}
    assert len(by_id) == len(plan.records)
    assert all(is_legal(external_id) for external_id in by_id)
    for record in plan.records:
        assert all(one.amount > 0 and one.external_id in by_id for one in record.applies), plan
        applied = sum(one.amount for one in record.applies)
        assert applied <= record.amount
        assert record.type is not RecordType.REFUND or applied == record.amount


TestPlannedLives = PlannedLives.TestCase
TestPlannedLives.settings = settings(
    max_examples=15, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
