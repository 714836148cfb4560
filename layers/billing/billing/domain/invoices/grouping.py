"""One invoice per client, currency and terms, its lines under their order numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from billing.domain.invoices.billing_policy import BillingPolicy
from billing.domain.invoices.charge_limits import CHARGE_WARNINGS
from billing.domain.invoices.line_text import LONGEST_FIELD_VALUE, LONGEST_LINE
from billing.domain.invoices.order_plan import PO_FIELD, with_texts
from billing.domain.invoices.parts import MOST_LINES
from billing.domain.invoices.plan_record import InvoicePlan, PlanLine, PlanWarning, with_lines
from billing.domain.orders.due_date import Due, NetDays
from billing.domain.text import truncate


def group_by_client(plans: Iterable[InvoicePlan], policy: BillingPolicy) -> tuple[InvoicePlan, ...]:
    """The same lines and totals as `plans` (one or more per order), on one invoice per client, currency
    and terms. Orders stay whole where 250 lines allow it; beyond that there are numbered parts.

    Every order was found billable on its own before, so each part is above zero and the totals per client
    and currency are those of invoicing by order.
    """
    groups: dict[str, list[InvoicePlan]] = {}
    for plan in plans:
        key = f"client-{plan.client.netsuite_id}-{plan.currency}-{_name_of(plan.due)}"
        groups.setdefault(key, []).append(plan)
    return tuple(grouped for key, members in groups.items() for grouped in _grouped(key, members, policy))


def _name_of(due: Due) -> str:
    if isinstance(due, NetDays):
        return f"net{due.days}"
    return f"day{due.day_of_month}" + (f"w{due.next_month_if_within}" if due.next_month_if_within else "")


def _grouped(key: str, members: Sequence[InvoicePlan], policy: BillingPolicy) -> list[InvoicePlan]:
    packed = _packed(members)
    grouped: list[InvoicePlan] = []
    for number, pack in enumerate(packed, 1):
        plan = _merged(key, pack, policy)
        if len(packed) > 1:
            plan = replace(
                plan,
                key=f"{key}-part-{number}",
                part=number,
                parts=len(packed),
                description=f"{plan.description} (part {number} of {len(packed)})",
            )
        grouped.append(plan)
    return grouped


def _packed(members: Sequence[InvoicePlan]) -> list[list[InvoicePlan]]:
    """Neighbouring members together as long as their lines fit on one invoice."""
    packs: list[list[InvoicePlan]] = []
    room = 0
    for member in members:
        if len(member.lines) > room:
            packs.append([])
            room = MOST_LINES
        packs[-1].append(member)
        room -= len(member.lines)
    return packs


def _merged(key: str, members: Sequence[InvoicePlan], policy: BillingPolicy) -> InvoicePlan:
    first = members[0]
    warnings = [
        PlanWarning(warning.code, f"{member.orders[0].number}: {warning.message}")
        for member in members
        for warning in member.warnings
        # One order's total is charged with the others', and only what is charged can be too little or too much.
        if warning.code not in CHARGE_WARNINGS
    ]
    addresses = [member.client.email for member in members if member.client.email]
    if any(address != addresses[0] for address in addresses):
        warnings.append(
            PlanWarning("emails_differ", "The orders name different billing addresses; the first one counts.")
        )
    po_number = ", ".join(dict.fromkeys(value for m in members for _, value in m.custom_fields))
    if len(po_number) > LONGEST_FIELD_VALUE:
        warnings.append(PlanWarning("po_cut", f"The PO numbers were cut to Stripe's {LONGEST_FIELD_VALUE} characters."))
    memos = [f"{m.orders[0].number}: {m.memo}" for m in members if m.memo]
    plan = replace(
        first,
        key=key,
        orders=tuple(dict.fromkeys(order for member in members for order in member.orders)),
        part=1,
        parts=1,
        client=replace(
            first.client,
            email=addresses[0] if addresses else None,
            stripe_id=next((m.client.stripe_id for m in members if m.client.stripe_id), None),
        ),
        custom_fields=((PO_FIELD, truncate(po_number, LONGEST_FIELD_VALUE)),) if po_number else (),
        memo="; ".join(dict.fromkeys(memos)) or None,
        warnings=tuple(dict.fromkeys(warnings)),
        status=",".join(sorted({member.status for member in members})),
        last_modified=max(member.last_modified for member in members),
    )
    lines = _with_ids_of_their_own([_under_its_order(line, member) for member in members for line in member.lines])
    return with_lines(with_texts(plan, policy, po_number), lines)


def _under_its_order(line: PlanLine, member: InvoicePlan) -> PlanLine:
    """The order's number in the line's own text: a heading would be a line of its own, without amount."""
    return replace(line, description=truncate(f"{member.orders[0].number}: {line.description}", LONGEST_LINE))


def _with_ids_of_their_own(lines: list[PlanLine]) -> list[PlanLine]:
    """NetSuite's line keys are unique in an account [likely]; where two orders share one, the order's id
    tells them apart, so that no line can be taken for another that is already drafted."""
    bearers = Counter(line.id for line in lines)
    return [replace(line, id=f"{line.netsuite.order_id}-{line.id}") if bearers[line.id] > 1 else line for line in lines]
