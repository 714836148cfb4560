"""The checker of the promises: each promise is broken by hand in a world that kept them all, and is named."""

from __future__ import annotations

import copy
import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.histories.books import Alive, Books, OrderBook, OrderedLine, Standing
from tests.histories.promises import (
    Evidence,
    RunEnded,
    Settled,
    billed_twice,
    broken_promises,
    named_as_open,
    out_of_sight,
    signed_on,
    written_again,
)
from tests.histories.world import ANN, history_world
from tests.sandbox.netsuite import load_world

Report = dict[str, Any]


@pytest.fixture(scope="module")
def played() -> Evidence:
    """A month that was approved, from the product itself."""
    with history_world(load_world("tiny"), datetime(2026, 6, 1, 14, tzinfo=UTC)) as world:
        run = world.start("run-1", {"scheduledAt": "2026-06-01T13:00:00Z"})
        matched = run.data["matched"]
        assert world.post(ANN, answer="approve", invoices="3") == 200
        world.machine.go_on(run)
        report = world.report(run)
        assert report is not None
        ids = tuple(str(one["metadata"]["netsuite_so_id"]) for one in world.stripe.invoices())
        told = tuple(post.text for post in world.slack.posts)
        return Evidence(
            world.stripe.invoices(),
            signed_on(world.file_bytes(matched["batchKey"]), matched["sha256"]),
            [RunEnded(run.name, run.status, report, ids, told)],
        )


def test_a_month_that_went_well_breaks_none(played: Evidence) -> None:
    assert len(played.invoices) == 3
    assert broken_promises(played) == []


def broken(played: Evidence, **changed: Any) -> str:
    """The one sentence about a world in which something is otherwise."""
    fields = {"invoices": played.invoices, "signed": played.signed, "runs": played.runs}
    (sentence,) = broken_promises(Evidence(**{**fields, **changed}))
    return sentence


def ended(played: Evidence, **changed: Any) -> list[RunEnded]:
    """The run with some of its fields or of its report's otherwise."""
    run = played.runs[0]
    fields = {"name": run.name, "status": run.status, "report": run.report, "listed": run.listed, "told": run.told}
    own = {name: value for name, value in changed.items() if name in fields}
    beside = {name: value for name, value in changed.items() if name not in fields}
    return [RunEnded(**{**fields, "report": {**(run.report or {}), **beside}, **own})]


def test_i1_two_live_invoices_of_a_plan(played: Evidence) -> None:
    again = {**played.invoices[0], "id": "in_again"}
    assert broken(played, invoices=[*played.invoices, again]).startswith("I1: order-20001 has 2 live invoices")
    assert broken_promises(Evidence([*played.invoices, {**again, "status": "void"}], played.signed, played.runs)) == []


def test_i2_content_that_nobody_signed(played: Evidence) -> None:
    unsigned = {key: value for key, value in played.signed.items() if "SO-1001" not in value.orders}
    assert "nobody has signed" in broken(played, signed=unsigned)


@pytest.mark.parametrize("change", [{"amount": 1}, {"description": "Something else"}])
def test_i2_a_line_that_is_not_what_was_signed(played: Evidence, change: dict[str, Any]) -> None:
    invoices = copy.deepcopy(list(played.invoices))
    invoices[0]["lines"]["data"][0].update(change)  # type: ignore[index]
    assert "other lines than were signed" in broken(played, invoices=invoices)


def test_i2_what_was_held_back_or_is_not_the_page_was_not_signed() -> None:
    plan = {"key": "order-1", "orders": [{"number": "SO-1"}], "currency": "usd", "total": 5, "lines": []}
    batch = json.dumps({"invoices": [{"plan": plan, "content_hash": "c", "disposition": "ask"}]}).encode()
    sha256 = hashlib.sha256(batch).hexdigest()
    assert set(signed_on(batch, sha256)) == {"c"}
    assert signed_on(batch, sha256, held=["order-1"]) == {}
    with pytest.raises(ValueError, match="not the content"):
        signed_on(batch + b" ", sha256)


def test_i3_an_order_without_a_line(played: Evidence) -> None:
    assert "['9'] and its report does not name" in broken(played, runs=ended(played, listed=("9",)))


def test_i3_counts_and_sums_that_are_not_those_of_the_lines(played: Evidence) -> None:
    report: Report = dict(played.runs[0].report or {})
    assert "I3: run-1 listed 4" in broken(played, runs=ended(played, listed=(), report={**report, "listed": 4}))
    totals = {**report["totals"], "drafted": {"usd": 1}}
    assert "I3: run-1 sums drafted" in broken(played, runs=ended(played, totals=totals))


def test_i4_decisions_without_a_person_a_time_or_a_reason(played: Evidence) -> None:
    (vote,) = (played.runs[0].report or {})["votes"]
    assert "without a person" in broken(played, runs=ended(played, votes=[{**vote, "approver": ""}]))
    rejected = {**vote, "answer": "reject", "reason": " "}
    assert "without a reason" in broken(played, runs=ended(played, votes=[rejected]))
    assert "nobody is on record" in broken(played, runs=ended(played, votes=[]))
    assert "without a time or a reason" in broken(
        played, runs=ended(played, decision={"outcome": "rejected", "at": "", "reason": ""})
    )


def test_i5_a_second_run_that_wrote(played: Evidence) -> None:
    assert written_again(b"the same", b"the same") == []
    assert written_again(b"before", b"after")[0].startswith("I5")


def test_i6_an_end_that_nobody_heard_of_and_a_wait_without_one(played: Evidence) -> None:
    assert "nobody was told" in broken(played, runs=ended(played, told=()))
    assert "waits for nobody" in broken(played, runs=ended(played, status="RUNNING"))


# The settlement.


def settled_as(waiting: frozenset[str] = frozenset(), **changed: Any) -> Settled:
    record = {"recordType": "invoice", "externalId": "in_1-so500", "total": 1000.0, "amountRemaining": 1000.0} | changed
    return Settled([record], waiting, frozenset({"in_1"}))


def books_disagree(settled: Settled, **changed: Any) -> list[str]:
    of = {"id": "in_1", "status": "open", "currency": "usd", "total": 100_000, "amount_remaining": 100_000} | changed
    found = broken_promises(Evidence([{"metadata": {}, **of}], settled=settled))
    return [one.partition(":")[0] for one in found]


def test_both_books_that_agree_break_none() -> None:
    assert books_disagree(settled_as()) == []
    assert books_disagree(settled_as(total=100_000.0, amountRemaining=100_000.0), currency="jpy") == []
    assert books_disagree(settled_as(amountRemaining=0.0), status="paid", amount_remaining=0) == []
    assert books_disagree(settled_as(amountRemaining=0.0), status="void") == []
    assert books_disagree(Settled([], frozenset(), frozenset()), status="draft") == []


def test_s1_a_record_twice() -> None:
    once = settled_as()
    assert "S1" in books_disagree(Settled([*once.records, *once.records], frozenset(), once.heard))
    assert (
        books_disagree(Settled([*once.records, {**once.records[0], "externalId": "ch_1"}], frozenset(), once.heard))
        == []
    )


@pytest.mark.parametrize("changed", [{"total": 999.99}, {"amountRemaining": 999.99}])
def test_s2_books_that_differ_by_a_cent(changed: dict[str, Any]) -> None:
    assert books_disagree(settled_as(**changed)) == ["S2"]
    assert books_disagree(settled_as(frozenset({"in_1"}), **changed)) == [], "it waits for a person"


def test_s2_what_is_paid_and_still_due() -> None:
    assert books_disagree(settled_as(), status="paid", amount_remaining=0) == ["S2"]


def test_s3_what_was_finalised_and_is_nowhere() -> None:
    nowhere = Settled([], frozenset(), frozenset({"in_1"}))
    assert books_disagree(nowhere) == ["S3"]
    assert books_disagree(Settled([], frozenset({"in_1"}), nowhere.heard)) == []
    assert books_disagree(nowhere, status="void") == []


# The books, and the equation of a month's end. 10 hours at 100.00, unless a test says else.


def invoice(cents: int, status: str = "draft", order: int = 1, line: int = 1) -> dict[str, Any]:
    return {
        "id": f"in_{cents}_{status}", "status": status, "currency": "usd", "customer_email": "ap@client.example",
        "lines": {
            "data": [{"description": f"W{order}-{line} work", "amount": cents, "metadata": {"netsuite_so_id": "9"}}]
        },
    }  # fmt: skip


def books(**changed: Any) -> Books:
    line = OrderedLine(
        1, changed.pop("quantity", 10), 10_000, changed.pop("tax_percent", 0), changed.pop("closed", False)
    )
    fields = {"client": "ap@client.example", "currency": "USD", "day": "2026-01-05", "status": "F"} | changed
    return Books({1: OrderBook(order=1, lines=[line], **fields)})


def standing(kept: Books, *invoices: dict[str, Any]) -> Standing:
    return kept.standings(invoices)[1]


def test_the_gap_is_what_is_ordered_and_in_nobodys_bill() -> None:
    assert standing(books()).gap == 100_000
    assert standing(books(), invoice(100_000)).gap == 0
    assert standing(books(), invoice(100_000), invoice(1)).gap == -1
    assert standing(books(), invoice(100_000, "void")).gap == 100_000
    assert standing(books(tax_percent=20)).gap == 120_000


def test_hours_that_stripe_has_and_netsuite_bills_are_one() -> None:
    kept = books(quantity=20)
    kept.bill_in_netsuite(1, 1, 4, [])
    assert standing(kept).gap == 160_000
    kept.bill_in_netsuite(1, 1, 10, [invoice(100_000)])
    assert standing(kept, invoice(100_000)).gap == 60_000
    kept.bill_in_netsuite(1, 1, 6, [invoice(100_000)])
    assert standing(kept, invoice(100_000)).gap == 0


def test_a_draft_that_was_deleted_mirrors_nothing() -> None:
    kept = books()
    kept.bill_in_netsuite(1, 1, 10, [invoice(100_000)])
    kept.settle([])
    assert standing(kept).gap == 0


@pytest.mark.parametrize("changed", [{"status": "C"}, {"status": "H"}, {"closed": True}, {"gone": True}])
def test_of_what_was_ended_a_draft_is_too_much_and_a_sent_invoice_is_not(changed: dict[str, Any]) -> None:
    assert standing(books(**changed)).gap == 0
    assert standing(books(**changed), invoice(100_000)).gap == -100_000
    assert standing(books(**changed), invoice(100_000, "open")).gap == 0


def test_an_invoice_for_another_client_or_currency_has_moved() -> None:
    assert not standing(books(), invoice(100_000)).moved
    assert standing(books(client="ap@other.example"), invoice(100_000)).moved
    assert standing(books(currency="EUR"), invoice(100_000)).moved


def test_what_a_person_edits_in_a_draft_is_theirs() -> None:
    kept = books()
    kept.frozen["in_90000_draft"] = {
        1: Alive("in_90000_draft", "draft", "usd", "ap@client.example", {1: 100_000}, 100_000)
    }
    assert standing(kept, invoice(90_000)).gap == 0


def test_what_is_not_billed_and_not_named_is_lost_from_sight() -> None:
    open_ones = books().standings([])
    assert "nobody names it" in out_of_sight(open_ones, [1], [])[0]
    assert out_of_sight(open_ones, [1], ["SO-1"]) == []
    assert out_of_sight(open_ones, [], []) == []
    assert out_of_sight(books().standings([invoice(100_000)]), [1], []) == []


def test_a_report_names_as_open_what_it_does_not_call_drafted_now_or_before() -> None:
    lines = [{"fate": fate, "orders": [f"SO-{fate}"]} for fate in ("drafted", "skipped", "held", "problem", "failed")]
    found = named_as_open({"lines": lines, "carried_gone": [{"number": "SO-9"}], "cause": "See SO-10, please."})
    assert {number for number in found if number.startswith("SO-")} == {
        "SO-held", "SO-problem", "SO-failed", "SO-9", "SO-10",
    }  # fmt: skip


def test_i1_a_run_that_bills_beyond_what_was_ordered() -> None:
    kept = books()
    assert billed_twice(kept.standings([]), kept.standings([invoice(100_000)])) == []
    assert "I1: SO-1 was ordered for 100000" in billed_twice(kept.standings([]), kept.standings([invoice(100_001)]))[0]
    # Too much from before, to which this run added nothing, is not this run's.
    too_much = kept.standings([invoice(100_001)])
    assert billed_twice(too_much, too_much) == []
