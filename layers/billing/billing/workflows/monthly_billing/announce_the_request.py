"""State "Announce the request": the channel hears that finance is asked, without a link that could decide anything."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from billing.domain.approval.approvers import Slot, SlotRule, slots_without
from billing.domain.batch.batch import Batch, read_batch, totals
from billing.domain.run import Matched, Run
from billing.domain.sending import Sending
from billing.workflows.ports import Channel, Messages, ReadableFiles


def announce_the_request(
    run: Run,
    matched: Matched,
    rules: Sequence[SlotRule],
    files: ReadableFiles,
    messages: Messages,
    channel: Callable[[], Channel],
    write: Callable[[Run, Batch, Sequence[Slot]], tuple[str, Sequence[dict[str, Any]]]],
    now: datetime,
) -> dict[str, int]:
    """Post what is asked, of which slots, until when. Answers how many posts were made.

    Once for each content in each round of the run: a redriven run that begins again asks under a new request, also
    about the same content, and the channel hears of that. Raises PassingError or PersonNeeded as Slack refuses; the
    state machine then goes on to ask.
    """
    batch = read_batch(files.read_json(matched.batch_key, matched.sha256))
    asked = matched.sha256[:16]
    # A run that was opened by an earlier version has no round; its first message keeps its name.
    edition = f"{asked}-{run.round}" if run.round else asked
    owner, what = f"RUN#{run.id}", f"slack-asked-{edition}"
    sending = messages.begin(owner, what, now.isoformat())
    if sending is Sending.DONE:
        return {"posts": 0}
    slack, message_id = channel(), f"{run.id}/asked/{edition}"
    missing = sending is Sending.NEW or not slack.has(message_id, (now - timedelta(days=15)).timestamp())
    if missing:
        text, blocks = write(run, batch, slots_without(rules, run.cycle, totals(batch.to_draft), run.barred))
        slack.post(message_id, text, blocks)
    messages.finish(owner, what, now.isoformat())
    return {"posts": int(missing)}
