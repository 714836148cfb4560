"""The queue of doorbells (SQS FIFO): ids of Stripe's objects, never contents."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from billing.domain.settlement.event_roots import Doorbell, RootKind

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_FROM_US = "settlement"


@dataclass(frozen=True, slots=True)
class EventQueue:
    """Messages of one group come one after another; one dedupe id counts once in five minutes, and the plan is what
    makes a repeat harmless after that."""

    sqs: SQSClient
    url: str

    def send(self, bell: Doorbell, dedupe_id: str = "") -> None:
        """Queue a doorbell; it is accepted when this returns."""
        self.sqs.send_message(
            QueueUrl=self.url,
            MessageBody=json.dumps(asdict(bell)),
            MessageGroupId=bell.group,
            MessageDeduplicationId=dedupe_id or bell.event_id,
        )

    def ring(self, root: str, kind: str, why: str, at: int) -> None:
        """Ring a root ourselves. `why` and `at` (epoch seconds) make the ring one of its own."""
        bell = Doorbell(f"{why}-{root}-{at}", _FROM_US, root, True, "", at, RootKind(kind), root)
        self.send(bell)


def from_message(body: str) -> Doorbell:
    """What `send` queued. ValueError for anything else."""
    data = json.loads(body)
    return Doorbell(**{**data, "kind": RootKind(data["kind"])})


def is_ours(bell: Doorbell) -> bool:
    """Whether the settlement rang itself: the root is known then."""
    return bell.type == _FROM_US
