"""What an approver should look at first, the most money first: the mail names three of these, with their amounts.

It says what the page says in full. Nothing of what is not billed is in it: that has a sum of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from billing.domain.batch.batch import Batch
from billing.domain.batch.month_comparison import CLIENT_CHANGED, CLIENT_GONE, NEW_CLIENT, NO_LAST_MONTH, BatchWarning
from billing.domain.batch.upper_bounds import ABOVE_UPPER_BOUND
from billing.domain.ledger.ledger import Disposition
from billing.domain.money.rough_worth import rough_worth
from billing.domain.period_name import period_name
from billing.domain.text import shown
from billing.pages.approval.approval_view import order_numbers
from billing.pages.formatting import change_words, counted, money_words


@dataclass(frozen=True, slots=True)
class FirstLook:
    """One thing to look at: a sentence with its amounts; and for the order, about how much money is in question, and
    which client it is about."""

    said: str
    weight: Fraction
    client: str


def first_looks(batch: Batch, last_period: str) -> tuple[FirstLook, ...]:
    """Everything that stands out, the most money first, and of each client one thing before anybody's second.
    `last_period` is the month before ("2026-04")."""
    found = sorted((*_compared(batch, last_period), *_warned(batch)), key=lambda one: -one.weight)
    first: dict[str, FirstLook] = {}
    for one in found:
        first.setdefault(one.client, one)
    chosen = set(map(id, first.values()))
    return (*first.values(), *(one for one in found if id(one) not in chosen))


def no_last_month(batch: Batch) -> str:
    """That there was nothing to compare with, "" if there was."""
    return next((one.message for one in batch.warnings if one.code == NO_LAST_MONTH), "")


def _compared(batch: Batch, last_period: str) -> Iterator[FirstLook]:
    for warning in batch.warnings:
        if warning.code == NO_LAST_MONTH:
            continue
        said = compared_words(batch, warning, period_name(last_period))
        in_question = warning.now if warning.code == ABOVE_UPPER_BOUND else abs(warning.now - warning.last)
        yield FirstLook(said, rough_worth(in_question, warning.currency), warning.client or "")


def compared_words(batch: Batch, warning: BatchWarning, last_month: str) -> str:
    """A warning with its currency before each amount, as everywhere; `last_month` as it is read ("April 2026")."""
    if not warning.currency:
        return warning.message  # of a version that kept no amounts beside it
    name = shown(warning.name, 80)
    now, last = money_words(warning.now, warning.currency), money_words(warning.last, warning.currency)
    if warning.code == CLIENT_CHANGED and warning.last > 0:
        return f"{name}: {now}, {change_words(warning.now, warning.last)} from {last} in {last_month}"
    if warning.code == NEW_CLIENT:
        return f"{name}: {now}, and nothing in {last_month}"
    if warning.code == CLIENT_GONE:
        return f"{name}: nothing to bill now, and {last} in {last_month}{_why_gone(batch, warning.client)}"
    if warning.code == ABOVE_UPPER_BOUND:
        return f"{name}, {shown(warning.orders, 80)}: {now}, above the firm’s bound of {last} for one invoice"
    return warning.message


def _why_gone(batch: Batch, client: str | None) -> str:
    """Where this client's orders are, if this very batch has them and does not bill them."""
    problems = sum(1 for one in batch.problems if one.client_id == client)
    held = sum(1 for one in batch.of(Disposition.HOLD) if one.plan.client.netsuite_id == client)
    parts = [
        *([f"{counted(problems, 'order')} with a problem"] if problems else []),
        *([f"{counted(held, 'invoice')} held"] if held else []),
    ]
    return f" ({', '.join(parts)})" if parts else ""


def _warned(batch: Batch) -> Iterator[FirstLook]:
    for invoice in batch.to_draft:
        plan = invoice.plan
        if plan.warnings:
            amount, messages = money_words(plan.total, plan.currency), " ".join(one.message for one in plan.warnings)
            said = f"{shown(plan.client.name, 80)}, {shown(order_numbers(invoice), 80)}: {amount}. {messages}"
            yield FirstLook(said, rough_worth(plan.total, plan.currency), plan.client.netsuite_id)
