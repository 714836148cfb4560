"""What NetSuite answered to a listing, word for word, with what was known beside it: the run's file orders.json."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from billing.domain.batch.batch import LeftAlone, left_alone
from billing.domain.ledger.ended_orders import EndedOrder
from billing.domain.orders.invoice_preview import InvoicePreview
from billing.domain.orders.other_subsidiaries import OtherSubsidiary
from billing.domain.orders.outstanding import Carried, CarriedGone, Outstanding, not_asked
from billing.domain.orders.sales_order import Listing
from billing.domain.records import read_stored
from billing.domain.records_of_format_1 import snapshot_of_format_1


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`rows` hold NetSuite's texts in the order of `columns`, None for what a row does not have. `carried_over` were on
    the list of orders that come back, `ended` were ended by a person, `outstanding` wait outside the listing (None in a
    snapshot that did not ask), `carried_gone` were ended in NetSuite. `left_alone` is what lies before the start, as
    (currency code, orders, sum in major units), None where it was not asked. `previews` go by NetSuite's internal id.
    `of_others` are the open orders of subsidiaries that this stack does not bill.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]
    absent_columns: tuple[str, ...]
    email_columns: tuple[str, ...]
    carried_over: tuple[Carried, ...] = ()
    ended: tuple[EndedOrder, ...] = ()
    outstanding: tuple[Outstanding, ...] | None = None
    carried_gone: tuple[CarriedGone, ...] = ()
    left_alone: tuple[tuple[str, int, str], ...] | None = None
    previews: Mapping[str, InvoicePreview] = field(default_factory=dict)
    of_others: tuple[OtherSubsidiary, ...] = ()

    def check_as_read(self) -> None:
        """Raise ValueError if a row is not as long as the columns."""
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError("a row has not as many values as there are columns")

    @property
    def listed(self) -> list[dict[str, str]]:
        """The rows as NetSuite gave them: absent values are absent."""
        return [
            {column: value for column, value in zip(self.columns, row, strict=True) if value is not None}
            for row in self.rows
        ]

    @property
    def carried(self) -> dict[str, Carried]:
        """The orders that were on the list of those that come back, by internal id."""
        return {one.order_id: one for one in self.carried_over}

    @property
    def ended_by_order(self) -> dict[str, EndedOrder]:
        """The orders that were ended when the snapshot was made, by internal id."""
        return {one.order_id: one for one in self.ended}

    @property
    def waiting_outside(self) -> tuple[Outstanding, ...]:
        """What waits outside the listing. A snapshot that did not ask does not say: whatever came back and has no row
        waits, as far as it tells."""
        if self.outstanding is not None:
            return self.outstanding
        listed = {row.get("id") for row in self.listed}
        return not_asked((one for one in self.carried_over if one.order_id not in listed), "It was not listed.")

    @property
    def before_the_start(self) -> tuple[LeftAlone, ...] | None:
        """What lies before the start, in minor units."""
        return None if self.left_alone is None else tuple(left_alone(*one) for one in self.left_alone)

    def with_previews(self, listing: Listing) -> Listing:
        """`listing` with the invoices that NetSuite would make of its orders, where the snapshot has them."""
        return replace(
            listing,
            orders=tuple(
                replace(order, preview=self.previews[order.id]) if order.id in self.previews else order
                for order in listing.orders
            ),
        )


def rows_in_columns(rows: Iterable[Mapping[str, str]]) -> tuple[tuple[str, ...], tuple[tuple[str | None, ...], ...]]:
    """(columns, rows): NetSuite's rows without the names of their columns in each."""
    kept: Sequence[Mapping[str, str]] = list(rows)
    columns = tuple(sorted({column for row in kept for column in row}))
    return columns, tuple(tuple(row.get(column) for column in columns) for row in kept)


def read_snapshot(data: Any) -> Snapshot:
    """The snapshot that this version or an earlier one wrote. Raises RecordUnreadable."""
    return read_stored(Snapshot, data, "the run's file orders.json", snapshot_of_format_1)
