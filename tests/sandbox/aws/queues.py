"""SQS to Lambda: an event source mapping takes messages off a queue and gives them to a function.

moto keeps the queues, with the rules of FIFO ones: a group whose message is under way is not given out, a deduplication
id counts once in five minutes, and what was received too often goes to the dead-letter queue. Sources: "Using Lambda
with Amazon SQS", "Handling errors for an SQS event source in Lambda" (Lambda guide): messages of one batch are deleted
when the function has done them; those that it names in batchItemFailures, or all when it fails, become visible again
when their visibility timeout is over.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from moto.sqs.models import sqs_backends

from tests.sandbox.aws.errors import SandboxError
from tests.sandbox.aws.runtime.functions import Functions, Throttled

_POLL_SECONDS = 0.03
_AT_ONCE = 4
"""Batches of one mapping under way at the same time. Lambda begins with five pollers."""


@dataclass(frozen=True)
class SourceMapping:
    """One AWS::Lambda::EventSourceMapping of a queue."""

    logical_id: str
    queue_url: str
    queue_arn: str
    function_arn: str
    batch_size: int
    reports_failures: bool
    visibility_seconds: float


class Pollers:
    """Takes messages off the queues of all mappings."""

    def __init__(self, functions: Functions, clients: Any, account: str, region: str, delay_scale: float) -> None:
        self._functions = functions
        self._clients = clients
        self._account = account
        self._region = region
        self.delay_scale = delay_scale
        self._closing = threading.Event()
        self._paused = threading.Event()
        self._threads: list[threading.Thread] = []
        self._pool = ThreadPoolExecutor(max_workers=8, thread_name_prefix="sqs-batch")
        self._under_way = 0
        self._lock = threading.Lock()

    def add(self, mapping: SourceMapping) -> None:
        """From now on messages of this queue reach the function."""
        thread = threading.Thread(target=self._poll, args=(mapping,), daemon=True, name=f"sqs-{mapping.logical_id}")
        self._threads.append(thread)
        thread.start()

    def pause(self) -> None:
        """Take nothing off any queue until `resume`; batches that are under way end."""
        self._paused.set()

    def resume(self) -> None:
        """Take messages off the queues again."""
        self._paused.clear()

    @property
    def under_way(self) -> int:
        """Batches that functions work on."""
        with self._lock:
            return self._under_way

    def close(self) -> None:
        """End the threads. What is on the queues stays there."""
        self._closing.set()
        for thread in self._threads:
            thread.join(timeout=5)
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _poll(self, mapping: SourceMapping) -> None:
        name = mapping.queue_url.rpartition("/")[2]
        queue = sqs_backends[self._account][self._region].queues[name]
        slots = threading.Semaphore(_AT_ONCE)
        while not self._closing.wait(_POLL_SECONDS):
            # Looked at directly first: a call over HTTP for every look would cost a core.
            if self._paused.is_set() or not any(message.visible for message in list(queue._messages)):
                continue
            if not slots.acquire(timeout=1):
                continue
            received = self._clients("sqs").receive_message(
                QueueUrl=mapping.queue_url,
                MaxNumberOfMessages=min(10, mapping.batch_size),
                AttributeNames=["All"],
                WaitTimeSeconds=0,
            )
            messages = received.get("Messages", [])
            if not messages:
                slots.release()
                continue
            with self._lock:
                self._under_way += 1
            self._pool.submit(self._batch, mapping, messages, slots)

    def _batch(self, mapping: SourceMapping, messages: list[Mapping[str, Any]], slots: threading.Semaphore) -> None:
        try:
            failed = self._invoke(mapping, messages)
            sqs = self._clients("sqs")
            for message in messages:
                if message["MessageId"] in failed:
                    wait = int(mapping.visibility_seconds * self.delay_scale)
                    sqs.change_message_visibility(
                        QueueUrl=mapping.queue_url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=wait
                    )
                else:
                    sqs.delete_message(QueueUrl=mapping.queue_url, ReceiptHandle=message["ReceiptHandle"])
        except Exception:
            if not self._closing.is_set():
                raise
        finally:
            with self._lock:
                self._under_way -= 1
            slots.release()

    def _invoke(self, mapping: SourceMapping, messages: list[Mapping[str, Any]]) -> set[str]:
        """Ids of the messages that come again."""
        everything = {str(message["MessageId"]) for message in messages}
        event = {"Records": [_record(mapping, message, self._region) for message in messages]}
        try:
            outcome = self._functions.invoke(mapping.function_arn, json.dumps(event).encode())
        except (Throttled, SandboxError):
            return everything
        if outcome.error is not None:
            return everything
        if not mapping.reports_failures:
            return set()
        answer = json.loads(outcome.payload or b"null") or {}
        failed = {str(one.get("itemIdentifier")) for one in answer.get("batchItemFailures", [])}
        # "a bad or empty itemIdentifier": the whole batch counts as failed.
        return min(failed, everything)


def _record(mapping: SourceMapping, message: Mapping[str, Any], region: str) -> dict[str, Any]:
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes", {}),
        "messageAttributes": {},
        "md5OfBody": message.get("MD5OfBody", ""),
        "eventSource": "aws:sqs",
        "eventSourceARN": mapping.queue_arn,
        "awsRegion": region,
    }
