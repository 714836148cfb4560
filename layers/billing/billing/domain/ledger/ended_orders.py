"""Orders that a person has ended: "billed by hand", "not to be billed". Pure.

An order that a run listed and did not draft comes back in every later run. A person who knows that nothing more is to
be billed of it ends it, with a reason. It then stays ended until it changes in NetSuite; a changed order is asked about
like any other, and says that it had been ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

from billing.domain.canonical import canonical_json, sha256_hex

_OF_THE_ORDER: Final = ("status", "entity", "currencycode", "foreigntotal")
_OF_A_LINE: Final = (
    "uniquekey", "item", "itemtype", "quantity", "rate", "foreignamount", "quantitybilled", "quantityshiprecv",
    "isclosed", "taxline", "kitmemberof",
)  # fmt: skip
"""What decides how much is billed, and to whom. Texts, terms and addresses are not among it, and neither is the time of
the last change: an order that is not to be billed stays so when its memo is corrected. A column that is read one day
and says how much is due belongs here."""


@dataclass(frozen=True, slots=True)
class EndedOrder:
    """That a person has ended an order: who (`by`, an address), why, when (ISO, UTC), and the order's content at the
    last listing before (see `content_of`; "" if nobody knows it, and then any listed content is another one).
    `named_in` is the id of the run whose report named it with who and why, "" while none has. `open_again` says that a
    person has taken the ending back, for the same reasons on record."""

    order_id: str
    number: str
    reason: str
    by: str
    at: str
    content: str
    named_in: str = ""
    open_again: bool = False

    def holds_for(self, content: str) -> bool:
        """Whether the order, listed with this content, is still ended."""
        return not self.open_again and bool(self.content) and self.content == content

    @property
    def words(self) -> str:
        """ "Ended on 2026-06-02 by ann@firm.example: billed by hand." """
        said = f"Ended on {self.at[:10]} by {self.by}: {self.reason}"
        return said if said.endswith((".", "!", "?", "…")) else f"{said}."


@dataclass(frozen=True, slots=True)
class EndedListed:
    """An ended order that a run lists, unchanged. `currency` and `total` (minor units, of what is open) are None where
    they cannot be read."""

    ended: EndedOrder
    client: str
    client_id: str
    currency: str | None
    total: int | None

    def first_named_in(self, run_id: str) -> bool:
        """Whether this run's report names it with who and why; later ones only count it."""
        return self.ended.named_in in ("", run_id)


def content_of(rows: Iterable[Mapping[str, str]]) -> str:
    """The hash of what one order's rows say about how much is billed to whom. Rows are the listing's, one a line, in
    any order; a number is the same however many zeros NetSuite writes behind it."""
    rows = list(rows)
    header = [_value(rows[0].get(column)) for column in _OF_THE_ORDER] if rows else []
    lines = sorted([_value(row.get(column)) for column in _OF_A_LINE] for row in rows)
    return sha256_hex(canonical_json([header, lines]))


def contents_of(rows: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """`content_of` each order of a listing, by NetSuite's internal id."""
    of_order: dict[str, list[Mapping[str, str]]] = {}
    for row in rows:
        of_order.setdefault(row.get("id", ""), []).append(row)
    return {order_id: content_of(own) for order_id, own in of_order.items()}


def _value(text: str | None) -> str:
    if text is None:
        return ""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    # Without the default context's 28 digits: a longer number is none that is rounded here.
    return text if not number.is_finite() or len(text) > 28 else format(number.normalize(), "f")
