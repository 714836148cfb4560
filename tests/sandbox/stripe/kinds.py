"""The kinds of parameter Stripe knows, and the strict reading of text into them.

Each kind reads one form value and returns the typed value, or raises `Invalid` in Stripe's words. The empty
string means "unset" and reads as None where the kind allows it; a parameter that was not sent is simply
absent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

from tests.sandbox.stripe.currencies import SUPPORTED
from tests.sandbox.stripe.errors import Invalid, missing_parameter, one_of, unknown_parameters
from tests.sandbox.stripe.form import Node

METADATA_KEYS, METADATA_KEY, METADATA_VALUE = 50, 40, 500


class Kind(Protocol):
    """How to read one parameter."""

    def read(self, value: Node, param: str) -> Any:
        """The typed value; `Invalid` if the text cannot be one."""
        ...


def _text(value: Node, param: str, noun: str) -> str:
    if not isinstance(value, str):
        raise Invalid(f"Invalid {noun}", param=param)
    return value


@dataclass(frozen=True)
class Text:
    """Text of at most `most` characters; empty text unsets."""

    most: int = 5000

    def read(self, value: Node, param: str) -> str | None:
        text = _text(value, param, "string")
        if len(text) > self.most:
            shown = f"{text[:7]}...{text[-7:]}" if len(text) > 20 else text
            raise Invalid(f"Invalid string: {shown}; must be at most {self.most} characters", param=param)
        return text or None


@dataclass(frozen=True)
class Email:
    """An address of at most 512 characters; empty text unsets."""

    def read(self, value: Node, param: str) -> str | None:
        text = Text(512).read(value, param)
        if text is not None and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s.]+", text):
            raise Invalid(f"Invalid email address: {text}", code="email_invalid", param=param)
        return text


@dataclass(frozen=True)
class Choice:
    """One of the listed words; with `blank`, the empty string unsets."""

    names: tuple[str, ...]
    blank: bool = False

    def read(self, value: Node, param: str) -> str | None:
        text = _text(value, param, "string")
        if text == "" and self.blank:
            return None
        if text not in self.names:
            last = re.sub(r"^.*\[(\w+)\]$", r"\1", param)
            raise Invalid(
                f"Invalid {last}: must be {'one of ' if len(self.names) > 1 else ''}{one_of(list(self.names))}",
                param=param,
            )
        return text


@dataclass(frozen=True)
class Whole:
    """An integer; money is in minor units."""

    low: int | None = None
    high: int | None = None

    def read(self, value: Node, param: str) -> int:
        text = _text(value, param, "integer")
        if not re.fullmatch(r"-?\d{1,18}", text):
            raise Invalid(f"Invalid integer: {text}", code="parameter_invalid_integer", param=param)
        number = int(text)
        if self.low is not None and number < self.low:
            raise Invalid(
                f"This value must be greater than or equal to {self.low}.",
                code="parameter_invalid_integer",
                param=param,
            )
        if self.high is not None and number > self.high:
            raise Invalid(
                f"This value must be less than or equal to {self.high}.",
                code="parameter_invalid_integer",
                param=param,
            )
        return number


@dataclass(frozen=True)
class Moment:
    """Epoch seconds."""

    def read(self, value: Node, param: str) -> int:
        text = _text(value, param, "timestamp")
        if not re.fullmatch(r"\d{1,12}", text):
            raise Invalid("Invalid timestamp: must be an integer Unix timestamp", param=param)
        return int(text)


@dataclass(frozen=True)
class Flag:
    """`true` or `false`, nothing else."""

    def read(self, value: Node, param: str) -> bool:
        text = _text(value, param, "boolean")
        if text not in ("true", "false"):
            raise Invalid(f"Invalid boolean: {text}", param=param)
        return text == "true"


@dataclass(frozen=True)
class Fraction:
    """A plain decimal with at most 12 places; no exponent (`1E+3` is refused)."""

    non_negative: bool = False

    def read(self, value: Node, param: str) -> Decimal:
        text = _text(value, param, "decimal")
        if not re.fullmatch(r"-?\d{1,18}(\.\d{1,12})?", text):
            raise Invalid(
                f"Invalid decimal: {text}; must contain at maximum 12 decimal places.",
                code="parameter_invalid_decimal",
                param=param,
            )
        number = Decimal(text)
        if self.non_negative and number < 0:
            raise Invalid(
                "This value must be greater than or equal to 0.",
                code="parameter_invalid_decimal",
                param=param,
            )
        return number


@dataclass(frozen=True)
class Percentage:
    """A number from 0 to 100 with at most 4 places."""

    def read(self, value: Node, param: str) -> Decimal:
        text = _text(value, param, "number")
        if not re.fullmatch(r"\d{1,3}(\.\d{1,4})?", text) or Decimal(text) > 100:
            raise Invalid(
                f"Invalid decimal: {text}; must be between 0 and 100 with at most 4 decimal places",
                param=param,
            )
        return Decimal(text)


@dataclass(frozen=True)
class Currency:
    """A supported currency, lower-case."""

    def read(self, value: Node, param: str) -> str:
        text = _text(value, param, "currency")
        if text not in SUPPORTED:
            raise Invalid(
                f"Invalid currency: {text}. Stripe currently supports these currencies: {', '.join(sorted(SUPPORTED))}",
                code="parameter_invalid",
                param=param,
            )
        return text


@dataclass(frozen=True)
class Unsettable:
    """Whatever the inner kind reads; the empty string reads as None."""

    kind: Kind

    def read(self, value: Node, param: str) -> Any:
        return None if value == "" else self.kind.read(value, param)


@dataclass(frozen=True)
class Items:
    """An array, numbered from 0 without gaps."""

    kind: Kind
    most: int | None = None
    least: int = 0

    def read(self, value: Node, param: str) -> list[Any]:
        items: list[Node]
        if isinstance(value, dict):
            numbers = sorted(int(key) if key.isdigit() else -1 for key in value)
            if numbers != list(range(len(value))):
                raise Invalid("Invalid array", param=param)
            items = [value[str(number)] for number in numbers]
        elif isinstance(value, list):
            items = value
        else:
            raise Invalid("Invalid array", param=param)
        if self.most is not None and len(items) > self.most:
            raise Invalid(f"Array {param} exceeded maximum {self.most} allowed elements.", param=param)
        if len(items) < self.least:
            raise missing_parameter(param)
        return [self.kind.read(item, f"{param}[{i}]") for i, item in enumerate(items)]


@dataclass(frozen=True)
class Fields:
    """An object that takes exactly these fields."""

    kinds: Mapping[str, Kind]
    required: frozenset[str] = field(default_factory=frozenset)
    unsupported: frozenset[str] = field(default_factory=frozenset)
    """Fields that Stripe knows and this stand-in does not act on: refused, so that nobody relies on them."""

    def read(self, value: Node, param: str = "") -> dict[str, Any]:
        if not isinstance(value, dict):
            raise Invalid("Invalid object", param=param)

        def name(key: str) -> str:
            return f"{param}[{key}]" if param else key

        refused = [name(key) for key in value if key in self.unsupported]
        if refused:
            raise Invalid(
                f"The sandbox's Stripe does not act on {', '.join(refused)}: teach it first.",
                code="sandbox_unsupported",
                param=refused[0],
            )
        unknown = [name(key) for key in value if key not in self.kinds]
        if unknown:
            raise unknown_parameters(unknown)
        typed = {key: self.kinds[key].read(inner, name(key)) for key, inner in value.items()}
        for key in sorted(self.required):
            if key not in typed:
                raise missing_parameter(name(key))
        return typed


@dataclass(frozen=True)
class Metadata:
    """Free text under keys; an empty value removes its key, an empty string in place of all removes all.

    Reads as a dict of text, or None for "remove all". At most 50 keys of 40 characters without brackets,
    values of 500 characters (Stripe's docs on metadata).
    """

    clearable: bool = True

    def read(self, value: Node, param: str) -> dict[str, str] | None:
        if value == "" and self.clearable:
            return None
        if not isinstance(value, dict):
            raise Invalid("Invalid object", param=param)
        if len(value) > METADATA_KEYS:
            raise Invalid(
                f"You can only have up to {METADATA_KEYS} metadata keys, but you passed in {len(value)}.",
                param=param,
            )
        entries: dict[str, str] = {}
        for key, inner in value.items():
            if not isinstance(inner, str):
                raise Invalid(
                    f"Metadata values must be strings, but for key '{key}' you passed in a value of another type",
                    param=param,
                )
            if len(key) > METADATA_KEY:
                raise Invalid(
                    f"Metadata keys can have up to {METADATA_KEY} characters, but you passed in a key "
                    f"that is {len(key)} characters. Invalid key: {key}",
                    param=param,
                )
            if len(inner) > METADATA_VALUE:
                raise Invalid(
                    f"Metadata values can have up to {METADATA_VALUE} characters, but you passed in a "
                    f"value that is {len(inner)} characters. Invalid value: {inner[:20]}...",
                    param=f"{param}[{key}]",
                )
            entries[key] = inner
        return entries


@dataclass(frozen=True)
class Span:
    """A moment, or an object of gt, gte, lt, lte; reads as that object."""

    def read(self, value: Node, param: str) -> dict[str, int]:
        if isinstance(value, str):
            moment = Moment().read(value, param)
            return {"gte": moment, "lte": moment}
        bounds: dict[str, int] = Fields(dict.fromkeys(("gt", "gte", "lt", "lte"), Moment())).read(value, param)
        return bounds


def within(moment: int | None, span: Mapping[str, int]) -> bool:
    """Whether a stored moment lies in a span; an unset moment lies in none."""
    if moment is None:
        return False
    return (
        moment > span.get("gt", -1)
        and moment >= span.get("gte", -1)
        and moment < span.get("lt", moment + 1)
        and moment <= span.get("lte", moment)
    )
