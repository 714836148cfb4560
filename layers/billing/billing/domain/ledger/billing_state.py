"""What is still to bill of an order that was listed, given what was billed of it before. Pure.

Keyed on NetSuite's lines and not on our plans: an order that was billed in a client's invoice, or in parts, is
recognised in whatever plan it comes back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from billing.domain.invoices.plan_record import InvoicePlan, with_lines
from billing.domain.invoices.supplement import (
    WHAT_TO_DO,
    BilledBefore,
    BilledLine,
    MoreToBill,
    NothingNew,
    plan_supplement,
)
from billing.domain.ledger.ledger import BilledInvoice, EntryState, LedgerEntry, OrderLink, OrderRecord, order_hash
from billing.domain.money.money import Money


@dataclass(frozen=True, slots=True)
class ToBill:
    """A plan that may be asked about. `reason` is "" for an order nobody has billed before."""

    plan: InvoicePlan
    link: OrderLink
    replaces: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """A plan that is billed already, by this invoice, which was drafted from the plan `billed_by`. `unchanged` says
    that nothing about it is worth a word."""

    plan: InvoicePlan
    link: OrderLink
    invoice_id: str
    reason: str
    billed_by: str
    unchanged: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """A plan about which a person has to decide. `open_minor` is what is open of it beyond what live invoices of ours
    bill, in minor units, never below zero; None: all of it."""

    plan: InvoicePlan
    link: OrderLink
    invoice_id: str
    reason: str
    open_minor: int | None = None


State = ToBill | Done | Held


def state_of_order(
    plans: Sequence[InvoicePlan],
    record: OrderRecord | None,
    entries: Mapping[str, LedgerEntry],
    removed: Collection[str],
    netsuite_billed: tuple[tuple[str, str], ...] | None = None,
) -> list[State]:
    """Decide for each plan (one, or the parts) of one order. `removed` are invoices of ours that a person deleted or
    voided in Stripe; what they billed is billable again.

    The plans must be of the order without what NetSuite has billed of our own drafts (billed_union.readings_of).
    `netsuite_billed` is all that NetSuite has billed of it, to be kept with a draft that comes of this.
    """
    order_id = plans[0].orders[0].id
    now_hash = order_hash(plans)
    link = OrderLink(order_id, now_hash, record.version if record else 0, netsuite_billed)
    if record is None or not record.billed:
        return [ToBill(plan, link) for plan in plans]
    live = {invoice_id: one for invoice_id, one in record.billed.items() if invoice_id not in removed}
    gone = tuple(sorted(set(record.billed) - set(live)))
    again = _billable_again(record, gone)
    if not live:
        return [ToBill(plan, link, gone, again) for plan in plans]
    differing = [
        invoice_id
        for invoice_id, one in live.items()
        if one.plan_key in entries and entries[one.plan_key].state is EntryState.DIFFERS
    ]
    if differing:
        reason = (
            f"The draft {differing[0]} differs from what was approved. Delete or void it in Stripe, then run again."
        )
        return [Held(plan, link, differing[0], reason) for plan in plans]
    # Where one of several invoices of a plan was removed, its lines may still stand on another with less of them: then
    # the amounts decide, as after a change.
    same = record.order_hash == now_hash or _same_amounts(plans, record, live)
    if same and not (gone and len(plans) == 1):
        return [_unchanged(plan, link, live, gone, again, entries) for plan in plans]
    named = ", ".join(sorted(live))
    if len(plans) > 1:
        if isinstance(plan_supplement(_in_one(plans), _before(record, live, plans), 1), NothingNew):
            return [_unchanged(plan, link, live, gone, again, entries) for plan in plans]
        whole, before = _in_one(plans), _before(record, live, plans)
        reason = (
            f"Billed by {named}, and changed since. It has {len(plans)} parts, between which lines may have moved. "
            f"We have billed {Money(before.total, before.currency)} of it; without what NetSuite alone has billed it "
            f"comes to {Money(whole.total, whole.currency)} now. {WHAT_TO_DO}"
        )
        # The difference is of the whole order: the first part stands for it, so that no sum counts it twice.
        left = _left_open(whole, before)
        return [Held(plan, link, min(live), reason, 0 if number else left) for number, plan in enumerate(plans)]
    return [_changed(plans[0], link, record, live, gone, again)]


def _billable_again(record: OrderRecord, gone: Sequence[str]) -> str:
    """What a draft that comes after drafts that are gone says of them."""
    if not gone:
        return ""
    said = f"A person deleted or voided {', '.join(gone)} in Stripe: billable again."
    kept = [invoice_id for invoice_id in gone if record.billed[invoice_id].mirrored_as]
    if kept:
        said += (
            f" NetSuite has made invoices of {', '.join(kept)} and counts their goods as billed as long as it has "
            "them: those are not in this draft."
        )
    return said


def agreed(least: Sequence[State], most: Sequence[State] | None, numbers: str) -> list[State]:
    """One state for each plan of an order of which nobody can say how much NetSuite has billed beside our drafts:
    `least` and `most` are the states at both ends (None: nothing would be open). Where they are not the same, a person
    decides, with both numbers.
    """
    if most is not None and [(type(one), one.plan) for one in least] == [(type(one), one.plan) for one in most]:
        return list(least)
    reason = (
        "NetSuite has billed something of it, and so have we, and nobody can tell how much of that is the same goods. "
        f"{numbers} {WHAT_TO_DO}"
    )
    return [Held(one.plan, one.link, one.invoice_id if isinstance(one, Done | Held) else "", reason) for one in least]


def _in_one(plans: Sequence[InvoicePlan]) -> InvoicePlan:
    """All parts as one plan, to be compared and never drafted."""
    return with_lines(replace(plans[0], part=1, parts=1), [line for plan in plans for line in plan.lines])


def _unchanged(
    plan: InvoicePlan,
    link: OrderLink,
    live: Mapping[str, BilledInvoice],
    gone: tuple[str, ...],
    again: str,
    entries: Mapping[str, LedgerEntry],
) -> ToBill | Done:
    billed_by = {line[0]: invoice_id for invoice_id, one in live.items() for line in one.lines}
    order_id = link.order_id
    invoices = {billed_by.get(line.id, billed_by.get(f"{order_id}-{line.id}")) for line in plan.lines}
    if None in invoices:
        return ToBill(plan, link, gone, again)
    named = ", ".join(sorted(filter(None, invoices)))
    periods = sorted({entries[one.plan_key].period for one in live.values() if one.plan_key in entries})
    first = min(filter(None, invoices))
    return Done(plan, link, first, f"Drafted in {', '.join(periods)} as {named}.", live[first].plan_key, unchanged=True)


def _same_amounts(plans: Sequence[InvoicePlan], record: OrderRecord, live: Mapping[str, BilledInvoice]) -> bool:
    """Whether what is open is, line by line, what the live invoices bill. The hash also covers the texts, and those
    move by themselves: a description that names the period is another one every month."""
    if {(plan.client.netsuite_id, plan.currency) for plan in plans} != {(record.client_id, record.currency)}:
        return False
    billed = [(line[0], line[1], line[2]) for one in live.values() for line in one.lines]
    return _by_line(billed) == _by_line((line.id, line.quantity, line.amount) for plan in plans for line in plan.lines)


def _by_line(lines: Iterable[tuple[str, str | None, int]]) -> dict[str, tuple[Fraction, int]]:
    """Quantity and amount by line id: an order that was extended is billed by several invoices."""
    sums: dict[str, tuple[Fraction, int]] = {}
    for line_id, quantity, amount in lines:
        known = sums.get(line_id, (Fraction(0), 0))
        sums[line_id] = (known[0] + Fraction(quantity or 0), known[1] + amount)
    return sums


def _changed(
    plan: InvoicePlan,
    link: OrderLink,
    record: OrderRecord,
    live: Mapping[str, BilledInvoice],
    gone: tuple[str, ...],
    again: str,
) -> ToBill | Done | Held:
    named = ", ".join(sorted(live))
    found = plan_supplement(plan, _before(record, live, [plan]), _next_number(record))
    changes = " ".join(found.changes)
    if isinstance(found, MoreToBill):
        reason = f"{again} Billed by {named}; newly open since: {changes}".strip()
        return ToBill(found.plan, link, gone, reason)
    first = min(live)
    if isinstance(found, NothingNew):
        reason = f"Billed by {named}. Changed since, with nothing new to bill. {changes}"
        return Done(plan, link, first, reason.strip(), live[first].plan_key)
    return Held(plan, link, first, found.reason, _left_open(plan, _before(record, live, [plan])))


def _left_open(plan: InvoicePlan, before: BilledBefore) -> int | None:
    """What is open of an order beyond what was billed of it; None where the two cannot be compared."""
    return max(0, plan.total - before.total) if plan.currency == before.currency else None


def _before(record: OrderRecord, live: Mapping[str, BilledInvoice], plans: Sequence[InvoicePlan]) -> BilledBefore:
    # Where two orders of a client's invoice shared a line id, it was drafted with its order's in front (grouping).
    own = {f"{record.order_id}-{line.id}": line.id for plan in plans for line in plan.lines}
    lines = [BilledLine(own.get(line[0], line[0]), *line[1:]) for one in live.values() for line in one.lines]
    return BilledBefore.from_lines(record.client_id, record.currency, lines, sorted(live))


def _next_number(record: OrderRecord) -> int:
    """The number of the next "-more-" plan, above every one there has been."""
    numbers = [one.plan_key.rpartition("-more-")[2] for one in record.billed.values()]
    return max([0, *(int(number) for number in numbers if number.isdecimal())]) + 1
