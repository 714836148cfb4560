"""NetSuite, by the secret that template.yaml names."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache

import requests

from billing.adapters.aws.secrets import secret
from billing.adapters.netsuite.login import base_url_of, login_from_secret
from billing.adapters.netsuite.suiteql import SuiteQL
from billing.runtime.settings import Environment


def suiteql(env: Environment) -> Callable[[], SuiteQL]:
    """One connection a process, made at the first call: a secret that cannot be read is then named like any failure."""

    @cache
    def connect() -> SuiteQL:
        credentials = secret(env.text("NETSUITE_SECRET_ARN"))
        base_url = base_url_of(credentials, env.optional("NETSUITE_API_URL"))
        return SuiteQL(base_url, login_from_secret(credentials, base_url, time.time), time.sleep, requests.Session())

    return connect
