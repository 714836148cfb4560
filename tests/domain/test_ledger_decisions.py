"""What a run does with a plan, by what earlier runs have left."""

from __future__ import annotations

import pytest

from billing.domain.billing_policy import BillingPolicy
from billing.domain.invoice_plan import content_hash, plan_invoices
from billing.domain.ledger import Approval, Disposition, EntryState, LedgerEntry, decide, signed_hash
from billing.domain.order_rows import read_orders
from tests.domain.suiteql_rows import hours, order

HASH, OTHER = "a" * 64, "b" * 64


def entry(state: EntryState, content_hash: str = HASH) -> LedgerEntry:
    drafted = state in (EntryState.DRAFTED, EntryState.DIFFERS)
    return LedgerEntry(
        "order-5", state, content_hash, "run-1", "2026-05", 1, "2026-06-01", invoice_id="in_1" if drafted else None
    )


def approval(content_hash: str = HASH, customer: str | None = "cus_1") -> Approval:
    return Approval("order-5", content_hash, customer)


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


def test_content_signed_for_once_is_not_signed_for_after_its_invoice_was_removed() -> None:
    (plan,) = plan_invoices(read_orders(order("1000.00", hours())), BillingPolicy()).invoices
    assert signed_hash(plan, ()) == content_hash(plan)
    assert signed_hash(plan, ["in_1"]) != content_hash(plan)
    assert signed_hash(plan, ["in_1", "in_2"]) == signed_hash(plan, ["in_2", "in_1"])
    assert (
        decide(signed_hash(plan, ["in_1"]), "cus_1", None, approval(content_hash(plan))).disposition is Disposition.ASK
    )
