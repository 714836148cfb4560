"""Files of format 1, of which no file bore a number: turned into those of the present format.

Their keys were of two styles, camelCase outside and snake_case inside, and some records were lists of values. A run
that waited while this version was deployed reads them; it writes none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from billing.domain.state_keys import snake_keys

_CARRIED: Final = ("order_id", "number", "period", "reason", "content")
_OUTSTANDING: Final = ("order_id", "number", "period", "reason", "state")
_CARRIED_GONE: Final = ("order_id", "number", "period", "state")
_LEFT_ALONE: Final = ("currency", "orders", "total")
_PREVIEW_LINE: Final = ("line", "quantity", "amount")
_DONE: Final = (
    "key", "order_id", "number", "client_id", "client", "currency", "total", "invoice_id", "content_hash", "reason",
    "billed_by", "run_id",
)  # fmt: skip


def snapshot_of_format_1(data: Mapping[str, Any]) -> Any:
    """orders.json."""
    found = snake_keys(data)
    _name(found, "carried_over", _CARRIED)
    _name(found, "outstanding", _OUTSTANDING)
    _name(found, "carried_gone", _CARRIED_GONE)
    for preview in (found.get("previews") or {}).values():
        _name(preview, "lines", _PREVIEW_LINE)
    return found


def batch_of_format_1(data: Mapping[str, Any]) -> Any:
    """batch.json."""
    found = snake_keys(data)
    found["invoices"] = [_invoice(one) for one in found["invoices"]]
    _name(found, "billed_otherwise", _CARRIED)
    _name(found, "done", _DONE)
    _name(found, "outstanding", _OUTSTANDING)
    _name(found, "carried_gone", _CARRIED_GONE)
    _name(found, "left_alone", _LEFT_ALONE)
    return found


def piece_of_format_1(data: Mapping[str, Any]) -> Any:
    """A line of invoices.ndjson."""
    return _invoice(snake_keys(data))


def item_of_format_1(data: Mapping[str, Any]) -> Any:
    """An item of items.json."""
    return snake_keys(data)


def reasons_of_format_1(data: Mapping[str, Any]) -> Any:
    """held.json and changed.json: the reasons alone."""
    return {"reasons": data}


def report_of_format_1(data: Mapping[str, Any]) -> Any:
    """report.json."""
    found = snake_keys(data)
    found["redrive_count"] = found["run"].pop("redrive_count", 0)
    _name(found, "outstanding", _OUTSTANDING)
    _name(found, "carried_gone", _CARRIED_GONE)
    _name(found, "left_alone", _LEFT_ALONE)
    return found


def _invoice(found: dict[str, Any]) -> dict[str, Any]:
    found["orders"] = [
        {{"id": "order_id", "hash": "order_hash"}.get(name, name): value for name, value in link.items()}
        for link in found["orders"]
    ]
    return found


def _name(found: dict[str, Any], key: str, names: tuple[str, ...]) -> None:
    """A record that was a list of values gets its names; values at the end could be missing."""
    if found.get(key) is not None:
        found[key] = [dict(zip(names, values, strict=False)) for values in found[key]]
