"""From the approved order to the bank, through the deployed template: one month of three orders is finalised, paid and
paid out, and NetSuite's own ledger says what it came to. The amounts are the world file's, added up by hand.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from tests.played.story import asked_nobody, decided, deployed
from tests.sandbox import Sandbox
from tests.sandbox.egress import OutgoingRequest

# tests/sandbox/netsuite/worlds/tiny.json
REVIEW, RETAINER, ON_CALL = "1359.38", "2500.00", "2325.00"


@dataclass(frozen=True)
class Played:
    """A played month: what was asked of NetSuite for one paid order, and how things were after each step."""

    sandbox: Sandbox
    drafts: dict[str, str]
    after_finalising: dict[str, Decimal]
    after_paying: dict[str, Decimal]
    calls: list[OutgoingRequest]
    writes_by_sweep: int


def balances(sandbox: Sandbox) -> dict[str, Decimal]:
    """The stand-in's ledger in USD, by account."""
    return {name: by_currency["USD"] for name, by_currency in sandbox.netsuite.ledger().items()}


def netsuite_calls(sandbox: Sandbox, since: int = 0) -> list[OutgoingRequest]:
    """Calls of the record API and of SuiteQL, without logins."""
    return [one for one in sandbox.requests[since:] if one.service == "netsuite" and "/auth/" not in one.path]


def is_preview(call: OutgoingRequest) -> bool:
    return call.method == "POST" and "expandSubResources" in call.path


def is_write(call: OutgoingRequest) -> bool:
    return call.method in ("POST", "PATCH", "PUT", "DELETE") and "/record/" in call.path and not is_preview(call)


@pytest.fixture(scope="module")
def played() -> Iterator[Played]:
    with deployed("tiny", parameters={"Settlement": "on"}) as sandbox:
        assert decided(sandbox, sandbox.fire_schedule()).status == "SUCCEEDED"
        drafts = {one["metadata"]["netsuite_so_number"]: one["id"] for one in sandbox.drafts()}
        sandbox.settle()
        stripe = sandbox.stripe
        # One order by itself, when the periods are read: what is asked of NetSuite for a paid invoice.
        stripe.finalise(drafts["SO-1001"])
        sandbox.settle()
        before = len(sandbox.requests)
        stripe.finalise(drafts["SO-1002"])
        sandbox.settle()
        stripe.pay(drafts["SO-1002"])
        sandbox.settle()
        calls = netsuite_calls(sandbox, before)
        stripe.finalise(drafts["SO-1003"])
        sandbox.settle()
        after_finalising = balances(sandbox)
        stripe.hold_events()
        stripe.pay(drafts["SO-1001"])
        stripe.pay(drafts["SO-1003"], 100_000)
        stripe.deliver(order="shuffled", copies=3, seed=7)
        stripe.release_events()
        sandbox.settle()
        after_paying = balances(sandbox)
        stripe.payout("usd")
        sandbox.settle()
        before = len(sandbox.requests)
        sandbox.settlement.sweep(since=sandbox.now().date().isoformat())
        sandbox.settle()
        swept = [one for one in sandbox.requests[before:] if one.function != "SweepForEventsFunction"]
        writes = sum(is_write(one) for one in swept if one.service == "netsuite")
        writes += sum(one.method != "GET" for one in swept if one.service == "stripe")
        yield Played(sandbox, drafts, after_finalising, after_paying, calls, writes)


def test_nothing_is_held_and_every_pass_ended_green(played: Played) -> None:
    world = played.sandbox.settlement
    assert world.held() == {}
    assert world.parked() == {}
    assert {played.sandbox.result(run).status for run in world.runs()} == {"SUCCEEDED"}
    assert played.sandbox.denials == []


def test_an_approved_order_is_billed_in_netsuite_when_its_draft_is_finalised(played: Played) -> None:
    expected = Decimal(REVIEW) + Decimal(RETAINER) + Decimal(ON_CALL)
    assert played.after_finalising["Accounts Receivable"] == expected - Decimal(RETAINER)
    assert played.after_finalising["Services Revenue"] == -expected
    letters = {number: played.sandbox.netsuite.orders()[number].status for number in played.drafts}
    assert letters == {"SO-1001": "G", "SO-1002": "G", "SO-1003": "G"}


def test_each_invoice_is_made_of_its_order_and_named_after_stripes(played: Played) -> None:
    made = {one["externalId"]: one for one in played.sandbox.netsuite.records("invoice")}
    totals = {"SO-1001": REVIEW, "SO-1002": RETAINER, "SO-1003": ON_CALL}
    assert len(made) == len(played.drafts)
    for number, draft in played.drafts.items():
        (invoice,) = [one for name, one in made.items() if name.startswith(f"{draft}-so")]
        assert invoice["createdFrom"]["refName"] == f"Sales Order #{number}"
        assert Decimal(str(invoice["total"])) == Decimal(totals[number])
        stripe = played.sandbox.stripe.invoice(draft)
        assert stripe["metadata"]["netsuite_invoice_id"] == invoice["id"]


def test_payments_are_applied_to_the_cent_and_the_rest_stays_due(played: Played) -> None:
    paid = Decimal(REVIEW) + Decimal(RETAINER) + Decimal("1000.00")
    assert played.after_paying["Accounts Receivable"] == Decimal("1325.00")
    assert played.after_paying["Undeposited Funds"] == paid
    made = played.sandbox.netsuite.records("customerPayment")
    assert len(made) == 3, "each charge once, although every event came three times and shuffled"
    assert all(Decimal(str(one["unapplied"])) == 0 for one in made)


def test_a_payout_is_one_deposit_of_its_very_amount_and_fees_go_to_their_account(played: Played) -> None:
    (payout,) = played.sandbox.stripe.objects("payout")
    (deposit,) = played.sandbox.netsuite.records("deposit")
    now = balances(played.sandbox)
    assert deposit["externalId"] == payout["id"]
    assert now["Checking USD"] == Decimal(payout["amount"]) / 100
    assert now["Undeposited Funds"] == 0
    assert now["Stripe Fees"] == played.after_paying["Undeposited Funds"] - now["Checking USD"]


def test_a_paid_invoice_costs_two_writes_one_preview_and_three_reads(played: Played) -> None:
    calls = played.calls
    assert sum(is_write(one) for one in calls) == 2
    assert sum(is_preview(one) for one in calls) == 1
    assert sum(one.method == "GET" for one in calls) == 3
    assert len(calls) == 6, [one.path for one in calls]


def test_a_second_sweep_writes_nothing(played: Played) -> None:
    assert played.writes_by_sweep == 0


def test_the_ledger_knows_which_invoice_mirrors_which_draft(played: Played) -> None:
    rows = [row for row in played.sandbox.tables()["LedgerTable"] if row["sk"] == "BILLED"]
    mirrored = {draft: one["mirrored_as"] for row in rows for draft, one in row["billed"].items()}
    made = {one["externalId"].partition("-so")[0]: one["id"] for one in played.sandbox.netsuite.records("invoice")}
    assert mirrored == made


def test_the_next_month_lists_none_of_them(played: Played) -> None:
    run, result = asked_nobody(played.sandbox, {"period": "2026-06"})
    assert result.status == "SUCCEEDED"
    counts = played.sandbox.report(run)["counts"]
    assert not any(counts.values()), counts


def test_histories_queue_and_logs_hold_ids_and_counts_only(played: Played) -> None:
    sandbox = played.sandbox
    secret = ("Alder", "Birch", "alder.example", "birch.example", REVIEW, "135938", RETAINER, "250000", "232500")
    histories: list[Any] = [sandbox.history(run) for run in sandbox.settlement.runs()]
    texts = {
        "histories": json.dumps(histories, default=str),
        "logs": "\n".join(line for function, line in sandbox.logs() if function in _SETTLEMENT),
    }
    for place, text in texts.items():
        for one in secret:
            assert one not in text, f"{one} is in the {place}"


_SETTLEMENT = {
    "ReceiveTheEventFunction",
    "RingTheBellsFunction",
    "ReadTheStripeObjectFunction",
    "FindTheCustomerFunction",
    "WriteTheInvoicesFunction",
    "WriteThePaymentsFunction",
    "WriteTheDepositFunction",
    "WriteBackToStripeFunction",
    "FinishThePassFunction",
    "HoldTheObjectFunction",
    "SweepForEventsFunction",
}
