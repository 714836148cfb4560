"""An asynchronous invocation is tried three times, as Lambda does it, and what it is told comes in AWS's form."""

from __future__ import annotations

import base64
import json

from tests.approval.asked import until
from tests.sandbox.aws.frontdoor import SentMail
from tests.sandbox.aws.ses_events import Place, event_data
from tests.sandbox_tests.aws.small_world import small_sandbox


def test_a_function_that_fails_is_tried_three_times_and_one_that_passes_no_more() -> None:
    with small_sandbox(retry_delay_scale=0.001) as sandbox:
        functions = sandbox.aws.client("lambda")
        for do in ("fail", "pass later"):
            event = json.dumps({"event": {"do": do}}).encode()
            functions.invoke(
                FunctionName=sandbox.stack.resources["NoteFunction"].ref, InvocationType="Event", Payload=event
            )

        def tries(do: str) -> int:
            return sum(1 for _, line in sandbox.logs("NoteFunction") if json.dumps({"doing": do})[:-1] in line)

        until(lambda: (tries("fail"), tries("pass later")) == (3, 2))


def test_a_record_has_the_fields_that_sess_guide_lists() -> None:
    raw = b"From: Billing <billing@firm.example>\r\nTo: ann@firm.example\r\nSubject: Approve\r\n\r\nHello."
    sent = SentMail(
        1_780_000_000.5,
        {
            "FromEmailAddress": "billing@firm.example",
            "Destination": {"ToAddresses": ["ann@firm.example"]},
            "Content": {"Raw": {"Data": base64.b64encode(raw).decode()}},
            "ConfigurationSetName": "set",
            "EmailTags": [{"Name": "request", "Value": "r1"}],
        },
        "mail-1",
        "asking",
    )
    place = Place("us-east-1", "123456789012")
    bounce = event_data(sent, "permanent", ["ann@firm.example"], 1_780_000_060.0, place)
    assert bounce["eventType"] == "Bounce"
    assert set(bounce["bounce"]) == {
        "feedbackId", "bounceType", "bounceSubType", "bouncedRecipients", "timestamp", "reportingMTA",
    }  # fmt: skip
    assert set(bounce["mail"]) == {
        "timestamp", "source", "sourceArn", "sendingAccountId", "messageId", "destination", "headersTruncated",
        "headers", "commonHeaders", "tags",
    }  # fmt: skip
    assert bounce["mail"]["timestamp"] == "2026-05-28T20:26:40.500Z"
    assert bounce["mail"]["source"] == "Billing <billing@firm.example>"
    assert bounce["mail"]["tags"]["request"] == ["r1"]
    assert bounce["mail"]["tags"]["ses:configuration-set"] == ["set"]
    assert event_data(sent, "transient", [], 0, place)["bounce"]["bounceType"] == "Transient"
    complaint = event_data(sent, "complaint", ["ann@firm.example"], 1_780_000_060.0, place)
    assert complaint["complaint"]["complainedRecipients"] == [{"emailAddress": "ann@firm.example"}]
    assert event_data(sent, "reject", [], 0, place)["reject"] == {"reason": "Bad content"}
