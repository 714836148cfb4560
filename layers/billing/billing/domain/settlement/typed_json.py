"""Frozen dataclasses as JSON and back, by their type hints: what a pass writes into its files.

Times of day and floats do not exist here. A file that does not fit its type raises ValueError with the place in it: a
pass that is redriven after an upgrade reads Stripe again.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import date
from enum import Enum
from functools import lru_cache
from typing import Any, Literal, TypeVar

T = TypeVar("T")


def to_json(value: Any) -> Any:
    """Dataclasses as objects, dates as ISO text, enums by their value, tuples as lists."""
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: to_json(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): to_json(inner) for key, inner in value.items()}
    if isinstance(value, tuple | list):
        return [to_json(one) for one in value]
    return value


def from_json(kind: type[T], data: Any, place: str = "the file") -> T:
    """A value of `kind`. Fields that the data lacks have their default; unknown ones raise ValueError."""
    return typing.cast(T, _read(kind, data, place))


@lru_cache(maxsize=64)
def _hints(kind: type) -> Mapping[str, Any]:
    return typing.get_type_hints(kind)


def _read(kind: Any, data: Any, place: str) -> Any:
    origin = typing.get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        return _either(typing.get_args(kind), data, place)
    if origin is tuple:
        return _tuple(typing.get_args(kind), data, place)
    if origin is Literal:
        return _expect(data in typing.get_args(kind), data, place)
    if origin is not None and issubclass(origin, Mapping):
        inner = typing.get_args(kind)[1]
        _expect(isinstance(data, dict), data, place)
        return {key: _read(inner, one, f"{place}.{key}") for key, one in data.items()}
    if is_dataclass(kind):
        return _dataclass(kind, data, place)
    if kind is date:
        _expect(isinstance(data, str), data, place)
        return date.fromisoformat(data)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(data)
    # bool is an int in Python, and must not pass for an amount.
    return _expect(type(data) is kind, data, place)


def _either(kinds: tuple[Any, ...], data: Any, place: str) -> Any:
    if data is None:
        return _expect(type(None) in kinds, data, place)
    others = [one for one in kinds if one is not type(None)]
    if len(others) != 1:
        raise ValueError(f"{place}: a type of several alternatives cannot be read")
    return _read(others[0], data, place)


def _tuple(kinds: tuple[Any, ...], data: Any, place: str) -> Any:
    _expect(isinstance(data, list), data, place)
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        return tuple(_read(kinds[0], one, f"{place}[{number}]") for number, one in enumerate(data))
    _expect(len(data) == len(kinds), data, place)
    return tuple(
        _read(kind, one, f"{place}[{number}]") for number, (kind, one) in enumerate(zip(kinds, data, strict=True))
    )


def _dataclass(kind: Any, data: Any, place: str) -> Any:
    _expect(isinstance(data, dict), data, place)
    hints = _hints(kind)
    unknown = sorted(data.keys() - hints.keys())
    if unknown:
        raise ValueError(f"{place}: unknown {', '.join(unknown)}")
    missing = [
        one.name
        for one in fields(kind)
        if one.name not in data and one.default is MISSING and one.default_factory is MISSING
    ]
    if missing:
        raise ValueError(f"{place}: {', '.join(missing)} is missing")
    return kind(**{name: _read(hints[name], value, f"{place}.{name}") for name, value in data.items()})


def _expect(fits: bool, data: Any, place: str) -> Any:
    if not fits:
        raise ValueError(f"{place}: a {type(data).__name__} does not belong there")
    return data
