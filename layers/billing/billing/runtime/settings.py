"""A function's environment, read once at start and checked, so that a forgotten variable fails before any work is
done.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from billing.domain.errors import InputInvalid


@dataclass(frozen=True, slots=True)
class Environment:
    """Environment variables by name. Every name that is asked for must have been set by template.yaml."""

    variables: Mapping[str, str]

    def optional(self, name: str) -> str:
        """The variable's text, which may be empty. InputInvalid if template.yaml does not set it at all."""
        try:
            return self.variables[name].strip()
        except KeyError:
            raise InputInvalid(
                f"The environment variable {name} is not set. template.yaml must give it to this function."
            ) from None

    def text(self, name: str) -> str:
        """The variable's text. InputInvalid if it is empty."""
        value = self.optional(name)
        if not value:
            raise InputInvalid(f"The environment variable {name} is empty. Set its parameter and deploy again.")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """A comma-separated list without blanks; it may be empty."""
        return tuple(part.strip() for part in self.optional(name).split(",") if part.strip())

    def number(self, name: str) -> int:
        """A whole number."""
        value = self.text(name)
        try:
            return int(value)
        except ValueError:
            raise InputInvalid(f"The environment variable {name} must be a whole number, not {value!r}.") from None

    def flag(self, name: str) -> bool:
        """ "true" or "false"."""
        value = self.text(name)
        if value not in ("true", "false"):
            raise InputInvalid(f"The environment variable {name} must be true or false, not {value!r}.")
        return value == "true"

    def zone(self, name: str) -> ZoneInfo:
        """An IANA time zone."""
        value = self.text(name)
        try:
            return ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError):
            raise InputInvalid(
                f"The environment variable {name} names no IANA time zone: {value!r}. Write it as Europe/Berlin."
            ) from None
