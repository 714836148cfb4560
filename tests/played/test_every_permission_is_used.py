"""What template.yaml allows is really done by somebody: every action of every role, in one eventful day."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from tests.approval.asked import expire, until
from tests.played.firm import firm, only, order
from tests.played.story import SECONDS, asked, billed, decided, deployed, entered, posted, stripe_error
from tests.played.template_cuts import TEMPLATE
from tests.sandbox import Sandbox

UNSEEN_HERE = {
    # Step Functions itself follows a Map Run by these; the sandbox's interpreter runs its children without them.
    "states:DescribeExecution", "states:StopExecution", "states:RedriveExecution",
    # And by these it writes results that are too large for one request.
    "s3:ListMultipartUploadParts", "s3:AbortMultipartUpload",
    # The vended-logs set that AWS's documentation prescribes for a state machine that logs.
    "logs:CreateLogDelivery", "logs:GetLogDelivery", "logs:UpdateLogDelivery", "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:DescribeResourcePolicies", "logs:DescribeLogGroups",
}  # fmt: skip
"""Of the state machine's role only."""


WAITING = {
    "ApprovalTimeoutSeconds": "20",
    "ReminderIntervalSeconds": "4",
    "EscalationAfterSeconds": "6",
    "Deputies": "dep@firm.example",
}


def _granted() -> dict[str, set[str]]:
    resources = yaml_parse(TEMPLATE)["Resources"]
    machine = resources["MonthlyBilling"]["Properties"]["DefinitionSubstitutions"]
    called = {"ApprovalPageFunction", "NoteTheBounceFunction"}
    names = {"MonthlyBilling", *called, *(name for name in machine if name.endswith("Function"))}
    granted: dict[str, set[str]] = {}
    for name in sorted(names):
        found: set[str] = set()
        for policy in resources[name]["Properties"].get("Policies", []):
            for statement in policy["Statement"] if isinstance(policy, dict) else []:
                if "Fn::If" in statement:
                    assert statement["Fn::If"][0] == "SettlementOn"
                    continue  # granted only where the settlement is on, which this day is not
                actions = statement["Action"]
                found |= {actions} if isinstance(actions, str) else set(actions)
        granted[name] = found - (UNSEEN_HERE if name == "MonthlyBilling" else set())
    return granted


@pytest.fixture(scope="module")
def used() -> Iterator[dict[str, set[str]]]:
    """By function's logical id (the state machine by its own), the actions that were asked for and allowed."""
    seen: dict[str, set[str]] = defaultdict(set)
    with deployed(firm(order(place) for place in range(1, 6)), parameters=WAITING) as sandbox:
        _watch(sandbox, seen)
        sandbox.stripe.faults.add(
            method="POST", path="^/v1/customers$", body="payables2%40", times=None, action=stripe_error("No.")
        )
        run, _ = billed(sandbox, only(1, 2))
        sandbox.stripe.faults.clear()
        sandbox.wait_for_end(sandbox.redrive(run), SECONDS)
        sandbox.netsuite.edit_line("SO-1", 1, quantity="5")
        sandbox.kill_at(1, "after", "TellTheTeamFunction", services=["sesv2"])
        billed(sandbox, only(1))
        first = sandbox.start(only(3))
        asking = sandbox.wait_for_approval(first, SECONDS)
        sandbox.wait_for_end(sandbox.start(only(3)), SECONDS)
        sandbox.ses.reports(asking[-1], "complaint")
        until(lambda: "states:SendTaskSuccess" in seen["NoteTheBounceFunction"])
        decided(sandbox, first, "reject")
        again = sandbox.redrive(first)
        mails = sandbox.wait_for_approval(again, SECONDS)
        sandbox.kill_at(1, "after", "ApprovalPageFunction", services=["dynamodb"]).k = 2
        posted(sandbox, sandbox.page_links(mails[0])[0], "approve", {"invoices": "1"})
        sandbox.wait_for_end(again, SECONDS)
        _left_alone(sandbox)
        sandbox.kill_at(1, "after", "AnnounceTheRequestFunction", services=["dynamodb"])
        unanswered = sandbox.start(only(4))
        asked(sandbox, unanswered)
        expire(sandbox, unanswered)
        decided(sandbox, sandbox.redrive(unanswered))
        decided(sandbox, sandbox.fire_schedule())
        sandbox.kill_at(1, "after", "TellOfTheFailureFunction", services=["dynamodb"])
        sandbox.wait_for_end(sandbox.start({"period": "May"}), SECONDS)
        yield seen


def _left_alone(sandbox: Sandbox) -> None:
    """Nobody answers: reminders, deputies; and a turn of the waiting that finds a decision."""
    run = sandbox.start({**only(5), "requestedBy": "dana@firm.example"})
    link = sandbox.page_links(sandbox.wait_for_approval(run, SECONDS)[0])[0]
    question = {"question": "Why in May?", "number": "1"}
    posted(sandbox, link, "question", question)
    until(lambda: {"Remind the approvers", "Ask the deputies"} <= set(entered(sandbox, run)))
    until(lambda: sandbox.is_waiting(run))
    posted(sandbox, link, "approve", {"invoices": "1"})
    sandbox.wait_for_end(run, SECONDS)
    turn = next(
        json.loads(event["taskScheduledEventDetails"]["parameters"])["Payload"]
        for event in sandbox.history(run)
        if "taskToken" in event.get("taskScheduledEventDetails", {}).get("parameters", "")
    )
    sandbox.invoke("AskForApprovalFunction", {**turn, "outcomeSoFar": "undecided"})


def _watch(sandbox: Sandbox, seen: dict[str, set[str]]) -> None:
    """Note what the front door lets through, for whom."""
    door = sandbox.aws.door
    judge = door._reason_against
    names = {role: name for name, role in _roles(sandbox).items()}

    def judged(caller: Any, access: Any) -> Any:
        reason = judge(caller, access)
        if reason is None:
            seen[caller.function or names.get(caller.role_arn, str(caller.role_arn))].add(access.action)
        return reason

    door._reason_against = judged  # type: ignore[method-assign]


def _roles(sandbox: Sandbox) -> dict[str, str]:
    client = sandbox.aws.client("stepfunctions")
    return {"MonthlyBilling": client.describe_state_machine(stateMachineArn=sandbox.state_machine_arn)["roleArn"]}


@pytest.mark.parametrize("role", sorted(_granted()))
def test_every_action_that_a_role_may_do_is_done_in_a_day(used: dict[str, set[str]], role: str) -> None:
    assert _granted()[role] - used[role] == set()
