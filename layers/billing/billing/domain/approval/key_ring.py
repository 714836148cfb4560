"""The ring of keys that sign links and votes, and how a key is rotated while requests are open.

{"keys": [{"id", "key"}, ...], "first": "..."}: the first of `keys` signs (or `first`, which the stack made, while there
is none), all of them verify. A new key is put last, so that every process knows it before one signs with it, and put
first when all have read it. The others go on verifying until nothing that they signed is open.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

KNOWN_AFTER: Final = timedelta(minutes=10)
"""Twice the five minutes for which a process keeps a secret (adapters/aws/secrets.py)."""

REDRIVABLE: Final = timedelta(days=30)
"""A run that failed can be redriven for 14 days, and again 14 days after that redrive fails; two days are spare."""

OF_THE_STACK: Final = "of-the-stack"
"""The name under which the stack's own key stands among `keys` after the first rotation; `first` keeps its copy."""

_TIME: Final = "%Y-%m-%dT%H%M%SZ"


@dataclass(frozen=True, slots=True)
class LinkKey:
    """A key by its name. Of one that `begun` has made, the name is the time at which it was made."""

    id: str
    key: str

    @property
    def made(self) -> datetime | None:
        """When it was made; None for a key of another name."""
        try:
            return datetime.strptime(self.id, _TIME).replace(tzinfo=UTC)
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class KeyRing:
    """`keys` as in the secret; `first` is the key that the stack made, "" if it was taken away."""

    keys: tuple[LinkKey, ...]
    first: str

    @property
    def begun(self) -> LinkKey | None:
        """A new key that verifies and does not sign yet."""
        if len(self.keys) < 2 or self.keys[-1].made is None:
            return None
        last, signing = self.keys[-1], self.keys[0]
        return last if signing.made is None or signing.made < last.made else None  # type: ignore[operator]

    @property
    def signing(self) -> str:
        """The id of the key that signs."""
        return self.keys[0].id if self.keys else OF_THE_STACK

    def with_new(self, key: str, now: datetime) -> KeyRing:
        """Begin: `key` verifies from now on. The stack's own key goes on signing under its name."""
        before = self.keys or ((LinkKey(OF_THE_STACK, self.first),) if self.first else ())
        return replace(self, keys=(*before, LinkKey(now.strftime(_TIME), key)))

    def signing_by_new(self) -> KeyRing:
        """Finish: the new key signs, all verify."""
        return replace(self, keys=(self.keys[-1], *self.keys[:-1]))

    def without_old(self) -> KeyRing:
        """Only the key that signs is left: what the others signed is void."""
        return KeyRing(self.keys[:1], "" if self.keys else self.first)

    def as_secret(self) -> dict[str, object]:
        """The secret's JSON object."""
        return {"keys": [{"id": one.id, "key": one.key} for one in self.keys], "first": self.first}


def key_ring(secret: Mapping[str, object]) -> KeyRing:
    """Read the secret. Raises ValueError if it is none of a ring."""
    keys: Any = secret.get("keys") or ()
    try:
        return KeyRing(tuple(LinkKey(str(one["id"]), str(one["key"])) for one in keys), str(secret.get("first") or ""))
    except (KeyError, TypeError):
        raise ValueError('its "keys" is no list of {"id", "key"}') from None


def known_at(key: LinkKey) -> datetime | None:
    """From when on every process knows a key that was begun."""
    return None if key.made is None else key.made + KNOWN_AFTER


def old_ends_at(in_force_since: datetime, approval_seconds: int) -> datetime:
    """From when on nothing can be open that another key than the signing one has signed. `in_force_since` is when the
    ring was written as it is: its first key signs since then."""
    return in_force_since + KNOWN_AFTER + REDRIVABLE + timedelta(seconds=approval_seconds)
