"""The values of each service's secret: asked for without showing them, or read from standard input as one JSON object.

A value is never an argument (it would be in the shell's history and in the list of processes), never on the screen, and
never in an error.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click

from oncall.exits import Usage

PEM: Final = "-----BEGIN "


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a secret. `path` asks for a file with its text (a key is several lines), `shown` is no secret; one
    that `keeps` may be left empty, and then keeps its value. `begins` is what every value of it begins with."""

    name: str
    asked: str
    path: bool = False
    shown: bool = False
    keeps: bool = False
    begins: str = ""


CERTIFICATE: Final = (
    Field("account", "Account id, such as 1234567_SB1", shown=True, keeps=True),
    Field("client_id", "Client id of the integration", keeps=True),
    Field("certificate_id", "Certificate id of the new mapping"),
    Field("private_key", "Path of the private key", path=True, begins=PEM),
    Field("certificate", "Path of the certificate", path=True, begins=PEM),
    Field("algorithm", "Algorithm, ES256 or PS256", shown=True, keeps=True),
)
TOKENS: Final = (
    Field("account", "Account id, such as 1234567_SB1", shown=True, keeps=True),
    Field("consumer_key", "Consumer key", keeps=True),
    Field("consumer_secret", "Consumer secret", keeps=True),
    Field("token_id", "Token id"),
    Field("token_secret", "Token secret"),
)
STRIPE: Final = (Field("api_key", "Restricted key (rk_...)"),)
SLACK: Final = (Field("bot_token", "Bot token (xoxb-...)", begins="xoxb-"),)
WEBHOOK: Final = (Field("signing_secret", "Signing secret of the endpoint (whsec_...)", begins="whsec_"),)


def asked_values(fields: tuple[Field, ...], kept: Mapping[str, Any]) -> dict[str, str]:
    """The fields' values; those that were left empty as they are in `kept`. Raises Usage naming the field."""
    given = _asked(fields, kept) if sys.stdin.isatty() else _read(sys.stdin.read(), fields)
    found = {}
    for field in fields:
        value = given.get(field.name) or (str(kept.get(field.name) or "") if field.keeps else "")
        if not value and field.name != "algorithm":
            raise Usage(f"{field.name} is missing. Nothing was done.")
        if value and not value.startswith(field.begins):
            raise Usage(f"{field.name} does not begin with {field.begins.strip()}. Nothing was done.")
        if value:
            found[field.name] = value
    return found


def _asked(fields: tuple[Field, ...], kept: Mapping[str, Any]) -> dict[str, str]:
    answers = {}
    for field in fields:
        empty = field.keeps and bool(kept.get(field.name))
        question = field.asked + (" (empty keeps it)" if empty else "")
        hidden = not (field.path or field.shown)
        answer = str(click.prompt(question, default="" if field.keeps else None, show_default=False,
                                  hide_input=hidden, err=True)).strip()  # fmt: skip
        answers[field.name] = _text_of(field, answer) if field.path else answer
    return answers


def _text_of(field: Field, path: str) -> str:
    try:
        return Path(path).expanduser().read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        raise Usage(f"{field.name}: {path} cannot be read as PEM text. Nothing was done.") from None


def _read(text: str, fields: tuple[Field, ...]) -> dict[str, str]:
    """Nothing of the text is quoted in an error: it holds secrets."""
    names = ", ".join(field.name for field in fields)
    try:
        given = json.loads(text)
    except ValueError:
        given = None
    if not isinstance(given, dict) or not all(isinstance(value, str) for value in given.values()):
        raise Usage(f"Standard input is no JSON object of texts with {names}. Nothing was done.")
    unknown = sorted(given.keys() - {field.name for field in fields})
    if unknown:
        raise Usage(f"Standard input has a field {unknown[0][:40]!r}; known are {names}. Nothing was done.")
    return {name: value.strip() if not value.startswith(PEM) else value for name, value in given.items()}


def webhook_secret(values: Mapping[str, str], kept: Mapping[str, Any], *, only: bool) -> dict[str, Any]:
    """The new secret first, and those that were there, unless it is to be the only one."""
    before = [] if only else [one for one in kept.get("signing_secrets") or () if one != values["signing_secret"]]
    return {"signing_secrets": [values["signing_secret"], *before]}


@dataclass(frozen=True, slots=True)
class Service:
    """A secret of the stack: which parameter names it, and what is asked."""

    parameter: str
    fields: tuple[Field, ...]


SERVICES: Final[Mapping[str, Service]] = {
    "netsuite": Service("NetSuiteSecretArn", CERTIFICATE),
    "stripe": Service("StripeSecretArn", STRIPE),
    "slack": Service("SlackSecretArn", SLACK),
    "webhook": Service("StripeWebhookSecretArn", WEBHOOK),
}
