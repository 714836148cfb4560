"""What more than one step needs from outside. A port that one step alone needs is declared beside that step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from billing.domain.mail import MailContent
from billing.domain.sending import Sending


class Logger(Protocol):
    """What operators read. Never a name, an amount, an address, a token or a link."""

    def append_keys(self, **keys: object) -> None: ...
    def info(self, msg: object, *, extra: Mapping[str, object] | None = None) -> None: ...
    def warning(self, msg: object, *, extra: Mapping[str, object] | None = None) -> None: ...
    def error(self, msg: object, *, extra: Mapping[str, object] | None = None) -> None: ...


class Metrics(Protocol):
    """What alarms count."""

    def add_metric(self, name: str, unit: str, value: float) -> None: ...


@dataclass(frozen=True, slots=True)
class Telemetry:
    """Log lines and counts of what happens outside a state's own answer."""

    logger: Logger
    metrics: Metrics

    def failed(self, msg: str, metric: str, **extra: object) -> None:
        """An error that an alarm counts."""
        self.logger.error(msg, extra=extra)
        self.metrics.add_metric(name=metric, unit="Count", value=1)


class ReadableFiles(Protocol):
    """The run's files."""

    def read_json(self, key: str, sha256: str | None = None) -> Any: ...


class Files(ReadableFiles, Protocol):
    """The run's files, for a step that adds to them."""

    def write_json(self, key: str, value: Any) -> str: ...
    def write(self, key: str, data: bytes, content_type: str) -> None: ...


class Messages(Protocol):
    """Which messages were sent."""

    def begin(self, owner: str, what: str, at: str) -> Sending: ...
    def finish(self, owner: str, what: str, at: str) -> None: ...


class Channel(Protocol):
    """A Slack channel."""

    def post(self, message_id: str, text: str, blocks: Sequence[dict[str, Any]]) -> None: ...
    def has(self, message_id: str, oldest: float) -> bool: ...


class Mail(Protocol):
    """Sends mail. SES gives the tags back with what became of it."""

    def send(self, to: str, content: MailContent, thread: str, tags: Mapping[str, str] | None = None) -> None: ...
