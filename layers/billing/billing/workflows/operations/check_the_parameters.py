"""While the stack is deployed: parameters that hold a small language of their own are read as a run would read them.

Not a state: a custom resource of the template. What "Open the run" checks again at every start is found here a month
earlier, and CloudFormation shows the sentence and takes the deployment back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from billing.domain.errors import InputInvalid

_REASON_CHARACTERS = 1000


def check_the_parameters(
    event: Mapping[str, Any],
    check: Callable[[Mapping[str, str]], None],
    respond: Callable[[str, Mapping[str, Any]], None],
    log_failure: Callable[[str], None],
) -> None:
    """Check the request's properties and answer CloudFormation; safe to repeat. `log_failure` logs what
    was raised, with its traceback.

    Every path answers: a request that nobody answers holds the deployment up until its time-out. Removing the resource
    is always allowed. Source: AWS, "Custom resource request and response reference".
    """
    reason = "" if event["RequestType"] == "Delete" else _mistake(event["ResourceProperties"], check, log_failure)
    respond(
        event["ResponseURL"],
        {
            "Status": "FAILED" if reason else "SUCCESS",
            "Reason": reason[:_REASON_CHARACTERS],
            # The same name at every change: nothing is ever replaced or deleted.
            "PhysicalResourceId": event.get("PhysicalResourceId") or event["LogicalResourceId"],
            "StackId": event["StackId"],
            "RequestId": event["RequestId"],
            "LogicalResourceId": event["LogicalResourceId"],
        },
    )


def _mistake(
    properties: Mapping[str, str], check: Callable[[Mapping[str, str]], None], log_failure: Callable[[str], None]
) -> str:
    try:
        check(properties)
    except InputInvalid as error:
        return str(error)
    except Exception as error:  # noqa: BLE001 - whatever it was, CloudFormation waits for an answer
        log_failure("parameters could not be checked")
        return f"The parameters could not be checked ({type(error).__name__}); the function's log says where."
    return ""
