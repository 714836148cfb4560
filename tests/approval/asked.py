"""Sandboxes in which finance is asked, and what people do there."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from tests.played.firm import firm, order
from tests.played.story import SECONDS, deployed, entered
from tests.sandbox import Mail, Run, Sandbox
from tests.sandbox.person import Form, Page, hidden_in

ANN, BOB, CY, DI = (f"{name}@firm.example" for name in ("ann", "bob", "cy", "di"))


def asked_of(approvers: str, orders: int = 3, **parameters: str) -> Sandbox:
    """A sandbox of so many orders of 300.00 each, in which these people sign."""
    world = firm(order(place) for place in range(1, orders + 1))
    return deployed(world, parameters={"Approvers": approvers, **parameters})


def until(what: Callable[[], Any], seconds: float = SECONDS) -> Any:
    """Wait until something is true, and give it. The promise is that it becomes true, not when."""
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.03)
    return found


def links(sandbox: Sandbox, run: Run) -> dict[str, str]:
    """Each person's newest link that can decide."""
    return {mail.to[0]: sandbox.asking_links(mail)[0] for mail in mails_of(sandbox, run) if sandbox.asking_links(mail)}


def mails_of(sandbox: Sandbox, run: Run) -> list[Mail]:
    """The mails since the run started."""
    return sandbox.mails()[run.mails_before :]


def post(sandbox: Sandbox, link: str, answer: str, **typed: str) -> Page:
    """Open the page and send the form of this answer, as a browser does: what is hidden in it included."""
    person = sandbox.person()
    page = person.open(link)
    return person.submit(page, Form(link, "post"), None, {"answer": answer, **hidden_in(page), **typed})


def slept(sandbox: Sandbox, run: Run, times: int) -> None:
    """Wait until the run has entered its waiting state so often, and waits."""
    until(lambda: entered(sandbox, run).count("Ask for approval") >= times and sandbox.is_waiting(run))


def expire(sandbox: Sandbox, run: Run) -> None:
    """More than the whole wait passes and nobody has answered."""
    sandbox.clock.advance(timedelta(days=8))
    assert sandbox.wait_for_end(run, SECONDS).error == "ApprovalExpired"


def requests_of(sandbox: Sandbox, run: Run) -> list[Mapping[str, Any]]:
    """Every row about the run's requests."""
    return [row for row in sandbox.tables()["ApprovalsTable"] if run.name in str(row["pk"])]
