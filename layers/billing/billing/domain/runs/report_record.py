"""The report as it is kept: the run's file report.json."""

from __future__ import annotations

from typing import Any

from billing.domain.records import read_stored
from billing.domain.records_of_format_1 import report_of_format_1
from billing.domain.runs.report import Report


def read_report(data: Any) -> Report:
    """The report that this version or an earlier one wrote. Raises RecordUnreadable."""
    return read_stored(Report, data, "the run's file report.json", report_of_format_1)
