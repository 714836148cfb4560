"""What is said of orders that earlier runs listed and that this one does not."""

from __future__ import annotations

import pytest

from billing.domain.batch.batch import Batch, LeftAlone, left_alone, read_batch
from billing.domain.orders.outstanding import (
    Carried,
    CarriedGone,
    OrderState,
    Outstanding,
    not_asked,
    outside_the_listing,
)
from billing.domain.records import stored
from billing.domain.run import RunFrame

ONE = Carried("500", "SO-1", "2026-05", "Rejected.")


def now(status: str, day: str = "2026-05-10") -> dict[str, OrderState]:
    return {"500": OrderState("500", "SO-1", status, day)}


@pytest.mark.parametrize(
    ("states", "said"),
    [
        (now("A"), "Pending Approval"),
        (now("B"), "Pending Fulfillment"),
        (now("X"), "is X"),
        (now("F", "2026-07-01"), "dated 2026-07-01 now"),
        (now("F"), "filter"),
        ({}, "deleted"),
    ],
)
def test_an_order_waits_with_its_state_until_somebody_ends_it(states: dict[str, OrderState], said: str) -> None:
    ((waiting,), gone) = outside_the_listing([ONE], states, ("E", "F"), "2026-07-01")
    assert gone == ()
    assert said in waiting.state
    assert (waiting.order_id, waiting.period, waiting.reason) == ("500", "2026-05", "Rejected.")


@pytest.mark.parametrize(("status", "said"), [("C", "Cancelled"), ("G", "Billed"), ("H", "Closed")])
def test_whoever_ends_an_order_in_netsuite_ends_it_here(status: str, said: str) -> None:
    waiting, (gone,) = outside_the_listing([ONE], now(status), ("E", "F"), "2026-07-01")
    assert waiting == ()
    assert gone == CarriedGone("500", "SO-1", "2026-05", f"{said} in NetSuite.")


def test_a_status_that_the_firm_bills_ends_nothing() -> None:
    ((waiting,), gone) = outside_the_listing([ONE], now("G"), ("F", "G"), "2026-07-01")
    assert (waiting.order_id, gone) == ("500", ())


def test_a_batch_says_what_it_names_and_reads_it_back() -> None:
    batch = Batch(
        RunFrame(id="run-1"),
        (),
        (),
        carried_gone=(CarriedGone("1", "SO-1", "2026-05", "Closed in NetSuite."),),
        outstanding=not_asked([ONE], "Why."),
        left_alone=(LeftAlone("usd", 2, 700), LeftAlone("xxx", 1, None)),
        paid=("in_1",),
    )
    assert read_batch(stored(batch)) == batch
    assert batch.outstanding == (Outstanding("500", "SO-1", "2026-05", "Rejected.", "Why."),)
    assert not batch.says_nothing
    assert Batch(RunFrame(), (), ()).says_nothing
    assert not Batch(RunFrame(), (), (), left_alone=()).says_nothing, (
        "that nothing lies before the start is told as well"
    )


def test_a_batch_of_an_older_version_is_read() -> None:
    written = {
        "run": {"id": "run-1"}, "invoices": [], "problems": [], "absentColumns": [], "warnings": [],
        "carriedGone": [["1", "SO-1", "2026-05"]],
    }  # fmt: skip
    assert read_batch(written) == Batch(
        RunFrame(id="run-1"), (), (), carried_gone=(CarriedGone("1", "SO-1", "2026-05"),)
    )


@pytest.mark.parametrize(
    ("code", "total", "minor"),
    [
        ("USD", "1234.5", 123450),
        ("USD", "0.30000000000000004", 30),
        ("JPY", "1200", 1200),
        ("KWD", "1.234", 1230),
        ("USD", "1E+3", 100000),
        ("ZZZ", "5", None),
        ("", "5", None),
        ("USD", "much", None),
        ("USD", "NaN", None),
    ],
)
def test_what_lies_before_the_start_is_summed_in_minor_units(code: str, total: str, minor: int | None) -> None:
    assert left_alone(code, 3, total) == LeftAlone(code.lower(), 3, minor)
