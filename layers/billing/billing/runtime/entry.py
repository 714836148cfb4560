"""What every function's entry shares: the run's id in each log line, metrics, a trace, and errors with the three
names.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import is_dataclass
from typing import Any

from billing.adapters.aws.aws_faults import aws_faults_named
from billing.domain.errors import ENDS, SETTLEMENT_ENDS, OurFault, PassingError
from billing.domain.run import to_state
from billing.runtime.telemetry import logger, metrics, tracer

Handler = Callable[[dict[str, Any], Any], Any]

_NAMED = tuple({**ENDS, **SETTLEMENT_ENDS}.values())


def state(handler: Handler) -> Handler:
    """Wrap the handler of a state. The event is never logged: it may carry a task token."""

    @functools.wraps(handler)
    def wrapped(event: dict[str, Any], context: Any) -> Any:
        logger.append_keys(run_id=_run_id(event), request_id=getattr(context, "aws_request_id", ""))
        try:
            with aws_faults_named():
                answer = _answer(handler(event, context))
        except _NAMED as error:
            # Retry and Catch match names exactly: a special case leaves by the name that they know.
            named = next(one for one in type(error).__mro__ if one in _NAMED)
            metrics.add_metric(name=named.__name__, unit="Count", value=1)
            logger.warning("stopped", extra={"error_name": named.__name__, "error_text": str(error)})
            if named is type(error):
                raise
            raise named(str(error)) from None
        except Exception as error:  # noqa: BLE001 - whatever it is gets one of the three names
            metrics.add_metric(name="OurFault", unit="Count", value=1)
            # The type is safe to show, the text may quote a name or an amount: only the traceback's places are logged.
            logger.error("unexpected", extra={"error_name": type(error).__name__, "places": _places(error)})
            raise OurFault(f"Unexpected {type(error).__name__} at {_places(error)[-1]}.") from None
        counts = _counts(answer)
        metrics.add_metric(name="StatesDone", unit="Count", value=1)
        for name, count in counts.items():
            metrics.add_metric(name=name[0].upper() + name[1:], unit="Count", value=count)
        logger.info("done", extra={"counts": counts})
        return answer

    return tracer.capture_lambda_handler(capture_response=False)(metrics.log_metrics(wrapped))  # type: ignore[no-any-return]


def telling(handler: Handler) -> Handler:
    """Wrap, inside of `state`, the handler of a state that tells people. Its state machine goes on without it, so only
    an alarm says that somebody did not hear: "MessagesDelayed" counts failures that pass, which the state tries again.
    Lambda's own Errors count all."""

    @functools.wraps(handler)
    def wrapped(event: dict[str, Any], context: Any) -> Any:
        try:
            with aws_faults_named():
                return handler(event, context)
        except PassingError:
            metrics.add_metric(name="MessagesDelayed", unit="Count", value=1)
            raise

    return wrapped


def _run_id(event: dict[str, Any]) -> str:
    run = event.get("run") or event.get("state", {}).get("run") or {}
    return str(run.get("id") or event.get("executionName") or "")


def _counts(answer: Any) -> dict[str, int]:
    if not isinstance(answer, dict):
        return {}
    flat = {**answer, **answer["counts"]} if isinstance(answer.get("counts"), dict) else answer
    return {key: value for key, value in flat.items() if isinstance(value, int) and not isinstance(value, bool)}


def _answer(answer: Any) -> Any:
    """An answer as the execution's state has it."""
    return to_state(answer) if is_dataclass(answer) else answer


def _places(error: BaseException) -> list[str]:
    places = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(f"{code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return places or ["nowhere"]
