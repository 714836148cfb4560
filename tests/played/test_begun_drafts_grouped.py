"""A draft that was begun and never read back belongs to its orders, grouped by client, too."""

from __future__ import annotations

from tests.played.begun import begun, lines_of
from tests.played.firm import client, firm, only, order, work
from tests.played.story import (
    SECONDS,
    amounts,
    asked,
    asked_nobody,
    decided,
    deployed,
    live,
    stop_everything,
)
from tests.sandbox import Sandbox


def grouped(unsigned: str) -> Sandbox:
    orders = [order(1, work("1", "100.00"), customer=1), order(2, work("2", "100.00"), customer=1)]
    return deployed(firm(orders, [client(1)]), parameters={"InvoiceGrouping": "client", "UnsignedDrafts": unsigned})


def test_grouped_by_client_with_terms_corrected_and_redriven_the_old_draft_is_named_and_nothing_is_billed_twice() -> (
    None
):
    with grouped("hold") as sandbox:
        run, (left,) = begun(sandbox, only(1, 2))
        assert left["total"] == 300_00
        sandbox.netsuite.edit_order("SO-2", terms="Net 15")
        sandbox.netsuite.add_order(order(3, work("4", "100.00"), customer=1))
        again = sandbox.redrive(run)
        result = sandbox.wait_for_end(again, SECONDS)
        assert result.status == "SUCCEEDED", result
        report = sandbox.report(run)
        for number in ("SO-1", "SO-2"):
            (line,) = lines_of(report, number)
            assert (line["fate"], left["id"] in line["reason"]) == ("held", True)
        assert [invoice["id"] for invoice in live(sandbox)] == [left["id"]]

        # An order that came in since is billed without them.
        other = sandbox.start(only(1, 2, 3))
        mails = asked(sandbox, other)
        page = sandbox.person().open(sandbox.page_links(mails[0])[0])
        assert left["id"] in page.text
        sandbox.answer(mails[0], "approve")
        sandbox.wait_for_end(other, SECONDS)
        assert sorted(invoice["total"] for invoice in live(sandbox)) == [300_00, 400_00]
        stop_everything(sandbox)


def test_grouped_by_client_with_terms_corrected_and_redriven_the_old_draft_is_deleted_by_an_approval_that_says_so() -> (
    None
):
    with grouped("delete") as sandbox:
        run, (left,) = begun(sandbox, only(1, 2))
        sandbox.netsuite.edit_order("SO-2", terms="Net 15")
        again = sandbox.redrive(run)
        mails = asked(sandbox, again)
        page = sandbox.person().open(sandbox.page_links(mails[0])[0])
        assert left["id"] in page.text
        assert [invoice["id"] for invoice in live(sandbox)] == [left["id"]], (
            "nothing is deleted before it is signed for"
        )
        sandbox.answer(mails[0], "approve")
        assert sandbox.wait_for_end(again, SECONDS).status == "SUCCEEDED"
        assert sorted(amounts(invoice) for invoice in live(sandbox)) == [[100_00], [200_00]]
        assert left["id"] not in [invoice["id"] for invoice in live(sandbox)]
        assert sandbox.invoke("FindTheOrphansFunction", {"since": "2026-05-01"})["orphans"] == []
        _, result = asked_nobody(sandbox, only(1, 2))
        assert result.status == "SUCCEEDED"


def test_a_draft_that_somebody_sent_is_never_deleted_and_holds_its_orders() -> None:
    with grouped("delete") as sandbox:
        run, (left,) = begun(sandbox, only(1, 2))
        sandbox.netsuite.edit_order("SO-2", terms="Net 15")
        again = sandbox.redrive(run)
        asked(sandbox, again)
        sandbox.stripe.finalize(left["id"])
        assert decided(sandbox, again).error == "InvoicesMissing"
        assert [invoice["id"] for invoice in live(sandbox)] == [left["id"]]
        assert "is open now" in str([line["reason"] for line in sandbox.report(run)["lines"]])
        other, _ = asked_nobody(sandbox, only(1, 2))
        assert {line["fate"] for line in sandbox.report(other)["lines"]} == {"held"}
