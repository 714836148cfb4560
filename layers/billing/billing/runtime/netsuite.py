"""NetSuite, as the settlement's functions use it: one connection a process, its calls counted with those of the run."""

from __future__ import annotations

import time
from collections.abc import Sequence

from billing.adapters.netsuite.records import NetSuiteRecords
from billing.adapters.netsuite.settlement_lookups import NetSuiteCustomers, NetSuiteItems, accounting_periods
from billing.domain.settlement.periods import AccountingPeriod
from billing.runtime.connections.aws import environment
from billing.runtime.connections.netsuite import suiteql as connection
from billing.runtime.settlement import rows

PERIODS_KEPT_SECONDS = 900


suiteql = connection(environment())
"""Queries, by one connection a process."""


def records() -> NetSuiteRecords:
    """The record API."""
    return NetSuiteRecords(suiteql().transport)


def customers() -> NetSuiteCustomers:
    """Customers."""
    return NetSuiteCustomers(suiteql(), records())


def items() -> NetSuiteItems:
    """Items."""
    return NetSuiteItems(suiteql(), records())


def periods(fresh: bool = False) -> Sequence[AccountingPeriod]:
    """The accounting periods, read again every quarter of an hour, or at once if asked to. All processes share them."""
    at = int(time.time())
    kept = None if fresh else rows().periods()
    if kept is not None and at - kept[1] < PERIODS_KEPT_SECONDS:
        return kept[0]
    found = accounting_periods(suiteql())
    rows().keep_periods(found, at)
    return found
