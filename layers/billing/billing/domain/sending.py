"""How far a message to people got."""

from __future__ import annotations

from enum import StrEnum


class Sending(StrEnum):
    """How far a message got."""

    NEW = "new"
    BEGUN = "begun"  # a former attempt may or may not have sent it
    DONE = "done"
