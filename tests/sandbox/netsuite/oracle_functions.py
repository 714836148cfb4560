"""The Oracle functions of SuiteQL, as SQLite calls them. Dates are texts "YYYY-MM-DD HH:MM:SS"."""

from __future__ import annotations

import calendar
import re
import sqlite3
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal, InvalidOperation
from zoneinfo import ZoneInfo

_STORED = "%Y-%m-%d %H:%M:%S"
_ELEMENT = re.compile(r"YYYY|MONTH|MON|MM|DD|DY|DAY|HH24|HH12|HH|MI|SS|AM|YY|Q|[^A-Z]+|\"[^\"]*\"", re.IGNORECASE)

Cell = str | int | float | None


class QueryFailed(Exception):
    """Oracle would refuse this value; the text becomes the error's detail."""


def parse_stored(value: Cell) -> datetime:
    """A stored date, or QueryFailed."""
    try:
        # Ten times faster than strptime, and called for every row.
        return datetime.fromisoformat(str(value))
    except ValueError:
        raise QueryFailed(f"'{value}' is not a date") from None


def write_date(moment: date, form: str) -> str:
    """TO_CHAR of a date. QueryFailed on a format element this server does not know."""
    at = moment if isinstance(moment, datetime) else datetime.combine(moment, time())
    elements = {
        "YYYY": f"{at.year:04d}",
        "YY": f"{at.year % 100:02d}",
        "MM": f"{at.month:02d}",
        "MON": calendar.month_abbr[at.month].upper(),
        "MONTH": calendar.month_name[at.month].upper().ljust(9),
        "DD": f"{at.day:02d}",
        "DY": calendar.day_abbr[at.weekday()].upper(),
        "DAY": calendar.day_name[at.weekday()].upper().ljust(9),
        "HH24": f"{at.hour:02d}",
        "HH12": f"{at.hour % 12 or 12:02d}",
        "HH": f"{at.hour % 12 or 12:02d}",
        "MI": f"{at.minute:02d}",
        "SS": f"{at.second:02d}",
        "AM": "AM" if at.hour < 12 else "PM",
        "Q": str((at.month + 2) // 3),
    }
    if form == "YYYY-MM-DD":
        return f"{at.year:04d}-{at.month:02d}-{at.day:02d}"
    parts = _ELEMENT.findall(form)
    if "".join(parts) != form:
        raise QueryFailed(f"ORA-01821: date format not recognized: '{form}'")
    return "".join(elements.get(part.upper(), part.strip('"')) for part in parts)


def read_date(text: str, form: str) -> str:
    """TO_DATE: the stored form of `text`, or QueryFailed."""
    directives = {"YYYY": "%Y", "MM": "%m", "DD": "%d", "HH24": "%H", "MI": "%M", "SS": "%S", "MON": "%b"}
    pattern = ""
    for part in _ELEMENT.findall(form):
        if part.isalnum() and part.upper() not in directives:
            raise QueryFailed(f"ORA-01821: date format not recognized: '{form}'")
        pattern += directives.get(part.upper(), part)
    try:
        return datetime.strptime(text, pattern).strftime(_STORED)  # noqa: DTZ007 - Oracle's dates bear no zone
    except ValueError:
        raise QueryFailed(f"ORA-01861: literal '{text}' does not match format string '{form}'") from None


def write_preference(value: Cell, preference: str) -> str | None:
    """A raw date column as NetSuite returns it: in the user's preference, without the time."""
    if value is None:
        return None
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        return str(value)  # a malformed cell put in by a world's "raw"
    if preference == "M/D/YYYY":
        return f"{at.month}/{at.day}/{at.year}"
    if preference == "DD/MM/YYYY":
        return f"{at.day:02d}/{at.month:02d}/{at.year}"
    return f"{at.day}.{at.month}.{at.year}"


def read_preference(value: Cell, preference: str) -> str | None:
    """A text that a query compares with a date column: Oracle reads it in the user's date preference."""
    if value is None:
        return None
    text = str(value)
    if re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", text):
        return text  # already a date, from TO_DATE
    numbers = re.fullmatch(r"(\d{1,2})[/.](\d{1,2})[/.](\d{4})", text)
    if numbers is None:
        raise QueryFailed(f"Invalid date value '{text}' (expected format {preference}). Use TO_DATE with a format.")
    first, second, year = (int(number) for number in numbers.groups())
    month, day = (first, second) if preference == "M/D/YYYY" else (second, first)
    try:
        return date(year, month, day).strftime(_STORED)
    except ValueError:
        raise QueryFailed(f"Invalid date value '{text}' (expected format {preference}).") from None


def _decimal(value: Cell) -> Decimal:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        raise QueryFailed(f"ORA-01722: invalid number: '{value}'") from None


def _plain(number: Decimal) -> int | float:
    return int(number) if number == number.to_integral_value() else float(number)


class OracleFunctions:
    """Registers the functions on a connection; `take_failure` says why the last call was refused.

    SQLite reports an exception in a function only as "user-defined function raised exception".
    """

    def __init__(self, zone: ZoneInfo, preference: Callable[[], str]) -> None:
        self._zone = zone
        self._preference = preference
        self._failure: QueryFailed | None = None

    def register(self, connection: sqlite3.Connection) -> None:
        functions: dict[str, tuple[int, Callable[..., Cell]]] = {
            "ns_to_char": (2, self._to_char),
            "ns_to_text": (1, lambda value: None if value is None else show(value)),
            "ns_to_date": (2, lambda text, form: None if text is None else read_date(str(text), str(form))),
            "ns_to_number": (1, lambda value: None if value is None else _plain(_decimal(value))),
            "ns_raw_date": (1, lambda value: write_preference(value, self._preference())),
            "ns_read_date": (1, lambda value: read_preference(value, self._preference())),
            "ns_utc": (1, self._to_utc),
            "ns_round": (2, lambda value, digits: self._rounded(value, digits, ROUND_HALF_UP)),
            "ns_trunc": (2, lambda value, digits: self._rounded(value, digits, ROUND_DOWN)),
            "ns_day": (1, lambda value: None if value is None else f"{str(value)[:10]} 00:00:00"),
            "ns_add_months": (2, self._add_months),
            "ns_last_day": (1, self._last_day),
            "ns_trunc_date": (2, self._trunc_date),
            "ns_add_days": (2, self._add_days),
            "ns_days_between": (2, self._days_between),
            "ns_scramble": (-1, self._scramble),
        }
        for name, (arguments, function) in functions.items():
            connection.create_function(name, arguments, self._watched(function))

    def take_failure(self) -> QueryFailed | None:
        """Why a function refused its value, once; None if none did."""
        failure, self._failure = self._failure, None
        return failure

    def _watched(self, function: Callable[..., Cell]) -> Callable[..., Cell]:
        def call(*arguments: Cell) -> Cell:
            try:
                return function(*arguments)
            except QueryFailed as failure:
                self._failure = failure
                raise

        return call

    def _to_char(self, value: Cell, form: Cell) -> Cell:
        return None if value is None else write_date(parse_stored(value), str(form))

    def _to_utc(self, value: Cell) -> Cell:
        if value is None:
            return None
        local = parse_stored(value).replace(tzinfo=self._zone)
        return local.astimezone(UTC).strftime(_STORED)

    def _rounded(self, value: Cell, digits: Cell, how: str) -> Cell:
        if value is None:
            return None
        step = Decimal(1).scaleb(-int(digits or 0))
        return _plain(_decimal(value).quantize(step, rounding=how))

    def _add_months(self, value: Cell, months: Cell) -> Cell:
        if value is None:
            return None
        at = parse_stored(value)
        year, month = divmod(at.year * 12 + at.month - 1 + int(months or 0), 12)
        last = calendar.monthrange(year, month + 1)[1]
        was_last = at.day == calendar.monthrange(at.year, at.month)[1]
        return at.replace(year=year, month=month + 1, day=last if was_last else min(at.day, last)).strftime(_STORED)

    def _trunc_date(self, value: Cell, unit: Cell) -> Cell:
        if value is None:
            return None
        day = parse_stored(value).replace(hour=0, minute=0, second=0)
        if unit in ("MM", "MON", "MONTH"):
            day = day.replace(day=1)
        elif unit in ("YYYY", "YY", "YEAR"):
            day = day.replace(month=1, day=1)
        elif unit not in ("DD", "DAY"):
            raise QueryFailed(f"TRUNC to '{unit}' is not executed by this stand-in for NetSuite")
        return day.strftime(_STORED)

    def _add_days(self, value: Cell, days: Cell) -> Cell:
        if value is None or days is None:
            return None
        return (parse_stored(value) + timedelta(days=float(_decimal(days)))).strftime(_STORED)

    def _days_between(self, later: Cell, earlier: Cell) -> Cell:
        if later is None or earlier is None:
            return None
        seconds = (parse_stored(later) - parse_stored(earlier)).total_seconds()
        return _plain(Decimal(int(seconds)) / 86_400)

    def _last_day(self, value: Cell) -> Cell:
        if value is None:
            return None
        at = parse_stored(value)
        return at.replace(day=calendar.monthrange(at.year, at.month)[1]).strftime(_STORED)

    def _scramble(self, *keys: Cell) -> Cell:
        """A fixed but arbitrary number for a row: the order in which ties come back."""
        number = 17
        for key in keys:
            for character in str(key):
                number = (number * 1_000_003 ^ ord(character)) & 0x7FFFFFFF
        return number


def show(value: Cell) -> str:
    """A cell as the REST service writes it: numbers without trailing zeros or exponent, all as text."""
    if isinstance(value, float):
        text = format(Decimal(format(value, ".15g")), "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    return str(value)
