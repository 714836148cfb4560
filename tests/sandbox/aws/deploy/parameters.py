"""Template parameters: defaults, the values given, and the checks that CloudFormation makes on them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from tests.sandbox.aws.errors import DeployError

_KNOWN_FIELDS = {
    "Type", "Default", "Description", "AllowedValues", "AllowedPattern", "ConstraintDescription",
    "MinValue", "MaxValue", "MinLength", "MaxLength", "NoEcho",
}  # fmt: skip


def resolve_parameters(
    declared: Mapping[str, Mapping[str, Any]], given: Mapping[str, Any]
) -> dict[str, str | list[str]]:
    """The value of every declared parameter: a string, or a list of strings for the list types.

    Raises DeployError for an unknown parameter, a missing one, and a value that breaks a rule of its
    declaration. Numbers stay strings, as `Ref` to a Number parameter gives them in CloudFormation.
    """
    unknown = sorted(set(given) - set(declared))
    if unknown:
        raise DeployError(f"Parameters {unknown} do not exist in the template (it has {', '.join(sorted(declared))})")
    return {name: _resolve_one(name, rules, given) for name, rules in declared.items()}


def _resolve_one(name: str, rules: Mapping[str, Any], given: Mapping[str, Any]) -> str | list[str]:
    strange = sorted(set(rules) - _KNOWN_FIELDS)
    if strange:
        raise DeployError(f"Parameter {name}: unknown fields {strange}")
    if name in given:
        raw = given[name]
    elif "Default" in rules:
        raw = rules["Default"]
    else:
        raise DeployError(f"Parameter {name} has no default and no value was given")
    kind = rules.get("Type")
    if kind == "CommaDelimitedList":
        items = raw if isinstance(raw, list) else [part.strip() for part in _text(raw).split(",")]
        for item in items:
            _check(name, rules, item)
        return [str(item) for item in items]
    if kind not in ("String", "Number"):
        raise DeployError(f"Parameter {name}: type {kind!r} is not supported by the sandbox")
    value = _text(raw)
    if kind == "Number":
        _check_number(name, rules, value)
    _check(name, rules, value)
    return value


def _text(raw: Any) -> str:
    if isinstance(raw, bool):
        return "true" if raw else "false"
    return str(raw)


def _check(name: str, rules: Mapping[str, Any], value: str) -> None:
    said = f" ({rules['ConstraintDescription']})" if "ConstraintDescription" in rules else ""
    allowed = rules.get("AllowedValues")
    if allowed is not None and value not in [_text(item) for item in allowed]:
        raise DeployError(f"Parameter {name}: {value!r} is not one of {allowed}{said}")
    pattern = rules.get("AllowedPattern")
    if pattern is not None and re.fullmatch(pattern, value) is None:
        raise DeployError(f"Parameter {name}: {value!r} does not match {pattern}{said}")
    if len(value) < int(rules.get("MinLength", 0)):
        raise DeployError(f"Parameter {name}: {value!r} is shorter than {rules['MinLength']}{said}")
    if "MaxLength" in rules and len(value) > int(rules["MaxLength"]):
        raise DeployError(f"Parameter {name}: the value is longer than {rules['MaxLength']}{said}")


def _check_number(name: str, rules: Mapping[str, Any], value: str) -> None:
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise DeployError(f"Parameter {name}: {value!r} is not a number") from None
    if "MinValue" in rules and number < Decimal(str(rules["MinValue"])):
        raise DeployError(f"Parameter {name}: {value} is less than {rules['MinValue']}")
    if "MaxValue" in rules and number > Decimal(str(rules["MaxValue"])):
        raise DeployError(f"Parameter {name}: {value} is more than {rules['MaxValue']}")
