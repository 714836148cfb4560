"""A proof of both books, shown to people: its page, and one line to Slack a day. "Prove the books" calls it.

In:  {"day": "2026-11-30"}
Out: {"day", "told": 1 if the line was posted now}
"""

from __future__ import annotations

from typing import Any

from billing.adapters.dynamodb.message_log import MessageLog
from billing.adapters.dynamodb.proofs import ProofRows
from billing.domain.settlement.proof import Proof
from billing.pages.settlement.proof_page import proof_line, proof_page
from billing.runtime import settlement
from billing.runtime.clock import now
from billing.runtime.connections.aws import dynamodb, environment
from billing.runtime.connections.slack import slack_channel
from billing.runtime.console_links import object_url
from billing.runtime.entry import state
from billing.workflows.settlement.tell_of_the_proof import TellingOfTheProof

env = environment()
tables = dynamodb()


def line(proof: Proof) -> tuple[str, list[dict[str, Any]]]:
    """Return the line as text and blocks."""
    return proof_line(proof, object_url(env.text("RUNS_BUCKET"), f"settlement/proofs/{proof.day}.html")).content


@state
def handler(event: dict[str, Any], context: Any) -> Any:
    """Write the page, and post."""
    return TellingOfTheProof(
        of_day=ProofRows(tables, env.text("SETTLEMENT_TABLE")).of_day,
        files=settlement.files(),
        messages=MessageLog(tables, env.text("RUNS_TABLE")),
        channel=slack_channel(env),
        page=proof_page,
        line=line,
        now=now(),
    ).tell(event)
