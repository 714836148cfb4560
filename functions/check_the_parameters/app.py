"""No state: CloudFormation calls it while the stack is deployed.

In:  a custom resource's request, with the parameters that people write sentences into
Out: nothing; CloudFormation is answered at the request's ResponseURL. A mistake fails the deployment with its sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from billing.adapters.aws.cloudformation import respond
from billing.domain.batch.upper_bounds import parse_upper_bounds
from billing.domain.runs.period import parse_bill_from
from billing.runtime.parameters.policy import billing_policy
from billing.runtime.parameters.run_settings import run_settings
from billing.runtime.parameters.settlement import check_settlement
from billing.runtime.settings import Environment
from billing.runtime.telemetry import logger
from billing.workflows.monthly_billing.open_the_run import check_who_signs
from billing.workflows.operations.check_the_parameters import check_the_parameters


def check(parameters: Mapping[str, str]) -> None:
    """Read them as the states will. InputInvalid names the first that cannot be followed."""
    env = Environment(parameters)
    settings = run_settings(env)
    parse_bill_from(settings.bill_from)
    check_who_signs(settings, settings.cycle, "")
    parse_upper_bounds(env.optional("UPPER_BOUNDS"))
    billing_policy(env, "2026-01", ("email",))
    check_settlement(env)


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: Any) -> None:
    """Check what was set, before a month depends on it."""
    check_the_parameters(event, check, respond, logger.exception)
