"""What is said of orders that earlier runs listed and that this one does not."""

from __future__ import annotations

import pytest

from billing.domain.batch.batch import Batch, LeftAlone, left_alone, read_batch
from billing.domain.orders.other_subsidiaries import OtherSubsidiary, other_subsidiaries
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
from billing.pages.report.beside_the_listing import of_others_words

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


def test_the_orders_of_other_subsidiaries_are_summed_by_subsidiary_and_currency_with_their_numbers() -> None:
    rows = [
        {
            "id": "1",
            "number": "SO-1",
            "subsidiary": "3",
            "subsidiaryname": "Nord AB",
            "currencycode": "EUR",
            "total": "10",
        },
        {
            "id": "2",
            "number": "SO-2",
            "subsidiary": "3",
            "subsidiaryname": "Nord AB",
            "currencycode": "EUR",
            "total": "0.5",
        },
        {"id": "3", "subsidiary": "3", "subsidiaryname": "Nord AB", "currencycode": "XXX", "total": "7"},
        {"id": "4", "number": "SO-4", "currencycode": "USD", "total": "2"},
    ]
    found = other_subsidiaries(rows)
    assert found == (
        OtherSubsidiary("", "", "usd", 1, 200, ("SO-4",)),
        OtherSubsidiary("3", "Nord AB", "eur", 2, 1050, ("SO-1", "SO-2")),
        OtherSubsidiary("3", "Nord AB", "xxx", 1, None, ("3",)),
    )
    assert of_others_words(found) == (
        "4 open orders belong to subsidiaries that this stack does not bill (parameter Subsidiaries), "
        "and are not part of this run: no subsidiary: 1 order, USD 2.00 by NetSuite's totals (SO-4); Nord AB (id 3): "
        "2 orders, EUR 10.50 by NetSuite's totals (SO-1, SO-2); Nord AB (id 3): 1 order, an unknown amount by "
        "NetSuite's totals (3). Make sure that another stack bills them."
    )
    assert of_others_words(()) == ""


def test_fifty_numbers_of_a_subsidiary_are_kept_and_ten_are_told() -> None:
    rows = [
        {"id": str(one), "number": f"SO-{one}", "subsidiary": "3", "currencycode": "USD", "total": "1"}
        for one in range(1, 201)
    ]
    ((one),) = other_subsidiaries(rows)
    assert (one.orders, one.total, len(one.numbers)) == (200, 20_000, 50)
    assert "(SO-1, SO-2, SO-3, SO-4, SO-5, SO-6, SO-7, SO-8, SO-9, SO-10 and 190 more)" in of_others_words([one])
