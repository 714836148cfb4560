"""Reads a request's JSON body, refusing what the record's properties do not allow.

X-NetSuite-PropertyNameValidation (Error, Warning, Ignore; default Warning) decides about unknown names, and
X-NetSuite-PropertyValueValidation (default Error) about values of the wrong kind, as the REST API Browser
describes both headers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from tests.sandbox.http_messages import Request
from tests.sandbox.netsuite.records import refusals
from tests.sandbox.netsuite.records.property_names import line_properties, properties

Fields = dict[str, Any]
"""A record's or a line's fields as sent: numbers are int or Decimal, sublists are {"items": [...]}."""

_NAMES = "x-netsuite-propertynamevalidation"
_VALUES = "x-netsuite-propertyvaluevalidation"
_CUSTOM_BODY = {"customer": "custentity", "serviceSaleItem": "custitem", "discountItem": "custitem"}
_EXTERNAL_ID = re.compile(r"[A-Za-z0-9_-]+")


@dataclass
class Body:
    """`unknown` are the paths that were left out because no such property exists."""

    fields: Fields
    unknown: list[str] = field(default_factory=list)


def read_body(request: Request, record: str, legacy_tax: bool, flags_as_choice: bool) -> Body:
    """Refused with NetSuite's 400 if the body is no JSON, or has what this record does not take."""
    names = _mode(request, _NAMES, "warning")
    values = _mode(request, _VALUES, "error")
    try:
        data = json.loads(request.body or b"{}", parse_float=Decimal)
    except ValueError:
        raise refusals.Refused("Invalid JSON in the request body.", "INVALID_REQUEST") from None
    if not isinstance(data, dict):
        raise refusals.Refused("The request body must be a JSON object.", "INVALID_REQUEST")
    reader = _Reader(record, legacy_tax, flags_as_choice, values)
    fields = reader.record(data)
    if reader.unknown and names == "error":
        raise refusals.unknown_property(reader.unknown[0])
    return Body(fields, reader.unknown if names == "warning" else [])


def _mode(request: Request, header: str, default: str) -> str:
    mode = request.headers.get(header, default).strip().lower()
    if mode not in ("error", "warning", "ignore"):
        raise refusals.Refused(f"Invalid value '{mode}' of the header {header}.", "INVALID_HEADER")
    return mode


class _Reader:
    def __init__(self, record: str, legacy_tax: bool, flags_as_choice: bool, values: str) -> None:
        self._record = record
        self._legacy = legacy_tax
        self._flags = flags_as_choice
        self._strict = values == "error"
        self.unknown: list[str] = []

    def record(self, data: Mapping[str, object]) -> Fields:
        prefix = _CUSTOM_BODY.get(self._record, "custbody")
        return self._fields(data, properties(self._record, self._legacy), prefix, "")

    def _fields(self, data: Mapping[str, object], known: Mapping[str, str], custom: str, where: str) -> Fields:
        found: Fields = {}
        for name, value in data.items():
            path = f"{where}{name}"
            if name == "links":
                continue
            if name.startswith((custom, "cseg")) and name.replace("_", "").isalnum():
                found[name] = value
            elif name not in known:
                self.unknown.append(path)
            elif value is None:
                found[name] = None
            elif known[name] == "lines":
                found[name] = self._lines(name, value, path)
            elif self._fits(known[name], value, name):
                found[name] = value
            elif self._strict:
                raise refusals.invalid_value(json.dumps(value, default=str), name, path)
        return found

    def _lines(self, sublist: str, value: object, path: str) -> Fields:
        items = value.get("items", []) if isinstance(value, dict) else None
        if not isinstance(items, list) or not all(isinstance(line, dict) for line in items):
            raise refusals.bad_request(f"The sublist {path} must be an object with 'items'.", path)
        known = line_properties(self._record, sublist, self._legacy)
        if known is None:
            return {"items": items}
        return {
            "items": [
                self._fields(line, known, "custcol", f"{path}.items[{place}].") for place, line in enumerate(items)
            ]
        }

    def _fits(self, kind: str, value: object, name: str) -> bool:
        number = isinstance(value, (int, Decimal)) and not isinstance(value, bool)
        if kind == "reference":
            return isinstance(value, dict) and _has_id(value)
        if kind == "choice":
            flag = isinstance(value, bool) and self._flags
            return flag or isinstance(value, str) or (isinstance(value, dict) and _has_id(value))
        if kind == "date":
            return isinstance(value, str) and _is_day(value)
        if kind == "number":
            return number
        if kind == "whole":
            return number and value == int(value)  # type: ignore[call-overload]
        if kind == "flag":
            return isinstance(value, bool)
        if kind == "text" or kind == "moment":
            return isinstance(value, str)
        return isinstance(value, dict)


def _has_id(value: Mapping[str, object]) -> bool:
    found = value.get("id", value.get("externalId"))
    return isinstance(found, (str, int)) and not isinstance(found, bool)


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def legal_external_id(text: str) -> bool:
    """Letters, digits, underscore, hyphen: what `eid:` can address (Oracle's help, section_156334828635)."""
    return _EXTERNAL_ID.fullmatch(text) is not None


def choice_of(value: object) -> str | None:
    """The id of an enumeration value, written as {"id"} or bare."""
    if isinstance(value, Mapping):
        value = value.get("id")
    if isinstance(value, bool):
        return "T" if value else "F"
    return None if value is None else str(value)


def lines_of(fields: Mapping[str, Any], sublist: str) -> list[Fields]:
    """The lines sent for a sublist; none if it was not sent."""
    sent = fields.get(sublist)
    return list(sent["items"]) if sent else []
