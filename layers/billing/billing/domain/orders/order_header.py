"""The header of a sales order: client, currency, total, terms."""

from __future__ import annotations

import re
from typing import Final

from billing.domain.money.money import CurrencyUnknown, Money, rule_of
from billing.domain.orders import row_values
from billing.domain.orders.due_date import LONGEST_DAYS, DayOfMonth, NetDays
from billing.domain.orders.row_columns import HEADER_COLUMNS
from billing.domain.orders.row_values import LONGEST_NAME, LONGEST_NUMBER, CellUnreadable, Row
from billing.domain.orders.sales_order import Client, Reason, Terms
from billing.domain.orders.unbillable import Unbillable, amount_in, briefly
from billing.domain.text import truncate

Notes = list[tuple[str, str]]
"""(code, message) pairs that the approver must see."""

_ENTITY_ID: Final = re.compile(r"-?[0-9]{1,18}")
_LONGEST_EMAIL: Final = 512
_LONGEST_STRIPE_ID: Final = 255
_NEVER_AN_EMAIL: Final = frozenset(HEADER_COLUMNS) - {"clientemail", "orderemail"}
_TERMS_COLUMNS: Final = ("terms", "termsname", "daysuntilnetdue", "dayofmonthnetdue")


def client_of(header: Row, notes: Notes) -> Client:
    """The customer, known by company or by first and last name. Raises Unbillable, CellUnreadable.

    What is unreadable among the e-mail columns is added to `notes`.
    """
    netsuite_id = row_values.name(header, "entity", LONGEST_NUMBER)
    if netsuite_id is None:
        raise Unbillable("entity", Reason.CUSTOMER_MISSING, "has no customer", "choose one in NetSuite")
    if not _ENTITY_ID.fullmatch(netsuite_id):
        raise CellUnreadable("entity", "is no internal id")
    number = row_values.name(header, "clientnumber", LONGEST_NAME)
    company = row_values.name(header, "clientname", LONGEST_NAME)
    parts = [row_values.name(header, part, LONGEST_NAME) for part in ("clientfirstname", "clientlastname")]
    name = company or " ".join(part for part in parts if part) or number
    if not name:
        raise Unbillable(
            "clientname",
            Reason.CUSTOMER_MISSING,
            "has a customer without a name",
            "give the customer a name in NetSuite, or give the role the permission to see customers",
        )
    return Client(
        netsuite_id=netsuite_id,
        number=number or netsuite_id,
        name=name,
        stripe_id=row_values.name(header, "clientstripeid", _LONGEST_STRIPE_ID),
        emails=_emails(header, notes),
    )


def currency_of(header: Row) -> str:
    """The lower-case ISO code, one that Stripe holds. Raises Unbillable."""
    code = header.get("currencycode")
    if code is None:
        raise Unbillable(
            "currencycode",
            Reason.CURRENCY_MISSING,
            "has no currency code",
            "set the currency's ISO code (its symbol) in NetSuite",
        )
    currency = code.lower()
    try:
        rule_of(currency)
    except CurrencyUnknown:
        raise Unbillable(
            "currencycode",
            Reason.CURRENCY_UNKNOWN,
            f"is in {briefly(code)}, a currency that Stripe does not hold",
            "bill it outside Stripe, or correct the currency's ISO code in NetSuite",
        ) from None
    return currency


def total_of(header: Row, currency: str) -> Money:
    """The header's total (NetSuite foreigntotal: transaction currency, with tax and shipping), zero or more.

    Raises Unbillable.
    """
    total = amount_in(header, "foreigntotal", currency, "its total")
    if total is None:
        raise Unbillable(
            "foreigntotal",
            Reason.TOTAL_MISSING,
            "has no total",
            "save it anew in NetSuite so that its total is computed",
        )
    if total < 0:
        raise Unbillable(
            "foreigntotal",
            Reason.TOTAL_NEGATIVE,
            f"has a negative total of {Money(total, currency)}",
            "credit the client by a credit note; a draft would turn it into customer balance",
        )
    return Money(total, currency)


def terms_of(header: Row, notes: Notes) -> Terms | None:
    """The terms of payment, None when the order has none. NetSuite: daysUntilNetDue of a standard term,
    dayOfMonthNetDue and dueNextMonthIfWithinDays of a date-driven one; what does not tell is noted."""
    terms_id = row_values.name(header, "terms", LONGEST_NUMBER)
    terms_name = row_values.prose(header, "termsname")
    if not any(column in header for column in _TERMS_COLUMNS):
        return None
    due: NetDays | DayOfMonth | None = None
    try:
        by_day = "dayofmonthnetdue" in header and "daysuntilnetdue" not in header
        if row_values.flag(header, "datedriven") or by_day:
            day = row_values.whole_number(header, "dayofmonthnetdue", 1, 31)
            window = row_values.whole_number(header, "duenextmonthifwithindays", 0, 366)
            due = DayOfMonth(day, window or None) if day is not None else None
        else:
            days = row_values.whole_number(header, "daysuntilnetdue", 0, LONGEST_DAYS)
            due = NetDays(days) if days is not None else None
    except CellUnreadable as cell:
        notes.append(("terms_unreadable", f"The terms' {cell}; the default due date is used."))
    else:
        if due is None:
            notes.append(
                (
                    "terms_unreadable",
                    "The terms do not say when payment is due; the default is used.",
                )
            )
    return Terms(terms_id, truncate(terms_name, LONGEST_NAME) if terms_name else None, due)


def _emails(header: Row, notes: Notes) -> tuple[tuple[str, str], ...]:
    """Every header column that may be an e-mail address; which of them counts is the policy's to say."""
    found: list[tuple[str, str]] = []
    for column in sorted(header.keys() - _NEVER_AN_EMAIL):
        try:
            address = row_values.name(header, column, _LONGEST_EMAIL)
        except CellUnreadable as cell:
            notes.append(("column_unreadable", f"The column {cell}; it is ignored."))
            continue
        if address is not None:
            found.append((column, address))
    return tuple(found)
