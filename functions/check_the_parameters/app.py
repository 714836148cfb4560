"""No state: CloudFormation calls it while the stack is deployed.

In:  a custom resource's request, with the parameters that people write sentences into
Out: nothing; CloudFormation is answered at the request's ResponseURL. A mistake fails the deployment with its sentence.
"""

from __future__ import annotations

from typing import Any

from billing.adapters.aws.cloudformation import respond
from billing.runtime.parameters.whole import check_parameters
from billing.runtime.settings import Environment
from billing.runtime.telemetry import logger
from billing.workflows.operations.check_the_parameters import check_the_parameters


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: Any) -> None:
    """Check what was set, before a month depends on it."""
    check_the_parameters(event, lambda parameters: check_parameters(Environment(parameters)), respond, logger.exception)
