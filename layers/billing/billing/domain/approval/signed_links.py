"""The links that people are mailed, and what each is signed over."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Link:
    """What a link is signed over. `expires_at` is in epoch seconds."""

    request_id: str
    approver: str
    request_hash: str
    expires_at: int


@dataclass(frozen=True, slots=True)
class InboxLink:
    """One person's right to see what waits for them. `expires_at` is in epoch seconds."""

    approver: str
    expires_at: int
