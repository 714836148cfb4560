"""What the functions around the approval may do: votes are appended, never deleted, and nobody does more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

TEMPLATE = yaml_parse((Path(__file__).parents[2] / "template.yaml").read_text(encoding="utf-8"))
FUNCTIONS = {
    name: one["Properties"] for name, one in TEMPLATE["Resources"].items() if one["Type"] == "AWS::Serverless::Function"
}


def grants(function: str) -> list[tuple[str, str]]:
    """(action, resource as text) of everything that a function may do."""
    found = []
    for policy in FUNCTIONS[function].get("Policies", []):
        for given in policy["Statement"] if isinstance(policy, dict) else []:
            statement = given["Fn::If"][1] if "Fn::If" in given else given
            assert statement["Effect"] == "Allow"
            actions = statement["Action"]
            found += [(one, str(statement["Resource"])) for one in ([actions] if isinstance(actions, str) else actions)]
    return found


@pytest.mark.parametrize("function", sorted(FUNCTIONS))
def test_nobody_may_delete_or_rewrite_in_bulk_what_was_voted(function: str) -> None:
    about = {action for action, resource in grants(function) if "ApprovalsTable" in resource}
    assert about <= {
        "dynamodb:GetItem",
        "dynamodb:Query",
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
        "dynamodb:ConditionCheckItem",
        "dynamodb:DescribeTable",
        "dynamodb:DescribeContinuousBackups",
    }


def test_the_page_can_complete_a_task_write_votes_and_mail_codes_and_questions_and_nothing_else() -> None:
    allowed: dict[str, set[str]] = {}
    for action, resource in grants("ApprovalPageFunction"):
        allowed.setdefault(action, set()).add(resource)
    # What it writes is the approvals table; of the ledger it reads entries, to count the drafts.
    expected = {
        "dynamodb:Query": ["ApprovalsTable"],
        "dynamodb:PutItem": ["ApprovalsTable"],
        "dynamodb:UpdateItem": ["ApprovalsTable"],
        "dynamodb:ConditionCheckItem": ["ApprovalsTable"],
        "dynamodb:BatchGetItem": ["LedgerTable"],
        "s3:GetObject": ["/runs/*/batch.json", "/runs/*/report.html"],
        "secretsmanager:GetSecretValue": ["SigningSecret"],
        "ses:SendEmail": ["identity/*", "MailConfigurationSet"],
        "ses:SendRawEmail": ["identity/*", "MailConfigurationSet"],
        "kms:Decrypt": ["TaskTokenKey"],
        "states:SendTaskSuccess": ["*"],
    }
    assert set(allowed) == set(expected)
    for action, resources in allowed.items():
        assert len(resources) <= len(expected[action]), action
        for named in expected[action]:
            assert any(named in text for text in resources), (action, resources)
    layers = str(FUNCTIONS["ApprovalPageFunction"]["Layers"])
    assert "Stripe" not in layers
    assert "NetSuite" not in layers


def test_what_closes_the_run_writes_how_it_ended_and_cannot_touch_what_was_voted() -> None:
    statements = [one for policy in FUNCTIONS["CloseTheRunFunction"]["Policies"] for one in policy["Statement"]]
    writing = [
        one
        for one in statements
        if "ApprovalsTable" in str(one["Resource"]) and not {"dynamodb:GetItem", "dynamodb:Query"} & {*one["Action"]}
    ]
    assert [one["Action"] for one in writing] == ["dynamodb:PutItem"]
    assert writing[0]["Condition"] == {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": "END#*"}}


def test_what_tells_the_team_signs_links_and_writes_no_row_about_an_approval() -> None:
    allowed = grants("TellTheTeamFunction")
    assert not [action for action, resource in allowed if "ApprovalsTable" in resource]
    assert any("SigningSecret" in resource for _, resource in allowed)


def test_what_hears_of_bounces_cannot_read_the_signing_keys_so_it_cannot_vote() -> None:
    assert {action for action, _ in grants("NoteTheBounceFunction")} == {
        "dynamodb:Query",
        "dynamodb:PutItem",
        "kms:Decrypt",
        "states:SendTaskSuccess",
    }


def test_that_an_address_is_lost_is_written_by_who_hears_of_it_and_by_who_asks() -> None:
    """The row BOUNCE# is a new item. Who reminds only hears of it from the table, and who shows the page mails codes
    and questions, which ask nobody to sign."""
    mailing = {name for name in FUNCTIONS if any(action == "ses:SendEmail" for action, _ in grants(name))}
    assert mailing == {
        "ApprovalPageFunction",
        "AskForApprovalFunction",
        "RemindTheApproversFunction",
        "TellOfTheFailureFunction",
        "TellTheTeamFunction",
    }
    writing = {
        name
        for name in FUNCTIONS
        if any(action == "dynamodb:PutItem" and "ApprovalsTable" in resource for action, resource in grants(name))
    }
    assert writing & mailing == {"AskForApprovalFunction", "ApprovalPageFunction"}
    assert "NoteTheBounceFunction" in writing


def test_mails_report_bounces_and_complaints_and_track_nobody() -> None:
    destination: dict[str, Any] = TEMPLATE["Resources"]["MailFailuresDestination"]["Properties"]["EventDestination"]
    assert set(destination["MatchingEventTypes"]) == {"bounce", "complaint", "reject"}
    assert "TrackingOptions" not in TEMPLATE["Resources"]["MailConfigurationSet"]["Properties"]


def test_the_http_api_is_throttled_and_logs_the_route_and_never_the_path() -> None:
    api = TEMPLATE["Resources"]["ApprovalApi"]["Properties"]
    assert api["DefaultRouteSettings"]["ThrottlingRateLimit"] <= 20
    logged = api["AccessLogSettings"]["Format"]
    assert "$context.routeKey" in logged
    for leaking in ("$context.path", "$context.httpMethod", "queryString", "requestOverride", "$request"):
        assert leaking not in logged


def test_alarms_hear_of_runs_that_wait_and_of_a_page_that_fails() -> None:
    alarms = {name: one["Properties"] for name, one in TEMPLATE["Resources"].items() if one["Type"].endswith("::Alarm")}
    waits = alarms["RunWaitsAlarm"]
    assert (waits["Namespace"], waits["MetricName"]) == ("AWS/Lambda", "Invocations")
    assert waits["Dimensions"] == [{"Name": "FunctionName", "Value": {"Ref": "RemindTheApproversFunction"}}]
    watched = {one["MetricStat"]["Metric"]["MetricName"] for one in alarms["ApprovalPageFailingAlarm"]["Metrics"][1:]}
    exchange = Path(__file__).parents[2] / "layers/billing/billing/workflows/approval_page/approval_exchange.py"
    code = exchange.read_text(encoding="utf-8")
    ours = {"ApprovalPagesFailed", "RunsNotWoken"}
    assert watched == ours | {"Errors", "Throttles", "5xx"}, "what we say, and what only Lambda and the API can say"
    for metric in ours:
        assert f'"{metric}"' in code
    for name, alarm in alarms.items():
        assert alarm["TreatMissingData"] == "notBreaching", name
        assert "AlarmTopicArn" in str(alarm["AlarmActions"]), name
