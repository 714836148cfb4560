"""What approvers said no to, plan by plan."""

from __future__ import annotations

from dataclasses import replace

import pytest

from billing.domain.approval.approval_entries import Entry, EntryKind
from billing.domain.approval.approval_request import RecordedOutcome
from billing.domain.approval.approvers import Answer, Outcome, Vote
from billing.domain.approval.objections import Objections, revocations
from billing.domain.batch.batch import Batch, BatchInvoice
from billing.domain.invoices.billing_policy import BillingPolicy
from billing.domain.invoices.invoice_plan import plan_hash, plan_invoices
from billing.domain.ledger.customer_match import How, MatchedCustomer
from billing.domain.ledger.ledger import Disposition, Objection
from billing.domain.orders.order_rows import read_orders
from tests.domain.suiteql_rows import hours, order

ANN, BOB = "ann@firm.example", "bob@firm.example"
HELD_AT, ENDED_AT = "2026-06-01T10:00:00+00:00", "2026-06-01T11:00:00+00:00"
(BASE,) = plan_invoices(read_orders(order("1000.00", hours())), BillingPolicy()).invoices
BATCH = Batch(
    {},
    tuple(
        BatchInvoice(
            replace(BASE, key=f"order-{disposition}"),
            plan_hash(BASE),
            disposition,
            "",
            MatchedCustomer("cus_1", How.KNOWN),
        )
        for disposition in Disposition
    ),
    (),
)
HOLD = Entry(EntryKind.HOLD, BOB, HELD_AT, "Not final.", "SO-1", ("order-finish",))


def ended(outcome: Outcome, reason: str = "") -> RecordedOutcome:
    return RecordedOutcome(str(outcome), reason, ENDED_AT)


def vote(person: str, answer: Answer, at: str) -> Vote:
    return Vote(person, answer, "b" * 64, at, f"said by {person}")


@pytest.mark.parametrize(
    "outcome", [None, ended(Outcome.APPROVED), ended(Outcome.EXPIRED), ended(Outcome.UNDELIVERABLE)]
)
def test_a_hold_counts_whatever_the_end_and_before_it(outcome: RecordedOutcome | None) -> None:
    objections = Objections({"order-finish": HOLD}, (), outcome)
    assert objections.against
    (one,) = revocations(BATCH, objections, "run-2")
    assert (one.key, one.invoice_hash, one.objection) == ("order-finish", plan_hash(BASE), Objection.HELD)
    assert (one.by, one.reason, one.run_id) == (BOB, "Not final.", "run-2")
    assert one.at == (HELD_AT if outcome is None else ENDED_AT)


@pytest.mark.parametrize("outcome", [None, *(ended(one) for one in Outcome if one is not Outcome.REJECTED)])
def test_where_nobody_said_no_nothing_is_taken_away(outcome: RecordedOutcome | None) -> None:
    objections = Objections({}, (vote(ANN, Answer.APPROVE, HELD_AT),), outcome)
    assert not objections.against
    assert revocations(BATCH, objections, "run-2") == ()


def test_a_rejection_says_no_to_all_that_would_have_been_drafted_and_to_nothing_else() -> None:
    votes = (
        vote(ANN, Answer.APPROVE, "2026-06-01T09:00:00+00:00"),
        vote(BOB, Answer.REJECT, "2026-06-01T10:30:00+00:00"),
        vote(ANN, Answer.REJECT, "2026-06-01T10:40:00+00:00"),
    )
    objections = Objections(
        {"order-ask": replace(HOLD, plans=("order-ask",))}, votes, ended(Outcome.REJECTED, "Wrong month.")
    )
    assert objections.against
    found = {one.key: one for one in revocations(BATCH, objections, "run-2")}
    assert set(found) == {"order-ask", "order-finish"}
    assert (found["order-ask"].objection, found["order-ask"].reason) == (Objection.HELD, "Not final.")
    rejected = found["order-finish"]
    assert (rejected.objection, rejected.by, rejected.reason) == (Objection.REJECTED, BOB, "Wrong month.")
    assert {one.at for one in found.values()} == {ENDED_AT}


def test_a_rejection_without_a_signed_vote_behind_it_still_takes_approvals_away_and_names_nobody() -> None:
    objections = Objections({}, (), ended(Outcome.REJECTED, "Wrong month."))
    assert {one.by for one in revocations(BATCH, objections, "run-2")} == {""}
    assert revocations(BATCH, objections, "run-2")[0].words == "rejected in run run-2 by an approver: Wrong month."
