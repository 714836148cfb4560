"""The keys of the execution's state, camelCase as Step Functions writes them, and those of records, snake_case."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

_CAPITAL: Final = re.compile(r"(?<=[a-z0-9])([A-Z])")


def camel(name: str) -> str:
    """ "listed_from" -> "listedFrom"."""
    first, *others = name.split("_")
    return first + "".join(one.capitalize() for one in others)


def snake(name: str) -> str:
    """ "listedFrom" -> "listed_from"."""
    return _CAPITAL.sub(r"_\1", name).lower()


def snake_keys(data: object) -> Any:
    """Objects with the keys of records, at every depth. The custom fields of a filter, {name: value} in a run's input,
    are pairs in a record: their names are data."""
    if isinstance(data, list):
        return [snake_keys(one) for one in data]
    if not isinstance(data, Mapping):
        return data
    return {
        snake(key): sorted([name, wanted] for name, wanted in value.items())
        if key == "customFields" and isinstance(value, Mapping)
        else snake_keys(value)
        for key, value in data.items()
    }
