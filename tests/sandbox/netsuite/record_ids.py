"""Gives ids to the records of a world."""

from __future__ import annotations

from tests.sandbox.netsuite.world_fields import WorldError


class Ids:
    """Ids that the file gives, and new ones for the records that have none."""

    def __init__(self, first: int) -> None:
        self._next = first
        self._taken: dict[int, str] = {}

    def take(self, given: int | None, where: str) -> int:
        if given is None:
            while self._next in self._taken:
                self._next += 1
            given = self._next
        elif given in self._taken:
            raise WorldError(f"{where}, field 'id': {given} is already used by {self._taken[given]}")
        self._taken[given] = where
        return given
