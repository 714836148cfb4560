"""AWS's policy evaluation for one account: explicit deny, then allow, else implicit deny.

Source: "Policy evaluation logic" and "IAM JSON policy elements" in the IAM user guide. An element this module
does not know (an operator, NotPrincipal) never allows anything: it raises PolicyError, which denies.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

Statement = Mapping[str, Any]

_STATEMENT_KEYS = {
    "Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition", "Principal",
}  # fmt: skip


class PolicyError(Exception):
    """A policy uses something that this evaluator does not know."""


@dataclass(frozen=True)
class Access:
    """One thing a request wants to do. `context` holds condition keys in lower case, each a list of values."""

    action: str
    resource: str
    context: Mapping[str, Sequence[str]] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Decision:
    """Whether it is allowed, and AWS's half sentence for why not."""

    allowed: bool
    reason: str = ""


def decide(statements: Iterable[Statement], access: Access, *, kind: str = "identity-based") -> Decision:
    """Evaluate identity-based statements (no Principal element) for one access."""
    allowed = False
    for statement in statements:
        if _applies(statement, access):
            if statement.get("Effect") == "Deny":
                return Decision(False, f"with an explicit deny in an {kind} policy")
            allowed = True
    if allowed:
        return Decision(True)
    return Decision(False, f"because no {kind} policy allows the {access.action} action")


def decide_for_principal(
    statements: Iterable[Statement], access: Access, principals: Sequence[str]
) -> tuple[bool, bool]:
    """Evaluate a resource policy: (explicitly denied, allowed) for a caller known by any of `principals`
    (role ARN, account root ARN, service name)."""
    allowed = False
    for statement in statements:
        if not _principal_matches(statement.get("Principal"), principals) or not _applies(statement, access):
            continue
        if statement.get("Effect") == "Deny":
            return True, False
        allowed = True
    return False, allowed


def unused_grants(statements: Iterable[Statement], used: Iterable[Access]) -> list[tuple[str, str, str]]:
    """(Sid, action, resource) of every allowed pair of action and resource that no access needed."""
    known = list(used)
    found: list[tuple[str, str, str]] = []
    for statement in statements:
        if statement.get("Effect") != "Allow" or "NotAction" in statement or "NotResource" in statement:
            continue
        found += [
            (str(statement.get("Sid", "")), action, resource)
            for action in _listed(statement["Action"])
            for resource in _listed(statement["Resource"])
            if not any(
                matches(action, access.action, ignore_case=True) and matches(resource, access.resource)
                for access in known
            )
        ]
    return found


def statements_of(document: Mapping[str, Any]) -> list[Statement]:
    """The statements of a policy document (a single statement may stand without its list)."""
    found = document.get("Statement", [])
    return [found] if isinstance(found, Mapping) else list(found)


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else [str(item) for item in value]


@lru_cache(maxsize=4096)
def _pattern(text: str, ignore_case: bool) -> re.Pattern[str]:
    parts = re.split(r"([*?])", text)
    body = "".join({"*": ".*", "?": "."}.get(part, re.escape(part)) for part in parts)
    return re.compile(body, re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def matches(pattern: str, value: str, *, ignore_case: bool = False) -> bool:
    """IAM's wildcard match: `*` any text, `?` any one character."""
    return _pattern(pattern, ignore_case).fullmatch(value) is not None


def _applies(statement: Statement, access: Access) -> bool:
    strange = set(statement) - _STATEMENT_KEYS
    if strange:
        raise PolicyError(f"policy statement uses {sorted(strange)}, which the sandbox does not know")
    if "NotAction" in statement:
        if any(matches(item, access.action, ignore_case=True) for item in _listed(statement["NotAction"])):
            return False
    elif not any(matches(item, access.action, ignore_case=True) for item in _listed(statement["Action"])):
        return False
    if "NotResource" in statement:
        if any(matches(item, access.resource) for item in _listed(statement["NotResource"])):
            return False
    elif not any(matches(item, access.resource) for item in _listed(statement.get("Resource", []))):
        return False
    return _conditions_hold(statement.get("Condition", {}), access.context)


def _principal_matches(principal: Any, principals: Sequence[str]) -> bool:
    if principal is None:
        return False
    if principal == "*":
        return True
    entries = [item for value in principal.values() for item in _listed(value)]
    return any(entry == "*" or entry in principals for entry in entries)


def _bool(pattern: str, value: str) -> bool:
    return pattern.lower() == value.lower()


_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda pattern, value: pattern == value,
    "StringEqualsIgnoreCase": lambda pattern, value: pattern.lower() == value.lower(),
    "StringLike": matches,
    "ArnEquals": matches,
    "ArnLike": matches,
    "Bool": _bool,
    "NumericEquals": lambda pattern, value: float(pattern) == float(value),
    "NumericLessThan": lambda pattern, value: float(value) < float(pattern),
    "NumericLessThanEquals": lambda pattern, value: float(value) <= float(pattern),
    "NumericGreaterThan": lambda pattern, value: float(value) > float(pattern),
    "NumericGreaterThanEquals": lambda pattern, value: float(value) >= float(pattern),
}
_NEGATED = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "NumericNotEquals": "NumericEquals",
}


def _conditions_hold(conditions: Mapping[str, Any], context: Mapping[str, Sequence[str]]) -> bool:
    for operator, wanted in conditions.items():
        for key, expected in wanted.items():
            values = context.get(key.lower())
            if not _condition_holds(operator, _listed(_texts(expected)), values):
                return False
    return True


def _texts(expected: Any) -> Any:
    if isinstance(expected, bool):
        return "true" if expected else "false"
    return expected if isinstance(expected, (str, list)) else str(expected)


def _condition_holds(operator: str, expected: list[str], values: Sequence[str] | None) -> bool:
    quantifier, _, bare = operator.rpartition(":")
    if_exists = bare.endswith("IfExists")
    if if_exists:
        bare = bare.removesuffix("IfExists")
    if bare == "Null":
        return (values is None) == _bool(expected[0], "true")
    negated = bare in _NEGATED
    test = _OPERATORS.get(_NEGATED.get(bare, bare))
    if test is None or quantifier not in ("", "ForAllValues", "ForAnyValue"):
        raise PolicyError(f"condition operator {operator} is not known to the sandbox")
    if values is None or not values:
        return if_exists or negated or quantifier == "ForAllValues"
    hits = [any(test(pattern, value) for pattern in expected) != negated for value in values]
    if quantifier == "ForAllValues":
        return all(hits)
    if quantifier == "ForAnyValue":
        return any(hits)
    return all(hits) if negated else any(hits)
