"""From where an answer came."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Origin:
    """The IP address and the browser's own name for itself, as the HTTP request says; "" where it says nothing."""

    address: str = ""
    agent: str = ""
