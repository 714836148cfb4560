"""How far a record of NetSuite's got: what the settlement's row of it says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from billing.domain.canonical import canonical_json, sha256_hex
from billing.domain.settlement.records import NetSuiteRecord, RecordType


class WriteState(StrEnum):
    """How far a record got."""

    INTENDED = "intended"  # it may or may not be in NetSuite
    WRITTEN = "written"  # read back and equal to the plan


@dataclass(frozen=True, slots=True)
class WrittenRecord:
    """The row of a record: its internal id in NetSuite once it is written, a hash of what it is applied to, and when it
    was read back last (UTC, ISO)."""

    external_id: str
    type: RecordType
    state: WriteState
    root: str
    internal_id: str = ""
    applied_hash: str = ""
    settled_at: str = ""

    def is_as(self, record: NetSuiteRecord) -> bool:
        """Whether the record is written and applied as the plan says."""
        return self.state is WriteState.WRITTEN and self.applied_hash == applied_hash(record)


def applied_hash(record: NetSuiteRecord) -> str:
    """What a record is applied to, in any order."""
    return sha256_hex(canonical_json(sorted([one.external_id, one.amount] for one in record.applies)))
