"""What differs from one NetSuite account to the next, as far as a client can see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Self

from tests.sandbox.netsuite.world_fields import WorldError

DATE_FORMATS = {"M/D/YYYY", "DD/MM/YYYY", "D.M.YYYY"}
KEY_CASINGS = {"lower", "upper", "mixed"}
_SHARING = ("proportional", "first", "last")
_WORDS = {
    "absent_words": ("unknown_identifier", "not_exposed"),
    "tax_mode": ("legacy", "suitetax"),
    "tax_rounding": ("document", "line"),
    "discount_sharing": _SHARING,
    "shipping_sharing": _SHARING,
    "closed_period": ("refused", "move_period", "move_date"),
}


@dataclass(frozen=True)
class Options:
    """`date_format`: the user's date preference, in which raw date columns come back.
    `key_casing`: lower, upper, or mixed (Oracle does not promise lower case).
    `absent_words`: how a column is refused that the account lacks: "unknown_identifier", or "not_exposed" ("Field 'x'
    for record 'y' was not found. Reason: NOT_EXPOSED"); clients of live accounts have seen both.
    `columns_absent`: "record.column" that this account lacks; `records_absent`: records it lacks, or may not
    see.
    `item_rows_absent`: item types whose rows cannot be joined.
    `may_query`: False = the role lacks SuiteAnalytics Workbook (400 USER_ERROR).
    `concurrency_limit`: requests at once; the next gets 429, with `retry_after` seconds if that is given.
    `max_rows`: rows a query may page through.
    `shift_pages`: drop and repeat rows at page borders when ORDER BY is not a unique key with ASC.
    `lock_after`: bad token-based logins that lock the user for 30 minutes; None = never.
    `tax_mode`: "legacy" (REST shows and takes no tax, totals hold it) or "suitetax" (taxDetails).
    `legacy_tax_code`: name of the tax code that NetSuite puts on an invoice or credit memo written by hand.
    `tax_rounding`: tax rounded once a "document" and code, or on each "line".
    `discount_sharing`, `shipping_sharing`: what an invoice over a part of an order takes of the order's fixed
    discounts, and of shipping and handling: "proportional", all on the "first" or all on the "last" invoice.
    `approval_routing`: invoices wait for approval (D) unless approvalStatus is "2".
    `advance_billing`: Invoice in Advance of Fulfillment: orders in B and D, and goods not shipped, can be billed.
    `billing_stamps_order`: a bill moves the order's lastmodifieddate.
    `recompute_amounts`: NetSuite makes amount = quantity x rate whatever amount is sent.
    `mandatory_fields`: record name -> fields its form demands: {"invoice": ["otherRefNum"]}.
    `closed_period`: a date in a closed period without postingPeriod is "refused", or NetSuite's preference moves
    the period ("move_period") or the date too ("move_date").
    `auto_numbering`: entityId is counted and what is sent for it is ignored.
    `undep_funds_as_flag`: undepFunds may be true or false, as Oracle's help says (the API browser: {"id"}).
    `refund_memo_line`: `line` of a credit memo in a refund's apply list.
    `honours_payment_amount`: paymentAmount on a deposit's line counts; else the stored rate always does.
    `may_not`: what the role may not do: "deposit:POST", "*:DELETE" (400 USER_ERROR).
    `public_base`: further base URL that a JWT's aud may name and that OAuth 1.0a may sign.
    """

    date_format: str = "M/D/YYYY"
    key_casing: str = "lower"
    absent_words: str = "unknown_identifier"
    columns_absent: frozenset[str] = frozenset()
    records_absent: frozenset[str] = frozenset()
    item_rows_absent: frozenset[str] = frozenset({"Subtotal"})
    may_query: bool = True
    concurrency_limit: int = 5
    retry_after: int | None = None
    max_rows: int = 100_000
    shift_pages: bool = True
    lock_after: int | None = 5
    public_base: str | None = None
    tax_mode: str = "legacy"
    legacy_tax_code: str | None = None
    tax_rounding: str = "document"
    discount_sharing: str = "proportional"
    shipping_sharing: str = "proportional"
    approval_routing: bool = False
    advance_billing: bool = False
    billing_stamps_order: bool = True
    recompute_amounts: bool = False
    mandatory_fields: Mapping[str, Sequence[str]] = field(default_factory=dict)
    closed_period: str = "refused"
    auto_numbering: bool = False
    undep_funds_as_flag: bool = False
    refund_memo_line: int = 1
    honours_payment_amount: bool = True
    may_not: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if self.date_format not in DATE_FORMATS:
            raise WorldError(f"option 'date_format' must be one of {sorted(DATE_FORMATS)}, not {self.date_format!r}")
        if self.key_casing not in KEY_CASINGS:
            raise WorldError(f"option 'key_casing' must be one of {sorted(KEY_CASINGS)}, not {self.key_casing!r}")
        for name, words in _WORDS.items():
            if getattr(self, name) not in words:
                raise WorldError(f"option '{name}' must be one of {', '.join(words)}, not {getattr(self, name)!r}")

    def with_values(self, values: Mapping[str, object]) -> Self:
        """These options with those of a world file (or of keyword arguments) on top."""
        known = {each.name for each in fields(self)}
        changes: dict[str, object] = {}
        for name, value in values.items():
            if name not in known:
                raise WorldError(f"unknown option '{name}'; known are: {', '.join(sorted(known))}")
            changes[name] = frozenset(value) if isinstance(value, (list, tuple, set)) else value
        return replace(self, **changes)  # type: ignore[arg-type]
