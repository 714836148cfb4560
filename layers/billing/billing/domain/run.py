"""What the states of a monthly run hand on: the run itself, and each state's answer.

In the execution's state they are JSON objects with camelCase keys, as Step Functions writes them; `read_state` and
`to_state` stand at a function's door. In files a run is a record like any other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, TypeVar

from billing.domain.orders.order_filter import OrderFilter
from billing.domain.records import RecordUnreadable, from_record, to_record
from billing.domain.state_keys import camel, snake_keys

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RunFrame:
    """What approvers and readers of the report are shown of a run. Days are YYYY-MM-DD, "" in batches of versions that
    kept none; orders are listed from `listed_from` on and before `listed_before`; `zone` is the cycle's. `started` is
    "by the schedule" or "by hand", "" in batches of versions that kept none."""

    id: str = ""
    cycle: str = ""
    period: str = ""
    listed_from: str = ""
    listed_before: str = ""
    bill_from: str = ""
    invoice_date: str = ""
    zone: str = "UTC"
    dry_run: bool = False
    filter: OrderFilter = field(default_factory=OrderFilter)
    started: str = ""


@dataclass(frozen=True, slots=True)
class RunLimits:
    """How long a run waits for approval, in seconds, and how many drafts it makes at once. `first_wait_seconds` comes
    before anything is due; 0 for `escalation_after_seconds` asks no deputies. When more than
    `tolerated_failure_percentage` of the invoices could not be drafted, no more are begun."""

    approval_timeout_seconds: int
    reminder_interval_seconds: int = 0
    escalation_after_seconds: int = 0
    first_wait_seconds: int = 0
    draft_concurrency: int = 1
    tolerated_failure_percentage: int = 100


@dataclass(frozen=True, slots=True)
class Run:
    """A run as "Open the run" has opened it. `prefix` begins the keys of its files; `requested_by` and `barred` are
    approver ids, "" for nobody. `round` is the redrive count at which it (re)opened, None in a run that an earlier
    version opened. `finished_by` is the run that has finished the whole period before, "" if none has; `holder` and
    `said` tell of another run that holds the period."""

    id: str
    execution_arn: str
    cycle: str
    zone: str
    period: str
    listed_from: str
    listed_before: str
    invoice_date: str
    dry_run: bool
    filter: OrderFilter
    prefix: str
    lock_key: str
    settings: RunLimits
    barred: str = ""
    map_results_prefix: str = ""
    bill_from: str = ""
    bill_from_is_new: bool = False
    finished_by: str = ""
    requested_by: str = ""
    round: int | None = None
    lock: str = ""
    holder: str = ""
    said: str = ""
    started: str = ""

    @property
    def frame(self) -> RunFrame:
        """What is shown of it."""
        return RunFrame(**{one.name: getattr(self, one.name) for one in fields(RunFrame)})


@dataclass(frozen=True, slots=True)
class Listed:
    """What "List the sales orders" has written: the snapshot's key and hash, and how many orders were listed, and how
    many of these cannot be read."""

    snapshot_key: str
    sha256: str
    orders: int = 0
    problems: int = 0


@dataclass(frozen=True, slots=True)
class Former:
    """The listing of this run's former request, which ended without an answer, if there is one to compare with."""

    asks_anew: bool
    listed: Listed | None


@dataclass(frozen=True, slots=True)
class Compared:
    """Whether the former listing still holds, why not, and how many orders NetSuite has now."""

    same: bool
    why: str
    orders: int


@dataclass(frozen=True, slots=True)
class Matched:
    """What "Match the customers" has written: the batch's key and hash, and how many invoices are to be asked about, to
    be finished without asking, left as they are, held, and how many orders cannot be billed."""

    batch_key: str
    sha256: str
    to_ask: int = 0
    to_finish: int = 0
    skipped: int = 0
    held: int = 0
    problems: int = 0


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided so far: an Outcome, or "not asked"; what is due and how many seconds to wait after it; and the
    key of the file of what approvers held back, "" before anything was read."""

    outcome: str
    seconds: int = 0
    due: str = ""
    held_key: str = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """What "Check for changes" has written: the keys of the Map's items and of what changed, and how many there are."""

    changed_key: str
    items_key: str = ""
    items: int = 0
    changed: int = 0


@dataclass(frozen=True, slots=True)
class Caught:
    """What a Catch gives: the error's name, and its cause, which is Lambda's own JSON or a plain text."""

    error: str = "Unknown"
    cause: str = ""

    @property
    def message(self) -> str:
        """The sentence inside the cause."""
        try:
            found = json.loads(self.cause)
        except ValueError:
            return self.cause
        return str(found.get("errorMessage", self.cause)) if isinstance(found, dict) else self.cause


@dataclass(frozen=True, slots=True)
class Closed:
    """How a run was closed: its outcome, the error that it ends with and a sentence ("" for a good end), orders by
    outcome, the report's key, and the redrive count at which it was closed."""

    outcome: str
    error: str
    cause: str
    counts: Mapping[str, int]
    report_key: str
    redrive_count: int


@dataclass(frozen=True, slots=True)
class StoppedAt:
    """Where an execution stopped: the error, its cause, at which redrive, and the state's name where nothing was left
    to close the run."""

    error: str
    cause: str
    redrive_count: int
    state: str = ""


@dataclass(frozen=True, slots=True)
class RunState:
    """A run on its way: whichever answers its states have given, and the error that led to its closing."""

    run: Run
    listed: Listed | None = None
    matched: Matched | None = None
    decision: Decision | None = None
    checked: Checked | None = None
    error: Caught | None = None


def to_state(value: Any) -> Any:
    """A dataclass as the execution's state has it."""
    if isinstance(value, OrderFilter):
        return value.to_input()
    if is_dataclass(value) and not isinstance(value, type):
        return {camel(one.name): to_state(getattr(value, one.name)) for one in fields(value)}
    return to_record(value)


def read_state(kind: type[T], data: object, what: str = "") -> T:
    """A dataclass from the execution's state. Raises RecordUnreadable, whose sentence names `what`, the class by
    default."""
    named = what or kind.__name__.lower()
    try:
        return from_record(kind, snake_keys(data))
    except RecordUnreadable as error:
        raise RecordUnreadable(
            f'The execution\'s "{named}" cannot be read: {error.problem}. Another version of this product wrote it. '
            "Start a new execution: it lists again, and drafts nothing twice.",
            error.problem,
        ) from None


def read_stopped(data: Mapping[str, Any]) -> StoppedAt:
    """Where an execution stopped, from the state's "closed": that of a run that was closed says more."""
    names = ("error", "cause", "redriveCount", "state")
    return read_state(StoppedAt, {name: data[name] for name in names if name in data}, "closed")


def read_caught(data: Mapping[str, Any]) -> Caught:
    """What a Catch gave. Whoever fails a task by its token may leave out the error's name, the cause, or both."""
    return read_state(Caught, {name: value for name, value in data.items() if value is not None}, "error")


def read_run_state(data: Mapping[str, Any]) -> RunState:
    """The execution's whole state, as "Close the run" is given it. What else is in it is nobody's to read."""
    return RunState(
        read_state(Run, data.get("run")),
        read_state(Listed, data["listed"]) if data.get("listed") else None,
        read_state(Matched, data["matched"]) if data.get("matched") else None,
        read_state(Decision, data["decision"]) if data.get("decision") else None,
        read_state(Checked, data["checked"]) if data.get("checked") else None,
        read_caught(data["error"]) if data.get("error") is not None else None,
    )
