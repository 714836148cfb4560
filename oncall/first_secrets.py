"""Before the first deployment there is no stack that could try a value: it is tried here, by the doctor's own checks,
from this machine. The only place where the command line runs what is deployed (decision 0032).
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any, Final

from oncall.exits import Refused

_LONGEST_SECONDS: Final = 300.0


def tried(service: str, value: Mapping[str, Any], api_url: str, slack_channel: str) -> dict[str, Any]:
    """What an examination of these values says, in the form of the stack's own. Raises Refused where the services' SDKs
    are not installed."""
    try:
        from billing.runtime.examination import checks_of_a_value
        from billing.workflows.operations.examine_the_setup import examine_the_setup
    except ImportError as missing:
        raise Refused(
            f"What tries the values is not installed ({missing.name}): run `make doctor` once, which installs it. "
            "Nothing was done."
        ) from None
    variables = {
        "SETTLEMENT": "off",
        "PREVIEW_PARTLY_BILLED": "off",
        "FIRM_TIME_ZONE": "UTC",
        "NETSUITE_API_URL": api_url,
        "STRIPE_API_URL": api_url,
        "SLACK_API_URL": api_url,
        "SLACK_CHANNEL": slack_channel,
        "ORDER_STATUSES": "E,F",
        "SUBSIDIARIES": "",
        "BILLING_EMAIL_FIELDS": "order.email,customer.email",
        "STRIPE_ID_FIELD": "",
    }
    checks = checks_of_a_value(service, value, variables)
    return examine_the_setup(checks, nullcontext, lambda: _LONGEST_SECONDS)
