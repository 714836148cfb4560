"""NetSuite, as the settlement's functions use it: one connection a process, its calls counted with those of the run."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import lru_cache

import boto3
import requests

from billing.adapters.aws.secrets import secret
from billing.adapters.dynamodb.netsuite_slots import NetSuiteSlots
from billing.adapters.netsuite.login import base_url_of, login_from_secret
from billing.adapters.netsuite.records import NetSuiteRecords
from billing.adapters.netsuite.settlement_lookups import NetSuiteCustomers, NetSuiteItems, accounting_periods
from billing.adapters.netsuite.suiteql import SuiteQL
from billing.domain.settlement.periods import AccountingPeriod
from billing.runtime.settlement import CONFIG, environment, rows

PERIODS_KEPT_SECONDS = 900


@lru_cache(maxsize=1)
def suiteql() -> SuiteQL:
    """Queries. A secret that cannot be read is named like any failure, at the first call."""
    env = environment()
    credentials = secret(env.text("NETSUITE_SECRET_ARN"))
    base_url = base_url_of(credentials, env.optional("NETSUITE_API_URL"))
    slots = NetSuiteSlots(
        boto3.client("dynamodb", config=CONFIG),
        env.text("RUNS_TABLE"),
        env.number("NETSUITE_CONCURRENCY"),
        time.sleep,
        time.time,
    )
    login = login_from_secret(credentials, base_url, time.time)
    return SuiteQL(base_url, login, time.sleep, requests.Session(), slot=slots.slot)


@lru_cache(maxsize=1)
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
