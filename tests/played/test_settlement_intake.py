"""The webhook's door through the deployed template: what is not Stripe's, or not this stack's, changes nothing."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator

import pytest

from tests.played.story import deployed
from tests.sandbox import Sandbox

SECRETS = ("whsec_old000000000000000000000000", "whsec_new000000000000000000000000")
BUS = "aws.partner/stripe.com/ed_test_1"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    parameters = {"Settlement": "on", "StripeEventBusName": BUS}
    with deployed("tiny", parameters=parameters, webhook_secrets=SECRETS) as opened:
        opened.settlement.hold_queue()
        yield opened


def finalised(sandbox: Sandbox, root: str, **fields: object) -> bytes:
    event = sandbox.settlement.event("invoice.finalized", {"id": root, "object": "invoice"}, **fields)
    return json.dumps(event).encode()


def queued(sandbox: Sandbox, body: bytes, signature: str | None = None) -> tuple[int, int]:
    """The status, and how many messages it put on the queue."""
    before = sandbox.settlement.queued()
    status = sandbox.settlement.post(body, signature)
    return status, sandbox.settlement.queued() - before


def metric(sandbox: Sandbox, name: str) -> int:
    """How often the function has counted this."""
    lines = [json.loads(line) for _, line in sandbox.logs("ReceiveTheEventFunction") if f'"{name}"' in line]
    return sum(int(sum(line[name])) if isinstance(line.get(name), list) else 0 for line in lines)


def test_a_signed_event_is_queued_as_ids_and_nothing_else(sandbox: Sandbox) -> None:
    event = sandbox.settlement.event(
        "invoice.finalized", {"id": "in_contents", "customer_email": "secret@client.example", "total": 987654}
    )
    assert queued(sandbox, json.dumps(event).encode()) == (200, 1)
    text = sandbox.settlement.messages()[-1]
    assert "in_contents" in text
    assert "secret@client.example" not in text
    assert "987654" not in text


@pytest.mark.parametrize("secret", SECRETS)
def test_while_a_secret_is_rolled_both_count(sandbox: Sandbox, secret: str) -> None:
    body = finalised(sandbox, f"in_{secret[6:9]}")
    assert queued(sandbox, body, sandbox.settlement.signature(body, [secret])) == (200, 1)
    assert queued(sandbox, body, sandbox.settlement.signature(body, ["whsec_other", secret]))[0] == 200


def test_a_forged_event_is_refused_and_counted(sandbox: Sandbox) -> None:
    body = finalised(sandbox, "in_forged")
    before = metric(sandbox, "EventsForged")
    good = sandbox.settlement.signature(body)
    forgeries = [
        sandbox.settlement.signature(body, ["whsec_wrong"]),
        sandbox.settlement.signature(body + b" "),
        good.replace("v1=", "v0="),
        good.partition(",")[2],
        good.partition(",")[0],
        "",
        "t=1,v1=",
        "t=-5,v1=00",
        "t=" + "9" * 400 + ",v1=00",
        "t=1,v1=\u00e9".encode().decode("latin-1"),
    ]
    for forgery in forgeries:
        assert queued(sandbox, body, forgery) == (400, 0), forgery[:60]
    assert metric(sandbox, "EventsForged") - before == len(forgeries)


@pytest.mark.parametrize(("age", "status"), [(290, 200), (310, 400), (-310, 400), (86_400, 400)])
def test_a_recording_that_is_played_back_is_stale_after_five_minutes(sandbox: Sandbox, age: int, status: int) -> None:
    body = finalised(sandbox, f"in_age{age}".replace("-", "m"))
    signature = sandbox.settlement.signature(body, at=int(sandbox.clock()) - age)
    assert queued(sandbox, body, signature) == (status, int(status == 200))


def test_a_live_event_at_a_test_stack_is_refused_and_raises_an_alarm(sandbox: Sandbox) -> None:
    before = metric(sandbox, "EventsForeign")
    assert queued(sandbox, finalised(sandbox, "in_live", livemode=True)) == (400, 0)
    assert queued(sandbox, finalised(sandbox, "in_connected", account="acct_somebody_else")) == (400, 0)
    assert metric(sandbox, "EventsForeign") - before == 2
    alarms = sandbox.aws.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert "EventsForeign" in {alarm.get("MetricName") for alarm in alarms}


def test_a_type_that_rings_nothing_is_taken_and_forgotten(sandbox: Sandbox) -> None:
    event = sandbox.settlement.event("product.created", {"id": "prod_1", "object": "product"})
    assert queued(sandbox, json.dumps(event).encode()) == (200, 0)


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"null", b"\xff\xfe", b'{"type": "invoice.paid"}', b"{" * 5000])
def test_a_signed_body_that_is_no_event_is_refused_and_breaks_nothing(sandbox: Sandbox, body: bytes) -> None:
    assert queued(sandbox, body, sandbox.settlement.signature(body)) == (400, 0)


def test_a_body_of_one_megabyte_is_taken(sandbox: Sandbox) -> None:
    lines = [{"id": f"il_{number}", "description": "x" * 900} for number in range(1_090)]
    event = sandbox.settlement.event("invoice.finalized", {"id": "in_large", "lines": {"data": lines}})
    body = json.dumps(event).encode()
    assert 1_000_000 < len(body) < 1_100_000
    assert queued(sandbox, body) == (200, 1)
    assert len(sandbox.settlement.messages()[-1]) < 1_000


def test_the_raw_bytes_are_what_is_signed_also_when_the_gateway_encodes_them(sandbox: Sandbox) -> None:
    body = finalised(sandbox, "in_base64")
    request = {
        "requestContext": {"http": {"method": "POST"}},
        "headers": {"Stripe-Signature": sandbox.settlement.signature(body)},
        "isBase64Encoded": True,
        "body": base64.b64encode(body).decode(),
    }
    assert sandbox.invoke("ReceiveTheEventFunction", request)["statusCode"] == 200
    assert sandbox.invoke("ReceiveTheEventFunction", {**request, "body": "***"})["statusCode"] == 400


def test_the_partners_bus_is_a_second_door_into_the_same_queue(sandbox: Sandbox) -> None:
    world = sandbox.settlement
    assert world.put_on_the_bus(world.event("invoice.paid", {"id": "in_bus"})) == ["ReceiveTheEventFunction"]
    world.wait_for_message("in_bus")
    assert world.put_on_the_bus(world.event("invoice.paid", {"id": "in_other"}), source="my.own.app") == []


def test_an_event_is_taken_only_when_the_queue_has_it(sandbox: Sandbox) -> None:
    """Stripe sends again what was not answered with 2xx."""
    body = finalised(sandbox, "in_unqueued")
    killed = sandbox.kill_at(1, "before", "ReceiveTheEventFunction", {"sqs"})
    assert sandbox.settlement.post(body) >= 500
    assert killed.done
    assert queued(sandbox, body) == (200, 1)
