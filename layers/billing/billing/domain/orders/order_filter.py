"""What narrows a run to some orders: the fields in one table, from which they are read, written and told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import Enum, auto
from typing import Any, Final


class FieldKind(Enum):
    """What a field of the filter holds."""

    TEXTS = auto()  # a list of texts
    IDS = auto()  # a list of NetSuite internal ids
    CUSTOM = auto()  # {custbody field of the order: value}
    DAY = auto()  # YYYY-MM-DD
    COUNT = auto()  # a whole number


@dataclass(frozen=True, slots=True)
class FilterField:
    """One field: its name in the input, that of the attribute here, and how it is told ("{}" stands for its value).
    `is_trial` says that it lists only some orders of a cycle; the others make a cycle."""

    name: str
    attribute: str
    kind: FieldKind
    words: str
    is_trial: bool


FILTER: Final = (
    FilterField("orderNumbers", "order_numbers", FieldKind.TEXTS, "the orders {}", True),
    FilterField("customerIds", "customer_ids", FieldKind.IDS, "the customers with NetSuite ids {}", True),
    FilterField(
        "customerCategories",
        "customer_categories",
        FieldKind.IDS,
        "the customer categories with NetSuite ids {}",
        False,
    ),
    FilterField("subsidiaries", "subsidiaries", FieldKind.IDS, "the subsidiaries with NetSuite ids {}", False),
    FilterField("customFields", "custom_fields", FieldKind.CUSTOM, "orders whose field {}", False),
    FilterField("fromDate", "from_date", FieldKind.DAY, "orders from {} on", True),
    FilterField("toDate", "to_date", FieldKind.DAY, "orders before {}", True),
    FilterField("atMost", "at_most", FieldKind.COUNT, "at most {}", True),
)
FILTER_FIELDS: Final = tuple(one.name for one in FILTER)


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """Narrows a run to a trial, or a cycle to its part of the firm. Empty fields do not narrow.

    order_numbers: NetSuite's tranid; customer_ids, customer_categories, subsidiaries: NetSuite internal ids;
    custom_fields: (custbody field of the order, value); dates: half-open, from_date <= trandate <
    to_date, narrower than the period; at_most: the first N orders by internal id.
    """

    order_numbers: tuple[str, ...] = ()
    customer_ids: tuple[str, ...] = ()
    from_date: date | None = None
    to_date: date | None = None
    at_most: int | None = None
    customer_categories: tuple[str, ...] = ()
    subsidiaries: tuple[str, ...] = ()
    custom_fields: tuple[tuple[str, str], ...] = ()

    @property
    def narrowing(self) -> tuple[tuple[FilterField, Any], ...]:
        """The fields that narrow, each with its value."""
        values = ((one, getattr(self, one.attribute)) for one in FILTER)
        return tuple((one, value) for one, value in values if value is not None and value != ())

    @property
    def is_trial(self) -> bool:
        """Whether the filter lists only some orders of its cycle. Filters that make a cycle list all of them."""
        return any(one.is_trial for one, _ in self.narrowing)

    def to_input(self) -> dict[str, Any]:
        """The filter as a run's input has it, JSON-safe: read back by `parse_filter`."""
        return {one.name: _as_input(one.kind, value) for one, value in self.narrowing}


def _as_input(kind: FieldKind, value: Any) -> Any:
    if kind is FieldKind.CUSTOM:
        return dict(value)
    if kind is FieldKind.DAY:
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value
