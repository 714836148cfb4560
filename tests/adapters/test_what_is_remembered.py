"""What a stack remembers between runs: from when on it bills, what comes back and to which cycle, what was paid."""

from __future__ import annotations

import threading
from datetime import date

from billing.adapters.dynamodb.carry_over import CarryOver
from billing.adapters.dynamodb.items import to_item
from billing.adapters.dynamodb.ledger import LedgerTable
from billing.adapters.dynamodb.months import Months
from billing.adapters.dynamodb.runs import RunsTable
from billing.domain.batch.month_comparison import MonthInvoice
from billing.domain.orders.outstanding import Carried
from billing.domain.runs.period_lock import Holder, lock_key
from tests.adapters.aws_world import LEDGER, RUNS, AwsWorld

HELD = Carried("500", "SO-1", "2026-05", "Held.")


def test_the_start_is_written_once_and_never_moves(aws: AwsWorld) -> None:
    runs = RunsTable(aws.dynamodb, RUNS)
    assert runs.bill_from() is None
    assert runs.remember_bill_from(date(2026, 5, 1), "run-1", "now") == date(2026, 5, 1)
    before = aws.rows(RUNS)
    assert runs.remember_bill_from(date(2026, 5, 1), "run-1", "now") == date(2026, 5, 1)
    assert runs.remember_bill_from(date(2026, 6, 1), "run-2", "later") == date(2026, 5, 1)
    assert runs.remember_bill_from(date(2026, 1, 1), "run-3", "later") == date(2026, 5, 1)
    assert runs.bill_from() == date(2026, 5, 1)
    assert aws.rows(RUNS) == before


def test_of_runs_that_begin_at_once_one_fixes_the_start_for_all(aws: AwsWorld) -> None:
    runs = RunsTable(aws.dynamodb, RUNS)
    together = threading.Barrier(4)
    seen: list[date] = []

    def begin(month: int) -> None:
        together.wait()
        seen.append(runs.remember_bill_from(date(2026, month, 1), f"run-{month}", "now"))

    threads = [threading.Thread(target=begin, args=(month,)) for month in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(seen) == {runs.bill_from()}


def test_a_stack_that_billed_before_it_remembered_knows_its_first_month(aws: AwsWorld) -> None:
    runs, months = RunsTable(aws.dynamodb, RUNS), Months(aws.dynamodb, RUNS)
    assert runs.first_billed_day() is None
    for cycle, period in (("main", "2026-05"), ("apac", "2026-03"), ("main", "2026-12")):
        months.record(cycle, period, {"order-1": MonthInvoice("77", "Acme", "usd", 100)})
    runs.take(lock_key("main", "2020-01"), "run-1", "arn", "now", None)
    assert runs.first_billed_day() == date(2026, 3, 1), "a lock alone is no invoice"


def test_who_started_a_run_is_remembered_for_that_run_alone(aws: AwsWorld) -> None:
    runs = RunsTable(aws.dynamodb, RUNS)
    for _ in range(2):
        runs.note_start("run-1", "dana@firm.example", "2026-06-01T13:00:00+00:00")
    assert (runs.requested_by("run-1"), runs.requested_by("run-2")) == ("dana@firm.example", "")
    assert runs.first_billed_day() is None


def test_each_cycle_is_told_of_the_start_by_itself(aws: AwsWorld) -> None:
    runs = RunsTable(aws.dynamodb, RUNS)
    runs.tell_bill_from("main", "2026-05-01", "run-1")
    runs.tell_bill_from("main", "2026-05-01", "run-1")
    assert (runs.bill_from_told("main"), runs.bill_from_told("apac")) == ("2026-05-01", "")


def test_a_period_stays_finished_while_other_runs_hold_it(aws: AwsWorld) -> None:
    runs, key = RunsTable(aws.dynamodb, RUNS), lock_key("main", "2026-05")
    runs.take(key, "run-1", "arn:1", "now", None)
    runs.release(key, "run-1", finished=True)
    assert runs.holder(key) == Holder("run-1", "arn:1", False, "run-1")
    runs.take(key, "run-2", "arn:2", "now", None)
    assert runs.holder(key) == Holder("run-2", "arn:2", True, "run-1")
    runs.release(key, "run-2")
    assert runs.holder(key) == Holder("run-2", "arn:2", False, "run-1")


def test_an_order_is_named_by_the_cycle_that_listed_it_last(aws: AwsWorld) -> None:
    carry = CarryOver(aws.dynamodb, LEDGER)
    carry.change("main", [HELD], [])
    assert (carry.of("main"), carry.of("apac")) == ((HELD,), ())
    carry.change("apac", [HELD], [])
    assert (carry.of("main"), carry.of("apac")) == ((), (HELD,))


def test_an_order_that_any_cycle_drafts_is_off_the_list(aws: AwsWorld) -> None:
    carry = CarryOver(aws.dynamodb, LEDGER)
    carry.change("main", [HELD], [])
    carry.change("apac", [], ["500", "501"])
    assert carry.of("main") == ()


def older(aws: AwsWorld, cycle: str, order_id: str) -> None:
    """A row as an earlier version wrote it."""
    row = {"pk": f"CARRY#{cycle}", "sk": order_id, "order_number": "SO-1", "period": "2026-05", "reason": "Held."}
    aws.dynamodb.put_item(TableName=LEDGER, Item=to_item(row))


def test_a_list_of_an_older_version_is_read_and_moves_when_its_run_closes(aws: AwsWorld) -> None:
    carry = CarryOver(aws.dynamodb, LEDGER)
    older(aws, "main", "500")
    older(aws, "main", "501")
    assert {one.order_id for one in carry.of("main")} == {"500", "501"}
    for _ in range(2):
        carry.change("main", [], ["501"])
    assert carry.of("main") == (HELD,)
    assert [row["pk"]["S"] for row in aws.rows(LEDGER)] == ["CARRY"]


def test_an_older_row_does_not_take_an_order_back_from_the_cycle_that_listed_it_since(aws: AwsWorld) -> None:
    carry = CarryOver(aws.dynamodb, LEDGER)
    older(aws, "main", "500")
    carry.change("apac", [HELD], [])
    assert carry.of("main") == ()
    carry.change("main", [], [])
    assert carry.of("apac") == (HELD,)


def test_what_was_seen_paid_is_remembered(aws: AwsWorld) -> None:
    ledger = LedgerTable(aws.dynamodb, LEDGER)
    ledger.note_paid(["in_1", "in_2", "in_1"])
    ledger.note_paid(["in_2"])
    assert ledger.paid_among(["in_1", "in_2", "in_3"]) == {"in_1", "in_2"}
    assert ledger.paid_among([]) == set()
