"""Reads what a world file says about the books: subsidiaries, accounts, periods, rates, payment methods.

All of it may be missing: `records.chart` then makes the usual chart of accounts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from tests.sandbox.netsuite.world import (
    ExchangeRate,
    GLAccount,
    PaymentMethod,
    PeriodState,
    RelativeDate,
    Subsidiary,
    WorldDate,
)
from tests.sandbox.netsuite.world_fields import Fields

ACCOUNT_TYPES = frozenset(
    "NonPosting Bank LongTermLiab OthExpense DeferExpense Income COGS UnbilledRec Equity FixedAsset OthCurrAsset "
    "AcctRec DeferRevenue CredCard OthCurrLiab OthIncome Stat Expense AcctPay OthAsset".split()
)
"""The account types that NetSuite's metadata lists (acctType of the record account)."""


@dataclass(frozen=True)
class Books:
    subsidiaries: tuple[Subsidiary, ...]
    accounts: tuple[GLAccount, ...]
    accounting_periods: tuple[PeriodState, ...]
    exchange_rates: tuple[ExchangeRate, ...]
    payment_methods: tuple[PaymentMethod, ...]


def read_books(fields: Fields, currencies: set[str]) -> Books:
    """Raises WorldError naming the record and the field."""

    def currency(inner: Fields, needed: bool) -> str | None:
        symbol = inner.text("currency") if needed else inner.optional_text("currency")
        if symbol is not None and symbol not in currencies:
            raise inner.wrong("currency", f"{symbol!r} is not in the world's 'currencies'; add it there")
        return symbol

    subsidiaries: list[Subsidiary] = []
    for data in fields.objects("subsidiaries"):
        inner = Fields("a subsidiary", data)
        name = inner.text("name")
        inner.where = f"subsidiary {name}"
        subsidiaries.append(Subsidiary(name, currency(inner, needed=True) or ""))
        inner.end()
    accounts: list[GLAccount] = []
    for data in fields.objects("accounts"):
        inner = Fields("an account", data)
        name = inner.text("name")
        inner.where = f"account {name}"
        kind = inner.text("type")
        if kind not in ACCOUNT_TYPES:
            raise inner.wrong("type", f"{kind!r} is no account type; one of: {', '.join(sorted(ACCOUNT_TYPES))}")
        subsidiary = inner.optional_text("subsidiary")
        if subsidiary is not None and subsidiary not in {each.name for each in subsidiaries}:
            raise inner.wrong("subsidiary", f"{subsidiary!r} is not in the world's 'subsidiaries'; add it there")
        accounts.append(
            GLAccount(
                number=inner.optional_text("number") or "",
                name=name,
                type=kind,
                currency=currency(inner, needed=kind == "Bank"),
                subsidiary=subsidiary,
                id=inner.optional_whole("id"),
            )
        )
        inner.end()
    return Books(
        tuple(subsidiaries),
        tuple(accounts),
        tuple(_period(data) for data in fields.objects("accountingPeriods")),
        tuple(_rate(data, currencies) for data in fields.objects("exchangeRates")),
        tuple(_method(data) for data in fields.objects("paymentMethods")),
    )


def _period(data: object) -> PeriodState:
    inner = Fields("an accounting period", data)
    given = inner.get("month")
    month: WorldDate
    if isinstance(given, str):
        try:
            month = date.fromisoformat(f"{given}-01")
        except ValueError:
            raise inner.wrong("month", f'must be "2026-04" or an offset such as -1, not {given!r}') from None
    elif isinstance(given, int) and not isinstance(given, bool):
        month = RelativeDate(given, 1)
    else:
        raise inner.wrong("month", f'must be "2026-04" or an offset such as -1, not {given!r}')
    state = PeriodState(month, inner.flag("closed"), inner.flag("arLocked"), inner.flag("allowNonGLChanges"))
    inner.end()
    return state


def _rate(data: object, currencies: set[str]) -> ExchangeRate:
    inner = Fields("an exchange rate", data)
    symbol = inner.text("currency")
    if symbol not in currencies:
        raise inner.wrong("currency", f"{symbol!r} is not in the world's 'currencies'; add it there")
    day, rate = inner.optional_date("date"), inner.optional_quantity("rate")
    if day is None:
        raise inner.wrong("date", "is missing; give the first day on which the rate holds")
    if not rate:
        raise inner.wrong("rate", "is missing; give units of the first currency per one of this")
    inner.end()
    return ExchangeRate(symbol, day, rate)


def _method(data: object) -> PaymentMethod:
    inner = Fields("a payment method", data)
    method = PaymentMethod(inner.text("name"))
    inner.end()
    return method
