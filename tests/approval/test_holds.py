"""Orders are held back one by one; what is signed for follows, and whoever signed for something else is asked again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from billing.domain.approval.approval_entries import QUIET
from tests.approval.asked import ANN, BOB, asked_of, links, mails_of, post, slept, until
from tests.played.firm import PERIOD
from tests.played.story import SECONDS, live, posted
from tests.sandbox import Mail, Run, Sandbox


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with asked_of(f"Lead: {ANN}; Controller: {BOB}", orders=40) as opened:
        yield opened


@pytest.fixture(scope="module")
def held(sandbox: Sandbox) -> Run:
    """Ann signs for forty, Bob holds two of them, both sign for what is left."""
    run = sandbox.start({"period": PERIOD})
    sandbox.wait_for_approval(run, SECONDS)
    first = links(sandbox, run)
    assert "You approved 40 invoices" in post(sandbox, first[ANN], "approve", invoices="40").text
    page = post(sandbox, first[BOB], "hold", order="SO-7", reason="Hours are not final.")
    assert page.status == 200
    assert "Order SO-7 is on hold." in page.text
    assert "11,700.00" in page.text, "39 times 300: the totals follow"
    page = post(sandbox, first[BOB], "hold", order="so-9", reason="Wrong client.")
    assert "38 invoices" in page.text
    slept(sandbox, run, 2)
    assert again(sandbox, run) == [], "more may be held back in a moment"
    sandbox.clock.advance(QUIET)
    until(lambda: again(sandbox, run))
    slept(sandbox, run, 3)
    assert [list(mail.to) for mail in again(sandbox, run)] == [[ANN]], "one mail for both"
    return run


def again(sandbox: Sandbox, run: Run) -> list[Mail]:
    """Mails that ask somebody once more."""
    return [
        mail
        for mail in mails_of(sandbox, run)
        if "does not count for the current version" in " ".join(mail.text.split())
    ]


def test_the_others_see_the_holds_and_whoever_signed_before_is_asked_again(sandbox: Sandbox, held: Run) -> None:
    ann = sandbox.person().open(links(sandbox, held)[ANN])
    assert f"{BOB} put SO-7 on hold" in ann.text
    assert "Hours are not final." in ann.text
    assert "You signed an earlier version" in ann.text
    assert "38 invoices" in ann.text
    stale = post(sandbox, links(sandbox, held)[ANN], "approve", invoices="40")
    assert stale.status == 422, "the number of before is not the number of now"


def test_a_hold_that_is_pressed_again_is_confirmed_and_changes_nothing(sandbox: Sandbox, held: Run) -> None:
    def record() -> list[object]:
        # But for the request's own row, which has the token of each new wait.
        return [row for row in sandbox.tables()["ApprovalsTable"] if row["sk"] != "REQUEST"]

    before, mails, posts = record(), len(sandbox.mails()), len(sandbox.posts())
    page = post(sandbox, links(sandbox, held)[BOB], "hold", order="so-7", reason="Hours are not final.")
    assert (page.status, "so-7 is on hold" in page.text) == (200, True)
    until(lambda: sandbox.is_waiting(held))
    assert record() == before
    assert (len(sandbox.mails()), len(sandbox.posts())) == (mails, posts)


@pytest.mark.parametrize(
    ("answer", "typed", "said"),
    [
        ("hold", {"order": "SO-999", "reason": "Not there."}, "type its number"),
        ("hold", {"order": "", "reason": "Nothing typed."}, "type its number"),
        ("hold", {"order": "SO-8", "reason": ""}, "give a reason in words"),
        ("release", {"order": "SO-8", "reason": "Was never held."}, "type its number"),
        ("delegate", {"delegate": "eve@firm.example"}, "cannot be delegated here"),
    ],
)
def test_what_was_not_typed_right_changes_nothing(
    sandbox: Sandbox, held: Run, answer: str, typed: dict[str, str], said: str
) -> None:
    link = links(sandbox, held)[BOB]
    before = sandbox.dump()
    page = post(sandbox, link, answer, **typed)
    assert (page.status, said in page.text) == (422, True), page.text[:400]
    assert sandbox.dump() == before


def test_thirty_eight_are_drafted_and_two_come_back_with_who_and_why(sandbox: Sandbox, held: Run) -> None:
    now = links(sandbox, held)
    assert post(sandbox, now[BOB], "release", order="SO-9", reason="It was right.").status == 200
    assert post(sandbox, now[BOB], "hold", order="SO-9", reason="It was wrong after all.").status == 200
    assert posted(sandbox, now[BOB], "approve", {"invoices": "38"}).status == 200
    assert sandbox.result(held).status == "RUNNING", "Ann's approval was for forty"
    assert posted(sandbox, now[ANN], "approve", {"invoices": "38"}).status == 200
    assert sandbox.wait_for_end(held, SECONDS).status == "SUCCEEDED"
    assert len(live(sandbox)) == 38
    assert live(sandbox, 7) == live(sandbox, 9) == []
    late = post(sandbox, now[BOB], "hold", order="SO-8", reason="Too late.")
    assert "Approved: 38 invoices" in late.text, "once it is decided nothing can be held"
    assert "You have already responded" in late.text
    assert "38 of 38 orders are drafted in Stripe. 2 orders were held" in late.text, "how the run went on"
    report = sandbox.report(held)
    assert (report["counts"]["drafted"], report["counts"]["held"]) == (38, 2)
    reasons = {line["orders"][0]: line["reason"] for line in report["lines"] if line["fate"] == "held"}
    assert reasons["SO-7"].startswith(f"Held back by {BOB}: Hours are not final.")
    assert "It was wrong after all." in reasons["SO-9"]
    votes = {(vote["approver"], vote["batch_sha256"]) for vote in report["votes"]}
    assert (ANN, report["batch_sha256"]) in votes, "the vote that lost its effect stays on record"
    assert {hash_ for _, hash_ in votes} == {report["batch_sha256"], report["request"]["batch_sha256"]}
    assert any(vote["shown"] == "38 invoices, USD 11,400.00" for vote in report["votes"])


def test_held_orders_come_back_in_the_next_run(sandbox: Sandbox, held: Run) -> None:
    assert sandbox.result(held).status == "SUCCEEDED"
    run = sandbox.start({"period": "2026-06"})
    sandbox.wait_for_approval(run, SECONDS)
    page = sandbox.person().open(links(sandbox, run)[ANN])
    assert "2 draft invoices" in page.text
    assert "SO-7" in page.text
    assert "SO-9" in page.text
    refused = post(sandbox, links(sandbox, run)[ANN], "hold", order="SO-7", reason="One of two.")
    assert refused.status == 200
    last = post(sandbox, links(sandbox, run)[ANN], "hold", order="SO-9", reason="All of them.")
    assert (last.status, "Reject the batch instead" in last.text) == (422, True)
    for person in (ANN, BOB):
        assert post(sandbox, links(sandbox, run)[person], "approve", invoices="1").status == 200
    assert sandbox.wait_for_end(run, SECONDS).status == "SUCCEEDED"
    assert (len(live(sandbox, 7)), len(live(sandbox, 9))) == (0, 1)
