"""The page that the approvers would be shown, for a dry run: named so, and without what a file cannot do."""

from __future__ import annotations

from datetime import datetime, timedelta

from billing.domain.approval.approval_request import ApprovalRequest
from billing.domain.approval.approvers import SlotRule, count_votes, everybody, slots_without
from billing.domain.batch.batch import Batch, totals
from billing.domain.run import Run
from billing.pages.approval.approval_page import RequestView, approval_preview


def preview_page(
    run: Run,
    batch: Batch,
    sha256: str,
    *,
    rules: tuple[SlotRule, ...],
    finalizes: bool,
    opened: datetime,
) -> bytes:
    """Return the page as HTML, as the first approver would see it had the request been sent at `opened`."""
    slots = slots_without(rules, run.cycle, totals(batch.to_draft), run.barred)
    request = ApprovalRequest(
        id=f"{run.id}.preview",
        run_id=run.id,
        execution_arn=run.execution_arn,
        cycle=run.cycle,
        period=run.period,
        batch_key="",
        request_hash=sha256,
        slots=slots,
        opened_at=opened.isoformat(),
        expires_at=(opened + timedelta(seconds=run.settings.approval_timeout_seconds)).isoformat(),
        invoices=len(batch.to_draft),
    )
    tally = count_votes(slots, (), sha256)
    view = RequestView(request, everybody(slots)[0], (), tally, opened, finalizes=finalizes)
    return approval_preview(view, batch).encode()
