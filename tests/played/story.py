"""What people do in these tests' stories, and what they look at afterwards."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from tests.played.firm import NOW
from tests.sandbox import Mail, Sandbox
from tests.sandbox.faults import Answer
from tests.sandbox.person import Form, Page, hidden_in
from tests.sandbox.sandbox import Decision, Run, RunResult
from tests.sandbox.stripe import Refusal

SECONDS = 120


def deployed(world: Any, **options: Any) -> Sandbox:
    """A sandbox at `NOW`, in which Step Functions waits fifty times shorter before it tries a state again."""
    return Sandbox(world, now=NOW, **{"retry_delay_scale": 0.02, **options})


def decided(sandbox: Sandbox, run: Run, decision: Decision = "approve", reason: str = "Wrong month.") -> RunResult:
    """The first approver decides, and the run ends."""
    sandbox.answer(sandbox.wait_for_approval(run, SECONDS)[0], decision, reason)
    return sandbox.wait_for_end(run, SECONDS)


def asked(sandbox: Sandbox, run: Run, people: int = 2) -> list[Mail]:
    """The mails that ask, as soon as everybody has theirs and the run waits."""
    while True:
        mails = sandbox.wait_for_approval(run, SECONDS)
        if len({mail.to for mail in mails}) >= people:
            return mails
        time.sleep(0.03)


def stop_everything(sandbox: Sandbox) -> None:
    """Stop what still runs, so that a test that failed does not hold the period for the next one."""
    client = sandbox.aws.client("stepfunctions")
    running = client.list_executions(stateMachineArn=sandbox.state_machine_arn, statusFilter="RUNNING")
    for execution in running["executions"]:
        client.stop_execution(executionArn=execution["executionArn"])


def billed(sandbox: Sandbox, given: Mapping[str, Any]) -> tuple[Run, RunResult]:
    """A run with this input, approved, at its end."""
    run = sandbox.start(given)
    return run, decided(sandbox, run)


def asked_nobody(sandbox: Sandbox, given: Mapping[str, Any]) -> tuple[Run, RunResult]:
    """A run with this input that has to end by itself. One that waits for a person is stopped, and the test fails."""
    run = sandbox.start(given)
    while sandbox.result(run).status == "RUNNING":
        if sandbox.is_waiting(run):
            sandbox.stop(run)
            raise AssertionError(f"somebody was asked: {sandbox.mails()[-1].subject}")
        time.sleep(0.03)
    return run, sandbox.wait_for_end(run, SECONDS)


def live(sandbox: Sandbox, place: int | None = None) -> list[dict[str, Any]]:
    """Stripe's invoices that are not void, all or those of one order."""
    found = [invoice for invoice in sandbox.stripe.invoices() if invoice["status"] != "void"]
    if place is None:
        return found
    return [invoice for invoice in found if invoice["metadata"]["netsuite_so_number"] == f"SO-{place}"]


def amounts(invoice: Mapping[str, Any]) -> list[int]:
    """The lines' amounts in minor units, in Stripe's order."""
    return [line["amount"] for line in invoice["lines"]["data"]]


def ledger(sandbox: Sandbox, place: int) -> dict[str, Any] | None:
    """The ledger's entry for an order."""
    key = f"order-{sandbox.netsuite.orders()[f'SO-{place}'].id}"
    rows = sandbox.tables()["LedgerTable"]
    return next((row for row in rows if key in str(row["pk"]) and "state" in row), None)


def in_slack(sandbox: Sandbox, since: int = 0) -> str:
    """Everything written in Slack after the first `since` messages."""
    return "\n".join(json.dumps(post, ensure_ascii=False) for post in sandbox.posts()[since:])


def entered(sandbox: Sandbox, run: Run) -> list[str]:
    """Names of the states that the execution itself entered."""
    return [state.name for state in sandbox.states(run) if state.child is None]


def stripe_error(message: str, status: int = 400, code: str | None = None, **headers: str) -> Answer:
    """A fault: Stripe refuses a request so."""
    refused = Refusal(message, status, code).response()
    return Answer(refused.status, refused.body, {"Content-Type": "application/json", **headers})


def posted(sandbox: Sandbox, link: str, answer: str, typed: Mapping[str, str]) -> Page:
    """The form sent as a machine or a hasty person would: this answer, these fields, what is hidden, and no others."""
    person = sandbox.person()
    page = person.open(link)
    return person.submit(page, Form(link, "post"), None, {"answer": answer, **hidden_in(page), **typed})
