"""State "Announce the request".

In:  {"run": ..., "matched": ...}
Out: {"posts": how many}
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from billing.adapters.dynamodb.message_log import MessageLog
from billing.domain.approval.approvers import Slot, parse_slot_rules
from billing.domain.batch.batch import Batch
from billing.domain.run import Matched, Run, read_state
from billing.pages.approval.approval_notices import asked_notice
from billing.runtime.clock import now
from billing.runtime.connections.aws import dynamodb, environment, run_files
from billing.runtime.connections.slack import slack_channel
from billing.runtime.entry import state, telling
from billing.workflows.monthly_billing.announce_the_request import announce_the_request

env = environment()
files = run_files(env)
messages = MessageLog(dynamodb(), env.text("RUNS_TABLE"))
channel = slack_channel(env)


def write(run: Run, batch: Batch, slots: Sequence[Slot]) -> tuple[str, list[dict[str, Any]]]:
    """Return the message as text and blocks."""
    left = timedelta(seconds=run.settings.approval_timeout_seconds)
    return asked_notice(run, batch, slots, left).content


@state
@telling
def handler(event: dict[str, Any], context: Any) -> Any:
    """Tell the channel that finance is asked."""
    rules = parse_slot_rules(env.text("APPROVERS"))
    run, matched = read_state(Run, event["run"]), read_state(Matched, event["matched"])
    return announce_the_request(run, matched, rules, files, messages, channel, write, now())
