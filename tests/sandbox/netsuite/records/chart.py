"""The frame of an account's books: subsidiaries, accounts, accounting periods, exchange rates.

What the world file leaves out is made: the usual accounts of a services firm, a bank account for each currency
(of each subsidiary), and a calendar of months from two years back to three ahead.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from tests.sandbox.netsuite.world import World, resolve_date
from tests.sandbox.netsuite.world_fields import WorldError

RECEIVABLE = "Accounts Receivable"
UNDEPOSITED = "Undeposited Funds"
INCOME = "Services Revenue"
SHIPPING_INCOME = "Shipping Income"
DISCOUNTS = "Sales Discounts"
TAX_PAYABLE = "Sales Tax Payable"
CUSTOMER_DEPOSITS = "Customer Deposits"
EXCHANGE_GAIN_OR_LOSS = "Realized Gain/Loss"
ROUNDING = "Rounding Gain/Loss"

_USUAL = (
    ("1100", RECEIVABLE, "AcctRec"),
    ("1250", UNDEPOSITED, "OthCurrAsset"),
    ("1300", "Stripe Reserve", "OthCurrAsset"),
    ("2200", TAX_PAYABLE, "OthCurrLiab"),
    ("2300", CUSTOMER_DEPOSITS, "OthCurrLiab"),
    ("4000", INCOME, "Income"),
    ("4100", SHIPPING_INCOME, "Income"),
    ("4900", DISCOUNTS, "Income"),
    ("6100", "Stripe Fees", "Expense"),
    ("6110", "Stripe Currency Conversion Fees", "Expense"),
    ("6120", "Dispute Fees", "Expense"),
    ("6200", "Bad Debt Expense", "Expense"),
    ("7100", "Dispute Reversals", "OthIncome"),
    ("8100", EXCHANGE_GAIN_OR_LOSS, "OthExpense"),
    ("8110", ROUNDING, "OthExpense"),
)
_FIRST_ACCOUNT_ID = 101
_YEARS_BACK, _YEARS_AHEAD = 2, 3


@dataclass(frozen=True)
class Account:
    """`currency` and `subsidiary` are ids; None binds nothing."""

    id: int
    number: str
    name: str
    type: str
    currency: int | None = None
    subsidiary: int | None = None


@dataclass(frozen=True)
class Period:
    """A month, quarter or year. Only months post."""

    id: int
    name: str
    start: date
    end: date
    parent: int | None = None
    is_quarter: bool = False
    is_year: bool = False
    closed: bool = False
    ar_locked: bool = False
    allow_non_gl_changes: bool = False

    @property
    def posts(self) -> bool:
        return not (self.is_quarter or self.is_year)


class Chart:
    """Look-ups by id are constant in time. Subsidiary 0 is the whole of an account that is not OneWorld."""

    def __init__(self, world: World, today: date) -> None:
        self._today = today
        self._currencies = {each.id: each for each in world.currencies}
        self._currency_ids = {each.symbol: each.id for each in world.currencies}
        self.one_world = bool(world.subsidiaries)
        self.subsidiary_names = _subsidiary_names(world)
        self._books = {
            self.subsidiary_names.index(each.name) + 1: self._currency_ids[each.currency] for each in world.subsidiaries
        }
        self.accounts: dict[int, Account] = {}
        self._by_name: dict[str, Account] = {}
        self._make_accounts(world)
        for name in {each.income_account for each in world.items} | {e.receivables_account for e in world.customers}:
            if name is not None:
                self.named(name)
        self.periods: dict[int, Period] = {}
        self._months: dict[tuple[int, int], int] = {}
        self._make_periods(world)
        self._rates: dict[int, list[tuple[date, Decimal]]] = {}
        for each in world.exchange_rates:
            day = resolve_date(each.day, today)
            self._rates.setdefault(self._currency_ids[each.currency], []).append((day, each.rate))
        for rates in self._rates.values():
            rates.sort()

    # Currencies.

    @property
    def currencies(self) -> Iterable[int]:
        return self._currencies

    def symbol(self, currency: int) -> str:
        return self._currencies[currency].symbol

    def currency_name(self, currency: int) -> str:
        return self._currencies[currency].name

    def minor_unit(self, currency: int) -> Decimal:
        """NetSuite's currencies have no decimals or two (Oracle's help, section_N1397831)."""
        return Decimal(1) if self._currencies[currency].decimals == 0 else Decimal("0.01")

    def base_currency(self, subsidiary: int) -> int:
        return self._books.get(subsidiary, next(iter(self._currencies), 0))

    def rate(self, currency: int, subsidiary: int, day: date) -> Decimal:
        """Units of the subsidiary's base currency per unit of `currency`, as stored for that day."""
        base = self.base_currency(subsidiary)
        return Decimal(1) if currency == base else self._worth(currency, day) / self._worth(base, day)

    def _worth(self, currency: int, day: date) -> Decimal:
        found = self._currencies[currency].exchange_rate
        for since, rate in self._rates.get(currency, ()):
            if since <= day:
                found = rate
        return found

    # Accounts.

    def named(self, name: str) -> Account:
        """The account of that name. WorldError if there is none."""
        if name not in self._by_name:
            raise WorldError(f"account {name!r} is not in the world's 'accounts'; add it there")
        return self._by_name[name]

    def _make_accounts(self, world: World) -> None:
        written = {each.name for each in world.accounts}
        usual = [row for row in _USUAL if row[1] not in written]
        taken = {each.id for each in world.accounts if each.id is not None}
        free = (number for number in range(_FIRST_ACCOUNT_ID, 1_000_000) if number not in taken)
        for number, name, kind in usual:
            self._add(Account(next(free), number, name, kind))
        for each in world.accounts:
            self._add(
                Account(
                    next(free) if each.id is None else each.id,
                    each.number,
                    each.name,
                    each.type,
                    self._currency_ids[each.currency] if each.currency else None,
                    self.subsidiary_names.index(each.subsidiary) + 1 if each.subsidiary else None,
                )
            )
        if not any(each.type == "Bank" for each in world.accounts):
            self._make_banks(free)

    def _make_banks(self, free: Iterable[int]) -> None:
        ids = iter(free)
        several = len(self.subsidiary_names) > 1
        for place, name in enumerate(self.subsidiary_names or (None,), 1):
            for currency in self._currencies.values():
                label = f"Checking {currency.symbol}" + (f" ({name})" if several else "")
                number = str(1000 + len(self.accounts))
                bound = place if name is not None else None
                self._add(Account(next(ids), number, label, "Bank", currency.id, bound))

    def _add(self, account: Account) -> None:
        if account.id in self.accounts or account.name in self._by_name:
            raise WorldError(f"account {account.name}: its name or id {account.id} is there twice")
        self.accounts[account.id] = account
        self._by_name[account.name] = account

    # Periods.

    def month(self, day: date) -> Period:
        """The month that holds `day`; it is made if the calendar does not reach that far."""
        key = (day.year, day.month)
        if key not in self._months:
            self._add_year(day.year)
        return self.periods[self._months[key]]

    def change_period(self, period: int, **changes: bool) -> None:
        """Close, lock or open a month."""
        self.periods[period] = replace(self.periods[period], **changes)  # type: ignore[arg-type]

    def first_open_month(self, day: date, receivables: bool) -> Period:
        """The month of `day`, or the first one after it that takes postings."""
        found = self.month(day)
        while found.closed or (receivables and found.ar_locked):
            year, month = divmod(found.start.year * 12 + found.start.month, 12)
            found = self.month(date(year, month + 1, 1))
        return found

    def _make_periods(self, world: World) -> None:
        for year in range(self._today.year - _YEARS_BACK, self._today.year + _YEARS_AHEAD + 1):
            self._add_year(year)
        for state in world.accounting_periods:
            self.change_period(
                self.month(resolve_date(state.month, self._today)).id,
                closed=state.closed,
                ar_locked=state.ar_locked,
                allow_non_gl_changes=state.allow_non_gl_changes,
            )

    def _add_year(self, year: int) -> None:
        ids = iter(range(len(self.periods) + 1, len(self.periods) + 18))
        whole = Period(next(ids), f"FY {year}", date(year, 1, 1), date(year, 12, 31), is_year=True)
        self.periods[whole.id] = whole
        for quarter in range(4):
            first = quarter * 3 + 1
            part = Period(
                next(ids),
                f"Q{quarter + 1} {year}",
                date(year, first, 1),
                date(year, first + 2, calendar.monthrange(year, first + 2)[1]),
                whole.id,
                is_quarter=True,
            )
            self.periods[part.id] = part
            for number in range(first, first + 3):
                end = date(year, number, calendar.monthrange(year, number)[1])
                name = f"{calendar.month_abbr[number]} {year}"
                month = Period(next(ids), name, date(year, number, 1), end, part.id)
                self.periods[month.id] = month
                self._months[year, number] = month.id


def _subsidiary_names(world: World) -> tuple[str, ...]:
    """In the order in which the lists of the world number them: as written, then as they appear."""
    names = [each.name for each in world.subsidiaries]
    names += [each.subsidiary for each in world.customers if each.subsidiary]
    names += [each.subsidiary for each in world.orders if each.subsidiary]
    return tuple(dict.fromkeys(names))
