"""The ledger's rows only ever move forward."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest
from botocore.exceptions import ClientError

from billing.adapters.aws.aws_faults import aws_faults_named
from billing.adapters.dynamodb.ledger import LedgerTable
from billing.adapters.dynamodb.runs import RunsTable
from billing.domain.errors import OurFault, PassingError, PersonNeeded
from billing.domain.invoices.billing_policy import BillingPolicy
from billing.domain.invoices.invoice_plan import plan_invoices
from billing.domain.ledger.ledger import Approval, EntryState, LedgerEntry, Objection, OrderLink, Revocation
from billing.domain.orders.order_rows import read_orders
from billing.domain.runs.report import failure_words
from tests.adapters.aws_world import LEDGER, RUNS, AwsWorld, OneCallAtATime, Refusing
from tests.domain.suiteql_rows import hours, order

HASH, OTHER = "a" * 64, "b" * 64
T1, T2, T3 = (f"2026-06-0{day}T09:00:00+00:00" for day in (1, 2, 3))
LOCK = "PERIOD#main#2026-05"
(PLAN,) = plan_invoices(read_orders(order("1000.00", hours(), id="5")), BillingPolicy()).invoices
LINKS = (OrderLink("5", HASH, 0),)
INTENT = LedgerEntry("order-5", EntryState.INTENDED, HASH, "run-1", "2026-05", 1, "2026-06-01", "cus_1")
DRAFT = replace(INTENT, state=EntryState.DRAFTED, invoice_id="in_1", currency="usd", total=100_000, live_mode=False)


@pytest.fixture
def ledger(aws: AwsWorld) -> LedgerTable:
    return LedgerTable(aws.dynamodb, LEDGER, RUNS)


@pytest.fixture
def ready(aws: AwsWorld, ledger: LedgerTable) -> LedgerTable:
    """run-1 holds the period, and the content of INTENT is signed for."""
    assert RunsTable(aws.dynamodb, RUNS).take(LOCK, "run-1", "arn:1", "now", None)
    ledger.record_approvals([Approval("order-5", HASH, "cus_1")], "run-1", "now")
    return ledger


def taken_over(aws: AwsWorld, by: str = "run-2") -> None:
    assert RunsTable(aws.dynamodb, RUNS).take(LOCK, by, f"arn:{by}", "later", "run-1")


def test_an_intent_is_written_when_the_run_holds_its_period_and_the_content_is_signed_for(ready: LedgerTable) -> None:
    ready.intend(INTENT, LOCK, PLAN, LINKS, (), "cus_1")
    assert ready.entry("order-5") == INTENT


def test_no_intent_without_the_periods_lock(aws: AwsWorld, ledger: LedgerTable) -> None:
    ledger.record_approvals([Approval("order-5", HASH, "cus_1")], "run-1", "now")
    with pytest.raises(OurFault, match="no longer holds its billing period"):
        ledger.intend(INTENT, LOCK, PLAN, LINKS, (), "cus_1")
    assert ledger.entry("order-5") is None


def test_no_intent_for_a_run_whose_period_another_run_has_taken(aws: AwsWorld, ready: LedgerTable) -> None:
    taken_over(aws)
    with pytest.raises(OurFault, match="another run took it over"):
        ready.intend(INTENT, LOCK, PLAN, LINKS, (), "cus_1")


def test_no_intent_after_the_run_has_closed(aws: AwsWorld, ready: LedgerTable) -> None:
    RunsTable(aws.dynamodb, RUNS).release(LOCK, "run-1")
    with pytest.raises(OurFault, match="no longer holds"):
        ready.intend(INTENT, LOCK, PLAN, LINKS, (), "cus_1")


def test_no_intent_for_another_customer_than_the_one_that_was_signed_for(ready: LedgerTable) -> None:
    for customer in ("cus_2", None):
        with pytest.raises(OurFault, match="nobody has signed"):
            ready.intend(INTENT, LOCK, PLAN, LINKS, (), customer)
    assert ready.entry("order-5") is None


def test_a_customer_that_was_signed_for_as_new_may_be_any_that_was_made_of_it(ready: LedgerTable) -> None:
    ready.record_approvals([Approval("order-5", HASH, None)], "run-1", "now")
    ready.intend(INTENT, LOCK, PLAN, LINKS, (), "cus_9")
    assert ready.entry("order-5") == INTENT


def test_no_intent_for_content_that_nobody_signed_for(ready: LedgerTable) -> None:
    with pytest.raises(OurFault, match="nobody has signed for this content"):
        ready.intend(replace(INTENT, invoice_hash=OTHER), LOCK, PLAN, LINKS, (), "cus_1")
    with pytest.raises(OurFault, match="nobody has signed for this content"):
        ready.intend(replace(INTENT, key="order-6"), LOCK, PLAN, LINKS, (), "cus_1")
    assert ready.entry("order-6") is None


@pytest.mark.parametrize("state", [EntryState.DRAFTED, EntryState.DIFFERS])
def test_no_intent_for_what_exists_in_stripe(ready: LedgerTable, state: EntryState) -> None:
    ready.intend(INTENT, LOCK, PLAN, LINKS, (), "cus_1")
    ready.settle(replace(DRAFT, state=state), PLAN, LINKS, ())
    before = ready.entry("order-5")
    with pytest.raises(PersonNeeded, match=r"order-5: .* drafted by another run meanwhile"):
        ready.intend(INTENT, LOCK, PLAN, LINKS, (), "cus_1")
    assert ready.entry("order-5") == before


def test_an_intent_repeated_changes_nothing(aws: AwsWorld, ready: LedgerTable) -> None:
    ready.intend(INTENT, LOCK, PLAN, LINKS, (), "cus_1")
    before = aws.rows(LEDGER)
    ready.intend(INTENT, LOCK, PLAN, LINKS, (), "cus_1")
    assert aws.rows(LEDGER) == before


def test_the_run_that_took_over_goes_on_with_an_intent_that_was_left(aws: AwsWorld, ready: LedgerTable) -> None:
    ready.intend(INTENT, LOCK, PLAN, LINKS, (), "cus_1")
    ready.remember_invoice("order-5", "run-1", "in_1")
    taken_over(aws)
    left = ready.entry("order-5")
    seen_by_run_2 = (OrderLink("5", HASH, ready.order_records(["5"])["5"].version),)
    ready.intend(replace(INTENT, run_id="run-2"), LOCK, PLAN, seen_by_run_2, (), "cus_1", seen=left)
    known = ready.entry("order-5")
    assert known is not None
    assert (known.run_id, known.invoice_id) == ("run-2", "in_1")
    with pytest.raises(OurFault, match="another run has taken this order over"):
        ready.remember_invoice("order-5", "run-1", "in_2")


def test_a_fact_is_kept_whole_and_repeating_it_changes_nothing(aws: AwsWorld, ready: LedgerTable) -> None:
    ready.intend(INTENT, LOCK, PLAN, LINKS, (), "cus_1")
    ready.settle(DRAFT, PLAN, LINKS, ())
    assert ready.entry("order-5") == DRAFT
    before = aws.rows(LEDGER)
    ready.settle(DRAFT, PLAN, LINKS, ())
    assert aws.rows(LEDGER) == before


@pytest.mark.parametrize(
    "other",
    [
        replace(DRAFT, state=EntryState.DIFFERS, reason="x"),
        replace(DRAFT, invoice_id="in_2"),
        replace(DRAFT, invoice_hash=OTHER),
    ],
)
def test_drafted_never_becomes_anything_else(aws: AwsWorld, ready: LedgerTable, other: LedgerEntry) -> None:
    ready.intend(INTENT, LOCK, PLAN, LINKS, (), "cus_1")
    ready.settle(DRAFT, PLAN, LINKS, ())
    before = aws.rows(LEDGER)
    with pytest.raises(OurFault):
        ready.settle(other, PLAN, LINKS, ())
    assert not ready.note_failure("order-5", HASH, "run-1", "2026-05", "PassingError", "late")
    assert not ready.note_failure("order-5", HASH, "run-9", "2026-05", "PassingError", "late")
    assert aws.rows(LEDGER) == before


def test_a_fact_without_an_intent_is_refused(ready: LedgerTable) -> None:
    with pytest.raises(OurFault):
        ready.settle(DRAFT, PLAN, LINKS, ())
    assert ready.entry("order-5") is None


def test_a_failure_keeps_the_full_reason_that_drafting_gave(ready: LedgerTable) -> None:
    """The execution's own error has no names and no amounts; the ledger's reason may."""
    ready.intend(INTENT, LOCK, PLAN, LINKS, (), "cus_1")
    ready.explain("order-5", "run-1", "Stripe refused: address of Acme is missing")
    assert ready.note_failure("order-5", HASH, "run-1", "2026-05", "PersonNeeded", "Stripe refused")
    failed = ready.entry("order-5")
    assert failed is not None
    assert (failed.state, failed.reason_name) == (EntryState.FAILED, "PersonNeeded")
    assert failed.reason == "Stripe refused: address of Acme is missing"
    assert ready.note_failure("order-5", HASH, "run-1", "2026-05", "PersonNeeded", "Stripe refused"), "repeatable"
    assert ready.entry("order-5") == failed


def test_a_failure_before_anything_began_is_on_record_too(ready: LedgerTable) -> None:
    assert ready.note_failure("order-5", HASH, "run-1", "2026-05", "OurFault", "The piece was altered.")
    failed = ready.entry("order-5")
    assert failed is not None
    assert (failed.state, failed.invoice_hash, failed.reason) == (EntryState.FAILED, HASH, "The piece was altered.")
    ready.intend(INTENT, LOCK, PLAN, LINKS, (), "cus_1")
    again = ready.entry("order-5")
    assert again is not None
    assert (again.state, again.reason, again.reason_name) == (EntryState.INTENDED, None, None)


def test_a_failure_of_this_run_does_not_show_last_months_reason(ready: LedgerTable) -> None:
    """run-2 fails before its intent, over a row that run-1 left: the report must name run-2's reason."""
    ready.intend(INTENT, LOCK, PLAN, LINKS, (), "cus_1")
    ready.note_failure("order-5", HASH, "run-1", "2026-05", "PersonNeeded", "old reason")
    assert ready.note_failure("order-5", OTHER, "run-2", "2026-06", "OurFault", "new reason")
    failed = ready.entry("order-5")
    assert failed is not None
    assert (failed.reason, failed.reason_name, failed.run_id) == ("new reason", "OurFault", "run-2")


def test_a_begun_drafts_content_day_and_reason_survive_the_failures_of_later_runs(ready: LedgerTable) -> None:
    ready.intend(INTENT, LOCK, PLAN, LINKS, (), "cus_1")
    ready.remember_invoice("order-5", "run-1", "in_1")
    ready.explain("order-5", "run-1", "Stripe refused the fourth line.")
    for run_id, content, said in [
        ("run-1", HASH, "first"), ("run-2", OTHER, "second"), ("run-3", HASH, "third"), ("run-3", HASH, "third"),
    ]:  # fmt: skip
        assert ready.note_failure("order-5", content, run_id, "2026-06", "OurFault", said)
    failed = ready.entry("order-5")
    assert failed is not None
    assert (failed.invoice_hash, failed.invoice_day, failed.invoice_id) == (HASH, INTENT.invoice_day, "in_1")
    assert (failed.reason, failed.earlier_reason) == ("third", "Stripe refused the fourth line.")
    words = failure_words(failed)
    assert words == "third. An earlier run had said: Stripe refused the fourth line."


def test_a_draft_that_is_taken_up_again_leaves_the_old_reasons_behind(ready: LedgerTable) -> None:
    ready.intend(INTENT, LOCK, PLAN, LINKS, (), "cus_1")
    ready.explain("order-5", "run-1", "Stripe was down.")
    ready.note_failure("order-5", HASH, "run-2", "2026-06", "OurFault", "a piece was altered")
    ready.intend(INTENT, LOCK, PLAN, LINKS, (), "cus_1", seen=ready.entry("order-5"))
    taken_up = ready.entry("order-5")
    assert taken_up is not None
    assert (taken_up.reason, taken_up.earlier_reason) == (None, None)


def test_a_reason_of_any_length_fits_into_the_row(ready: LedgerTable) -> None:
    ready.intend(INTENT, LOCK, PLAN, LINKS, (), "cus_1")
    ready.explain("order-5", "run-1", "x" * 500_000)
    known = ready.entry("order-5")
    assert known is not None
    assert known.reason is not None
    assert len(known.reason) == 2000


def test_entries_and_approvals_of_many_plans_are_read_by_key_and_content(ledger: LedgerTable) -> None:
    hashes = {f"order-{n}": HASH for n in range(240)}
    ledger.record_approvals([Approval(key, HASH, None) for key in hashes], "run-1", "now")
    ledger.note_failure("order-7", HASH, "run-1", "2026-05", "X", "x")
    entries, approvals = ledger.entries_and_approvals({**hashes, "order-8": OTHER})
    assert set(entries) == {"order-7"}
    assert set(approvals) == set(hashes) - {"order-8"}, "a signature for other content is none"
    assert set(ledger.entries(hashes)) == {"order-7"}
    assert ledger.entries_and_approvals({}) == ({}, {})


def test_approvals_recorded_twice_are_there_once(aws: AwsWorld, ledger: LedgerTable) -> None:
    for _ in range(2):
        ledger.record_approvals([Approval(f"order-{n}", HASH, f"cus_{n}") for n in range(60)], "run-1", "now")
    assert len(aws.rows(LEDGER)) == 60


# What approvers said no to ------------------------------------------------------------------------------------


def no(at: str = T2, run_id: str = "run-2", key: str = "order-5") -> Revocation:
    return Revocation(key, HASH, Objection.HELD, "bob@firm.example", "Not final.", run_id, at)


def approval_now(ledger: LedgerTable, key: str = "order-5") -> Approval | None:
    """As a run's matching sees it, and the same as the search for orphans does."""
    found = ledger.entries_and_approvals({key: HASH})[1].get(key)
    assert found == ledger.approvals([(key, HASH)]).get((key, HASH))
    return found


def test_a_later_no_takes_an_approval_away_and_a_newer_approval_gives_it_back(ledger: LedgerTable) -> None:
    ledger.record_approvals([Approval("order-5", HASH, "cus_1")], "run-1", T1)
    ledger.revoke([no()])
    assert approval_now(ledger) == Approval("order-5", HASH, "cus_1", "run-1", no())
    ledger.record_approvals([Approval("order-5", HASH, "cus_2")], "run-3", T3)
    assert approval_now(ledger) == Approval("order-5", HASH, "cus_2", "run-3")


def test_what_nobody_approved_is_not_approved_by_being_rejected(aws: AwsWorld, ledger: LedgerTable) -> None:
    assert RunsTable(aws.dynamodb, RUNS).take(LOCK, "run-1", "arn:1", "now", None)
    ledger.revoke([no()])
    assert approval_now(ledger) is None
    with pytest.raises(OurFault, match="nobody has signed for this content"):
        ledger.intend(INTENT, LOCK, PLAN, LINKS, (), "cus_1")


def test_a_no_to_other_content_takes_nothing_away(ledger: LedgerTable) -> None:
    ledger.record_approvals([Approval("order-5", HASH, None)], "run-1", T1)
    ledger.revoke([replace(no(), invoice_hash=OTHER), no(key="order-6")])
    assert approval_now(ledger) == Approval("order-5", HASH, None, "run-1")


def written(ledger: LedgerTable, event: str) -> None:
    """One event as its run writes it, now or much later."""
    {
        "approved first": lambda: ledger.record_approvals([Approval("order-5", HASH, "cus_1")], "run-1", T1),
        "held": lambda: ledger.revoke([no()]),
        "approved again": lambda: ledger.record_approvals([Approval("order-5", HASH, "cus_2")], "run-3", T3),
        "held again": lambda: ledger.revoke([no("2026-06-04T09:00:00.000001+00:00", "run-4")]),
    }[event]()


@pytest.mark.parametrize("last", [2, 3, 4])
def test_in_whichever_order_and_however_often_it_is_written_the_latest_word_counts(aws: AwsWorld, last: int) -> None:
    """A killed step is repeated, perhaps by a redrive days later: what was said after it must not be undone."""
    events = ["approved first", "held", "approved again", "held again"][:last]
    left = []
    for order_of in permutations(events):
        ledger = LedgerTable(aws.dynamodb, LEDGER, RUNS)
        for event in (*order_of, *order_of):
            written(ledger, event)
        found = approval_now(ledger)
        assert found is not None
        assert found.stands == (last == 3)
        assert (found.run_id, found.stripe_customer) == (("run-1", "cus_1") if last == 2 else ("run-3", "cus_2"))
        left.append(aws.rows(LEDGER))
        for row in aws.rows(LEDGER):
            aws.dynamodb.delete_item(TableName=LEDGER, Key={"pk": row["pk"], "sk": row["sk"]})
    assert all(rows == left[0] for rows in left)


def test_a_yes_and_a_no_of_the_same_instant_are_a_no(ledger: LedgerTable, aws: AwsWorld) -> None:
    assert RunsTable(aws.dynamodb, RUNS).take(LOCK, "run-1", "arn:1", "now", None)
    ledger.record_approvals([Approval("order-5", HASH, "cus_1")], "run-1", T2)
    ledger.revoke([no()])
    found = approval_now(ledger)
    assert found is not None
    assert not found.stands
    with pytest.raises(PersonNeeded):
        ledger.intend(INTENT, LOCK, PLAN, LINKS, (), "cus_1")


def test_of_hundreds_the_one_that_is_out_of_date_keeps_none_of_the_others_from_being_written(
    ledger: LedgerTable,
) -> None:
    keys = [f"order-{n}" for n in range(230)]
    ledger.record_approvals([Approval("order-150", HASH, "cus_9")], "run-9", T3)
    ledger.record_approvals([Approval(key, HASH, "cus_1") for key in keys], "run-1", T1)
    ledger.revoke([no(T1, key="order-7"), *(no(key=key) for key in keys if key != "order-7")])
    found = ledger.entries_and_approvals(dict.fromkeys(keys, HASH))[1]
    assert len(found) == 230
    assert {key for key, one in found.items() if one.stands} == {"order-150"}
    assert found["order-150"].run_id == "run-9"


def test_no_intent_after_somebody_has_said_no_and_the_history_names_no_person(ready: LedgerTable) -> None:
    ready.record_approvals([Approval("order-5", HASH, "cus_1")], "run-1", T1)
    taken = replace(no(), at="zzz: later than anything")
    ready.revoke([taken])
    with pytest.raises(
        PersonNeeded, match=r"order-5: its approval was taken away\. It was held back in run run-2"
    ) as told:
        ready.intend(INTENT, LOCK, PLAN, LINKS, (), "cus_1")
    assert "bob" not in str(told.value)
    assert "Not final" not in str(told.value)
    assert ready.entry("order-5") is None


def test_a_no_between_two_intents_of_the_same_draft_stops_it(aws: AwsWorld, ledger: LedgerTable) -> None:
    """run-1 has begun to draft; in run-2, of another cycle, somebody holds the same order back."""
    assert RunsTable(aws.dynamodb, RUNS).take(LOCK, "run-1", "arn:1", "now", None)
    ledger.record_approvals([Approval("order-5", HASH, "cus_1")], "run-1", T1)
    ledger.intend(INTENT, LOCK, PLAN, LINKS, (), "cus_1")
    ledger.remember_invoice("order-5", "run-1", "in_1")
    ledger.revoke([no()])
    before = aws.rows(LEDGER)
    with pytest.raises(PersonNeeded, match="taken away"):
        ledger.intend(replace(INTENT, attempt=2), LOCK, PLAN, LINKS, (), "cus_1")
    assert aws.rows(LEDGER) == before


def test_an_intent_and_a_no_at_once_are_one_before_the_other(aws: AwsWorld) -> None:
    """Either the intent is there, or it was refused by name; the no is there in any case."""
    assert RunsTable(aws.dynamodb, RUNS).take(LOCK, "run-1", "arn:1", "now", None)
    ledger = LedgerTable(aws.dynamodb, LEDGER, RUNS)
    for n in range(12):
        key, links = f"order-{n}", (OrderLink(f"5{n}", HASH, 0),)
        ledger.record_approvals([Approval(key, HASH, "cus_1")], "run-1", T1)
        with ThreadPoolExecutor(2) as pool:
            drafting = pool.submit(
                ledger.intend, replace(INTENT, key=key), LOCK, replace(PLAN, key=key), links, (), "cus_1"
            )
            pool.submit(ledger.revoke, [no(key=key)]).result()
            refused = drafting.exception()
        assert refused is None or isinstance(refused, PersonNeeded), refused
        assert (ledger.entry(key) is None) == (refused is not None)
        found = approval_now(ledger, key)
        assert found is not None
        assert not found.stands


def test_signed_for_anew_between_the_refusal_and_its_reason_is_tried_again(aws: AwsWorld, ledger: LedgerTable) -> None:
    assert RunsTable(aws.dynamodb, RUNS).take(LOCK, "run-1", "arn:1", "now", None)
    ledger.record_approvals([Approval("order-5", HASH, "cus_1")], "run-1", T1)
    ledger.revoke([no()])

    class SignedMeanwhile(OneCallAtATime):
        def get_item(self, **request: Any) -> Any:
            ledger.record_approvals([Approval("order-5", HASH, "cus_1")], "run-3", T3)
            return aws.dynamodb.get_item(**request)

    with pytest.raises(PassingError, match="signed for anew"):
        LedgerTable(SignedMeanwhile(aws.dynamodb), LEDGER, RUNS).intend(INTENT, LOCK, PLAN, LINKS, (), "cus_1")  # type: ignore[arg-type]
    ledger.intend(INTENT, LOCK, PLAN, LINKS, (), "cus_1")
    assert ledger.entry("order-5") == INTENT


class HalfDeaf:
    """A table that takes nothing of a batch, as DynamoDB does under load."""

    def __init__(self, real: Any, deaf: int) -> None:
        self._real, self._deaf = real, deaf

    def batch_get_item(self, **request: Any) -> Any:
        self._deaf -= 1
        if self._deaf >= 0:
            return {"Responses": {}, "UnprocessedKeys": request["RequestItems"]}
        return self._real.batch_get_item(**request)


def test_what_dynamodb_did_not_take_is_asked_for_again_after_longer_and_longer_pauses(
    aws: AwsWorld, ledger: LedgerTable, table_pauses: list[float]
) -> None:
    ledger.record_approvals([Approval("order-5", HASH, None)], "run-1", "now")
    _, approvals = LedgerTable(HalfDeaf(aws.dynamodb, 3), LEDGER).entries_and_approvals({"order-5": HASH})  # type: ignore[arg-type]
    assert set(approvals) == {"order-5"}
    assert table_pauses == [0.05, 0.1, 0.2]


def test_a_table_that_stays_throttled_is_a_passing_error(aws: AwsWorld, table_pauses: list[float]) -> None:
    deaf = LedgerTable(HalfDeaf(aws.dynamodb, 10**6), LEDGER)  # type: ignore[arg-type]
    with pytest.raises(PassingError):
        deaf.entries(["order-5"])
    assert max(table_pauses) == 2.0, "two seconds at most, or the function's time runs out"


@pytest.mark.parametrize(
    ("code", "status", "named"),
    [
        ("ProvisionedThroughputExceededException", 400, PassingError),
        ("ThrottlingException", 400, PassingError),
        ("RequestLimitExceeded", 400, PassingError),
        ("TransactionConflictException", 400, PassingError),
        ("TransactionInProgressException", 400, PassingError),
        ("InternalServerError", 500, PassingError),
        ("WhateverException", 503, PassingError),
        ("AccessDeniedException", 400, PersonNeeded),
        ("ValidationException", 400, OurFault),
    ],
)
def test_refusals_of_aws_have_the_names_that_retry_knows(
    aws: AwsWorld, code: str, status: int, named: type[Exception]
) -> None:
    for operation, use in (
        ("update_item", lambda ledger: ledger.note_failure("order-5", HASH, "r", "p", "n", "x")),
        ("transact_write_items", lambda ledger: ledger.intend(INTENT, LOCK, PLAN, LINKS, (), "cus_1")),
        ("get_item", lambda ledger: ledger.entry("order-5")),
        ("transact_write_items", lambda ledger: ledger.record_approvals([Approval("order-5", HASH, None)], "r", T1)),
    ):
        table = LedgerTable(Refusing(aws.dynamodb, operation, code, status=status), LEDGER, RUNS)  # type: ignore[arg-type]
        with pytest.raises(named), aws_faults_named():
            use(table)


def test_an_intent_that_meets_another_write_of_the_same_row_can_pass(aws: AwsWorld, ready: LedgerTable) -> None:
    class Busy:
        def batch_get_item(self, **request: Any) -> Any:
            return aws.dynamodb.batch_get_item(**request)

        def transact_write_items(self, **_: Any) -> None:
            reasons = [{"Code": "None"}, {"Code": "None"}, {"Code": "TransactionConflict"}]
            raise ClientError(
                {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons},  # type: ignore[typeddict-item]
                "TransactWriteItems",
            )

    with pytest.raises(PassingError, match="busy with order-5"):
        LedgerTable(Busy(), LEDGER, RUNS).intend(INTENT, LOCK, PLAN, LINKS, (), "cus_1")  # type: ignore[arg-type]
