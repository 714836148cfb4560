"""Frozen dataclasses as JSON, and back: the one way in which files, rows and signed texts are written and read.

A record is an object whose keys are the dataclass's field names. Its type hints say what each value must be: texts,
whole numbers, truth values, Decimal and date (as texts), enumerations, literals, tuples, mappings, dataclasses, and
unions of these. Nothing is converted silently: a number where a text belongs is an error that names the path.

What is stored by itself (a file, a line of one, a row) also has a format number. A change that this reading would not
survive gets the next number, and the former format a function that turns it into the present one: a run may wait for
approval while a new version is deployed. See docs/decisions/0018-records-one-way.md.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import Enum
from functools import cache
from typing import Any, Final, Literal, TypeVar

from billing.domain.errors import OurFault

T = TypeVar("T")
Older = Callable[[Mapping[str, Any]], Any]

FORMAT: Final = 2
"""The format that this version writes. What has no number was written in format 1, before there were numbers."""
FORMAT_NAME: Final = "format"

WRITTEN_IF_SET: Final[Mapping[str, Any]] = {"written if set": True}
"""Metadata of a field that is left out while it is None: hashes of records without it stay what they are."""


def written_as(name: str) -> Mapping[str, Any]:
    """Metadata of a field that is kept under another name: signatures, rows and files of earlier versions have it."""
    return {"written as": name}


class RecordUnreadable(OurFault):
    """A stored record is not what this version reads. Its sentence says by which version it was written and what to
    do. It leaves a function as OurFault. `problem` names the place and never the value, which could be an amount."""

    def __init__(self, sentence: str, problem: str = "") -> None:
        super().__init__(sentence)
        self.problem = problem


class _NotAsHinted(ValueError):
    """A value is not what its type hint says: where, and what it should be."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path or 'the record'} {problem}")


def to_record(value: Any) -> Any:
    """JSON-safe, without floats. `from_record` with the same type gives an equal value."""
    kind = type(value)
    if kind in (str, int, bool) or value is None:
        return value
    if is_dataclass(kind):
        return {
            key: to_record(found)
            for name, key, if_set in written_fields(kind)
            if (found := getattr(value, name)) is not None or not if_set
        }
    if isinstance(value, (tuple, list)):
        return [to_record(one) for one in value]
    if isinstance(value, Mapping):
        return {key: to_record(one) for key, one in value.items()}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"a {kind.__name__} is in no record")


def from_record(kind: type[T], data: object) -> T:
    """The dataclass that `to_record` wrote. A field with a default may be missing, none may be there that the class
    does not have. Raises RecordUnreadable."""
    try:
        found: T = _reader(typing.cast("Any", kind))(data, "")
    except _NotAsHinted as error:
        name = getattr(kind, "__name__", "record")
        raise RecordUnreadable(f"A stored {name} cannot be read: {error}.", str(error)) from None
    return found


def stored(value: Any) -> dict[str, Any]:
    """A record with its format number, to be kept by itself."""
    return {FORMAT_NAME: FORMAT, **to_record(value)}


def read_stored(kind: type[T], data: object, what: str, older: Older | None = None, to_do: str = "") -> T:
    """What `stored` wrote, in this version or an earlier one. `what` names it in a sentence ("the run's file x");
    `older` turns format 1 into this one, None where only the number was added; `to_do` says what a person does about
    one that cannot be read, which for a run's files is to start a new execution.

    Raises RecordUnreadable.
    """
    format_ = data.get(FORMAT_NAME, 1) if isinstance(data, Mapping) else None
    if type(format_) is not int or format_ < 1:
        raise RecordUnreadable(
            f"{_capital(what)} is not what any version of this product writes: it was altered. {to_do or _WHAT_TO_DO}"
        )
    if format_ > FORMAT:
        raise RecordUnreadable(
            f"{_capital(what)} has format {format_}: it was written by a newer version of this product. The deployed "
            f"one reads formats 1 to {FORMAT}. Deploy the newer version again, or start a new execution."
        )
    try:
        fields_ = {name: value for name, value in typing.cast("Mapping[str, Any]", data).items() if name != FORMAT_NAME}
        return from_record(kind, older(fields_) if older is not None and format_ == 1 else fields_)
    except RecordUnreadable as error:
        problem = error.problem
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        problem = f"it has not that format's fields ({type(error).__name__})"
    by = "an earlier version of this product" if format_ < FORMAT else "this version"
    raise RecordUnreadable(
        f"{_capital(what)} has format {format_} ({by}) and cannot be read: {problem}. {to_do or _WHAT_TO_DO}", problem
    )


_WHAT_TO_DO: Final = "Start a new execution: it lists again, and drafts nothing twice."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


@cache
def written_fields(kind: type) -> tuple[tuple[str, str, bool], ...]:
    """(field, its key in a record, whether it is left out while it is None)."""
    return tuple(
        (one.name, one.metadata.get("written as", one.name), "written if set" in one.metadata) for one in fields(kind)
    )


Reader = Callable[[Any, str], Any]


@cache
def _reader(hint: Any) -> Reader:
    """How a value of this type is read from JSON: a function of the value and its path."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return lambda value, _: value
    if origin is typing.Union or origin is types.UnionType:
        return _union(arguments)
    if origin is Literal:
        return _one_of(arguments, lambda value: value)
    if origin is tuple:
        return _tuple(arguments)
    if origin is not None and isinstance(origin, type) and issubclass(origin, Mapping):
        return _mapping(arguments[1])
    if isinstance(hint, type) and is_dataclass(hint):
        return _dataclass(hint)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _one_of(tuple(one.value for one in hint), hint)
    if hint in _SCALARS:
        return _SCALARS[hint]
    raise TypeError(f"no record holds a {hint}")


def _text(value: Any, path: str) -> str:
    if type(value) is not str:
        raise _NotAsHinted(path, "is no text")
    return value


def _number(value: Any, path: str) -> int:
    if type(value) is int:
        return value
    # DynamoDB's numbers come as Decimal.
    if type(value) is Decimal and value == value.to_integral_value():
        return int(value)
    raise _NotAsHinted(path, "is no whole number")


def _truth(value: Any, path: str) -> bool:
    if type(value) is not bool:
        raise _NotAsHinted(path, "is neither true nor false")
    return value


def _nothing(value: Any, path: str) -> None:
    if value is not None:
        raise _NotAsHinted(path, "is not null")


def _decimal(value: Any, path: str) -> Decimal:
    try:
        found = Decimal(_text(value, path))
    except InvalidOperation:
        raise _NotAsHinted(path, "is no decimal number") from None
    if not found.is_finite():
        raise _NotAsHinted(path, "is no decimal number")
    return found


def _day(value: Any, path: str) -> date:
    try:
        return date.fromisoformat(_text(value, path))
    except ValueError:
        raise _NotAsHinted(path, "is no day") from None


_SCALARS: Final[Mapping[Any, Reader]] = {
    str: _text,
    int: _number,
    bool: _truth,
    type(None): _nothing,
    Decimal: _decimal,
    date: _day,
}


def _one_of(values: tuple[Any, ...], made: Callable[[Any], Any]) -> Reader:
    def read(value: Any, path: str) -> Any:
        if isinstance(value, bool) or value not in values:
            raise _NotAsHinted(path, "is none of its known values")
        return made(value)

    return read


def _union(kinds: tuple[Any, ...]) -> Reader:
    if type(None) in kinds:
        others = tuple(kind for kind in kinds if kind is not type(None))
        inner = _reader(others[0]) if len(others) == 1 else _union(others)
        return lambda value, path: None if value is None else inner(value, path)
    # Of several dataclasses it is the one whose fields the object has.
    readers = [(frozenset(key for _, key, _ in written_fields(kind)), _reader(kind)) for kind in kinds]

    def read(value: Any, path: str) -> Any:
        for names, reader in readers:
            if isinstance(value, Mapping) and value and names.issuperset(value):
                return reader(value, path)
        raise _NotAsHinted(path, f"is none of {', '.join(kind.__name__ for kind in kinds)}")

    return read


def _tuple(kinds: tuple[Any, ...]) -> Reader:
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        inner = _reader(kinds[0])
        if kinds[0] is str:
            return _texts
        return lambda value, path: tuple(
            [inner(one, f"{path}[{place}]") for place, one in enumerate(_list(value, path))]
        )
    readers = [_reader(kind) for kind in kinds]

    def read(value: Any, path: str) -> Any:
        if len(_list(value, path)) != len(readers):
            raise _NotAsHinted(path, f"has not {len(readers)} values")
        return tuple(
            [reader(one, f"{path}[{place}]") for place, (reader, one) in enumerate(zip(readers, value, strict=True))]
        )

    return read


def _texts(value: Any, path: str) -> tuple[str, ...]:
    for one in _list(value, path):
        if type(one) is not str:
            raise _NotAsHinted(path, "holds something that is no text")
    return tuple(value)


def _list(value: Any, path: str) -> list[Any]:
    if not isinstance(value, list):
        raise _NotAsHinted(path, "is no list")
    return value


def _mapping(kind: Any) -> Reader:
    inner = _reader(kind)

    def read(value: Any, path: str) -> Any:
        if not isinstance(value, Mapping):
            raise _NotAsHinted(path, "is no object")
        return {_text(key, path): inner(one, f"{path}.{key}") for key, one in value.items()}

    return read


def _dataclass(kind: type) -> Reader:
    hints = typing.get_type_hints(kind)
    readers = {key: (name, _reader(hints[name])) for name, key, _ in written_fields(kind)}
    named = {name: key for name, key, _ in written_fields(kind)}
    required = tuple(one.name for one in fields(kind) if one.default is MISSING and one.default_factory is MISSING)

    def read(value: Any, path: str) -> Any:
        if not isinstance(value, Mapping):
            raise _NotAsHinted(path, "is no object")
        dot = f"{path}." if path else ""
        arguments = {}
        for key, found in value.items():
            if key not in readers:
                raise _NotAsHinted(path, f"has a field {key!r:.60} that a {kind.__name__} does not have")
            name, reader = readers[key]
            arguments[name] = reader(found, dot + key)
        for name in required:
            if name not in arguments:
                raise _NotAsHinted(dot + named[name], "is missing")
        try:
            made = kind(**arguments)
            # What no type hint can say: sums that add up, days that exist.
            check = getattr(made, "check_as_read", None)
            if check is not None:
                check()
        except ValueError as error:
            raise _NotAsHinted(path, f"is no {kind.__name__}: {error}") from None
        return made

    return read
