"""One run of one order, in which every function is killed at its k-th outgoing call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tests.runs.firm import only
from tests.runs.story import SECONDS, live
from tests.sandbox import Mail, Run, RunResult, Sandbox
from tests.sandbox.egress import PlannedKill, When

FUNCTIONS = (
    "OpenTheRunFunction",
    "ListTheSalesOrdersFunction",
    "MatchTheCustomersFunction",
    "AskForApprovalFunction",
    "ReadTheDecisionFunction",
    "DraftTheInvoiceFunction",
    "CloseTheRunFunction",
    "TellTheTeamFunction",
)
DEEPEST = 15
"""More calls than any function makes for one order with its process cold: the last kill must not strike."""


@dataclass(frozen=True)
class KilledRun:
    """A run at its end, and which kills struck it."""

    run: Run
    result: RunResult
    kills: Mapping[str, PlannedKill]
    mails: list[Mail]
    redrives: int

    def struck(self, function: str) -> str:
        """The service whose call the function was killed at, "" if it was not killed."""
        killed = self.kills[function].killed
        return killed.service if killed else ""


def play(sandbox: Sandbox, place: int, k: int, when: When) -> KilledRun:
    """Start, kill, approve, redrive if it has to be, and look."""
    # A warm process asks for fewer things: secrets are read once. Cold, each call has its number.
    sandbox.aws.functions.restart()
    kills = {function: sandbox.kill_at(k, when, function) for function in FUNCTIONS}
    run = sandbox.start(only(place))
    mails = sandbox.wait_for_approval(run, SECONDS)
    sandbox.answer(mails[0], "approve")
    result = sandbox.wait_for_end(run, SECONDS)
    redrives = 0
    while result.status == "FAILED" and redrives < 3:
        redrives += 1
        result = sandbox.wait_for_end(sandbox.redrive(run), SECONDS)
    for plan in kills.values():
        plan.done = True
    return KilledRun(run, result, kills, sandbox.mails()[run.mails_before :], redrives)


def is_billed_once(sandbox: Sandbox, place: int) -> None:
    """Exactly one live invoice with all its lines, and one customer, whatever was killed."""
    invoices = live(sandbox, place)
    lines = [
        [(line["amount"], line["description"].partition(" — ")[0]) for line in one["lines"]["data"]] for one in invoices
    ]
    assert lines == [[(30000, "First week"), (4550, "Second week")]]
    assert {(one["status"], one["total"]) for one in invoices} == {("draft", 34550)}
    names = [customer["name"] for customer in sandbox.stripe.customers()]
    assert names.count(f"Zephyrine Works {place} Ltd") == 1
