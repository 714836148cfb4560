"""NetSuite, by the secret that template.yaml names."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache

import requests

from billing.adapters.aws.secrets import secret
from billing.adapters.dynamodb.netsuite_slots import NetSuiteSlots
from billing.adapters.netsuite.login import base_url_of, login_from_secret
from billing.adapters.netsuite.suiteql import SuiteQL
from billing.runtime.connections.aws import dynamodb
from billing.runtime.settings import Environment


def suiteql(env: Environment) -> Callable[[], SuiteQL]:
    """One connection a process, made at the first call: a secret that cannot be read is then named like any failure.
    Credentials that were rotated make a new one within five minutes, also in a process that lives on.

    Where the settlement is on, each call holds one of the slots that it shares with the monthly run.
    """

    @lru_cache(maxsize=1)
    def made(text: str) -> SuiteQL:
        credentials = json.loads(text)
        base_url = base_url_of(credentials, env.optional("NETSUITE_API_URL"))
        login = login_from_secret(credentials, base_url, time.time)
        return SuiteQL(base_url, login, time.sleep, requests.Session(), slot=_slot(env))

    return lambda: made(json.dumps(secret(env.text("NETSUITE_SECRET_ARN")), sort_keys=True))


def _slot(env: Environment) -> Callable[[], AbstractContextManager[None]]:
    count = env.number("NETSUITE_SLOTS")
    if not count:
        return nullcontext
    return NetSuiteSlots(dynamodb(), env.text("RUNS_TABLE"), count, time.sleep, time.time).slot
