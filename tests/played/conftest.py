"""Every sandbox that is opened here is looked at when it closes."""

from __future__ import annotations

from tests.promises_at_the_end import promises_are_kept

__all__ = ["promises_are_kept"]
