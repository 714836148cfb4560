"""From SES to the function that hears of lost mail: each piece of the template is needed, and is missed by name.

Only the mail's own resources are deployed, and one mail is sent with the role of the function that asks.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.approval.asked import until
from tests.played import template_cuts as cut
from tests.played.firm import firm, order
from tests.played.story import deployed
from tests.sandbox import DeployError, Sandbox
from tests.sandbox.aws.ses import MailEvent

MAIL = cut.only(
    "AskForApprovalFunction", "NoteTheBounceFunction", "ApprovalApi", "ApprovalsTable", "RunsTable", "RunsBucket",
    "SigningSecret", "TaskTokenKey", "MailConfigurationSet", "MailFailures", "MailFailuresPolicy",
    "MailFailuresDestination", "BillingLayer", "PowertoolsLayer", "PagesLayer", "FunctionLogs", "AccessLogs",
    "LostBounces", "LostBouncesPolicy", "NetworkIsLeftAlone",
)  # fmt: skip
SUBSCRIBED = """\
      Events:
        Bounced:
          Type: SNS
          Properties:
            Topic: !Ref MailFailures
            RedrivePolicy: { deadLetterTargetArn: !GetAtt LostBounces.Arn }
"""
SUBSCRIPTION = """\
  BouncedSubscription:
    Type: AWS::SNS::Subscription
    Properties:
      TopicArn: !Ref MailFailures
      Protocol: lambda
      Endpoint: !GetAtt NoteTheBounceFunction.Arn
      RedrivePolicy: { deadLetterTargetArn: !GetAtt LostBounces.Arn }
"""
PERMISSION = """\
  BouncedPermission:
    Type: AWS::Lambda::Permission
    Properties:
      Action: lambda:InvokeFunction
      FunctionName: !Ref NoteTheBounceFunction
      Principal: sns.amazonaws.com
      SourceArn: {source}
"""


def _with(subscription: str, permission: str) -> str:
    """The template with what SAM makes of the function's event written out, so that a part of it can be left out."""
    return cut.replaced(MAIL, SUBSCRIBED, "") + subscription + permission


def _event(tmp_path: Path, text: str, look: Callable[[Sandbox], None] = lambda sandbox: None) -> MailEvent:
    """What becomes of the report about a mail that bounces; `look` is given the sandbox after it."""
    with deployed(firm([order(1)]), template=cut.write(tmp_path, text)) as sandbox:
        asking = sandbox.aws.functions.settings("AskForApprovalFunction")
        sandbox.aws.client_as("sesv2", asking.role_arn).send_email(
            FromEmailAddress=asking.environment["SENDER_EMAIL"],
            Destination={"ToAddresses": ["bounce@simulator.amazonses.com"]},
            Content={"Raw": {"Data": b"From: billing@firm.example\r\nSubject: Hello\r\n\r\nHello."}},
            ConfigurationSetName=asking.environment["MAIL_CONFIGURATION_SET"],
        )
        (event,) = sandbox.ses.events
        look(sandbox)
        return event


def _without(resource: str) -> str:
    return cut.replaced(MAIL, cut.block(resource), "").replace(f"    DependsOn: {resource}\n", "")


@pytest.mark.parametrize(
    "text",
    [MAIL, _with(SUBSCRIPTION, PERMISSION.format(source="!Ref MailFailures"))],
    ids=["as it is", "SAM's part written out"],
)
def test_with_every_piece_a_bounce_reaches_the_function(tmp_path: Path, text: str) -> None:
    event = _event(tmp_path, text)
    assert (event.heard, event.lost) == (("NoteTheBounceFunction",), ())


@pytest.mark.parametrize(
    ("text", "missed"),
    [
        (_with(SUBSCRIPTION, ""), "no AWS::Lambda::Permission lets sns.amazonaws.com invoke"),
        (
            _with(SUBSCRIPTION, PERMISSION.format(source='!Sub "${MailFailures}-of-others"')),
            "no AWS::Lambda::Permission lets sns.amazonaws.com invoke",
        ),
        (_with("", PERMISSION.format(source="!Ref MailFailures")), "nobody is subscribed"),
        (_without("MailFailuresPolicy"), "no resource-based policy lets ses.amazonaws.com perform sns:Publish"),
        (
            cut.replaced(MAIL, "Principal: { Service: ses.amazonaws.com }", "Principal: { Service: s3.amazonaws.com }"),
            "no resource-based policy lets ses.amazonaws.com perform sns:Publish",
        ),
        (
            cut.replaced(MAIL, '"AWS:SourceAccount": !Ref AWS::AccountId', '"AWS:SourceAccount": "999999999999"'),
            "no resource-based policy lets ses.amazonaws.com perform sns:Publish",
        ),
        (_without("MailFailuresDestination"), "no enabled event destination"),
        (cut.replaced(MAIL, "        Enabled: true\n        Matching", "        Matching"), "no enabled event dest"),
        (cut.replaced(MAIL, "[bounce, complaint, reject]", "[complaint, reject]"), "matches bounce"),
    ],
    ids=[
        "permission", "permission for this topic", "subscription", "topic policy", "topic policy for SES",
        "topic policy for this account", "event destination", "enabled event destination", "event type",
    ],
)  # fmt: skip
def test_a_piece_that_is_taken_away_is_missed_by_name(tmp_path: Path, text: str, missed: str) -> None:
    event = _event(tmp_path, text)
    assert event.heard == ()
    assert missed in " ".join(event.lost)


@pytest.mark.parametrize(
    ("resource", "needs"),
    [("MailConfigurationSet", "MailConfigurationSet"), ("MailFailures", "MailFailures")],
)
def test_what_others_refer_to_cannot_be_taken_away(tmp_path: Path, resource: str, needs: str) -> None:
    with pytest.raises(DeployError, match=needs):
        _event(tmp_path, _without(resource))


def test_a_mail_that_names_another_configuration_set_is_reported_by_nobody(tmp_path: Path) -> None:
    """As when the function that asks is given another set than the one that has the event destination."""
    other = "  OtherSet:\n    Type: AWS::SES::ConfigurationSet\n    Properties: {}\n"
    function = cut.block("AskForApprovalFunction")
    text = cut.replaced(MAIL, function, function.replace("MailConfigurationSet", "OtherSet")) + other
    event = _event(tmp_path, text)
    assert event.heard == ()
    assert "no enabled event destination of the configuration set" in " ".join(event.lost)


def _put_aside(sandbox: Sandbox) -> list[dict[str, Any]]:
    url = sandbox.stack.resources["LostBounces"].ref
    found = sandbox.aws.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
    return [json.loads(message["Body"]) for message in found.get("Messages", [])]


def test_a_report_that_sns_cannot_deliver_is_put_aside_whole(tmp_path: Path) -> None:
    kept: list[dict[str, Any]] = []
    event = _event(tmp_path, _with(SUBSCRIPTION, ""), lambda sandbox: kept.extend(_put_aside(sandbox)))
    assert event.heard == ()
    assert [json.loads(one["Message"])["bounce"]["bounceType"] for one in kept] == ["Permanent"]


def test_a_report_that_the_function_cannot_note_is_put_aside_after_three_attempts(tmp_path: Path) -> None:
    kept: list[dict[str, Any]] = []

    def look(sandbox: Sandbox) -> None:
        until(lambda: _put_aside(sandbox) != [])
        kept.extend(_put_aside(sandbox))

    function = cut.block("NoteTheBounceFunction")
    text = cut.replaced(MAIL, function, function.replace("APPROVALS_TABLE: !Ref", "APPROVALS: !Ref"))
    assert _event(tmp_path, text, look).heard == ("NoteTheBounceFunction",)
    (one,) = kept
    assert one["requestContext"]["condition"] == "RetriesExhausted"
    assert "bounce" in one["requestPayload"]["Records"][0]["Sns"]["Message"]
