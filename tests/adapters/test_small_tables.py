"""Locks, customers and messages: conditional writes that can be repeated."""

from __future__ import annotations

import threading

from billing.adapters.dynamodb.customers import CustomersTable
from billing.adapters.dynamodb.message_log import MessageLog
from billing.adapters.dynamodb.runs import RunsTable
from billing.domain.ledger.customer_match import KnownCustomer
from billing.domain.runs.period_lock import Holder, lock_key
from billing.domain.sending import Sending
from tests.adapters.aws_world import CUSTOMERS, RUNS, AwsWorld

KEY = lock_key("main", "2026-05")


def test_a_period_is_held_by_one_run_at_a_time(aws: AwsWorld) -> None:
    runs = RunsTable(aws.dynamodb, RUNS)
    assert runs.holder(KEY) is None
    assert runs.take(KEY, "run-1", "arn:1", "now", None)
    assert not runs.take(KEY, "run-2", "arn:2", "now", None)
    assert not runs.take(KEY, "run-2", "arn:2", "now", "run-0"), "instead of another run than the one that holds it"
    assert runs.holder(KEY) == Holder("run-1", "arn:1", True)
    assert runs.take(lock_key("main", "2026-06"), "run-2", "arn:2", "now", None), "another period is free"
    assert runs.take(lock_key("weekly", "2026-05"), "run-2", "arn:2", "now", None), "another cycle is free"


def test_taking_a_period_again_changes_nothing(aws: AwsWorld) -> None:
    runs = RunsTable(aws.dynamodb, RUNS)
    runs.take(KEY, "run-1", "arn:1", "now", None)
    before = aws.rows(RUNS)
    assert runs.take(KEY, "run-1", "arn:1", "now", None)
    assert aws.rows(RUNS) == before


def test_a_dead_runs_period_is_taken_over_by_exactly_one(aws: AwsWorld) -> None:
    runs = RunsTable(aws.dynamodb, RUNS)
    runs.take(KEY, "dead", "arn:0", "now", None)
    won: list[str] = []
    start = threading.Barrier(4)

    def take(name: str) -> None:
        start.wait()
        if runs.take(KEY, name, f"arn:{name}", "now", "dead"):
            won.append(name)

    threads = [threading.Thread(target=take, args=(f"run-{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    holder = runs.holder(KEY)
    assert holder is not None
    assert holder.run_id == won[0]


def test_a_period_is_freed_only_by_its_holder(aws: AwsWorld) -> None:
    runs = RunsTable(aws.dynamodb, RUNS)
    runs.take(KEY, "run-1", "arn:1", "now", None)
    runs.release(KEY, "run-0")
    assert runs.holder(KEY) == Holder("run-1", "arn:1", True)
    runs.release(KEY, "run-1")
    runs.release(KEY, "run-1")
    assert runs.holder(KEY) == Holder("run-1", "arn:1", False)
    assert runs.take(KEY, "run-2", "arn:2", "now", None)
    runs.release(KEY, "run-1")
    assert runs.holder(KEY) == Holder("run-2", "arn:2", True), "a run that was overtaken frees nothing"


def test_a_customer_is_replaced_only_by_whoever_saw_the_old_one(aws: AwsWorld) -> None:
    customers = CustomersTable(aws.dynamodb, CUSTOMERS)
    customers.remember("77", "cus_1", None, "now")
    customers.remember("77", "cus_1", None, "later")
    customers.remember("77", "cus_2", None, "now")
    assert customers.one("77") == KnownCustomer("cus_1"), "the first of two writers counts"
    customers.remember("77", "cus_3", "cus_0", "now")
    assert customers.one("77") == KnownCustomer("cus_1")
    customers.remember("77", "cus_2", "cus_1", "now")
    assert customers.one("77") == KnownCustomer("cus_2")
    assert customers.one("78") is None
    assert customers.known(["77", "78", "77"]) == {"77": KnownCustomer("cus_2")}


def test_what_a_person_settles_is_kept_with_their_name_until_another_is_settled(aws: AwsWorld) -> None:
    customers = CustomersTable(aws.dynamodb, CUSTOMERS)
    assert customers.settle("77", "cus_1", "ann@firm.example", None, "t1")
    assert customers.settle("77", "cus_1", "ann@firm.example", None, "t1"), "repeated"
    assert customers.one("77") == KnownCustomer("cus_1", "ann@firm.example")
    assert not customers.settle("77", "cus_3", "bob@firm.example", "cus_2", "t2"), "it was settled meanwhile"
    assert customers.settle("77", "cus_2", "bob@firm.example", "cus_1", "t3")
    assert customers.known(["77"]) == {"77": KnownCustomer("cus_2", "bob@firm.example")}


def test_a_thousand_customers_are_read_at_once(aws: AwsWorld) -> None:
    customers = CustomersTable(aws.dynamodb, CUSTOMERS)
    for number in range(0, 250, 50):
        customers.remember(str(number), f"cus_{number}", None, "now")
    assert len(customers.known(map(str, range(250)))) == 5


def test_a_message_goes_from_new_over_begun_to_done(aws: AwsWorld) -> None:
    messages = MessageLog(aws.dynamodb, RUNS)
    assert messages.begin("RUN#1", "slack", "t1") is Sending.NEW
    assert messages.begin("RUN#1", "slack", "t2") is Sending.BEGUN
    assert messages.begin("RUN#1", "mail", "t2") is Sending.NEW
    assert messages.begin("RUN#2", "slack", "t2") is Sending.NEW
    messages.finish("RUN#1", "slack", "t3")
    messages.finish("RUN#1", "slack", "t4")
    assert messages.begin("RUN#1", "slack", "t5") is Sending.DONE
