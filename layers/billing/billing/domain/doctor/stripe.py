"""What Stripe allows the key, as lines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from billing.domain.doctor.finding import Finding, fine, listed, note, wrong

_KEY: Final = re.compile(r"(sk|rk)_(live|test)_.+")


class Allowed(StrEnum):
    """What Stripe says to one harmless read."""

    YES = "yes"
    NO = "no"
    KEY_REFUSED = "key refused"


@dataclass(frozen=True, slots=True)
class ReadFound:
    """One endpoint that was read with a limit of one. `permission` is the restricted key's in Stripe's dashboard;
    `named` is what Stripe calls what is missing ("rak_customer_read"), "" if it does not say."""

    endpoint: str
    permission: str
    allowed: Allowed
    named: str = ""


@dataclass(frozen=True, slots=True)
class WebhookFound:
    """A webhook endpoint of the account. `types` are those of its events, "*" for all."""

    url: str
    enabled: bool
    live: bool
    types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WebhookWanted:
    """What the stack needs where the settlement is on. With a partner event bus the endpoint is a second door."""

    url: str
    types: tuple[str, ...]
    has_bus: bool


def mode_of(key: str) -> str:
    """ "live" or "test", "" for what is no secret or restricted key."""
    found = _KEY.fullmatch(key)
    return found[2] if found else ""


def key_finding(key: str, event_mode: str, netsuite_sandbox: bool | None) -> Finding:
    """The key's mode against what it is used with. `event_mode` is StripeEventMode, "" where the settlement is off;
    `netsuite_sandbox` is None where NetSuite's account is not known.

    One mode for one NetSuite account: a sandbox is a copy that holds production's external ids.
    """
    check = "stripe.key"
    mode = mode_of(key)
    if not mode:
        return wrong(check, "api_key is neither a restricted key (rk_live_, rk_test_) nor a secret one: write it anew.")
    if event_mode and event_mode != mode:
        return wrong(
            check,
            f"the key is a {mode} key and StripeEventMode is {event_mode}: every event would be refused. Correct one.",
        )
    if mode == "live" and netsuite_sandbox:
        return wrong(check, "a live key beside a NetSuite sandbox: clients would be billed for trials. Use a test key.")
    if mode == "test" and netsuite_sandbox is False and event_mode:
        return wrong(
            check,
            "a test key beside NetSuite's production account, and the settlement is on: tests would reach the books. "
            "Use a live key, or a sandbox.",
        )
    if mode == "test" and netsuite_sandbox is False:
        return note(check, "a test key beside NetSuite's production account: drafts are only test invoices.")
    if key.startswith("sk_"):
        return note(check, f"{mode} mode, but a secret key may do everything: make a restricted one (README, Stripe).")
    return fine(check, f"restricted, {mode} mode")


def permissions_finding(found: Sequence[ReadFound]) -> Finding:
    """Each endpoint that the product reads."""
    check = "stripe.permissions"
    if any(one.allowed is Allowed.KEY_REFUSED for one in found):
        return wrong(check, "Stripe does not know the key: it was rolled or deleted. Write the present one as api_key.")
    lacking = [one for one in found if one.allowed is Allowed.NO]
    if lacking:
        wanted = listed(dict.fromkeys(f"{one.permission}{f' ({one.named})' if one.named else ''}" for one in lacking))
        return wrong(check, f"the key may not read {listed(one.endpoint for one in lacking)}: give it {wanted}.")
    return fine(check, f"may read {len(found)} endpoints; Write shows at the first draft only, Stripe has no dry run")


def version_finding(asked: str, answered: str) -> Finding:
    """API versions."""
    check = "stripe.version"
    if answered and answered != asked:
        return wrong(
            check, f"Stripe answers in the version {answered}, the product speaks {asked}. Tell the developers."
        )
    return fine(check, asked)


def webhook_finding(
    wanted: WebhookWanted, found: Sequence[WebhookFound] | None, key_mode: str, secrets: int
) -> Finding:
    """`found` is None if the key may not read endpoints. `secrets`: how many signing secrets the stack knows."""
    check = "stripe.webhook"
    if found is None:
        return note(
            check,
            "the key may not read webhook endpoints: give it Webhook Endpoints: Read, or compare by hand with the "
            "stack's output StripeWebhookUrl.",
        )
    ours = [one for one in found if one.url.rstrip("/") == wanted.url.rstrip("/") and one.live == (key_mode == "live")]
    if not ours:
        if wanted.has_bus:
            return fine(check, "no endpoint; events come by the partner event bus")
        return wrong(
            check,
            f"no endpoint in {key_mode} mode has the address {wanted.url}: make one there with the event types of "
            "docs/settlement-setup.md.",
        )
    enabled = [one for one in ours if one.enabled]
    if not enabled:
        return wrong(check, "the endpoint is disabled in Stripe: enable it; the nightly sweep finds what was missed.")
    types = {name for one in enabled for name in one.types}
    missing = [name for name in wanted.types if not _covered(name, types)]
    if missing:
        return wrong(check, f"the endpoint is not sent {listed(missing, 40)}: add {_them(missing)} to its events.")
    if len(enabled) > max(1, secrets):
        return wrong(
            check,
            f"{len(enabled)} enabled endpoints have this address and the secret holds {secrets} signing secret(s): "
            "delete the others, or their events are refused.",
        )
    return fine(check, f"enabled, {len(wanted.types)} event types")


def _covered(name: str, types: Iterable[str]) -> bool:
    return any(one in ("*", name) or (one.endswith(".*") and name.startswith(one[:-1])) for one in types)


def _them(words: Sequence[str]) -> str:
    return "it" if len(words) == 1 else "them"
