"""What is not billed, summed by cause: fifty orders without an e-mail address are one thing to know, not fifty."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from billing.domain.approval.approval_entries import HELD_BY
from billing.domain.batch.batch import Batch, BatchInvoice
from billing.domain.ledger.ledger import Disposition
from billing.domain.money.money import CurrencyUnknown, rule_of
from billing.domain.orders.sales_order import Problem, Reason

HELD_BY_APPROVER: Final = "held_by_approver"
HELD_FOR_A_PERSON: Final = "held_for_a_person"

_TITLES: Final[Mapping[str, str]] = {
    HELD_BY_APPROVER: "Held by an approver",
    HELD_FOR_A_PERSON: "Held for a person",
    Reason.ORDER_ID_UNREADABLE: "Order without a readable id",
    Reason.ORDER_TWICE: "Listed twice with different content",
    Reason.EDITED_WHILE_LISTED: "Edited in NetSuite while it was listed",
    Reason.FIELD_UNREADABLE: "A field cannot be read",
    Reason.CURRENCY_UNKNOWN: "A currency that Stripe does not have",
    Reason.AMOUNT_UNREADABLE: "An amount cannot be read",
    Reason.AMOUNT_NOT_REPRESENTABLE: "An amount finer than its currency allows",
    Reason.LINE_UNIDENTIFIED: "A line without an id",
    Reason.LINE_TWICE: "A line that is there twice",
    Reason.ITEM_TYPE_UNKNOWN: "An item type that is not known",
    Reason.QUANTITY_ZERO: "An amount with a quantity of zero",
    Reason.NO_LINES: "No lines",
    Reason.HEADER_DIFFERS: "Lines and total differ",
    Reason.BILLED_PART_UNKNOWN: "Billed part not known",
    Reason.BILLING_SCHEDULE: "A billing schedule of NetSuite’s",
    Reason.NOT_DELIVERED: "Not delivered yet",
    Reason.TAX_BASE_UNKNOWN: "Tax of the open part not known",
    Reason.SHARE_NOT_REPRESENTABLE: "Open part finer than its currency",
    Reason.NOTHING_OPEN: "Nothing left to bill",
    Reason.TOTAL_ZERO: "The total is zero",
    Reason.TOTAL_NEGATIVE: "The total is negative",
    Reason.PREVIEW_DIFFERS: "NetSuite’s own invoice would differ",
    Reason.PART_NOT_POSITIVE: "A part of it would be zero or negative",
    "customer_without_email": "Client without an e-mail address",
    "customer_ambiguous": "Several Stripe customers fit",
    "customer_deleted": "Stripe customer does not exist",
    "customer_differs": "Stripe customer of another client",
    "customer_of_another": "Stripe customer of another client",
    "customer_name_differs": "Stripe customer has another name",
}


@dataclass(frozen=True, slots=True)
class Cause:
    """Orders that are not billed for one reason. `sums` are minor units by currency over those whose amount is known;
    of `unknown` it is not."""

    code: str
    title: str
    orders: int
    sums: Mapping[str, int]
    unknown: int
    items: tuple[Problem | BatchInvoice, ...]


def cause_of(item: Problem | BatchInvoice) -> str:
    """The cause's code, "" for an invoice that is billed."""
    if isinstance(item, Problem):
        return item.reason_code
    if item.disposition is not Disposition.HOLD:
        return ""
    return HELD_BY_APPROVER if item.reason.startswith(HELD_BY) else HELD_FOR_A_PERSON


def cause_title(code: str) -> str:
    """A cause in words. One that this version has no words for reads as its code."""
    return _TITLES.get(code) or code.replace("_", " ").capitalize()


def causes(batch: Batch) -> tuple[Cause, ...]:
    """Every cause, the one with the most orders first."""
    found: dict[str, list[Problem | BatchInvoice]] = {}
    items: tuple[Problem | BatchInvoice, ...] = (*batch.problems, *batch.of(Disposition.HOLD))
    for item in items:
        found.setdefault(cause_of(item), []).append(item)
    made = [_cause(code, items) for code, items in found.items()]
    return tuple(sorted(made, key=lambda one: (-one.orders, one.title)))


def unbilled_sums(items: Iterable[Problem | BatchInvoice]) -> tuple[dict[str, int], int]:
    """(minor units by currency, how many have no amount that can be read)."""
    sums: dict[str, int] = {}
    unknown = 0
    for item in items:
        amount = amount_of(item)
        if amount is None:
            unknown += 1
        else:
            sums[amount[0]] = sums.get(amount[0], 0) + amount[1]
    return dict(sorted(sums.items())), unknown


def amount_of(item: Problem | BatchInvoice) -> tuple[str, int] | None:
    """(currency, minor units), or None where the amount or its currency cannot be read."""
    if not isinstance(item, Problem):
        return item.plan.currency, item.total
    if item.total_minor is None or not item.currency:
        return None
    try:
        rule_of(item.currency.lower())
    except CurrencyUnknown:
        return None
    return item.currency.lower(), item.total_minor


def orders_of(item: Problem | BatchInvoice) -> frozenset[str]:
    """Internal ids of its orders."""
    return frozenset([item.order_id] if isinstance(item, Problem) else (order.id for order in item.plan.orders))


def _cause(code: str, items: list[Problem | BatchInvoice]) -> Cause:
    sums, unknown = unbilled_sums(items)
    orders = len(frozenset().union(*(orders_of(item) for item in items)))
    return Cause(code, cause_title(code), orders, sums, unknown, tuple(items))
