"""Strict reading of one JSON object of a world file, with errors that say where and what to do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation

from tests.sandbox.netsuite.world import RawValue, RelativeDate, WorldDate

_NUMBER = re.compile(r"-?\d+(\.\d+)?")


class WorldError(ValueError):
    """The world file is wrong; the text names the order (or record) and the field."""


class Fields:
    """One object of the file. Each getter names the field in its error; `end()` refuses unknown fields.

    `lenient` lets required fields be missing and keeps quiet about amounts that are no numbers.
    """

    def __init__(self, where: str, data: object, lenient: bool = False) -> None:
        if not isinstance(data, Mapping):
            raise WorldError(f"{where}: must be a JSON object, not {type(data).__name__}")
        self.where = where
        self.lenient = lenient
        self._data: dict[str, object] = {str(key): value for key, value in data.items()}
        self._known: set[str] = set()

    def wrong(self, name: str, what: str) -> WorldError:
        return WorldError(f"{self.where}, field '{name}': {what}")

    def get(self, name: str) -> object:
        self._known.add(name)
        return self._data.get(name)

    def has(self, name: str) -> bool:
        return self._data.get(name) is not None

    def explicit(self, name: str) -> bool:
        """True if the field is written, be it as null."""
        return name in self._data

    def optional_text(self, name: str) -> str | None:
        value = self.get(name)
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise self.wrong(name, f"must be text, not {value!r}; put it in quotes")
        return value

    def text(self, name: str) -> str:
        value = self.optional_text(name)
        if value is None:
            raise self.wrong(name, "is missing; give a text")
        return value

    def optional_decimal(self, name: str, most_decimals: int | None = None) -> Decimal | None:
        """A number, as text ("187.50") or as a JSON number; no sign of currency, no thousands comma."""
        value = self.get(name)
        if value is None or value == "":
            return None
        if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
            raise self.wrong(name, f'must be a number such as "187.50", not {value!r}')
        text = str(value)
        try:
            number = Decimal(text)
        except InvalidOperation:
            raise self.wrong(name, f'must be a number such as "187.50", not {text!r}') from None
        if not _NUMBER.fullmatch(text):
            raise self.wrong(name, f'must be a plain number such as "187.50", not {text!r}')
        exponent = number.as_tuple().exponent
        if most_decimals is not None and isinstance(exponent, int) and -exponent > most_decimals:
            raise self.wrong(
                name, f"{text} has more than {most_decimals} decimals for this currency; round it yourself"
            )
        return number

    def optional_amount(self, name: str, decimals: int) -> Decimal | None:
        """Money in the order's currency: not negative, no more decimals than the currency has."""
        number = self.optional_decimal(name, decimals)
        if number is not None and number < 0:
            raise self.wrong(name, "must not be negative: amounts are written positive, signs are derived")
        return number

    def optional_quantity(self, name: str) -> Decimal | None:
        number = self.optional_decimal(name)
        if number is not None and number < 0:
            raise self.wrong(name, "must not be negative: quantities are written positive, signs are derived")
        return number

    def optional_whole(self, name: str) -> int | None:
        number = self.optional_decimal(name)
        if number is None:
            return None
        if number != number.to_integral_value():
            raise self.wrong(name, f"must be a whole number, not {number}")
        return int(number)

    def flag(self, name: str) -> bool:
        value = self.get(name)
        if value is None:
            return False
        if not isinstance(value, bool):
            raise self.wrong(name, f"must be true or false, not {value!r}")
        return value

    def objects(self, name: str) -> list[object]:
        value = self.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self.wrong(name, "must be a list")
        return value

    def raw_values(self, name: str) -> dict[str, RawValue]:
        value = self.get(name)
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            raise self.wrong(name, 'must be an object of column names and values, such as {"entity": null}')
        values: dict[str, RawValue] = {}
        for key, cell in value.items():
            if isinstance(cell, bool):
                values[str(key)] = "T" if cell else "F"
            elif cell is None or isinstance(cell, (str, int, Decimal)):
                values[str(key)] = cell
            else:
                raise self.wrong(name, f"column '{key}' must be a text, a number or null")
        return values

    def optional_date(self, name: str) -> WorldDate | None:
        """ "2026-05-12", or {"month": -1, "day": 12} counted from the month of the world's clock."""
        value = self.get(name)
        if value is None:
            return None
        if isinstance(value, str):
            try:
                return date.fromisoformat(value)
            except ValueError:
                raise self.wrong(
                    name, f'must be a date such as "2026-05-12" or {{"month": -1, "day": 12}}, not {value!r}'
                ) from None
        inner = Fields(f"{self.where}, field '{name}'", value)
        month, day = inner.optional_whole("month"), inner.optional_whole("day")
        inner.end()
        if month is None or day is None or not 1 <= day <= 31:
            raise self.wrong(name, 'needs a month offset and a day of 1..31: {"month": -1, "day": 12}')
        return RelativeDate(month, day)

    def end(self) -> None:
        """Refuse fields that no getter asked for: a typo must not pass in silence."""
        unknown = sorted(set(self._data) - self._known - {"comment"})
        if unknown:
            known = ", ".join(sorted(self._known))
            raise WorldError(f"{self.where}: unknown field '{unknown[0]}'; known are: {known}")
