"""Stripe's form encoding: `lines[0][amount]=5&expand[]=customer` to nested values of text.

An object becomes a dict, an array becomes a list (numbered `a[0]`, `a[1]` or `a[]`), everything else is text.
"""

from __future__ import annotations

import re
from typing import TypeAlias
from urllib.parse import parse_qsl

from tests.sandbox.stripe.errors import Invalid

Node: TypeAlias = "str | list[Node] | dict[str, Node]"
Pairs = list[tuple[str, str]]

_KEY = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")


def pairs(raw: str) -> Pairs:
    """Names and values in the order they came, percent-decoded."""
    return parse_qsl(raw, keep_blank_values=True, strict_parsing=False)


def decode(fields: Pairs) -> dict[str, Node]:
    """Nest the fields; `Invalid` for a malformed key, a field given twice, or a key that is both kinds."""
    root: dict[str, Node] = {}
    for key, value in fields:
        match = _KEY.fullmatch(key)
        if match is None:
            raise Invalid(f"Invalid parameter name: {key}", param=key)
        parts = [match[1], *re.findall(r"\[([^\[\]]*)\]", match[2])]
        node: dict[str, Node] = root
        for position, part in enumerate(parts):
            rest = parts[position + 1 :]
            if not rest:
                if part in node:
                    raise Invalid(f"Invalid request: {key} was given twice", param=key)
                node[part] = value
            elif rest == [""]:
                items = node.setdefault(part, [])
                if not isinstance(items, list):
                    raise Invalid("Invalid array", param=key)
                items.append(value)
                break
            elif "" in rest:
                raise Invalid("Invalid array: number its items, such as lines[0][amount]", param=key)
            else:
                inner = node.setdefault(part, {})
                if not isinstance(inner, dict):
                    raise Invalid("Invalid object", param=key)
                node = inner
    return root


def encode(value: object, name: str = "") -> Pairs:
    """The inverse, for people's edits inside the sandbox: nested Python values to fields."""
    if isinstance(value, dict):
        return [pair for key, inner in value.items() for pair in encode(inner, f"{name}[{key}]" if name else key)]
    if isinstance(value, (list, tuple)):
        return [pair for i, inner in enumerate(value) for pair in encode(inner, f"{name}[{i}]")]
    if isinstance(value, bool):
        return [(name, "true" if value else "false")]
    return [(name, "" if value is None else str(value))]
