"""A firm begins to bill in May, runs a second month, leaves three out, and runs again: what is open from the start on
is listed every month, what lies before it is told once and left alone, and what was left over is named until it is
drafted."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.played.firm import OWNER, client, firm, order, work
from tests.played.story import amounts, asked, asked_nobody, decided, deployed, live
from tests.played.test_months_played_through import fates, page_text, reason, report_of
from tests.sandbox import Sandbox
from tests.sandbox.sandbox import Run

JULY = datetime(2026, 7, 1, 13, 0, 30, tzinfo=UTC)
NOVEMBER = datetime(2026, 11, 1, 14, 0, 30, tzinfo=UTC)
BEFORE_THE_START = "2 open orders dated before that day are left alone, EUR 70.07, USD 4,444.44 in all"


def told(sandbox: Sandbox, mails: int, posts: int) -> dict[str, str]:
    """What was told since: all mails to the owner, all mails to approvers, all posts in Slack."""
    sent = sandbox.mails()[mails:]
    return {
        "owner": "\n".join(mail.text for mail in sent if mail.to == (OWNER,)),
        "approvers": "\n".join(mail.text for mail in sent if mail.to != (OWNER,)),
        "slack": "\n".join(json.dumps(post, ensure_ascii=False) for post in sandbox.posts()[posts:]),
    }


def stripe_calls(sandbox: Sandbox, since: int) -> Counter[str]:
    """Calls to Stripe's invoices by method and path, ids left out."""
    seen: Counter[str] = Counter()
    for request in sandbox.requests[since:]:
        if request.service == "stripe":
            path = request.path.split("?")[0]
            seen[f"{request.method} {'/v1/invoices/{id}' if '/in_' in path else path}"] += 1
    return seen


def month(sandbox: Sandbox, seen: dict[str, Any], name: str) -> Run:
    """Fire the schedule, read the page, approve, and keep what was told."""
    mails, posts, calls = len(sandbox.mails()), len(sandbox.posts()), len(sandbox.requests)
    run = sandbox.fire_schedule()
    seen[f"{name} page"] = page_text(sandbox, run)
    asked(sandbox, run)
    seen[f"{name} reads"] = stripe_calls(sandbox, calls)
    seen[f"{name} end"] = decided(sandbox, run)
    seen[f"{name} netsuite"] = sum(request.service == "netsuite" for request in sandbox.requests[calls:])
    seen[name] = report_of(sandbox, run)
    seen[f"{name} told"] = told(sandbox, mails, posts)
    return run


@pytest.fixture(scope="module")
def played() -> Iterator[dict[str, Any]]:
    """May, June, and October after three months without a run; what was seen on the way."""
    world = firm(
        [
            order(1),
            order(2, work("1", "4444.44"), date="2026-04-30"),
            order(3, work("1", "70.07"), date="2026-01-05", currency="EUR"),
            order(4, customer=77),
            order(6, work("3", "100.00")),
            order(7, work("10", "100.00")),
            order(9, work("10", "90.00")),
            *(order(place, work("1", f"{place}.00")) for place in range(20, 30)),
        ],
        clients=[client(77, email=None), *map(client, (5, 8, 10, 11))],
    )
    seen: dict[str, Any] = {}
    with deployed(world) as sandbox:
        may = month(sandbox, seen, "may")
        seen["may history"] = json.dumps(sandbox.history(may), default=str)
        for place in range(20, 30):
            _pay(sandbox, place)

        sandbox.netsuite.add_order(order(5, work("1", "55.00"), date="2026-05-03"))
        sandbox.netsuite.add_order(order(8, work("1", "88.00"), date="2026-06-15"))
        sandbox.netsuite.set_status("SO-4", "A")
        sandbox.stripe.delete(live(sandbox, 6)[0]["id"])
        sandbox.clock.move_to(JULY)
        month(sandbox, seen, "june")
        seen["paid after june"] = sum(str(row["pk"]).startswith("INVOICE#") for row in sandbox.tables()["LedgerTable"])

        sandbox.netsuite.add_order(order(10, work("1", "10.00"), date="2026-08-09"))
        sandbox.netsuite.edit_line("SO-7", 1, quantity="14")
        sandbox.netsuite.edit_line("SO-9", 1, quantity="4")
        sandbox.netsuite.set_status("SO-4", "F")
        sandbox.netsuite.set_customer("C-77", email="payables77@zephyrine.example")
        sandbox.clock.move_to(NOVEMBER)
        month(sandbox, seen, "october")

        # SO-9 is settled by hand, its draft is sent and paid and the rest closed: with it nothing is open any more.
        _pay(sandbox, 9)
        sandbox.netsuite.set_status("SO-9", "H")
        mails, posts = len(sandbox.mails()), len(sandbox.posts())
        closing, seen["closing end"] = asked_nobody(sandbox, {"period": "2026-10"})
        seen["closing"] = report_of(sandbox, closing)
        seen["closing told"] = told(sandbox, mails, posts)

        mails, posts, calls = len(sandbox.mails()), len(sandbox.posts()), len(sandbox.requests)
        before = {"tables": kept(sandbox), "stripe": sandbox.stripe.dump(), "objects": set(sandbox.objects())}
        _, seen["again end"] = asked_nobody(sandbox, {"period": "2026-10"})
        seen["again"] = {
            "mails": len(sandbox.mails()) - mails,
            "posts": sandbox.posts()[posts:],
            "stripe": sandbox.stripe.dump() == before["stripe"],
            "tables": kept(sandbox) == before["tables"],
            "objects": sorted(key.rpartition("/")[2] for key in set(sandbox.objects()) - before["objects"]),
            "calls": stripe_calls(sandbox, calls),
        }
        sandbox.netsuite.add_order(order(11, work("1", "11.00"), date="2026-05-31"))
        last = sandbox.start({"period": "2026-10"})
        seen["last end"] = decided(sandbox, last)
        seen["last"] = report_of(sandbox, last)
        # A month that ended before the start, by hand: itself alone, and the start stays.
        april = sandbox.start({"period": "2026-04", "dryRun": True})
        sandbox.wait_for_end(april, 120)
        seen["april"] = report_of(sandbox, april)
        seen["live"] = {
            place: sorted(sum(amounts(one)) for one in live(sandbox, place))
            for place in (*range(1, 12), *range(20, 30))
        }
        yield seen


def kept(sandbox: Sandbox) -> list[str]:
    """Every row of the tables but the period's lock and the note that a message went out."""
    rows = [row for table in sandbox.tables().values() for row in table]
    return sorted(str(row) for row in rows if "'LOCK'" not in str(row) and "MESSAGE#" not in str(row))


def _pay(sandbox: Sandbox, place: int) -> None:
    invoice_id = str(live(sandbox, place)[0]["id"])
    sandbox.stripe.finalize(invoice_id)
    sandbox.stripe.pay(invoice_id)


def test_the_first_page_mail_report_and_message_say_what_lies_before_the_start(played: dict[str, Any]) -> None:
    assert BEFORE_THE_START in played["may page"]
    for channel in ("approvers", "owner", "slack"):
        assert BEFORE_THE_START in " ".join(played["may told"][channel].split()), channel
    assert sorted((one["currency"], one["orders"], one["total"]) for one in played["may"]["left_alone"]) == [
        ("eur", 1, 7007),
        ("usd", 1, 444_444),
    ]
    assert not {"SO-2", "SO-3"} & set(fates(played["may"]))


def test_what_lies_before_the_start_is_told_once_and_never_billed(played: dict[str, Any]) -> None:
    assert "left alone" not in played["june page"] + played["october page"]
    assert played["june"]["left_alone"] is None
    assert (played["live"][2], played["live"][3]) == ([], [])


def test_amounts_before_the_start_are_in_files_and_never_in_the_history(played: dict[str, Any]) -> None:
    assert "billFrom" in played["may history"]
    for amount in ("4444.44", "4,444.44", "444444", "70.07", "7007"):
        assert amount not in played["may history"]


def test_an_order_entered_late_and_dated_into_a_billed_month_is_billed_by_the_next_run(played: dict[str, Any]) -> None:
    assert fates(played["june"])["SO-5"] == "drafted"
    assert played["live"][5] == [5_500]


def test_a_draft_that_a_person_deleted_comes_back(played: dict[str, Any]) -> None:
    assert "deleted or voided" in played["june page"]
    assert fates(played["june"])["SO-6"] == "drafted"
    assert played["live"][6] == [30_000]


def test_after_three_months_without_a_run_everything_since_the_start_is_there(played: dict[str, Any]) -> None:
    assert played["october"]["run"]["listed_from"] == "2026-05-01"
    assert fates(played["october"])["SO-10"] == "drafted"
    assert played["live"][10] == [1_000]


def test_hours_added_to_an_order_billed_months_ago_are_billed(played: dict[str, Any]) -> None:
    assert fates(played["october"])["SO-7"] == "drafted"
    assert played["live"][7] == [40_000, 100_000]


def test_an_order_lowered_after_it_was_billed_is_held_with_both_numbers(played: dict[str, Any]) -> None:
    assert fates(played["october"])["SO-9"] == "held"
    assert "900.00" in reason(played["october"], "SO-9")
    assert "360.00" in reason(played["october"], "SO-9")
    assert played["live"][9] == [90_000]


def test_an_order_that_netsuite_no_longer_lists_is_named_in_page_mail_report_and_message(
    played: dict[str, Any],
) -> None:
    assert fates(played["may"])["SO-4"] == "problem"
    assert "SO-4" not in fates(played["june"])
    (left,) = played["june"]["outstanding"]
    number, period, why, state = left["number"], left["period"], left["reason"], left["state"]
    assert (number, period) == ("SO-4", "2026-05")
    assert why
    assert "Pending Approval" in state
    assert "Pending Approval" in played["june page"]
    for channel in ("approvers", "owner", "slack"):
        assert "SO-4" in played["june told"][channel], channel


def test_an_order_that_is_billable_again_after_months_is_drafted_and_named_no_more(played: dict[str, Any]) -> None:
    assert fates(played["october"])["SO-4"] == "drafted"
    assert played["october"]["outstanding"] == []
    assert "First listed for May 2026" in played["october page"]


def test_an_order_ended_in_netsuite_is_named_once_more(played: dict[str, Any]) -> None:
    assert played["closing end"].status == "SUCCEEDED"
    assert played["closing"]["outcome"] == "nothing to bill"
    (gone,) = played["closing"]["carried_gone"]
    number, state = gone["number"], gone["state"]
    assert (number, state) == ("SO-9", "Closed in NetSuite.")
    assert "SO-9" in played["closing told"]["owner"]
    assert "SO-9" in played["closing told"]["slack"]


def test_what_is_done_and_unchanged_is_a_number_on_the_page(played: dict[str, Any]) -> None:
    assert "listed orders were drafted before, with no change since" in played["june page"]
    assert "SO-21" not in played["june page"]
    assert fates(played["june"])["SO-21"] == "skipped"


def test_an_invoice_that_was_seen_paid_costs_no_call_again(played: dict[str, Any]) -> None:
    assert played["paid after june"] == 10
    # June asks by pages: drafts, open ones, paid ones. The deleted draft is read by itself.
    assert played["june reads"]["GET /v1/invoices"] <= 3
    assert played["june reads"]["GET /v1/invoices/{id}"] <= 1
    # October looks at what is not paid: one page of drafts, and one of open ones.
    assert played["october reads"]["GET /v1/invoices"] == 2
    assert played["october reads"]["GET /v1/invoices/{id}"] == 0


def test_a_month_costs_netsuite_at_most_four_calls_beside_its_pages(played: dict[str, Any]) -> None:
    for name in ("may", "june", "october"):
        assert 0 < played[f"{name} netsuite"] <= 6, name  # one page of headers, one of lines


def test_a_finished_month_that_is_run_again_writes_nothing_and_sends_one_line(played: dict[str, Any]) -> None:
    assert played["again end"].status == "SUCCEEDED"
    again = played["again"]
    assert (again["mails"], len(again["posts"])) == (0, 1)
    (post,) = again["posts"]
    assert "nothing has changed" in json.dumps(post)
    assert len(post["blocks"]) == 1
    assert (again["stripe"], again["tables"]) == (True, True)
    # What NetSuite listed and what was made of it, on which the run decided; no report.
    assert again["objects"] == ["batch.json", "invoices.ndjson", "orders.json"]
    assert sum(again["calls"].values()) <= 3


def test_a_finished_month_with_something_new_is_a_run_like_any_other(played: dict[str, Any]) -> None:
    assert played["last end"].status == "SUCCEEDED"
    assert fates(played["last"])["SO-11"] == "drafted"
    assert played["live"][11] == [1_100]


def test_a_month_before_the_start_lists_itself_alone_and_moves_nothing(played: dict[str, Any]) -> None:
    run = played["april"]["run"]
    assert (run["listed_from"], run["listed_before"], run["bill_from"]) == ("2026-04-01", "2026-05-01", "2026-05-01")
    assert set(fates(played["april"])) == {"SO-2"}


def test_nothing_was_billed_twice(played: dict[str, Any]) -> None:
    assert all(len(played["live"][place]) == 1 for place in (1, 4, 5, 6, 8, 9, 10, 11, *range(20, 30)))
