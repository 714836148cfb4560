"""The settlement in the sandbox: its queue, its bells, its passes, and events that a test signs itself."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests as http
from boto3.dynamodb.types import TypeDeserializer
from moto.sqs.models import sqs_backends

from tests.sandbox.aws import event_bus
from tests.sandbox.aws.errors import SandboxError
from tests.sandbox.aws.world import ACCOUNT
from tests.sandbox.netsuite import NetSuiteServer

if TYPE_CHECKING:
    from tests.sandbox.sandbox import Run, Sandbox

POLICIES_KEY = "settlement/policies.toml"
_POLL_SECONDS = 0.05
_read = TypeDeserializer().deserialize


@dataclass(frozen=True)
class SettlementWorld:
    """Handed out by `Sandbox.settlement`; it keeps nothing of its own."""

    sandbox: Sandbox

    def begin(self, policies: str | None) -> None:
        """Put the policy file into the bucket, and have Stripe's stand-in send its events to the webhook."""
        if self.sandbox.stack.parameters["SettlementPolicies"] == POLICIES_KEY:
            self.set_policies(policies if policies is not None else policies_for(self.sandbox.netsuite))
        self.sandbox.stripe.register_webhook(self.url, self.sandbox.webhook_secrets, types=subscribed())

    @property
    def url(self) -> str:
        """The webhook's address."""
        return str(self.sandbox.stack.outputs["StripeWebhookUrl"])

    def set_policies(self, text: str) -> None:
        """Replace the policy file. A warm function reads it within five minutes: move the clock to have it read."""
        bucket = self.sandbox.stack.outputs["RunsBucketName"]
        self.sandbox.aws.client("s3").put_object(Bucket=bucket, Key=POLICIES_KEY, Body=text.encode())

    # --- events ------------------------------------------------------------------------------------------

    def signature(self, body: bytes, secrets: Sequence[str] | None = None, at: int | None = None) -> str:
        """The header Stripe-Signature for this body, by these secrets (the sandbox's own without them)."""
        moment = int(self.sandbox.clock()) if at is None else at
        parts = [f"t={moment}"]
        signed = f"{moment}.".encode() + body
        wanted = self.sandbox.webhook_secrets if secrets is None else secrets
        parts += ["v1=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in wanted]
        return ",".join(parts)

    def event(self, kind: str, data: Mapping[str, Any], **fields: Any) -> dict[str, Any]:
        """An event as Stripe shapes it, of this object's present form."""
        digest = hashlib.sha256(json.dumps([kind, data, time.monotonic_ns()], default=str).encode()).hexdigest()[:24]
        return {
            "id": f"evt_{digest}",
            "object": "event",
            "api_version": "2026-10-28.endive",
            "created": int(self.sandbox.clock()),
            "livemode": False,
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None},
            "type": kind,
            "data": {"object": dict(data)},
            **fields,
        }

    def post(self, body: bytes | Mapping[str, Any], signature: str | None = None, **headers: str) -> int:
        """POST to the webhook as Stripe does; the status. Signed by the sandbox's secrets without `signature`."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": self.signature(raw) if signature is None else signature,
            **headers,
        }
        return http.post(self.url, data=raw, headers=sent, timeout=40).status_code

    def put_on_the_bus(self, event: Mapping[str, Any], source: str = "") -> list[str]:
        """The same by the partner event bus; the functions that it reached."""
        bus = str(self.sandbox.stack.parameters["StripeEventBusName"])
        return event_bus.put(self.sandbox.deployment, bus, event, self.sandbox.clock(), source)

    # --- the queue ---------------------------------------------------------------------------------------

    def queued(self, queue: str = "EventQueue") -> int:
        """Messages on a queue (logical id), those under way included."""
        return len(self._queue(queue)._messages)

    def messages(self) -> list[str]:
        """The bodies of the messages on the queue, oldest first."""
        return [str(message.body) for message in list(self._queue("EventQueue")._messages)]

    def wait_for_message(self, text: str, timeout: float = 20) -> None:
        """Wait until a message on the queue has this text in it; SandboxError after `timeout` real seconds."""
        deadline = time.monotonic() + timeout
        while not any(text in body for body in self.messages()):
            if time.monotonic() > deadline:
                raise SandboxError(f"no message with {text!r} came within {timeout} s")
            time.sleep(_POLL_SECONDS)

    def lost(self) -> list[dict[str, Any]]:
        """The doorbells on the dead-letter queue."""
        return [json.loads(message.body) for message in list(self._queue("LostEvents")._messages)]

    def wait_for_lost(self, count: int, timeout: float = 60) -> None:
        """Wait until so many messages are on the dead-letter queue; SandboxError after `timeout` real seconds."""
        deadline = time.monotonic() + timeout
        while len(self.lost()) < count:
            if time.monotonic() > deadline:
                raise SandboxError(f"{len(self.lost())} messages were lost within {timeout} s, not {count}")
            time.sleep(_POLL_SECONDS)

    def hold_queue(self) -> None:
        """Take nothing off the queue until `release_queue`."""
        self.sandbox.aws.pollers.pause()

    def release_queue(self) -> None:
        """Take messages off the queue again."""
        self.sandbox.aws.pollers.resume()

    def move_back(self) -> int:
        """Move the dead-letter queue's messages back, as "Start DLQ redrive" does; how many there were."""
        sqs = self.sandbox.aws.client("sqs")
        lost, queue = self._url("LostEvents"), self._url("EventQueue")
        moved = 0
        for message in list(self._queue("LostEvents")._messages):
            sqs.send_message(
                QueueUrl=queue,
                MessageBody=message.body,
                MessageGroupId=message.group_id,
                MessageDeduplicationId=f"moved-{moved}-{time.monotonic_ns()}",
            )
            moved += 1
        sqs.purge_queue(QueueUrl=lost)
        return moved

    def _url(self, logical_id: str) -> str:
        return self.sandbox.stack.resources[logical_id].ref

    def _queue(self, logical_id: str) -> Any:
        name = self._url(logical_id).rpartition("/")[2]
        return sqs_backends[ACCOUNT][self.sandbox.aws.region].queues[name]

    # --- bells and passes --------------------------------------------------------------------------------

    def bells(self) -> dict[str, dict[str, Any]]:
        """The rows of the bells, by root."""
        return {str(row["pk"]).removeprefix("BELL#"): row for row in self._rows() if str(row["pk"]).startswith("BELL#")}

    def held(self) -> dict[str, str]:
        """{root: name of what holds it} of the objects that wait for a person."""
        return {root: str(row.get("hold_name", "")) for root, row in self.bells().items() if row.get("list") == "held"}

    def parked(self) -> dict[str, str]:
        """{root: name of what it waits for} of the objects that are tried again every night."""
        return {
            root: str(row.get("hold_name", ""))
            for root, row in self.bells().items()
            if row.get("list") in ("parked", "failed")
        }

    def written(self) -> dict[str, dict[str, Any]]:
        """The rows of records, by externalId."""
        return {
            str(row["pk"]).removeprefix("SETTLED#"): row
            for row in self._rows()
            if str(row["pk"]).startswith("SETTLED#")
        }

    def runs(self, root: str | None = None) -> list[Run]:
        """The passes, oldest first; of one root if it is named."""
        from tests.sandbox.sandbox import Run

        machine = self.sandbox.stack.resources["Settlements"].ref
        listed = self.sandbox.aws.client("stepfunctions").list_executions(stateMachineArn=machine)["executions"]
        found = [one for one in listed if root is None or str(one["name"]).startswith(f"{root}-")]
        found.sort(key=lambda one: one["startDate"])
        return [Run(one["executionArn"], one["name"], 0) for one in found]

    def sweep(self, **asked: Any) -> dict[str, Any]:
        """Invoke the sweep as its schedule or a person does."""
        return dict(self.sandbox.invoke("SweepForEventsFunction", asked))

    def prove(self, day: str | None = None, **asked: Any) -> dict[str, Any]:
        """Invoke the nightly proof as its schedule or a person does; its file in the bucket."""
        answer = self.sandbox.invoke("ProveTheBooksFunction", {**({"day": day} if day else {}), **asked})
        found: dict[str, Any] = json.loads(self.sandbox.objects()[answer["file"]["key"]])
        return found

    def settle(self, timeout: float) -> None:
        """Wait until no event is on its way (held ones are not), no message is queued and no bell rings."""
        deadline = time.monotonic() + timeout
        quiet = 0
        while quiet < 2:
            if not self.sandbox.stripe.webhooks.held:
                self.sandbox.stripe.wait_for_deliveries(max(1.0, deadline - time.monotonic()))
            busy = self._busy()
            quiet = 0 if busy else quiet + 1
            if time.monotonic() > deadline:
                raise SandboxError(f"the settlement is not quiet after {timeout} s: {busy or 'a moment ago'}")
            time.sleep(_POLL_SECONDS)
        ringing = {root: row for root, row in self.bells().items() if row.get("list") == "ringing"}
        if ringing:
            raise SandboxError(f"bells ring that nobody answers: {', '.join(sorted(ringing))}")

    def _busy(self) -> str:
        if self.queued() or self.sandbox.aws.pollers.under_way:
            return f"{self.queued()} messages on the queue"
        running = [run.name for run in self.runs() if self.sandbox.result(run).status == "RUNNING"]
        return f"passes run: {', '.join(running[:5])}" if running else ""

    def _rows(self) -> list[dict[str, Any]]:
        client = self.sandbox.aws.client("dynamodb")
        table = self.sandbox.stack.resources["SettlementTable"].ref
        rows: list[dict[str, Any]] = []
        for page in client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
            rows += [{name: _read(value) for name, value in item.items()} for item in page["Items"]]
        return rows


def subscribed() -> tuple[str, ...]:
    """The types of events that a person is told to subscribe the endpoint to: docs/settlement-setup.md."""
    page = (Path(__file__).parents[2] / "docs" / "settlement-setup.md").read_text(encoding="utf-8")
    return tuple(page.partition("```text events\n")[2].partition("```")[0].split())


def equations_of(proof: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """{"USD": {equation: its difference}} of a proof's file."""
    found: dict[str, dict[str, str]] = {}
    for one in proof["equations"]:
        shown = 2 if one["name"] == "orders" and not one["difference"] else one["decimals"]
        difference = f"{Decimal(one['difference']).scaleb(-one['decimals']):.{shown}f}"
        found.setdefault(one["currency"].upper(), {})[one["name"]] = difference
    return found


def policies_for(netsuite: NetSuiteServer, extra: str = "", choices: str = "", subsidiary: str = "") -> str:
    """A policy file with the accounts, currencies and items of a NetSuite stand-in. `choices` are lines of the top
    level (closed_period = "first_open"), `extra` tables of their own. With the name of a subsidiary it is that of the
    Stripe account that belongs to it."""
    accounts = {str(one["acctName"]): str(one["id"]) for one in netsuite.records("account")}
    currencies = {str(one["symbol"]).lower(): one for one in netsuite.records("currency")}
    named = {str(one["name"]): str(one["id"]) for one in netsuite.records("subsidiary")} if subsidiary else {}
    banks = _banks(netsuite, named.get(subsidiary, ""))
    lines = [choices, *([f'subsidiary = "{named[subsidiary]}"'] if subsidiary else [])]
    for code, currency in sorted(currencies.items()):
        bank = banks.get(str(currency["id"]), "")
        precision = 0 if str(currency.get("currencyPrecision", 2)) in ("0", "{'id': '0'}") else 2
        lines += [f"[currencies.{code}]", f'id = "{currency["id"]}"', f'bank = "{bank}"', f"precision = {precision}"]
    lines += [
        "[accounts]",
        f'undeposited_funds = "{accounts["Undeposited Funds"]}"',
        f'reserve = "{accounts["Stripe Reserve"]}"',
        f'dispute_reversals = "{accounts["Dispute Reversals"]}"',
        "[accounts.fees]",
        f'stripe_fee = "{accounts["Stripe Fees"]}"',
        extra,
    ]
    return "\n".join(lines) + "\n"


def _banks(netsuite: NetSuiteServer, of: str) -> dict[str, str]:
    """The bank account of each currency, by NetSuite's ids; of one subsidiary (an internal id), if it is named. Of
    several, that of the subsidiary whose customers have most orders in the currency: a deposit holds payments of its
    bank's subsidiary only. Checking accounts first."""
    subsidiary_of = {str(one["entityId"]): _id(one.get("subsidiary")) for one in netsuite.records("customer")}
    orders = Counter(
        (order.currency, subsidiary_of.get(order.customer or "", "")) for order in netsuite.orders().values()
    )
    symbols = {str(one["id"]): str(one["symbol"]) for one in netsuite.records("currency")}
    found: dict[str, tuple[tuple[int, bool], str]] = {}
    for account in netsuite.records("account"):
        currency = _id(account.get("currency"))
        if _id(account["acctType"]) != "Bank" or not currency:
            continue
        subsidiaries = [_id(one) for one in (account.get("subsidiary") or {}).get("items", [])]
        if of and of not in subsidiaries:
            continue
        most = sum(orders[symbols[currency], one] for one in subsidiaries)
        weight = most, str(account["acctName"]).startswith("Checking")
        if currency not in found or weight > found[currency][0]:
            found[currency] = weight, str(account["id"])
    return {currency: bank for currency, (_, bank) in found.items()}


def _id(reference: Any) -> str:
    return str(reference["id"]) if isinstance(reference, Mapping) else ""
