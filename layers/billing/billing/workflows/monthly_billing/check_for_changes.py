"""State "Check for changes": approved orders that moved in NetSuite since they were listed are held, the rest goes
on. What the settlement has billed in NetSuite of our own drafts meanwhile is no change.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from billing.domain.batch.batch import Reasons, check_holds_until, map_items, read_batch, read_reasons
from billing.domain.ledger.ledger import OrderRecord
from billing.domain.ledger.own_billing import billed_by_us_alone
from billing.domain.orders.order_fingerprint import (
    OrderFingerprint,
    fingerprints_of_rows,
    only_billed,
    what_changed,
)
from billing.domain.records import stored
from billing.domain.run import Checked, Decision, Listed, Matched, Run
from billing.domain.runs.snapshot import read_snapshot
from billing.workflows.monthly_billing.list_the_sales_orders import EndedOrders
from billing.workflows.ports import Files


@dataclass(frozen=True, slots=True)
class Present:
    """How orders are now, by internal id: in NetSuite, as a whole and by line, and what our ledger has drafted of them.
    The latter two are asked for orders only of which something was billed meanwhile."""

    fingerprints: Callable[[Iterable[str]], Mapping[str, OrderFingerprint]]
    lines: Callable[[Iterable[str]], Mapping[str, Sequence[Mapping[str, str]]]]
    drafted: Callable[[Iterable[str]], Mapping[str, OrderRecord]]


def check_for_changes(
    run: Run,
    listed: Listed,
    matched: Matched,
    decision: Decision,
    present: Present,
    ended: EndedOrders,
    files: Files,
    now: datetime,
) -> Checked:
    """Write the Map's items without the invoices that approvers held back, or whose orders moved or were ended by a
    person since they were listed, and the latter with their reasons; answer both keys and counts. Reads NetSuite, safe
    to repeat: a repeated check sees what moved in the meantime, too. Each item says until when this check holds."""
    snapshot = read_snapshot(files.read_json(listed.snapshot_key, listed.sha256))
    before, ended_before = fingerprints_of_rows(snapshot.listed), snapshot.ended_by_order
    batch = read_batch(files.read_json(matched.batch_key, matched.sha256))
    held = read_reasons(files.read_json(decision.held_key), "held.json")
    released = [one for one in batch.to_draft if one.plan.key not in held]
    fingerprints = present.fingerprints(order.id for one in released for order in one.plan.orders)
    ended_now = {
        order_id: one
        for order_id, one in ended.latest().items()
        if not one.open_again and (order_id not in ended_before or ended_before[order_id].at != one.at)
    }
    changed: dict[str, str] = {}
    only_billed_since = {
        order.id: one.replaces
        for one in released
        for order in one.plan.orders
        if only_billed(before[order.id], fingerprints.get(order.id))
    }
    ours = _billed_by_us(only_billed_since, snapshot.listed, present)
    for one in released:
        for order in one.plan.orders:
            if order.id in ended_now:
                changed.setdefault(one.plan.key, f"{order.number}: {ended_now[order.id].words}")
            reason = what_changed(before[order.id], fingerprints.get(order.id))
            if reason is not None and order.id not in ours:
                changed.setdefault(one.plan.key, f"{order.number}: {reason} It comes back in the next run.")
    unchanged = [one for one in released if one.plan.key not in changed]
    items = map_items(unchanged, check_holds_until(now, len(unchanged), run.settings.draft_concurrency))
    files.write_json(f"{run.prefix}items.json", [stored(item) for item in items])
    files.write_json(f"{run.prefix}changed.json", stored(Reasons(changed)))
    return Checked(
        items_key=f"{run.prefix}items.json",
        changed_key=f"{run.prefix}changed.json",
        items=len(items),
        changed=len(changed),
    )


def _billed_by_us(
    orders: Mapping[str, Collection[str]], listed: Iterable[Mapping[str, str]], present: Present
) -> set[str]:
    """Those of the orders that nobody but the settlement has billed since they were listed, and which are the same
    otherwise. The values are drafts of each that a person deleted or voided."""
    records = present.drafted(orders) if orders else {}
    known = [order_id for order_id in orders if order_id in records]
    if not known:
        return set()
    lines = present.lines(known)
    rows: dict[str, list[Mapping[str, str]]] = {order_id: [] for order_id in known}
    for row in listed:
        if row.get("id") in rows:
            rows[row["id"]].append(row)
    return {
        order_id
        for order_id in known
        if billed_by_us_alone(rows[order_id], lines.get(order_id, ()), records[order_id], orders[order_id])
    }
