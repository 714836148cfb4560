"""Every alarm is raised by what it watches, through the deployed template; a good month raises none. What only AWS can
measure is emitted. Each speaks in Slack with its runbook page, once however often it is delivered, and without amounts.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives import serialization

from tests.approval.asked import until
from tests.played.alarm_tower import AlarmTower
from tests.played.firm import firm, only, order
from tests.played.story import SECONDS, billed, deployed
from tests.sandbox import Run, Sandbox
from tests.sandbox.aws import notifications
from tests.sandbox.aws.errors import SandboxError
from tests.sandbox.http_messages import Request
from tests.sandbox.netsuite.credentials import certificate_for
from tests.sandbox.slack import Refuse

RUNBOOK = "https://git.example/firm/billing/blob/main/docs/runbook"
WATCH = "WatchTheStackFunction"
EMITTED = {
    "RunOverdueAlarm": ("MonthEndBilling", "RunsOverdue"),
    "EventsWaitAlarm": ("AWS/SQS", "ApproximateAgeOfOldestMessage"),
    "EventsPileUpAlarm": ("AWS/SQS", "ApproximateNumberOfMessagesVisible"),
    "RunThrottledBeforeApprovalAlarm": ("AWS/Lambda", "Throttles"),
    "RunThrottledAfterApprovalAlarm": ("AWS/Lambda", "Throttles"),
    "SettlementThrottledAlarm": ("AWS/Lambda", "Throttles"),
}
"""What the sandbox cannot bring about; the hourly watch's own count of overdue runs is proved beside its rules."""


@dataclass
class Month:
    """What was raised by what happened, by alarm, and what a good month has raised."""

    sandbox: Sandbox
    tower: AlarmTower
    good: set[str] = field(default_factory=set)
    raised: set[str] = field(default_factory=set)

    def rings(self, *alarms: str) -> None:
        """These alarms are raised in this period; a new one begins."""
        until(lambda: set(alarms) <= self.tower.raised())
        self.raised |= set(alarms)
        self.tower.mark()

    def watch(self) -> None:
        self.sandbox.invoke(WATCH, {})


@contextmanager
def refused(sandbox: Sandbox, function: str, action: str) -> Iterator[None]:
    """IAM refuses this function's actions that begin so."""
    door: Any = sandbox.aws.door
    judge = door._reason_against

    def judged(caller: Any, access: Any) -> Any:
        if caller.function == function and access.action.startswith(action):
            return "because a test took it away"
        return judge(caller, access)

    door._reason_against = judged
    try:
        yield
    finally:
        del door._reason_against


@pytest.fixture(scope="module")
def month() -> Iterator[Month]:
    parameters = {
        "Settlement": "on",
        "WrongLinksAlarm": "2",
        "RunbookUrl": RUNBOOK,
    }
    with deployed(firm(order(place) for place in range(1, 6)), parameters=parameters) as sandbox:
        played = Month(sandbox, AlarmTower(sandbox))
        _play_a_good_month(played)
        _play_what_goes_wrong_with_runs(played)
        _play_what_goes_wrong_while_one_waits(played)
        _play_what_goes_wrong_in_the_settlement(played)
        _play_what_nobody_would_see(played)
        yield played


def _play_a_good_month(month: Month) -> None:
    billed(month.sandbox, only(1))
    month.sandbox.settle()
    month.watch()
    month.good = month.tower.raised()
    month.tower.mark()


def _play_what_goes_wrong_with_runs(month: Month) -> None:
    sandbox = month.sandbox
    assert sandbox.wait_for_end(sandbox.start({"period": "May"}), SECONDS).error == "InputInvalid"
    month.rings("RunFailedAlarm")
    sandbox.slack.faults.add(action=Refuse("invalid_auth"), times=None)
    sandbox.wait_for_end(sandbox.start({"period": "May"}), SECONDS)
    sandbox.slack.faults.clear()
    month.rings("MessagesNotSentAlarm")

    done = threading.Event()

    def meddle(request: Request) -> None:
        found = re.fullmatch(r"/v1/invoices/(in_\w+)", request.path)
        if request.method == "GET" and found and not done.is_set():
            done.set()
            sandbox.stripe.add_line(found[1], description="A person's own line", amount=777)

    stop = sandbox.stripe.faults.on_call(meddle)
    billed(sandbox, only(2))
    stop()
    month.rings("DraftsDifferAlarm")

    def no_start(role: str, access: Any) -> str | None:
        return "no" if access.action == "states:StartExecution" else allows(role, access)

    door: Any = sandbox.aws.door
    allows = door.allows
    door.allows = no_start
    with pytest.raises(SandboxError):
        sandbox.fire_schedule()
    del door.allows
    month.rings("ScheduleLostAlarm")


def _play_what_goes_wrong_while_one_waits(month: Month) -> None:
    sandbox = month.sandbox
    run = sandbox.start(only(3))
    mail = sandbox.wait_for_approval(run, SECONDS)[0]
    (link, *_) = sandbox.asking_links(mail)
    reminded = {"run": _run_state(sandbox, run), "byHand": True}
    assert sandbox.invoke("RemindTheApproversFunction", reminded)["mails"] == 2
    month.rings("RunWaitsAlarm")
    for _ in range(3):
        requests.get(link[:-4], timeout=60)
    month.rings("WrongLinksAlarmRaised")
    with refused(sandbox, "ApprovalPageFunction", "s3:GetObject"):
        assert requests.get(link, timeout=60).status_code >= 500
    month.rings("ApprovalPageFailingAlarm")
    with refused(sandbox, "NoteTheBounceFunction", "dynamodb:"):
        sandbox.ses.reports(mail, "permanent")
        month.rings("BouncesNotNotedAlarm")
    sandbox.ses.reports(mail, "permanent")
    month.rings("MailLostAlarm")
    sandbox.stop(run)
    month.rings("RunAbortedAlarm")


def _run_state(sandbox: Sandbox, run: Run) -> Any:
    """The run as its states hand it on, which `oncall remind` reads as well."""
    scheduled = [one["taskScheduledEventDetails"] for one in sandbox.history(run) if "taskScheduledEventDetails" in one]
    return json.loads(scheduled[-1]["parameters"])["Payload"]["run"]


def _play_what_goes_wrong_in_the_settlement(month: Month) -> None:
    sandbox = month.sandbox
    steps, machine = sandbox.aws.client("stepfunctions"), sandbox.stack.resources["Settlements"].ref
    started = steps.start_execution(stateMachineArn=machine, input='{"root": "in_nobodys"}')
    steps.stop_execution(executionArn=started["executionArn"])
    month.rings("SettlementAbortedAlarm")
    steps.start_execution(stateMachineArn=machine, input="{}")
    month.rings("SettlementFailedAlarm")
    with suppress(Exception):
        sandbox.invoke("SweepForEventsFunction", {"unknown": 1})
    month.rings("SettlementDoorsFailingAlarm")
    with suppress(Exception):
        sandbox.invoke("ProveTheBooksFunction", {"unknown": 1})
    month.rings("ProofFailingAlarm")
    sandbox.aws.client("sqs").send_message(
        QueueUrl=sandbox.stack.resources["LostEvents"].ref,
        MessageBody="{}",
        MessageGroupId="in_1",
        MessageDeduplicationId="1",
    )
    month.rings("EventsLostAlarm")
    body = json.dumps(sandbox.settlement.event("invoice.paid", {"id": "in_1"}, livemode=True)).encode()
    assert sandbox.settlement.post(body) == 400
    month.rings("ForeignEventsAlarm")
    for _ in range(20):
        sandbox.settlement.post(body, "t=1,v1=00")
    month.rings("ForgedEventsAlarm")
    _park_an_object(sandbox)
    month.watch()
    month.rings("SettlementParkedAlarm")
    sandbox.stripe.hold_events()
    invoice = sandbox.drafts()[0]["id"]
    sandbox.breaks[f"S3: {invoice}"] = "its events are dropped, so that the books differ"
    sandbox.stripe.finalise(invoice)
    sandbox.prove("2026-06-01")
    sandbox.stripe.drop_events()
    month.rings("ProofDiffersAlarm")


def _park_an_object(sandbox: Sandbox) -> None:
    held_since = (sandbox.now() - timedelta(days=2)).isoformat()
    row = {"pk": "BELL#po_parked", "root": "po_parked", "kind": "payout", "list": "parked", "held_since": held_since}
    sandbox.aws.client("dynamodb").put_item(
        TableName=sandbox.stack.resources["SettlementTable"].ref,
        Item={**{name: {"S": value} for name, value in row.items()}, "wanted": {"N": "1"}, "done": {"N": "1"}},
    )


def _play_what_nobody_would_see(month: Month) -> None:
    sandbox = month.sandbox
    with refused(sandbox, WATCH, "scheduler:"):
        month.watch()
    month.rings("WatchFailingAlarm")
    secrets = sandbox.aws.client("secretsmanager")
    credentials = json.loads(secrets.get_secret_value(SecretId="sandbox/netsuite")["SecretString"])
    key: Any = serialization.load_pem_private_key(credentials["private_key"].encode(), None)
    ending = certificate_for(key, sandbox.now() - timedelta(days=700), 730).decode()
    secrets.put_secret_value(
        SecretId="sandbox/netsuite", SecretString=json.dumps({**credentials, "certificate": ending})
    )
    sandbox.clock.advance(timedelta(minutes=10))
    month.watch()
    month.rings("CertificateEndsAlarm")
    sandbox.clock.move_to(datetime(2026, 7, 1, 20, 1, tzinfo=UTC))
    month.watch()
    month.rings("ScheduleMissedAlarm")
    for name, (namespace, metric) in EMITTED.items():
        alarm = month.tower.alarms()[name]
        watched = next(one for one in month.tower.watched(alarm) if one[:2] == (namespace, metric))
        month.tower.emit(watched, max(1.0, alarm["Threshold"]))
        month.rings(name)


def test_a_good_month_raises_no_alarm(month: Month) -> None:
    assert month.good == set()


def test_every_alarm_is_raised_by_what_it_watches(month: Month) -> None:
    assert set(month.tower.alarms()) - month.raised == set()


def _spoken(month: Month, name: str, at: str) -> notifications.Delivery:
    """CloudWatch publishes to everything that the deployed alarm acts on."""
    alarm = month.tower.alarms()[name]
    (topic,) = alarm["AlarmActions"]
    said = {
        "AlarmName": alarm["AlarmName"],
        "AlarmDescription": alarm["AlarmDescription"],
        "NewStateValue": "ALARM",
        "NewStateReason": "Threshold Crossed: 1 datapoint [300.0 (01/06/26 13:00:00)] was greater than 1.0.",
        "StateChangeTime": at,
        "AlarmArn": alarm["AlarmArn"],
        "Region": "US East (N. Virginia)",
    }
    sandbox = month.sandbox
    return notifications.publish(
        sandbox.aws.deployed(), topic, "cloudwatch.amazonaws.com", alarm["AlarmArn"], f'ALARM: "{name}"',
        json.dumps(said), sandbox.clock(),
    )  # fmt: skip


def test_an_alarm_speaks_in_slack_once_with_the_way_to_its_runbook_page(month: Month) -> None:
    sandbox, before = month.sandbox, len(month.sandbox.posts())
    first, other, later = ("RunFailedAlarm", "20:01"), ("ProofDiffersAlarm", "20:01"), ("RunFailedAlarm", "21:00")
    for told, (name, at) in enumerate((first, first, other, later)):  # SNS delivers at least once
        delivery = _spoken(month, name, f"2026-07-01T{at}:00.000+0000")
        assert (delivery.heard, delivery.lost) == (["TellOfTheAlarmFunction"], [])
        until(lambda so_far=told: _told(month) > so_far)
    posts = [json.dumps(one) for one in sandbox.posts()[before:]]
    pages = [re.findall(r"docs/runbook/(alarms/\w+)\.md\|Runbook", post) for post in posts]
    assert pages == [["alarms/RunFailedAlarm"], ["alarms/ProofDiffersAlarm"], ["alarms/RunFailedAlarm"]]
    assert RUNBOOK in posts[0]
    assert f"ALARM: {month.tower.alarms()['RunFailedAlarm']['AlarmName']}" in posts[0]
    assert "300.0" not in "".join(posts)


def test_every_alarm_acts_on_the_topic_that_slack_hears(month: Month) -> None:
    topic = month.sandbox.stack.outputs["AlarmTopic"]
    assert {tuple(alarm["AlarmActions"]) for alarm in month.tower.alarms().values()} == {(topic,)}


def _told(month: Month) -> int:
    return sum('"AlarmsTold"' in line for _, line in month.sandbox.logs("TellOfTheAlarmFunction"))


def test_the_dashboard_shows_what_the_stack_has_and_nothing_else(month: Month) -> None:
    """Every name of a function, queue or machine in it is deployed, and every metric of ours is emitted."""
    sandbox = month.sandbox
    body = sandbox.aws.client("cloudwatch").get_dashboard(DashboardName=sandbox.stack.outputs["DashboardName"])
    widgets = json.loads(body["DashboardBody"])["widgets"]
    deployed_names = {one.ref for one in sandbox.stack.resources.values()} | {
        str(value) for one in sandbox.stack.resources.values() for value in one.attributes.values()
    }
    emitted = {
        metric["Name"]
        for _, line in sandbox.logs()
        if '"_aws"' in line
        for measured in json.loads(line)["_aws"]["CloudWatchMetrics"]
        for metric in measured["Metrics"]
    }
    shown = [metric for widget in widgets for metric in widget["properties"]["metrics"]]
    for metric in shown:
        named = [part for part in metric if isinstance(part, str)]
        if named[0] == "MonthEndBilling":
            assert named[1] in emitted | _OF_RARE_FAILURES, metric
            assert named[2:] == ["service", sandbox.stack.outputs["DashboardName"]]
        elif len(named) == 4:
            assert named[3] in deployed_names, metric
    assert {(one["x"], one["y"]) for one in map(dict, widgets)} == {
        (x, y) for y in range(0, 24, 6) for x in (0, 8, 16)
    } | {(0, 24)}


_OF_RARE_FAILURES = {"MessagesDelayed", "RunsNotWoken", "PassingError"}
"""Counted where a call is refused for now or a callback is lost, which does not happen in this month."""
