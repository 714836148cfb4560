"""What was signed is what is drafted, days included: signed late, finished later, finished a month late."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.played.firm import firm, only, order
from tests.played.story import (
    SECONDS,
    asked,
    asked_nobody,
    billed,
    decided,
    deployed,
    live,
    stop_everything,
    stripe_error,
)
from tests.sandbox import Run, Sandbox
from tests.sandbox.person import Form, hidden_in

NEW_YORK = ZoneInfo("America/New_York")
DAY = 86_400
REFUSED = stripe_error("No.", code="parameter_invalid_empty")
TERMS = [
    {"name": "Due on receipt", "daysUntilNetDue": 0},
    {"name": "Net 10", "daysUntilNetDue": 10},
    {"name": "Net 30", "daysUntilNetDue": 30},
]


@pytest.fixture(scope="module")
def opened() -> Iterator[Sandbox]:
    world = firm(
        [order(1, terms="Due on receipt"), order(2), order(3), order(4, terms="Net 10"), order(5)], terms=TERMS
    )
    with deployed(world) as one:
        yield one


@pytest.fixture
def sandbox(opened: Sandbox) -> Iterator[Sandbox]:
    yield opened
    stop_everything(opened)
    opened.stripe.faults.clear()


def days(sandbox: Sandbox, place: int) -> tuple[str, str]:
    """(invoice date, due date) of the order's one draft, in the firm's zone."""
    (draft,) = live(sandbox, place)
    return tuple(  # type: ignore[return-value]
        datetime.fromtimestamp(draft[name], NEW_YORK).date().isoformat() for name in ("effective_at", "due_date")
    )


def reported(sandbox: Sandbox, run: Run, place: int) -> dict[str, Any]:
    return next(line for line in sandbox.report(run)["lines"] if line["orders"] == [f"SO-{place}"])


def refused(sandbox: Sandbox) -> None:
    """Stripe refuses every new invoice from now on."""
    sandbox.stripe.faults.add(method="POST", path="^/v1/invoices$", times=None, action=REFUSED)


def test_signed_days_from_the_first_page_to_the_month_after(sandbox: Sandbox) -> None:
    # Asked on 1 June. The page is opened on 5 June and again on the 6th.
    run = sandbox.start(only(1, 2))
    link = sandbox.page_links(asked(sandbox, run)[0])[0]
    person = sandbox.person()
    assert "if drafted today" not in person.open(link).text
    sandbox.clock.advance(4 * DAY)
    old = person.open(link)
    assert "Due 5 June 2026 if drafted today. By its terms it was due 1 June 2026" in old.text
    assert "Due 1 July 2026 (30 days" in old.text
    sandbox.clock.advance(DAY)
    page = person.submit(old, Form(link, "post"), None, {"answer": "approve", **hidden_in(old), "invoices": "2"})
    assert "due dates have moved, so nothing was recorded" in page.text
    assert live(sandbox) == []
    assert "Due 6 June 2026 if drafted today. By its terms it was due 1 June 2026" in page.text
    person.submit(page, Form(link, "post"), None, {"answer": "approve", **hidden_in(page), "invoices": "2"})
    assert sandbox.wait_for_end(run, SECONDS).status == "SUCCEEDED"
    assert days(sandbox, 1) == ("2026-06-01", "2026-06-06")
    assert days(sandbox, 2) == ("2026-06-01", "2026-07-01")
    moved, kept = reported(sandbox, run, 1), reported(sandbox, run, 2)
    assert (moved["invoice_day"], moved["due_day"], moved["terms_day"]) == ("2026-06-01", "2026-06-06", "2026-06-01")
    assert (kept["invoice_day"], kept["due_day"], kept["terms_day"]) == ("2026-06-01", "2026-07-01", "")
    html = sandbox.objects()[f"runs/2026-05/{run.name}/report.html"].decode()
    assert "Dated 1 June 2026, due 6 June 2026: by its terms 1 June 2026, which had passed" in html

    # Signed on 6 June, refused by Stripe, and finished on the 8th by a run of its own: nobody is asked, the days stay.
    refused(sandbox)
    _, failed = billed(sandbox, only(3, 4, 5))
    assert failed.error == "InvoicesMissing"
    sandbox.clock.advance(2 * DAY)
    sandbox.stripe.faults.clear()
    _, finished = asked_nobody(sandbox, only(3))
    assert finished.status == "SUCCEEDED"
    assert days(sandbox, 3) == ("2026-06-06", "2026-07-06")

    # Net 10, signed on the 6th, is due on the 16th. On the 16th it would arrive due: asked again, counted from there.
    sandbox.clock.advance(8 * DAY)
    run = sandbox.start(only(4))
    page = sandbox.person().open(sandbox.page_links(asked(sandbox, run)[0])[0])
    assert "Approved earlier with the invoice date 6 June 2026 and the due date 16 June 2026" in page.text
    assert decided(sandbox, run).status == "SUCCEEDED"
    assert days(sandbox, 4) == ("2026-06-16", "2026-06-26")

    # The month after: the next run dates it anew, and the approver sees the new days and the old ones.
    sandbox.clock.advance(15 * DAY)
    run = sandbox.start({"period": "2026-06"})
    page = sandbox.person().open(sandbox.page_links(asked(sandbox, run)[0])[0])
    assert "Approved earlier with the invoice date 6 June 2026 and the due date 6 July 2026" in page.text
    assert "it is dated 1 July 2026 and due 31 July 2026" in page.text
    assert decided(sandbox, run).status == "SUCCEEDED"
    assert days(sandbox, 5) == ("2026-07-01", "2026-07-31")
    line = reported(sandbox, run, 5)
    assert (line["invoice_day"], line["due_day"]) == ("2026-07-01", "2026-07-31")
