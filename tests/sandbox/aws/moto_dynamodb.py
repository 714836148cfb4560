"""moto's DynamoDB without the work that grows with a table or repeats what is done already: most of what a test that
asks it spends its time on. What it answers stays the same."""

from __future__ import annotations

import copy
import threading
from collections.abc import Mapping
from typing import Any

from moto.core.serialize import BaseJSONSerializer
from moto.dynamodb import models as dynamodb_models
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table

_installed = False
_AS_THEY_ARE = frozenset({"S", "N", "BOOL", "NULL", "SS", "NS"})
"""Kinds of an AttributeValue that JSON carries as moto keeps them; bytes it would encode."""


def install() -> None:
    """Patch moto. Harmless when repeated."""
    global _installed
    if not _installed:
        _installed = True
        _snapshot_what_a_transaction_touches()
        _write_attributes_as_they_are()


def _write_attributes_as_they_are() -> None:
    """An AttributeValue is kept in the form in which it is sent. moto looks for each of its ten possible members by
    each name that it could have, and for those of every value inside."""
    plain: Any = BaseJSONSerializer._serialize_type_structure

    def write(self: Any, serialized: Any, value: Any, shape: Any, key: str) -> None:
        sent = _as_sent(value) if shape.name == "AttributeValue" else None
        if sent is None:
            plain(self, serialized, value, shape, key)
        else:
            self._default_serialize(serialized, sent, shape, key)

    serializer: Any = BaseJSONSerializer
    serializer._serialize_type_structure = write


def _as_sent(value: Any) -> dict[str, Any] | None:
    """None where it is left to moto."""
    if isinstance(value, DynamoType):
        kind, held = value.type, value.value
    elif isinstance(value, Mapping) and len(value) == 1:
        kind, held = next(iter(value.items()))
    else:
        return None
    if kind in _AS_THEY_ARE:
        return {kind: held}
    if kind == "L":
        listed = [_as_sent(one) for one in held]
        return None if None in listed else {kind: listed}
    if kind == "M":
        named = {name: _as_sent(one) for name, one in held.items()}
        return None if None in named.values() else {kind: named}
    return None


def _snapshot_what_a_transaction_touches() -> None:
    """For the case that it fails, moto copies each table of a TransactWriteItems with all that is in it, which takes
    longer with every row. What it may change are the items that it names."""
    transact = dynamodb_models.DynamoDBBackend.transact_write_items
    touched = threading.local()

    class Copying:
        @staticmethod
        def deepcopy(value: Any) -> Any:
            keys = getattr(touched, "keys", None)
            if keys is None or not isinstance(value, Table):
                return copy.deepcopy(value)
            return _snapshot(value, keys.get(value.name, []))

    def transact_write_items(self: Any, transact_items: list[dict[str, Any]]) -> None:
        touched.keys = _keys_by_table(self, transact_items)
        try:
            transact(self, transact_items)
        finally:
            touched.keys = None

    dynamodb_models.copy = Copying
    dynamodb_models.DynamoDBBackend.transact_write_items = transact_write_items


def _keys_by_table(backend: Any, transact_items: list[dict[str, Any]]) -> dict[str, list[tuple[Any, Any]]]:
    found: dict[str, list[tuple[Any, Any]]] = {}
    for operation in (next(iter(item.values())) for item in transact_items):
        table = backend.tables.get(operation.get("TableName"))
        named = operation.get("Key") or operation.get("Item") or {}
        if table is not None and table.hash_key_attr in named:
            range_key = named.get(table.range_key_attr) if table.range_key_attr else None
            key = DynamoType(named[table.hash_key_attr]), DynamoType(range_key) if range_key else None
            found.setdefault(table.name, []).append(key)
    return found


def _snapshot(table: Any, keys: list[tuple[Any, Any]]) -> Any:
    """The table with containers of its own, and copies of the items of these keys: what moto changes in place."""
    kept = copy.copy(table)
    kept.items = table.items.copy()
    for hash_key, range_key in keys:
        if hash_key not in table.items:
            continue
        if range_key is None:
            kept.items[hash_key] = copy.deepcopy(table.items[hash_key])
        else:
            ranges = kept.items[hash_key]
            if ranges is table.items[hash_key]:
                ranges = kept.items[hash_key] = ranges.copy()
            if range_key in ranges:
                ranges[range_key] = copy.deepcopy(ranges[range_key])
    return kept
