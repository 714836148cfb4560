"""Stripe objects as a test needs them, and a plan as a person would write it down. Times are noon in New York."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from billing.domain.settlement.desired_invoice import desired_for_charge, desired_for_invoice
from billing.domain.settlement.policies import SettlementPolicies, parse_policies
from billing.domain.settlement.postings import Calendar
from billing.domain.settlement.records import NetSuiteRecord, SettlementPlan
from billing.domain.settlement.stripe_objects import (
    BalanceEntry,
    BalanceTransaction,
    BilledLine,
    BilledOrder,
    Charge,
    ChargeFacts,
    CreditNote,
    CreditNoteLine,
    Dispute,
    Invoice,
    InvoiceFacts,
    InvoiceLine,
    InvoicePayment,
    Refund,
)

CALENDAR = Calendar(ZoneInfo("America/New_York"))
RECEIVABLE, FUNDS, BANK, OUTSIDE = "11", "12", "13", "14"
POLICY = """
subsidiary = "2"
[items]
global = "100"
shipping = "101"
discount = "102"
balance = "103"
balance_debit = "104"
partial_refund = "105"
dispute = "106"
custom_credit = "107"
bad_debt = "108"
rounding = "109"
[accounts]
receivable = "11"
undeposited_funds = "12"
out_of_band = "14"
reserve = "15"
dispute_reversals = "16"
fx = "17"
[accounts.fees]
stripe_fee = "18"
dispute = "19"
[currencies.usd]
id = "1"
bank = "13"
[currencies.eur]
id = "2"
bank = "23"
[currencies.jpy]
id = "3"
precision = 0
bank = "33"
"""


def policies(**choices: str) -> SettlementPolicies:
    """The policies above with some choices otherwise; keys are dotted in the file: tax__mode is tax.mode."""
    found = parse_policies(POLICY)
    return replace(found, choices={key.replace("__", "."): value for key, value in choices.items()})


@cache
def at(day: str, time: str = "12:00:00") -> int:
    """Epoch seconds of a time in New York."""
    return int(datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=CALENDAR.zone).timestamp())


def line(amount: int, id: str = "il_1", **more: Any) -> InvoiceLine:
    return InvoiceLine(id, amount, **{"description": "Work", "price": "price_1", **more})


def invoice(total: int = 10000, **more: Any) -> Invoice:
    """An open invoice of June 1st over `total`."""
    return Invoice(
        **{
            "id": "in_1",
            "status": "open",
            "customer": "cus_1",
            "currency": "usd",
            "live": False,
            "number": "INV-1",
            "total": total,
            "amount_due": max(0, total),
            "amount_paid": 0,
            "amount_remaining": max(0, total),
            "created": at("2026-06-01"),
            "finalized_at": at("2026-06-01"),
            **more,
        }
    )


def facts(of: Invoice | None = None, lines: Iterable[InvoiceLine] | None = None, **more: Any) -> InvoiceFacts:
    found = of or invoice()
    return InvoiceFacts(found, tuple(lines) if lines is not None else (line(found.total),), **more)


def charge(amount: int, id: str = "ch_1", day: str = "2026-06-03", **more: Any) -> Charge:
    return Charge(
        id, **{"customer": "cus_1", "amount": amount, "currency": "usd", "created": at(day), "live": False, **more}
    )


def paid(
    amount: int, id: str = "ch_1", day: str = "2026-06-03", part: int | None = None, **more: Any
) -> InvoicePayment:
    """A charge that pays the invoice; `part` is what of it went to the invoice."""
    return InvoicePayment(f"inpay_{id}", amount if part is None else part, at(day), charge(amount, id, day, **more))


def refund(amount: int, id: str = "re_1", day: str = "2026-06-10", **more: Any) -> Refund:
    return Refund(
        id,
        **{
            "charge": "ch_1",
            "amount": amount,
            "currency": "usd",
            "created": at(day),
            "status": "succeeded",
            "balance_transaction": f"txn_{id}",
            **more,
        },
    )


def movement(amount: int, id: str = "txn_1", day: str = "2026-06-12", **more: Any) -> BalanceTransaction:
    fee = more.get("fee", 0)
    return BalanceTransaction(
        id,
        **{
            "type": "adjustment",
            "amount": amount,
            "fee": fee,
            "net": amount - fee,
            "currency": "usd",
            "created": at(day),
            **more,
        },
    )


def dispute(amount: int, *movements: BalanceTransaction, status: str = "needs_response") -> Dispute:
    return Dispute("dp_1", "ch_1", amount, "usd", at("2026-06-11"), status, movements)


def note(pre: int = 0, post: int = 0, id: str = "cn_1", day: str = "2026-06-05", **more: Any) -> CreditNote:
    total = pre + post
    return CreditNote(
        id,
        **{
            "number": "CN-1",
            "status": "issued",
            "total": total,
            "pre_payment": pre,
            "post_payment": post,
            "created": at(day),
            "lines": (CreditNoteLine(total, "Less work", "il_1"),),
            **more,
        },
    )


def used(amount: int, id: str = "cbtxn_1", day: str = "2026-06-01", **more: Any) -> BalanceEntry:
    return BalanceEntry(id, more.pop("type", "applied_to_invoice"), amount, at(day), **more)


def order(id: str, *lines: tuple[str, int], customer: str = "77") -> BilledOrder:
    """An order of ours: (kind, amount) of each line, numbered from 1."""
    return BilledOrder(
        id,
        f"SO-{id}",
        customer,
        tuple(
            BilledLine(f"{id}{number}", kind, str(number), "2" if kind == "item" else None, amount, item=f"9{number}")
            for number, (kind, amount) in enumerate(lines, 1)
        ),
    )


def drafted(*orders: BilledOrder, **more: Any) -> InvoiceFacts:
    """The invoice of our monthly run over these orders; facts' own fields and the invoice's may be given."""
    own = {key: more.pop(key) for key in ("payments", "credit_notes", "balance", "balance_history") if key in more}
    lines = [
        line(
            one.amount,
            f"il_{one.line_id}",
            price="",
            metadata={
                "netsuite_so_id": each.order_id,
                "netsuite_line_id": one.line_id,
                "netsuite_line": one.order_line,
            },
        )
        for each in orders
        for one in each.lines
    ]
    return facts(invoice(sum(one.amount for one in lines), **more), lines, orders=orders, **own)


def plan_of(of: InvoiceFacts | ChargeFacts, policy: SettlementPolicies | None = None) -> SettlementPlan:
    if isinstance(of, ChargeFacts):
        return desired_for_charge(of, policy or policies(), CALENDAR)
    return desired_for_invoice(of, policy or policies(), CALENDAR)


def written(plan: SettlementPlan) -> list[str]:
    """Each record as a line: type, externalId, amount, day, and what it is applied to."""
    return [shown(record) for record in plan.records]


def shown(record: NetSuiteRecord) -> str:
    applied = ", ".join(f"{one.external_id} {one.amount}" for one in record.applies)
    text = f"{record.type.value} {record.external_id} {record.amount} {record.currency} {record.on.isoformat()}"
    return f"{text} -> {applied}" if applied else text


def held(plan: SettlementPlan) -> list[str]:
    return [hold.name for hold in plan.holds]


def record(plan: SettlementPlan, external_id: str) -> NetSuiteRecord:
    (found,) = [one for one in plan.records if one.external_id == external_id]
    return found


def items(plan: SettlementPlan, external_id: str) -> list[tuple[str, str, int]]:
    """(role, Stripe's id, amount) of a record's lines."""
    return [(one.item.role.value, one.item.stripe_id, one.amount) for one in record(plan, external_id).lines]
