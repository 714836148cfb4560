"""What a run does with a plan, by what earlier runs have left."""

from __future__ import annotations

from dataclasses import replace

import pytest

from billing.domain.invoices.billing_policy import BillingPolicy
from billing.domain.invoices.invoice_plan import plan_hash, plan_invoices
from billing.domain.ledger.ledger import (
    Approval,
    Disposition,
    EntryState,
    LedgerEntry,
    Objection,
    Revocation,
    decide,
    invoice_hash,
)
from billing.domain.orders.order_rows import read_orders
from tests.domain.suiteql_rows import hours, order

HASH, OTHER = "a" * 64, "b" * 64


def entry(state: EntryState, invoice_hash: str = HASH) -> LedgerEntry:
    drafted = state in (EntryState.DRAFTED, EntryState.DIFFERS)
    return LedgerEntry(
        "order-5", state, invoice_hash, "run-1", "2026-05", 1, "2026-06-01", invoice_id="in_1" if drafted else None
    )


def approval(invoice_hash: str = HASH, customer: str | None = "cus_1") -> Approval:
    return Approval("order-5", invoice_hash, customer)


def taken(invoice_hash: str = HASH, customer: str | None = "cus_1", reason: str = "Not final.") -> Approval:
    """An approval that somebody's hold took away."""
    no = Revocation("order-5", invoice_hash, Objection.HELD, "bob@firm.example", reason, "run-2", "2026-06-02")
    return Approval("order-5", invoice_hash, customer, "run-1", no)


CASES = [
    # (entry, approval, customer now) -> disposition
    ("never seen", None, None, "cus_1", Disposition.ASK),
    ("never seen, new customer", None, None, None, Disposition.ASK),
    ("signed, not begun", None, approval(), "cus_1", Disposition.FINISH),
    (
        "signed as a new customer, which we have created since",
        None,
        approval(customer=None),
        "cus_9",
        Disposition.FINISH,
    ),
    ("signed as a new customer, still new", None, approval(customer=None), None, Disposition.FINISH),
    ("signed for another customer", None, approval(), "cus_2", Disposition.ASK),
    ("signed for a customer that is gone", None, approval(), None, Disposition.ASK),
    ("signed for other content", None, approval(OTHER), "cus_1", Disposition.ASK),
    ("begun and signed", entry(EntryState.INTENDED), approval(), "cus_1", Disposition.FINISH),
    ("failed and signed", entry(EntryState.FAILED), approval(), "cus_1", Disposition.FINISH),
    (
        "failed with older content, signed for this",
        entry(EntryState.FAILED, OTHER),
        approval(),
        "cus_1",
        Disposition.FINISH,
    ),
    ("failed, content changed", entry(EntryState.FAILED, OTHER), approval(OTHER), "cus_1", Disposition.ASK),
    ("failed, and no approval is left", entry(EntryState.FAILED), None, "cus_1", Disposition.ASK),
    ("drafted", entry(EntryState.DRAFTED), approval(), "cus_1", Disposition.SKIP),
    (
        "drafted, for another customer than it matches now",
        entry(EntryState.DRAFTED),
        approval(),
        "cus_2",
        Disposition.SKIP,
    ),
    ("drafted, approval gone", entry(EntryState.DRAFTED), None, "cus_1", Disposition.SKIP),
    # The orders' own records have said before that nothing of it is billed: its invoice was removed in Stripe.
    ("drafted with other content and removed", entry(EntryState.DRAFTED, OTHER), None, "cus_1", Disposition.ASK),
    (
        "drafted with other content and removed, this signed for",
        entry(EntryState.DRAFTED, OTHER),
        approval(),
        "cus_1",
        Disposition.FINISH,
    ),
    ("signed, then held back", None, taken(), "cus_1", Disposition.ASK),
    ("signed as a new customer, then held back", None, taken(customer=None), None, Disposition.ASK),
    ("begun, then held back", entry(EntryState.INTENDED), taken(), "cus_1", Disposition.ASK),
    ("failed, then held back", entry(EntryState.FAILED), taken(), "cus_1", Disposition.ASK),
    ("other content held back", None, taken(OTHER), "cus_1", Disposition.ASK),
    ("drafted, then held back", entry(EntryState.DRAFTED), taken(), "cus_1", Disposition.SKIP),
    ("differs, then held back", entry(EntryState.DIFFERS), taken(), "cus_1", Disposition.HOLD),
    ("differs", entry(EntryState.DIFFERS), approval(), "cus_1", Disposition.HOLD),
    ("differs, content changed", entry(EntryState.DIFFERS, OTHER), approval(), "cus_1", Disposition.HOLD),
]


@pytest.mark.parametrize(("known", "signed", "customer", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_what_is_done_with_a_plan_follows_from_the_ledger(
    known: LedgerEntry | None, signed: Approval | None, customer: str | None, expected: Disposition
) -> None:
    decision = decide(HASH, customer, known, signed)
    assert decision.disposition is expected
    assert decision.reason
    if known is not None and expected in (Disposition.SKIP, Disposition.HOLD):
        assert known.invoice_id is not None
        assert decision.invoice_id == known.invoice_id
        assert known.invoice_id in decision.reason, "a person must be told which invoice it is"


@pytest.mark.parametrize(
    "known", [entry(EntryState.DRAFTED), entry(EntryState.DIFFERS), entry(EntryState.DIFFERS, OTHER)]
)
@pytest.mark.parametrize("signed", [None, approval(), approval(OTHER), approval(customer=None)])
@pytest.mark.parametrize("customer", ["cus_1", "cus_2", None])
def test_what_exists_in_stripe_is_never_asked_for_or_drafted_again(
    known: LedgerEntry, signed: Approval | None, customer: str | None
) -> None:
    assert decide(HASH, customer, known, signed).disposition in (Disposition.SKIP, Disposition.HOLD)


def test_whoever_is_asked_again_reads_where_it_was_approved_and_who_said_no_and_why() -> None:
    told = "Approved in run run-1, then held back in run run-2 by bob@firm.example: Not final."
    assert decide(HASH, "cus_1", None, taken()).reason == told
    assert decide(HASH, "cus_1", None, taken(reason="Not final")).reason == told
    assert decide(HASH, "cus_1", entry(EntryState.FAILED), taken()).reason == told, "nothing of it is in Stripe"
    begun = replace(entry(EntryState.INTENDED), invoice_id="in_7")
    assert decide(HASH, "cus_1", begun, taken()).reason.startswith(f"{told} Its draft in_7 was begun in Stripe")
    assert len(decide(HASH, "cus_1", None, taken(reason="x" * 2000)).reason) < 500


@pytest.mark.parametrize(
    "known", [None, *(entry(state, content) for state in EntryState for content in (HASH, OTHER))], ids=str
)
@pytest.mark.parametrize("customer", ["cus_1", "cus_2", None])
@pytest.mark.parametrize("shown", ["cus_1", None])
def test_an_approval_that_was_taken_away_never_releases_a_draft(
    known: LedgerEntry | None, customer: str | None, shown: str | None
) -> None:
    assert decide(HASH, customer, known, taken(customer=shown)).disposition is not Disposition.FINISH


def test_content_signed_for_once_is_not_signed_for_after_its_invoice_was_removed() -> None:
    (plan,) = plan_invoices(read_orders(order("1000.00", hours())), BillingPolicy()).invoices
    assert invoice_hash(plan, ()) == plan_hash(plan)
    assert invoice_hash(plan, ["in_1"]) != plan_hash(plan)
    assert invoice_hash(plan, ["in_1", "in_2"]) == invoice_hash(plan, ["in_2", "in_1"])
    assert decide(invoice_hash(plan, ["in_1"]), "cus_1", None, approval(plan_hash(plan))).disposition is Disposition.ASK
