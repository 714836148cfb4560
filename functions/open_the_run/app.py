"""State "Open the run".

In:  {"input": the execution's input, "executionArn": ..., "executionName": ..., "redriveCount": ...,
      "before": the execution's state until now}
Out: {"run": the run's frame (id, period, dates, file prefix, settings, and "lock"),
      "former": {"asksAnew": ..., "listed": the listing of an end without an answer, or null}}
"""

from __future__ import annotations

from typing import Any

from billing.adapters.aws.executions import Executions
from billing.adapters.dynamodb.runs import RunsTable
from billing.domain.run import to_state
from billing.runtime.clock import now
from billing.runtime.connections.aws import dynamodb, environment, stepfunctions
from billing.runtime.entry import state
from billing.runtime.parameters.run_settings import run_settings
from billing.workflows.monthly_billing.open_the_run import Start, former_listing, open_the_run

env = environment()
settings = run_settings(env)
locks = RunsTable(dynamodb(), env.text("RUNS_TABLE"))
executions = Executions(stepfunctions())


@state
def handler(event: dict[str, Any], context: Any) -> Any:
    """Check the input, fix the period, take its lock."""
    start = Start(
        input=event["input"],
        execution_arn=event["executionArn"],
        execution_name=event["executionName"],
        before=event.get("before"),
        redrive_count=event.get("redriveCount", 0),
    )
    run = open_the_run(start, settings, locks, executions.is_running, now())
    # An execution that is redriven goes on with the definition it started with: an older one wants the run alone.
    if "before" not in event:
        return to_state(run)
    return {"run": to_state(run), "former": to_state(former_listing(run, start.before))}
