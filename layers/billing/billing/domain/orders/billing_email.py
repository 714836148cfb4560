"""Which address an invoice goes to: the first usable one of a configured chain of columns."""

from __future__ import annotations

import re
from typing import Final

from billing.domain.email_address import is_written_like_one
from billing.domain.orders.sales_order import Client

_BETWEEN: Final = re.compile(r"[,;\s]+")


def billing_email(client: Client, fields: tuple[str, ...]) -> tuple[str | None, tuple[tuple[str, str], ...]]:
    """The address and (code, message) notes for the approver.

    The first column of `fields` with a usable address wins (NetSuite: `email` on the order is often
    empty, then the customer's; many firms keep an accounts-payable address in a custom field). Of several
    addresses in one column the first counts. None is no problem here: matching customers decides on it.
    Case is kept, because Stripe compares addresses by case.
    """
    notes: list[tuple[str, str]] = []
    columns = dict(client.emails)
    for field in fields:
        written = columns.get(field)
        if written is None:
            continue
        candidates = [part for part in _BETWEEN.split(written) if part]
        usable = [part for part in candidates if is_written_like_one(part)]
        if not usable:
            notes.append(("email_unreadable", f"{field} holds no e-mail address; the next field was asked."))
            continue
        if len(candidates) > 1:
            notes.append(("several_emails", f"{field} holds several addresses; the first usable one counts."))
        return usable[0], tuple(notes)
    return None, tuple(notes)
