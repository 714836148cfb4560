"""Stripe's cursor paging of lists: newest first, `starting_after` and `ending_before` name an object."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from tests.sandbox.stripe.errors import Refusal, no_such
from tests.sandbox.stripe.records import Json
from tests.sandbox.stripe.shapes import listing

DEFAULT_LIMIT = 10
T = TypeVar("T")


def page(
    entries: Sequence[T],
    params: dict[str, Any],
    url: str,
    noun: str,
    identity: Callable[[T], str],
    shape: Callable[[T], Json],
    known: Callable[[str], bool] = lambda identifier: False,
) -> Json:
    """One page of `entries` (already filtered and sorted), shaped as a list object.

    A cursor that names nothing is refused; one that is `known` but filtered out starts where it would stand,
    for which its place is not defined here, so the page is empty.
    """
    after, before = params.get("starting_after"), params.get("ending_before")
    if after and before:
        raise Refusal("You cannot use both starting_after and ending_before.", param="ending_before")
    limit = params.get("limit", DEFAULT_LIMIT)
    ids = [identity(entry) for entry in entries]
    chosen: Sequence[T]
    if before:
        end = _place(ids, before, noun, "ending_before", known)
        start = max(0, end - limit)
        chosen, more = entries[start:end], start > 0
    else:
        start = _place(ids, after, noun, "starting_after", known) + 1 if after else 0
        chosen, more = entries[start : start + limit], len(entries) > start + limit
    return listing([shape(entry) for entry in chosen], url, more)


def _place(ids: list[str], cursor: str, noun: str, param: str, known: Callable[[str], bool]) -> int:
    if cursor in ids:
        return ids.index(cursor)
    if known(cursor):
        return len(ids)
    raise no_such(noun, cursor, param)
