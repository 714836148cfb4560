"""Whoever was asked hears how it ended, once: those who passed the request on, their delegates and the deputies too."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.approval.asked import ANN, BOB, CY, DI, asked_of, links, mails_of, post, until
from tests.approval.transcript import transcribe
from tests.played.firm import only
from tests.played.story import SECONDS, stop_everything
from tests.sandbox import Run, Sandbox

EVERYBODY = [ANN, BOB, CY, DI]


@pytest.fixture
def sandbox(opened: Sandbox) -> Iterator[Sandbox]:
    yield opened
    stop_everything(opened)


@pytest.fixture(scope="module")
def opened() -> Iterator[Sandbox]:
    settings = {"EscalationAfterSeconds": "1", "Deputies": CY, "DelegateDomains": "firm.example"}
    with asked_of(f"Lead: {ANN}; Controller: {BOB}", orders=9, **settings) as sandbox:
        yield sandbox


def passed_on(sandbox: Sandbox, place: int) -> Run:
    """A run in which Ann passed her request on to Di, Cy was asked as a deputy, and which waits."""
    run = sandbox.start(only(place))
    sandbox.wait_for_approval(run, SECONDS)
    assert post(sandbox, links(sandbox, run)[ANN], "delegate", delegate=DI, number="1").status == 200
    until(lambda: {CY, DI} <= set(links(sandbox, run)) and sandbox.is_waiting(run))
    return run


def notices(sandbox: Sandbox, run: Run, end: str) -> list[str]:
    return sorted(mail.to[0] for mail in mails_of(sandbox, run) if mail.subject.startswith(end))


def ends(sandbox: Sandbox, run: Run, error: str) -> None:
    assert sandbox.wait_for_end(run, SECONDS).error == error


def test_a_rejection_is_told_to_everybody_who_was_asked(sandbox: Sandbox) -> None:
    run = passed_on(sandbox, 1)
    assert post(sandbox, links(sandbox, run)[BOB], "reject", number="1", reason="Wrong month.").status == 200
    ends(sandbox, run, "ApprovalRejected")
    assert notices(sandbox, run, "Rejected") == EVERYBODY
    shown = transcribe(sandbox, run, "delegated-and-rejected")
    assert "Wrong month." in shown.partition("Slack:")[2]


def test_an_undeliverable_end_is_told_to_everybody_who_was_asked(sandbox: Sandbox) -> None:
    run = passed_on(sandbox, 2)
    for person in (DI, CY):  # all who stand in the slot "Lead" by now
        sandbox.ses.reports(next(mail for mail in mails_of(sandbox, run) if mail.to == (person,)), "permanent")
    ends(sandbox, run, "ApprovalUndeliverable")
    assert notices(sandbox, run, "Undeliverable") == EVERYBODY
    shown = transcribe(sandbox, run, "undeliverable")
    assert "the approvers cannot be reached" in shown.partition("Slack:")[2]


def test_an_expiry_is_told_to_everybody_who_was_asked(sandbox: Sandbox) -> None:
    run = passed_on(sandbox, 3)
    sandbox.clock.advance(timedelta(days=7, minutes=1))
    ends(sandbox, run, "ApprovalExpired")
    assert notices(sandbox, run, "Expired") == EVERYBODY
