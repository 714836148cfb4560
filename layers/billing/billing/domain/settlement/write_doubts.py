"""What a write into NetSuite may leave open, and how NetSuite refuses one. Raised by the adapter."""

from __future__ import annotations

from enum import StrEnum


class MayBeWritten(Exception):
    """A write got no clear answer: NetSuite may or may not have saved it, now or in a moment. Look before writing
    again."""


class AlreadyExists(Exception):
    """NetSuite has a record with this externalId (or, for an entity, this name)."""


class Rule(StrEnum):
    """Which of NetSuite's rules refuses a record; the name of the hold that it becomes."""

    WORKFLOW_LOCK = "locked_by_workflow"
    FIELD_MISSING = "field_missing"
    FIELD_VALUE = "field_value_refused"
    FIELD_UNKNOWN = "field_unknown"
    APPLY_NOT_OFFERED = "apply_not_offered"
    NOT_TO_DEPOSIT = "already_deposited"
    NEGATIVE_TOTAL = "negative_total"
    ALREADY_PROCESSED = "order_already_billed"
    PERIOD_CLOSED = "period_closed"
    OTHER = "refused_by_netsuite"


class Refused(Exception):
    """NetSuite refuses a record by one of its rules, and nothing was saved. `detail` is its own sentence, which may
    quote values: it belongs into the settlement's row, and into no log."""

    def __init__(self, rule: Rule, detail: str) -> None:
        super().__init__(rule.value)
        self.rule = rule
        self.detail = detail
