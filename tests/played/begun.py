"""Runs that leave drafts behind which the ledger does not have as billed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.played.story import SECONDS, decided, live, stripe_error
from tests.sandbox import Run, Sandbox


@contextmanager
def read_backs_lost(sandbox: Sandbox) -> Iterator[None]:
    """Drafts are made and their read-back is refused: the run ends InvoicesMissing and leaves them."""
    sandbox.stripe.faults.add(method="GET", path=r"^/v1/invoices/in_\w+$", times=None, action=stripe_error("No."))
    yield
    sandbox.stripe.faults.clear()


def begun(sandbox: Sandbox, given: dict[str, Any]) -> tuple[Run, list[dict[str, Any]]]:
    """A run that was approved and left drafts behind that the ledger does not have as billed."""
    before = {invoice["id"] for invoice in live(sandbox)}
    run = sandbox.start(given)
    sandbox.wait_for_approval(run, SECONDS)
    with read_backs_lost(sandbox):
        result = decided(sandbox, run)
    assert result.error == "InvoicesMissing"
    left = [invoice for invoice in live(sandbox) if invoice["id"] not in before]
    assert left
    return run, left


def lines_of(report: dict[str, Any], number: str) -> list[dict[str, Any]]:
    return [line for line in report["lines"] if number in line["orders"]]
