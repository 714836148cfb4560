"""Whatever is sent to the webhook's door: it is queued as ids or refused by a name, and never breaks the door."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from billing.domain.settlement.event_roots import Doorbell
from billing.workflows.settlement.receive_the_event import Door, Reception

SECRET, NOW = "whsec_" + "s" * 32, 1_780_000_000
TYPES = ("invoice.paid", "invoice.finalized", "charge.succeeded", "charge.dispute.created", "payout.paid", "customer.x")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
OBJECT = st.fixed_dictionaries(
    {},
    optional={"id": st.sampled_from(["in_1", "ch_1", "", "x" * 5_000]) | JSON, "object": st.text(max_size=8) | JSON,
              "invoice": JSON, "charge": JSON, "metadata": JSON, "payment_intent": JSON},
)  # fmt: skip
EVENT = JSON | st.fixed_dictionaries(
    {},
    optional={"id": st.just("evt_1") | JSON, "type": st.sampled_from(TYPES) | JSON, "livemode": st.booleans() | JSON,
              "account": JSON, "created": st.just(NOW) | JSON,
              "data": JSON | st.fixed_dictionaries({}, optional={"object": OBJECT | JSON})},
)  # fmt: skip
HEADERS = st.none() | st.dictionaries(st.sampled_from(["Stripe-Signature", "stripe-signature", "Host"]), st.text())


def door(bells: list[Doorbell]) -> Door:
    return Door(lambda: [SECRET], False, "", bells.append, lambda: float(NOW))


def signed(body: bytes) -> dict[str, str]:
    signature = hmac.new(SECRET.encode(), f"{NOW}.".encode() + body, hashlib.sha256).hexdigest()
    return {"Stripe-Signature": f"t={NOW},v1={signature}"}


@settings(max_examples=150)
@given(EVENT)
def test_a_signed_event_of_any_shape_is_queued_as_ids_left_out_or_refused(event: Any) -> None:
    bells: list[Doorbell] = []
    body = json.dumps(event).encode()
    status, reception = door(bells).by_http({"body": body.decode(), "headers": signed(body)})
    assert (status == 200) is (reception in (Reception.QUEUED, Reception.LEFT_OUT))
    assert reception is not Reception.FORGED
    assert len(bells) == (reception is Reception.QUEUED)
    for bell in bells:
        assert bell.object_id, "what is queued names its object"
        assert len(str(bell)) < 2_000


@settings(max_examples=150)
@given(st.binary(max_size=200) | st.text(max_size=100).map(lambda text: text.encode("utf-8", "surrogatepass")), HEADERS)
def test_whatever_is_not_signed_is_refused_and_queues_nothing(body: bytes, headers: Any) -> None:
    bells: list[Doorbell] = []
    for request in (
        {"body": body.decode("latin-1"), "headers": headers},
        {"body": base64.b64encode(body).decode(), "isBase64Encoded": True, "headers": headers},
        {"body": body.decode("latin-1"), "isBase64Encoded": True, "headers": headers},
        {"headers": headers},
    ):
        status, reception = door(bells).by_http(request)
        assert (status, reception in (Reception.FORGED, Reception.UNREADABLE)) == (400, True)
    assert bells == []


@settings(max_examples=200)
@given(st.binary(max_size=100))
def test_signed_bytes_of_any_kind_are_no_error(body: bytes) -> None:
    bells: list[Doorbell] = []
    request = {"body": base64.b64encode(body).decode(), "isBase64Encoded": True, "headers": signed(body)}
    assert door(bells).by_http(request) == (400, Reception.UNREADABLE)
    assert bells == []


def test_json_nested_deeper_than_python_reads_is_refused() -> None:
    body = b"[" * 200_000
    assert door([]).by_http({"body": body.decode(), "headers": signed(body)}) == (400, Reception.UNREADABLE)
    deep = b'{"type": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    assert door([]).by_http({"body": deep.decode(), "headers": signed(deep)}) == (400, Reception.UNREADABLE)


def test_half_a_character_in_a_body_is_refused() -> None:
    assert door([]).by_http({"body": "\ud800", "headers": {}}) == (400, Reception.UNREADABLE)
