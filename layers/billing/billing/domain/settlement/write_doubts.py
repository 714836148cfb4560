"""What a write into NetSuite may leave open. Raised by the adapter, answered by a look."""

from __future__ import annotations


class MayBeWritten(Exception):
    """A write got no clear answer: NetSuite may or may not have saved it, now or in a moment. Look before writing
    again."""


class AlreadyExists(Exception):
    """NetSuite has a record with this externalId (or, for an entity, this name)."""
