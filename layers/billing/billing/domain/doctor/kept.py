"""The keys that sign, and the tables and the bucket that keep, as lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from billing.domain.doctor.finding import Finding, fine, listed, note, wrong

_SHORTEST_KEY: Final = 32
_FEW: Final = 5


@dataclass(frozen=True, slots=True)
class TableState:
    """A table by its logical name; `status` is DynamoDB's, "" if there is none of that name."""

    name: str
    status: str
    recoverable: bool


def ring_finding(ring: Mapping[str, object]) -> Finding:
    """The secret of the keys that sign links: {"keys": [{"id", "key"}, ...], "first": "..."}. They have no end of their
    own; the first signs, all verify."""
    check = "links.keys"
    keys = _keys(ring)
    if keys is None:
        return wrong(check, 'its "keys" is no list of {"id", "key"}: write it as the runbook shows (Rotating).')
    first = ring.get("first")
    if first:
        keys = [*keys, ("first", str(first))]
    if not keys:
        return wrong(check, "the signing secret holds no key: no link can be made. Put one in (runbook, Rotating).")
    short = [name for name, key in keys if len(key) < _SHORTEST_KEY]
    if short:
        return wrong(check, f"the key {listed(short)} is shorter than {_SHORTEST_KEY} characters: write a longer one.")
    names = [name for name, _ in keys]
    if len(set(names)) != len(names):
        return wrong(check, "two keys have one id: give each its own.")
    if len(names) > _FEW:
        return note(check, f"{len(names)} keys; take those away that signed nothing which is still open.")
    return fine(check, f'"{names[0]}" signs, {len(names)} verify; keys have no end of their own')


def tables_finding(found: Sequence[TableState]) -> Finding:
    """Every table of the stack."""
    check = "aws.tables"
    absent = [one.name for one in found if one.status not in ("ACTIVE", "UPDATING")]
    if absent:
        return wrong(check, f"{listed(absent)} cannot be used: restore it (runbook, Restoring) or deploy again.")
    unprotected = [one.name for one in found if not one.recoverable]
    if unprotected:
        return wrong(check, f"{listed(unprotected)} has no point-in-time recovery: turn it on, or deploy again.")
    return fine(check, f"{len(found)} tables, recoverable to any second")


def bucket_finding(versioning: str | None) -> Finding:
    """`versioning` is S3's word, "" if it was never on, None if there is no such bucket."""
    check = "aws.bucket"
    if versioning is None:
        return wrong(check, "the bucket of the runs is gone: deploy again, and restore what it held.")
    if versioning != "Enabled":
        return wrong(check, "the bucket keeps no versions any more: turn versioning on, or deploy again.")
    return fine(check, "reachable, keeps versions")


def _keys(ring: Mapping[str, object]) -> list[tuple[str, str]] | None:
    given = ring.get("keys", [])
    if not isinstance(given, list):
        return None
    found = []
    for one in given:
        if not isinstance(one, Mapping) or "id" not in one or "key" not in one:
            return None
        found.append((str(one["id"]), str(one["key"])))
    return found
