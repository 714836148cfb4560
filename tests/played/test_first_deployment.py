"""What a failed first deployment leaves behind, what stays when the stack goes, and that two stacks share nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from tests.played.firm import firm, only, order
from tests.played.story import SECONDS, deployed, entered, live
from tests.played.template_cuts import TEMPLATE
from tests.sandbox import Sandbox

RESOURCES: dict[str, dict[str, Any]] = yaml_parse(TEMPLATE)["Resources"]
KEEPS = ("AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::SecretsManager::Secret", "AWS::KMS::Key")
LONG = "month-end-billing-of-northwind-advisory-for-europe-and-asia-prod"
"""64 characters: with "-monthly-billing" the name of the state machine has the 80 that Step Functions takes."""


def of_type(*kinds: str) -> dict[str, dict[str, Any]]:
    return {name: one for name, one in RESOURCES.items() if one["Type"] in kinds}


def test_what_a_firm_must_not_lose_stays_with_what_verifies_it_unless_its_creation_failed() -> None:
    kept = of_type(*KEEPS)
    assert {one["Type"] for one in kept.values()} == set(KEEPS)
    for name, one in kept.items():
        assert (one["DeletionPolicy"], one["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain"), name


def test_every_table_can_be_protected_once_the_stack_stands() -> None:
    for name, one in of_type("AWS::DynamoDB::Table").items():
        assert one["Properties"]["DeletionProtectionEnabled"] == {"Fn::If": ["ProtectsTables", True, False]}, name


def test_a_link_that_signs_is_never_sent_in_the_clear() -> None:
    assert RESOURCES["MailConfigurationSet"]["Properties"]["DeliveryOptions"] == {"TlsPolicy": "REQUIRE"}


def test_step_functions_may_write_and_follow_a_map_run_as_its_guide_says() -> None:
    """ "IAM policies for using Distributed Map state" (Step Functions guide)."""
    allowed: dict[str, set[str]] = {}
    for policy in RESOURCES["MonthlyBilling"]["Properties"]["Policies"]:
        for one in policy["Statement"]:
            actions = one["Action"] if isinstance(one["Action"], list) else [one["Action"]]
            for action in actions:
                allowed.setdefault(action, set()).add(str(one["Resource"]))
    for action in ("s3:PutObject", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:AbortMultipartUpload"):
        assert any("/runs/*/map/*" in where for where in allowed[action]), action
    for action in ("states:DescribeExecution", "states:StopExecution"):
        assert any("-monthly-billing:*" in where for where in allowed[action]), action
    assert any("-monthly-billing/*" in where for where in allowed["states:RedriveExecution"])


def test_every_function_outside_the_state_machines_has_an_alarm_on_errors_and_on_throttles() -> None:
    machines = of_type("AWS::Serverless::StateMachine")
    states = {name for one in machines.values() for name in one["Properties"]["DefinitionSubstitutions"]}
    by_hand = {
        "CheckTheParametersFunction",
        "ExamineTheSetupFunction",
        "FindTheOrphansFunction",
        "EndTheOrderFunction",
        "SettleTheCustomerFunction",
    }
    watched: dict[str, set[str]] = {"Errors": set(), "Throttles": set()}
    for alarm in of_type("AWS::CloudWatch::Alarm").values():
        for metric in alarm["Properties"].get("Metrics", []):
            said = metric.get("MetricStat", {}).get("Metric", {})
            if said.get("Namespace") == "AWS/Lambda":
                watched[said["MetricName"]] |= {one["Value"]["Ref"] for one in said["Dimensions"]}
    functions = set(of_type("AWS::Serverless::Function")) - by_hand
    assert watched["Throttles"] >= functions
    # A state's error is tried again or ends its execution red, which its own alarm hears of.
    assert watched["Errors"] >= functions - states


def test_an_alarm_adds_up_no_more_metrics_than_cloudwatch_lets_it() -> None:
    for name, alarm in of_type("AWS::CloudWatch::Alarm").items():
        assert len([one for one in alarm["Properties"].get("Metrics", []) if "MetricStat" in one]) <= 10, name


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with deployed(
        firm(order(place) for place in range(1, 4)), stack_name=LONG, parameters={"TableProtection": "on"}
    ) as opened:
        yield opened


def test_a_stack_with_a_long_name_deploys_and_every_name_carries_it(sandbox: Sandbox) -> None:
    schedules = sandbox.aws.client("scheduler").list_schedules()["Schedules"]
    assert schedules
    assert all(len(one["Name"]) <= 64 for one in schedules)
    layers = {one["LayerName"] for one in sandbox.aws.client("lambda").list_layers()["Layers"]}
    assert len(layers) == 6
    assert all(name.startswith(LONG) for name in layers)
    tables = sandbox.aws.client("dynamodb")
    for name in tables.list_tables()["TableNames"]:
        assert tables.describe_table(TableName=name)["Table"]["DeletionProtectionEnabled"] is True


def test_a_run_whose_orders_all_changed_starts_no_map(sandbox: Sandbox) -> None:
    run = sandbox.start(only(1))
    mails = sandbox.wait_for_approval(run, SECONDS)
    sandbox.netsuite.edit_line("SO-1", 1, quantity="5")
    sandbox.answer(mails[0], "approve")
    result = sandbox.wait_for_end(run, SECONDS)
    assert "Draft the invoices" not in entered(sandbox, run)
    assert live(sandbox, 1) == []
    report = sandbox.report(run)
    assert (report["listed"], report["counts"]["drafted"], report["counts"]["held"]) == (1, 0, 1)
    assert result.status in ("SUCCEEDED", "FAILED")
