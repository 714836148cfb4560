"""Secrets: ask for a service's values, have the stack try them, and store them; and the keys that sign links."""

from __future__ import annotations

import json
import secrets as randomness
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import click

from billing.domain.approval.key_ring import KeyRing, key_ring, known_at, old_ends_at
from oncall.choices import Choices, with_choices
from oncall.exits import Exit, NotFound, Refused
from oncall.first_secrets import tried
from oncall.secret_store import SecretStore
from oncall.secret_values import SERVICES, TOKENS, asked_values, webhook_secret
from oncall.stack import Stack
from oncall.terminal import NOTHING_DONE

_READ: Final = "Every function reads it within five minutes; runs that wait or are at work go on."
_THEN: Final = {
    "netsuite": "Revoke the old mapping in NetSuite ten minutes after it is stored, not before.",
    "stripe": "Let the old key expire in Stripe ten minutes after it is stored, not before.",
    "slack": "Revoke the old token ten minutes after it is stored, not before.",
    "webhook": "Let the old signing secret expire in Stripe, then run this again with --only.",
}


@click.group()
def secrets() -> None:
    """Store and rotate what the stack logs in with.

    Values are asked for without showing them, or read from standard input as one JSON object; they are never arguments.
    The stack tries a new value by harmless reads before anything uses it.
    """


@secrets.command("put")
@click.argument("service", type=click.Choice(sorted(SERVICES)))
@click.option("--token-based", is_flag=True, help="NetSuite: token-based authentication instead of a certificate.")
@click.option("--only", is_flag=True, help="Webhook: this signing secret alone, without those that were there.")
@click.option("--anyway", is_flag=True, help="Store it though the examination finds something wrong.")
@with_choices
def put(choices: Choices, service: str, token_based: bool, only: bool, anyway: bool) -> Exit:
    """Store new values of NetSuite's login, Stripe's key, its webhook's secret, or Slack's token."""
    known = SERVICES[service]
    store = _store(choices.stack, service, known.parameter)
    kept, _, _ = store.current()
    fields = TOKENS if token_based and service == "netsuite" else known.fields
    values = asked_values(fields, kept)
    made = webhook_secret(values, kept, only=only) if service == "webhook" else values
    will = [
        f"Stores new values of {service} ({', '.join(values)}) in {store.arn}.",
        "Has the stack try them by reads that change nothing; only if they do are they used.",
        f"{_READ} {_THEN[service]}",
    ]
    return _stored(choices, store, made, will, anyway)


@secrets.command("create")
@click.argument("service", type=click.Choice(sorted(SERVICES)))
@click.option("--name", required=True, help="Name of the new secret, for instance month-end-billing/stripe.")
@click.option("--token-based", is_flag=True, help="NetSuite: token-based authentication instead of a certificate.")
@click.option("--slack-channel", default="", help="Slack: the channel's id, to see whether the bot is in it.")
@click.option("--api-url", default="", help="Another server than the service's public one, as the stack's parameter.")
@click.option("--anyway", is_flag=True, help="Create it though something is wrong.")
@with_choices
def create(
    choices: Choices, service: str, name: str, token_based: bool, slack_channel: str, api_url: str, anyway: bool
) -> Exit:
    """Create a secret before the first deployment, and say its ARN, which the deployment asks for.

    Its values are tried from this machine, for there is no stack yet that could.
    """
    terminal, client = choices.terminal, choices.session.client("secretsmanager")
    values = asked_values(TOKENS if token_based and service == "netsuite" else SERVICES[service].fields, {})
    made = webhook_secret(values, {}, only=True) if service == "webhook" else values
    tries = "Tries them first, by reads that change nothing." if service != "webhook" else "Only events can try it."
    terminal.ask([f"Creates the secret {name} in {choices.session.region_name} with {', '.join(values)}.", tries])
    untried: dict[str, Any] = {"ok": True, "lines": []}
    answer = tried(service, made, api_url, slack_channel) if service != "webhook" else untried
    for line in answer["lines"]:
        terminal.say(str(line))
    _refuse_if_wrong(answer, anyway)
    try:
        arn = client.create_secret(Name=name, SecretString=json.dumps(made))["ARN"]
    except client.exceptions.ResourceExistsException:
        raise Refused(f"There is a secret {name} already: `secrets put {service}` changes it. {NOTHING_DONE}") from None
    terminal.answer({"secret": arn, "ok": answer["ok"]})
    terminal.say(arn)
    return Exit.DONE


@secrets.command("rotate-links")
@with_choices
def rotate_links(choices: Choices) -> Exit:
    """Rotate the key that signs approval links, in two steps: run it twice, ten minutes apart.

    The first adds a key that verifies, the second makes it sign. Links that are out stay good.
    """
    store, now = _store(choices.stack, "links", ""), _now()
    ring = _ring(store)
    begun = ring.begun
    if begun is None:
        will = [
            "Adds a new key, which verifies links and signs none yet.",
            "Run this again in ten minutes, when every process knows it: then it signs. Links that are out stay good.",
        ]
        return _stored(choices, store, ring.with_new(randomness.token_hex(32), now).as_secret(), will)
    known = known_at(begun)
    if known is not None and now < known:
        raise Refused(
            f"The new key was added at {begun.id}, and a process may not know it yet. Run this again after "
            f"{known:%H:%M:%S} UTC. Nothing was done."
        )
    will = [
        f"The key of {begun.id} signs from now on, instead of {ring.signing}.",
        "All keys go on verifying: links that are out stay good.",
        "`secrets retire-links` takes the old ones away when nothing of theirs can be open any more.",
    ]
    return _stored(choices, store, ring.signing_by_new().as_secret(), will)


@secrets.command("retire-links")
@click.option("--leaked", is_flag=True, help="At once: links and votes of the old keys become void.")
@with_choices
def retire_links(choices: Choices, leaked: bool) -> Exit:
    """Take away the keys that sign no more, when nothing that they signed can be open or redriven any more."""
    store = _store(choices.stack, "links", "")
    ring = _ring(store)
    if ring.begun is not None:
        raise Refused("A rotation has begun and is not finished: `secrets rotate-links` first. Nothing was done.")
    if not ring.keys or (len(ring.keys) == 1 and not ring.first):
        raise Refused("Only one key is there: nothing is to be taken away. Nothing was done.")
    _, _, since = store.current()
    approval = int(choices.stack.parameters.get("ApprovalTimeoutSeconds") or 2_592_000)
    ends = old_ends_at(since, approval) if since is not None else None
    if not leaked and (ends is None or _now() < ends):
        raise Refused(
            "Runs may be open, or be redriven, whose links and votes an old key has signed"
            + (f", until {ends:%Y-%m-%d}" if ends else "")
            + ". If a key has leaked, say --leaked. Nothing was done."
        )
    will = [f"Takes every key away but {ring.signing}, which signs."]
    if leaked:
        will.append("Links and votes of the others are void: abort the run that waits, and start a new one.")
    return _stored(choices, store, ring.without_old().as_secret(), will)


def _now() -> datetime:
    return datetime.now(UTC)


def _store(stack: Stack, service: str, parameter: str) -> SecretStore:
    arn = stack.parameters.get(parameter, "") if parameter else stack.resource("SigningSecret")
    if not arn:
        raise NotFound(f"The stack {stack.name} names no secret for {service}: its parameter {parameter} is empty.")
    return SecretStore(stack, service, arn)


def _ring(store: SecretStore) -> KeyRing:
    value, _, _ = store.current()
    try:
        return key_ring(value)
    except ValueError as error:
        raise Refused(f"The signing secret cannot be read: {error}. Nothing was done.") from None


def _stored(
    choices: Choices, store: SecretStore, value: Mapping[str, Any], will: list[str], anyway: bool = False
) -> Exit:
    """Say, ask, have it examined, and use it."""
    terminal = choices.terminal
    _, former, _ = store.current()
    terminal.ask(will)
    version, answer = store.examined(value)
    for line in answer["lines"]:
        terminal.say(str(line))
    try:
        _refuse_if_wrong(answer, anyway)
    except Refused:
        store.forget(version)
        raise
    store.use(version, former)
    terminal.answer({"secret": store.arn, "stored": True, "ok": answer["ok"], "findings": answer["findings"]})
    terminal.say("Stored. " + _READ)
    return Exit.DONE


def _refuse_if_wrong(answer: Mapping[str, Any], anyway: bool) -> None:
    if not answer["ok"] and not anyway:
        wrong = next(one for one in answer["findings"] if one["verdict"] not in ("fine", "note"))
        raise Refused(f"{wrong['check']}: {wrong['text']} Nothing was stored; --anyway stores it nevertheless.")


COMMANDS: Final = (secrets,)
