"""Whether a listing is still what NetSuite would list: the same orders, each as it was."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from billing.domain.orders.order_fingerprint import OrderFingerprint, fingerprints_of_rows

_MOST_NAMED = 10


@dataclass(frozen=True, slots=True)
class ListedOrder:
    """What can move of an order. `fingerprint` is the order's own; `about` are its client's, currency's and terms'
    columns, whose changes do not touch the order: someone corrects a client's e-mail, and the order stays the same."""

    fingerprint: OrderFingerprint
    about: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ListingComparison:
    """Internal ids of orders that are listed now and were not, that moved, and that are listed no more; each sorted by
    number."""

    new: tuple[str, ...]
    changed: tuple[str, ...]
    gone: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether listing again would give the same."""
        return not (self.new or self.changed or self.gone)

    @property
    def why(self) -> str:
        """What differs, in a sentence that names orders by internal id; "" if nothing does."""
        parts = (("New", self.new), ("Changed", self.changed), ("No longer listed", self.gone))
        return " ".join(f"{what}: {_named(ids)}." for what, ids in parts if ids)


def listed_orders(rows: Iterable[Mapping[str, str]], about: Collection[str]) -> dict[str, ListedOrder]:
    """Orders by internal id, from a listing's rows (one row a line). `about` names the columns that are not the
    order's own."""
    rows = tuple(rows)
    beside = {
        row.get("id", ""): {column: text for column, text in row.items() if column in about and text} for row in rows
    }
    return {
        order_id: ListedOrder(fingerprint, beside[order_id])
        for order_id, fingerprint in fingerprints_of_rows(rows).items()
    }


def compare_listings(before: Mapping[str, ListedOrder], now: Mapping[str, ListedOrder]) -> ListingComparison:
    """What moved between the two. Pure."""
    return ListingComparison(
        new=_sorted(now.keys() - before.keys()),
        changed=_sorted(one for one in before.keys() & now.keys() if before[one] != now[one]),
        gone=_sorted(before.keys() - now.keys()),
    )


def _sorted(ids: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(ids, key=lambda one: (len(one), one)))


def _named(ids: tuple[str, ...]) -> str:
    more = f" and {len(ids) - _MOST_NAMED} more" if len(ids) > _MOST_NAMED else ""
    return ", ".join(one[:20] for one in ids[:_MOST_NAMED]) + more
