"""The approval page, behind the HTTP API.

In:  an event of API Gateway, payload format 2.0; the path's {link} is a signed link
Out: a page (or a CSV). GET and HEAD change nothing, POST decides.
"""

from __future__ import annotations

from typing import Any

from billing.runtime import wiring
from billing.runtime.telemetry import logger, metrics, tracer

approval_page = wiring.approval_page()


@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Show or decide."""
    return approval_page(event)
