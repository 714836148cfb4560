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
from billing.runtime.clock import now
from billing.runtime.connections.aws import dynamodb, environment, stepfunctions
from billing.runtime.entry import state
from billing.runtime.parameters.run_settings import run_settings
from billing.workflows.monthly_billing.open_the_run import former_listing, open_the_run

env = environment()
settings = run_settings(env)
locks = RunsTable(dynamodb(), env.text("RUNS_TABLE"))
executions = Executions(stepfunctions())


@state
def handler(event: dict[str, Any], context: Any) -> Any:
    """Check the input, fix the period, take its lock."""
    run = open_the_run(
        event["input"],
        event["executionArn"],
        event["executionName"],
        settings,
        locks,
        executions.is_running,
        now(),
        event.get("before"),
        event.get("redriveCount", 0),
    )
    # An execution that is redriven goes on with the definition it started with: an older one wants the frame alone.
    return {"run": run, "former": former_listing(run, event["before"])} if "before" in event else run
