"""Two firms in one AWS account: a stack touches nothing of the other's.

The second stack's name is the worst that there could be: the first one's state machine for settlements has it, and it
begins with the first one's name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.oncall.spoken import typed
from tests.played.firm import PERIOD, firm, order
from tests.played.story import SECONDS, deployed, posted
from tests.sandbox import Mail, Sandbox
from tests.sandbox.aws.iam.evaluate import matches
from tests.sandbox.sandbox import Run

FIRST, SECOND = "month-end", "month-end-settlement"
ACCOUNTS_OWN = {
    # IAM knows no resource for these, or what they are about is the account's and no stack's.
    "states:SendTaskSuccess", "ses:GetAccount", "ses:GetEmailIdentity", "ses:SendEmail", "ses:SendRawEmail",
    "xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:GetSamplingRules", "xray:GetSamplingTargets",
    "xray:GetSamplingStatisticSummaries", "logs:CreateLogDelivery", "logs:GetLogDelivery",
    "logs:UpdateLogDelivery", "logs:DeleteLogDelivery", "logs:ListLogDeliveries", "logs:PutResourcePolicy",
    "logs:DescribeResourcePolicies", "logs:DescribeLogGroups", "logs:CreateLogGroup", "logs:CreateLogStream",
    "logs:PutLogEvents",
}  # fmt: skip


@dataclass(frozen=True)
class Played:
    """Both waited for their approvers at the same time. Then a page link of each was tried at the other one's address,
    and the first run alone was approved; the second one still waits."""

    first: Sandbox
    second: Sandbox
    run: Run
    waiting: Run
    asked: tuple[Mail, Mail]
    strangers: tuple[int, int]
    before: bytes
    after: bytes


def _store(sandbox: Sandbox) -> bytes:
    return sandbox.dump() + repr(sandbox.slack.posts).encode()


@pytest.fixture(scope="module")
def played() -> Iterator[Played]:
    settles = {"Settlement": "on"}
    with (
        deployed(firm([order(1)]), parameters=settles, stack_name=FIRST) as first,
        Sandbox(
            firm([order(1), order(2)]), parameters=settles, stack_name=SECOND, retry_delay_scale=0.02, beside=first
        ) as second,
        pytest.MonkeyPatch.context() as patched,
    ):
        for name, value in first.aws.environment().items():
            patched.setenv(name, value)
        patched.delenv("ONCALL_STACK", raising=False)
        run, waiting = first.fire_schedule(), second.fire_schedule()
        asked = (first.wait_for_approval(run, SECONDS)[0], second.wait_for_approval(waiting, SECONDS)[0])
        before = _store(second)
        strangers = (_at_the_other(first, asked[0], second), _at_the_other(second, asked[1], first))
        first.answer(asked[0], "approve")
        assert first.wait_for_end(run, SECONDS).status == "SUCCEEDED"
        yield Played(first, second, run, waiting, asked, strangers, before, _store(second))


def _at_the_other(own: Sandbox, mail: Mail, other: Sandbox) -> int:
    """The status of a vote for one stack that is sent to the other one's page."""
    link = own.page_links(mail)[0]
    token = urlsplit(link).path.rpartition("/")[2]
    return posted(other, f"{other.stack.outputs['ApprovalUrl']}/approvals/{token}", "approve", {"invoices": "1"}).status


def _names(sandbox: Sandbox) -> dict[tuple[str, str], str]:
    """Physical names by type, of all that has a name in the account."""
    within_a_function = ("AWS::Lambda::Permission", "AWS::Lambda::EventSourceMapping", "Custom::", "::Stage")
    return {
        (kind, sandbox.stack.resources[logical_id].ref): logical_id
        for logical_id, kind in sandbox.stack.types.items()
        if not any(kind.startswith(part) or kind.endswith(part) for part in within_a_function)
    }


def _arns(sandbox: Sandbox) -> set[str]:
    resources = sandbox.stack.resources.values()
    found = {str(one.attributes["Arn"]).removesuffix(":*") for one in resources if "Arn" in one.attributes}
    return found | {one.ref for one in resources if one.ref.startswith("arn:")}


def _grants(sandbox: Sandbox) -> Iterator[tuple[str, str, str]]:
    """(role, action, resource) of every statement of the stack's roles."""
    for logical_id, role in sandbox.stack.of_type("AWS::IAM::Role").items():
        for statement in sandbox.aws.roles.statements(role.attributes["Arn"]):
            for action in _listed(statement["Action"]):
                # Network interfaces: SAM grants them, the roles' boundary keeps the code from them.
                for resource in _listed(statement["Resource"]) if not action.startswith("ec2:") else ():
                    yield logical_id, action, resource


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def test_no_resource_of_one_stack_has_a_name_of_the_others(played: Played) -> None:
    first, second = _names(played.first), _names(played.second)
    assert {kind for kind, _ in first} >= {
        "AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::Scheduler::Schedule", "AWS::Lambda::Function",
        "AWS::SQS::Queue", "AWS::SecretsManager::Secret", "AWS::CloudWatch::Alarm", "AWS::IAM::Role",
        "AWS::StepFunctions::StateMachine", "AWS::Logs::LogGroup", "AWS::SNS::Topic", "AWS::SES::ConfigurationSet",
        "AWS::Lambda::LayerVersion", "AWS::KMS::Key",
    }  # fmt: skip
    assert sorted(first.values()) == sorted(second.values())
    assert not set(first) & set(second)


def test_no_role_of_one_stack_reaches_a_resource_of_the_others(played: Played) -> None:
    for own, other in ((played.first, played.second), (played.second, played.first)):
        foreign = _arns(other)
        assert len(foreign) > 100
        reaching = {
            (role, action, pattern)
            for role, action, pattern in _grants(own)
            for arn in foreign
            if matches(pattern, arn) or pattern == arn or pattern.startswith((f"{arn}/", f"{arn}:"))
        }
        assert {action for _, action, _ in reaching} <= ACCOUNTS_OWN, reaching


def test_no_alarm_of_one_stack_watches_the_other(played: Played) -> None:
    def watched(sandbox: Sandbox) -> set[tuple[str, str, str]]:
        names = [one.ref for one in sandbox.stack.of_type("AWS::CloudWatch::Alarm").values()]
        alarms = []
        for start in range(0, len(names), 100):
            found = sandbox.aws.client("cloudwatch").describe_alarms(AlarmNames=names[start : start + 100])
            alarms += found["MetricAlarms"]
        assert len(alarms) == len(names)
        metrics = [alarm for alarm in alarms if "MetricName" in alarm]
        metrics += [one["MetricStat"]["Metric"] for alarm in alarms for one in alarm["Metrics"] if "MetricStat" in one]
        return {
            (metric["MetricName"], dimension["Name"], dimension["Value"])
            for metric in metrics
            for dimension in metric["Dimensions"]
        }

    first, second = watched(played.first), watched(played.second)
    assert len(first) > 40
    assert not first & second


def test_a_link_of_one_stack_is_refused_by_the_page_of_the_other(played: Played) -> None:
    assert played.strangers == (404, 404)
    votes = [row for row in played.second.tables()["ApprovalsTable"] if str(row["sk"]).startswith("VOTE#")]
    assert votes == []


def test_a_run_of_one_stack_leaves_everything_of_the_other_as_it_was(played: Played) -> None:
    assert played.after == played.before
    assert played.second.is_waiting(played.waiting)
    assert len(played.first.drafts()) == 1
    assert played.second.drafts() == []
    assert played.first.denials == []


def test_mails_of_each_lead_to_its_own_page_alone(played: Played) -> None:
    first, second = (urlsplit(one.stack.outputs["ApprovalUrl"]) for one in (played.first, played.second))
    assert first.path != second.path
    assert all(urlsplit(link).path.startswith(second.path) for link in played.second.page_links(played.asked[1]))
    assert not any(urlsplit(link).path.startswith(second.path) for link in played.first.page_links(played.asked[0]))


def test_the_command_line_of_one_stack_never_sees_a_run_of_the_other(played: Played) -> None:
    for own, other, stack in ((played.run, played.waiting, FIRST), (played.waiting, played.run, SECOND)):
        listed = typed(f"runs --stack {stack} --json")
        assert [one["name"] for one in listed.json["runs"]] == [own.name]
        for command in (f"run {other.name}", f"replay {other.name} --yes", f"replay {other.name} --new --yes"):
            assert typed(f"{command} --stack {stack} --json").code == 3, command
    assert played.second.is_waiting(played.waiting)


def test_both_periods_are_held_by_their_own_run(played: Played) -> None:
    def lock(sandbox: Sandbox) -> str:
        (row,) = [
            row
            for row in sandbox.tables()["RunsTable"]
            if row["sk"] == "LOCK" and str(row["pk"]).endswith(f"#{PERIOD}")
        ]
        return str(row)

    assert played.run.name in lock(played.first)
    assert played.waiting.name in lock(played.second)
