"""One run of one order, in which every function is killed at its k-th outgoing call."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from tests.played.firm import ANN, BOB, OWNER, only
from tests.played.story import SECONDS, live
from tests.sandbox import Mail, Run, RunResult, Sandbox
from tests.sandbox.egress import When

FUNCTIONS = (
    "OpenTheRunFunction",
    "ListTheSalesOrdersFunction",
    "MatchTheCustomersFunction",
    "AnnounceTheRequestFunction",
    "AskForApprovalFunction",
    "ReadTheDecisionFunction",
    "DraftTheInvoiceFunction",
    "CloseTheRunFunction",
    "TellTheTeamFunction",
)
DEEPEST = 17
"""More calls than any function makes for one order: the last kill must not strike."""
COLD = 3


@dataclass(frozen=True)
class KilledRun:
    """A run at its end, and which kills struck it."""

    run: Run
    result: RunResult
    services: Mapping[str, str]
    mails: list[Mail]
    redrives: int

    def struck(self, function: str) -> str:
        """The service whose call the function was killed at, "" if it was not killed."""
        return self.services.get(function, "")


def play(sandbox: Sandbox, place: int, k: int, when: When) -> KilledRun:
    """Start, kill, approve, redrive if it has to be, and look."""
    if k <= COLD:
        # Only a cold process reads its secrets: those are among its first calls.
        sandbox.aws.functions.restart()
    before = len(sandbox.requests)
    kills = [sandbox.kill_at(k, when, function) for function in FUNCTIONS]
    run = sandbox.start(only(place))
    mails = sandbox.wait_for_approval(run, SECONDS)
    sandbox.answer(mails[0], "approve")
    result = sandbox.wait_for_end(run, SECONDS)
    redrives = 0
    while result.status == "FAILED" and redrives < 3:
        redrives += 1
        result = sandbox.wait_for_end(sandbox.redrive(run), SECONDS)
    for plan in kills:
        plan.done = True
    # Whoever was killed never saw an answer.
    services = {one.function: one.service for one in sandbox.requests[before:] if one.function and one.status is None}
    return KilledRun(run, result, services, sandbox.mails()[run.mails_before :], redrives)


def is_billed_and_told_once(sandbox: Sandbox, k: int, when: When) -> set[str]:
    """Play the run of the k-th order with a kill at every function's k-th call: one whole invoice is left, and
    everybody has heard. Answers which functions were killed."""
    posts = len(sandbox.posts())
    killed = play(sandbox, k, k, when)
    struck = {name for name in FUNCTIONS if killed.struck(name)}
    assert killed.result.status == "SUCCEEDED", (killed.result, killed.services)
    is_billed_once(sandbox, k)
    assert [post for post in sandbox.posts()[posts:] if killed.run.name in json.dumps(post)] != []
    assert len(sandbox.posts()) == posts + 2, "Slack can be asked what it has: it hears each thing once"
    asked = [mail.to[0] for mail in killed.mails if sandbox.asking_links(mail)]
    told = [mail.to[0] for mail in killed.mails if not sandbox.asking_links(mail)]
    for who, teller, sent in (
        (ANN, "AskForApprovalFunction", asked),
        (BOB, "AskForApprovalFunction", asked),
        (ANN, "TellTheTeamFunction", told),
        (BOB, "TellTheTeamFunction", told),
        (OWNER, "TellTheTeamFunction", told),
    ):
        # SES cannot be asked what it sent: killed around a sending, it sends again rather than never.
        most = 2 if killed.struck(teller) in ("sesv2", "dynamodb") else 1
        assert 1 <= sent.count(who) <= most, (who, killed.struck(teller))
    assert len(asked) <= 3, "one kill repeats one mail at most"
    assert len(told) <= 4, "one kill repeats one mail at most"
    return struck


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
