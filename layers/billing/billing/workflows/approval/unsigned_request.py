"""Requests that an earlier version opened and did not sign, or whose signature somebody has taken off: the two cannot
be told apart, so nothing of such a row is believed that the run's own state and the stack's parameters do not say too.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from billing.domain.approval.approval_request import ApprovalRequest
from billing.domain.approval.approvers import SlotRule, requester_id, slots_without
from billing.domain.batch.batch import Batch, totals
from billing.domain.errors import RequestAltered
from billing.domain.run import Matched, Run


def not_vouched_for(
    opened: ApprovalRequest, run: Run, matched: Matched, batch: Batch, rules: Iterable[SlotRule]
) -> tuple[str, ...]:
    """Names of what an unsigned request's row says otherwise than the run's state, the batch that it made, and the
    parameter Approvers as it is now. Raises InputInvalid if Approvers cannot be followed."""
    expected = {
        "run_id": run.id,
        "execution_arn": run.execution_arn,
        "cycle": run.cycle,
        "period": run.period,
        "batch_key": matched.batch_key,
        "request_hash": matched.sha256,
        "slots": slots_without(rules, run.cycle, totals(batch.to_draft), run.barred),
        "expires_at": _expiry(opened, run),
        "invoices": len(batch.to_draft),
        "barred": run.barred,
        "requested_by": opened.requested_by if _is_the_requester(opened.requested_by, run) else "",
    }
    return tuple(name for name, value in expected.items() if getattr(opened, name) != value)


def refuse_unvouched(
    opened: ApprovalRequest, run: Run, matched: Matched, batch: Batch, rules: Iterable[SlotRule]
) -> None:
    """Raise RequestAltered if anything of an unsigned request's row is not vouched for."""
    wrong = not_vouched_for(opened, run, matched, batch, rules)
    if wrong:
        raise RequestAltered(
            f"The approval request {opened.id} is not signed, and its {', '.join(wrong)} in the approvals table "
            f"{'is' if len(wrong) == 1 else 'are'} not what the run and the parameter Approvers say. Nothing is "
            "drafted by it. Either Approvers was changed while a request of an earlier version waited, or somebody "
            "writes to the table. Redrive: a new request is opened."
        )


def _is_the_requester(address: str, run: Run) -> bool:
    return bool(run.requested_by) and requester_id(address) == run.requested_by


def _expiry(opened: ApprovalRequest, run: Run) -> str:
    wait = timedelta(seconds=run.settings.approval_timeout_seconds)
    return (datetime.fromisoformat(opened.opened_at) + wait).isoformat()
