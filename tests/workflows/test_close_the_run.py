"""Every end of a run: its name, its report, its period set free, and no order lost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from billing.adapters.signatures import Signatures
from billing.domain.approval.approval_request import ApprovalRequest, RecordedOutcome
from billing.domain.approval.stored_request import StoredRequest
from billing.domain.batch.batch import Batch, BatchInvoice, DoneOrder, LeftAlone, MapItem, Piece, with_pieces
from billing.domain.canonical import canonical_json, sha256_hex
from billing.domain.errors import OurFault
from billing.domain.invoices.billing_policy import BillingPolicy
from billing.domain.invoices.invoice_plan import plan_hash, plan_invoices
from billing.domain.ledger.customer_match import How, MatchedCustomer
from billing.domain.ledger.ledger import BilledInvoice, Disposition, EntryState, LedgerEntry, OrderRecord
from billing.domain.orders.order_rows import read_orders
from billing.domain.orders.outstanding import Carried, CarriedGone, Outstanding
from billing.domain.orders.sales_order import Problem
from billing.domain.records import stored
from billing.domain.run import Caught, RunFrame, read_state, to_state
from billing.domain.runs.report import LineOutcome, Report
from billing.domain.runs.report_record import read_report
from billing.workflows.monthly_billing.close_the_run import Closing as State
from billing.workflows.monthly_billing.note_the_failure import note_the_failure
from tests.a_run import a_run, run_state
from tests.domain.suiteql_rows import Row, hours, order

ROWS = [row for n in range(3) for row in order("1000.00", hours(), id=str(500 + n), tranid=f"SO-{1001 + n}")]
RUN = {
    "id": "run-1", "cycle": "main", "period": "2026-05", "prefix": "runs/2026-05/run-1/", "lockKey": "LOCK",
    "dryRun": False, "executionArn": "arn:1", "zone": "UTC", "filter": {},
}  # fmt: skip


NOTHING_SIGNED = Signatures({"first": "k" * 40})


class Files:
    """Files in memory that refuse what was altered, as the bucket's adapter does."""

    def __init__(self) -> None:
        self.data: dict[str, bytes] = {"held.json": b"{}"}

    def write_json(self, key: str, value: Any) -> str:
        self.data[key] = canonical_json(value)
        return sha256_hex(self.data[key])

    def write(self, key: str, data: bytes, content_type: str) -> None:
        self.data[key] = data

    def read_json(self, key: str, sha256: str | None = None) -> Any:
        import json

        if key not in self.data or (sha256 and sha256_hex(self.data[key]) != sha256):
            raise OurFault(f"The run's file {key} is missing or altered.")
        return json.loads(self.data[key])


@dataclass
class Closing:
    """A run that listed three orders, ready to be closed."""

    files: Files = field(default_factory=Files)
    ledger: dict[str, LedgerEntry] = field(default_factory=dict)
    outcome: RecordedOutcome | None = None
    earlier: tuple[StoredRequest, ...] = ()
    released: list[str] = field(default_factory=list)
    months: dict[str, Any] = field(default_factory=dict)
    run: dict[str, Any] = field(default_factory=lambda: dict(RUN))
    told: str = ""
    finished: bool = False
    on_the_list: tuple[Carried, ...] = ()

    def entries(self, keys: Iterable[str]) -> dict[str, LedgerEntry]:
        return {key: self.ledger[key] for key in keys if key in self.ledger}

    def order_records(self, order_ids: Iterable[str]) -> dict[str, OrderRecord]:
        """One invoice for each order, as the default grouping makes them."""
        return {
            id_: OrderRecord(id_, "h", 1, "77", "usd", {str(entry.invoice_id): BilledInvoice(key, ())})
            for id_ in order_ids
            if (entry := self.ledger.get(key := f"order-{id_}")) and entry.state is EntryState.DRAFTED
        }

    def of(self, cycle: str) -> tuple[Carried, ...]:
        return self.on_the_list

    def every(self, run_id: str) -> tuple[StoredRequest, ...]:
        if self.outcome is None:
            return ()
        request = ApprovalRequest(
            f"run-1.{len(self.earlier) + 1}", "run-1", "arn", "main", "2026-05", "k", "h", (), "t", "t", 3
        )
        return (*self.earlier, StoredRequest(request, b"", (), 0, self.outcome))

    def release(self, key: str, run_id: str, *, finished: bool = False) -> None:
        self.released.append(key)
        self.finished = finished

    def tell_bill_from(self, cycle: str, day: str, run_id: str) -> None:
        self.told = day

    def note_paid(self, invoice_ids: Iterable[str]) -> None:
        self.paid = list(invoice_ids)

    def change(self, cycle: str, keep: Iterable[Any], drop: Iterable[str]) -> None:
        self.kept, self.dropped = list(keep), list(drop)

    def note_named(self, ended: Iterable[Any], run_id: str) -> None:
        self.named = [(one.order_id, run_id) for one in ended]

    def record(self, cycle: str, period: str, invoices: Mapping[str, Any]) -> None:
        self.months.update(invoices)

    def listed(self, rows: list[Row] = ROWS) -> dict[str, Any]:
        columns = sorted({name for row in rows for name in row})
        snapshot = {
            "columns": columns, "rows": [[row.get(name) for name in columns] for row in rows], "absentColumns": [],
            "emailColumns": ["clientemail"], "carriedOver": [],
        }  # fmt: skip
        return {"snapshotKey": "orders.json", "sha256": self.files.write_json("orders.json", snapshot)}

    def matched(self, disposition: Disposition = Disposition.ASK, rows: list[Row] = ROWS) -> dict[str, Any]:
        planned = plan_invoices(read_orders(rows), BillingPolicy())
        done = disposition in (Disposition.SKIP, Disposition.HOLD)
        customer = None if done else MatchedCustomer("cus_1", How.KNOWN)
        self.batch = Batch(
            RunFrame(id="run-1"),
            with_pieces(
                BatchInvoice(plan, plan_hash(plan), disposition, "said before", customer) for plan in planned.invoices
            )[0],
            planned.problems,
        )
        return {"batchKey": "batch.json", "sha256": self.files.write_json("batch.json", stored(self.batch))}

    def drafted(self, state: EntryState = EntryState.DRAFTED, only: int = 3, run_id: str = "run-1") -> None:
        for one in self.batch.invoices[:only]:
            self.ledger[one.plan.key] = LedgerEntry(
                one.plan.key, state, one.invoice_hash, run_id, "2026-05", 1, "2026-06-01", "cus_1", "in_1",
                "usd", one.plan.total, reason="the ledger's reason", live_mode=False,
            )  # fmt: skip

    def close(self, redrives: int = 0, **state: Any) -> dict[str, Any]:
        closed = self.closing().close(run_state(self.run, **state), redrives)
        closed = dict(to_state(closed))
        counts = closed["counts"]
        assert counts["listed"] == sum(
            counts[fate] for fate in ("drafted", "skipped", "held", "failed", "problem", "ended")
        )
        return closed

    def closing(self) -> State:
        return State(
            self.files, self, self, self, self, self, self, NOTHING_SIGNED,
            lambda report: [("report.html", b"page", "text/html")], lambda *_: b"preview",
        )  # fmt: skip

    @property
    def report(self) -> Report:
        return read_report(self.files.read_json("runs/2026-05/run-1/report.json"))


APPROVED = {"decision": {"outcome": "approved", "heldKey": "held.json"}}


def test_a_month_that_was_billed_ends_well(closing: Closing) -> None:
    state = {"listed": closing.listed(), "matched": closing.matched(), **APPROVED}
    closing.drafted()
    closed = closing.close(**state)
    assert (closed["outcome"], closed["error"]) == ("billed", "")
    assert closed["counts"]["drafted"] == 3
    assert closing.report.totals["drafted"] == {"usd": 300_000}
    assert closing.report.live_mode is False
    assert closing.released == ["LOCK"]
    assert closing.files.data["runs/2026-05/run-1/report.html"] == b"page"


@pytest.fixture
def closing() -> Closing:
    return Closing()


@pytest.mark.parametrize("state", [EntryState.FAILED, EntryState.INTENDED, EntryState.DIFFERS, None])
def test_one_missing_draft_makes_the_run_red_with_its_reason(closing: Closing, state: EntryState | None) -> None:
    given = {"listed": closing.listed(), "matched": closing.matched(), **APPROVED}
    if state is not None:
        closing.drafted(state)
    closing.drafted(only=2)
    closed = closing.close(**given)
    assert (closed["outcome"], closed["error"]) == ("invoices missing", "InvoicesMissing")
    assert (closed["counts"]["drafted"], closed["counts"]["failed"]) == (2, 1)
    assert "1 of 3 orders" in closed["cause"]
    assert "1000" not in closed["cause"], "no amounts in the execution's history"
    assert closing.report.lines[2].reason
    assert closing.released == ["LOCK"]


@pytest.mark.parametrize(
    ("decided", "outcome", "error"),
    [
        ("rejected", "rejected", "ApprovalRejected"),
        ("expired", "expired", "ApprovalExpired"),
        ("undeliverable", "undeliverable", "ApprovalUndeliverable"),
    ],
)
def test_a_batch_that_was_not_approved_is_held_and_named_for_it(
    closing: Closing, decided: str, outcome: str, error: str
) -> None:
    closing.outcome = RecordedOutcome(decided, "wrong rates", "t")
    closed = closing.close(listed=closing.listed(), matched=closing.matched(), decision={"outcome": decided})
    assert (closed["outcome"], closed["error"], closed["counts"]["held"]) == (outcome, error, 3)
    assert "wrong rates" not in closed["cause"], "a person's text stays out of the execution's history"
    assert closing.released == ["LOCK"]
    if decided == "rejected":
        assert "wrong rates" in closing.report.lines[0].reason


@pytest.mark.parametrize("disposition", [Disposition.SKIP, Disposition.HOLD])
def test_nothing_to_bill_ends_well(closing: Closing, disposition: Disposition) -> None:
    closed = closing.close(listed=closing.listed(), matched=closing.matched(disposition))
    assert (closed["outcome"], closed["error"]) == ("nothing to bill", "")


def test_an_empty_month_ends_well(closing: Closing) -> None:
    closed = closing.close(listed=closing.listed([]), matched=closing.matched(rows=[]))
    assert (closed["outcome"], closed["error"], closed["counts"]["listed"]) == ("nothing to bill", "", 0)


def test_a_redriven_run_that_had_drafted_everything_is_billed(closing: Closing) -> None:
    state = {"listed": closing.listed(), "matched": closing.matched(Disposition.SKIP)}
    closing.drafted()
    closed = closing.close(1, **state)
    assert (closed["outcome"], closed["counts"]["drafted"], closed["redriveCount"]) == ("billed", 3, 1)


def test_a_redrive_does_not_turn_a_differing_draft_green(closing: Closing) -> None:
    state = {"listed": closing.listed(), "matched": closing.matched(Disposition.HOLD)}
    closing.drafted(EntryState.DIFFERS)
    assert closing.close(1, **state)["error"] == "InvoicesMissing"


def test_a_dry_run_ends_well_and_touches_no_lock_and_no_carry_over(closing: Closing) -> None:
    closing.run["dryRun"] = True
    closed = closing.close(listed=closing.listed(), matched=closing.matched())
    assert (closed["outcome"], closed["error"], closed["counts"]["held"]) == ("dry run", "", 3)
    assert (closing.released, closing.months, hasattr(closing, "kept")) == ([], {}, False)


@pytest.mark.parametrize("error", ["PersonNeeded", "PassingError", "States.Timeout"])
def test_a_run_that_an_error_stopped_bears_its_name_and_holds_what_was_listed(closing: Closing, error: str) -> None:
    cause = '{"errorMessage": "NetSuite refuses the login.", "errorType": "X"}'
    closed = closing.close(listed=closing.listed(), error={"Error": error, "Cause": cause})
    assert (closed["outcome"], closed["error"]) == ("stopped by an error", error)
    assert closed["cause"] == "NetSuite refuses the login."
    assert closed["counts"]["held"] == 3
    assert closing.released == ["LOCK"]


def test_a_run_that_stopped_before_it_listed_is_closed_too(closing: Closing) -> None:
    closed = closing.close(error={"Error": "PersonNeeded", "Cause": "plain text"})
    assert (closed["error"], closed["cause"], closed["counts"]["listed"]) == ("PersonNeeded", "plain text", 0)


@pytest.mark.parametrize("name", ["orders.json", "batch.json", "held.json", "changed.json"])
@pytest.mark.parametrize("data", [None, b"{}"])
def test_with_one_file_lost_the_run_reports_from_the_whole_ones_and_carries_over_what_is_open(
    closing: Closing, name: str, data: bytes | None
) -> None:
    closing.files.data["changed.json"] = b"{}"
    checked = {"checked": {"changedKey": "changed.json"}}
    state = {"listed": closing.listed(), "matched": closing.matched(), **APPROVED, **checked}
    closing.drafted(only=2)
    whole = closing.close(**state)
    assert whole["error"] == "InvoicesMissing"
    lose(closing, name, data)
    closed = closing.close(**state)
    if name in ("held.json", "changed.json") and data is not None:
        assert closed == whole, "these two have no hash: empty, they hold nothing back"
        return
    assert (closed["outcome"], closed["error"]) == ("stopped by an error", "OurFault")
    assert name in closed["cause"]
    assert (closed["counts"]["listed"], closed["counts"]["drafted"]) == (3, 2)
    assert {line.order_ids[0]: line.invoice_id for line in closing.report.of(LineOutcome.DRAFTED)} == {
        "500": "in_1",
        "501": "in_1",
    }
    assert closing.report.totals["drafted"] == {"usd": 200_000}
    assert [one.order_id for one in closing.kept] == ["502"]
    assert closing.released == ["LOCK", "LOCK"]
    assert set(closing.months) == {"order-500", "order-501"}
    assert closing.close(**state) == closed, "and again"


def lose(closing: Closing, name: str, data: bytes | None) -> None:
    if data is None:
        del closing.files.data[name]
    else:
        closing.files.data[name] = data


def test_with_the_snapshot_lost_an_order_keeps_the_month_in_which_it_was_listed_first(closing: Closing) -> None:
    closing.on_the_list = (Carried("500", "SO-1001", "2026-02", "rejected"),)
    state = {"listed": closing.listed(), "matched": closing.matched()}
    lose(closing, "orders.json", b"{}")
    closing.close(**state)
    assert {one.order_id: one.period for one in closing.kept} == {"500": "2026-02", "501": "2026-05", "502": "2026-05"}


@pytest.mark.parametrize("data", [None, b"{}"])
def test_with_both_files_lost_the_run_says_how_much_was_listed_and_forgets_nothing(
    closing: Closing, data: bytes | None
) -> None:
    state = {"listed": {**closing.listed(), "orders": 3}, "matched": closing.matched(), **APPROVED}
    closing.drafted()
    for name in ("orders.json", "batch.json"):
        lose(closing, name, data)
    closed = close(closing, 0, state)
    assert (closed["error"], closed["counts"]["listed"]) == ("OurFault", 3)
    assert "orders.json" in closed["cause"]
    assert "batch.json" in closed["cause"]
    assert (closing.kept, closing.dropped) == ([], []), "the list stays as it is"
    assert closing.released == ["LOCK"]


def close(closing: Closing, redrives: int, state: Mapping[str, Any]) -> dict[str, Any]:
    """Without the sum of listed orders, which a run without its files cannot give."""
    return dict(to_state(closing.closing().close(run_state(closing.run, **state), redrives)))


def test_the_error_that_stopped_a_run_stays_its_name_when_a_file_is_lost_too(closing: Closing) -> None:
    state = {"listed": closing.listed(), "error": {"Error": "PersonNeeded", "Cause": "Stripe refuses the key."}}
    lose(closing, "orders.json", None)
    closed = closing.close(**state)
    assert closed["error"] == "PersonNeeded"
    assert closed["cause"].startswith("Stripe refuses the key.")
    assert "orders.json" in closed["cause"]


# A redriven run's report ------------------------------------------------------------------------------------


REFUSED = {"error": {"Error": "PersonNeeded", "Cause": "NetSuite refuses the login."}}


def billed_in_part(closing: Closing) -> Report:
    """A run that was signed for, drafted two of three orders, and ended as InvoicesMissing."""
    closing.outcome = RecordedOutcome("approved", "", "t")
    state = {"listed": closing.listed(), "matched": closing.matched(), **APPROVED}
    closing.drafted(EntryState.FAILED)
    closing.drafted(only=2)
    closing.close(**state)
    return closing.report


@pytest.mark.parametrize("listed", [False, True])
@pytest.mark.parametrize("remembered", [True, False])
def test_a_redrive_that_fails_early_adds_to_the_report_and_empties_nothing(
    closing: Closing, listed: bool, remembered: bool
) -> None:
    before = billed_in_part(closing)
    assert (len(before.of(LineOutcome.DRAFTED)), len(before.of(LineOutcome.FAILED))) == (2, 1)
    if not remembered:
        closing.ledger.clear()  # even if nothing else were left, the earlier report says it
    given = {**REFUSED, **({"listed": closing.listed()} if listed else {})}
    closed = closing.close(1, **given)
    after = closing.report
    assert (closed["outcome"], closed["error"]) == ("stopped by an error", "PersonNeeded")
    assert closed["counts"] == {
        "listed": 3,
        "drafted": 2,
        "skipped": 0,
        "held": 0,
        "failed": 1,
        "problem": 0,
        "ended": 0,
    }
    assert after.totals["drafted"] == before.totals["drafted"]
    assert {line.invoice_id for line in after.of(LineOutcome.DRAFTED)} == {"in_1"}
    assert (after.decision, after.votes, after.request) == (before.decision, before.votes, before.request)
    assert (after.batch_sha256, after.live_mode) == (before.batch_sha256, before.live_mode)
    assert after.record == before.record
    assert [one.order_id for one in closing.kept] == ["502"]
    assert closing.close(1, **given) == closed, "and again"
    assert closing.report == after


def test_a_redrive_that_finishes_the_month_counts_it_once(closing: Closing) -> None:
    billed_in_part(closing)
    state = {"listed": closing.listed(), "matched": closing.matched(), **APPROVED}
    closing.drafted()
    closed = closing.close(1, **state)
    assert (closed["outcome"], closed["error"]) == ("billed", "")
    assert closed["counts"] == {
        "listed": 3,
        "drafted": 3,
        "skipped": 0,
        "held": 0,
        "failed": 0,
        "problem": 0,
        "ended": 0,
    }
    assert closing.report.totals["drafted"] == {"usd": 300_000}


def test_what_netsuite_no_longer_lists_when_a_run_is_redriven_stays_in_its_report(closing: Closing) -> None:
    billed_in_part(closing)
    state = {"listed": closing.listed(ROWS[:1]), "matched": closing.matched(rows=ROWS[:1]), **APPROVED}
    for redrives in (1, 2):
        closed = closing.close(redrives, **state)
        assert (closed["outcome"], closed["counts"]["listed"]) == ("billed", 3)
        by_order = {line.order_ids[0]: line for line in closing.report.lines}
        assert (by_order["501"].fate, by_order["501"].invoice_id) == (LineOutcome.DRAFTED, "in_1")
        assert by_order["502"].fate is LineOutcome.HELD
        assert by_order["502"].reason == "the ledger's reason. NetSuite no longer lists it as billable."


@pytest.mark.parametrize("text", [b"{", b"[]", b"null", b'{"lines": 3}', b"\xff"])
def test_an_earlier_report_that_cannot_be_read_stops_nothing(closing: Closing, text: bytes) -> None:
    billed_in_part(closing)
    closing.files.data["runs/2026-05/run-1/report.json"] = text
    closed = closing.close(1, listed=closing.listed(), **REFUSED)
    assert closed["counts"]["drafted"] == 2, "the ledger knows"


def test_an_order_that_fell_out_of_the_batch_is_noticed(closing: Closing) -> None:
    state = {"listed": closing.listed(), "matched": closing.matched(rows=ROWS[:2]), **APPROVED}
    closing.drafted()
    closed = close(closing, 0, state)
    assert (closed["outcome"], closed["error"]) == ("incomplete", "RunIncomplete")
    assert "502" in closed["cause"]


def test_rows_without_a_readable_id_are_counted_and_shown(closing: Closing) -> None:
    rows = [*ROWS, *order("5.00", hours(), id="abc"), *order("5.00", hours(), id=None)]
    state = {"listed": closing.listed(rows), "matched": closing.matched(rows=rows), **APPROVED}
    closing.drafted()
    closed = closing.close(**state)
    assert closed["error"] == ""
    assert closed["counts"]["drafted"] == 3
    assert closed["counts"]["problem"] == closed["counts"]["listed"] - 3 > 0


def test_closing_again_gives_the_same_report(closing: Closing) -> None:
    state = {"listed": closing.listed(), "matched": closing.matched(), **APPROVED}
    closing.drafted()
    assert closing.close(**state) == closing.close(**state)


@pytest.mark.parametrize(
    ("cause", "reason"),
    [('{"errorMessage": "because"}', "because"), ("Task timed out", "Task timed out"), ("[1]", "[1]"), ("", "")],
)
def test_a_failure_is_noted_with_the_sentence_inside_its_cause(cause: str, reason: str) -> None:
    noted: list[tuple[str, ...]] = []

    class Ledger:
        def note_failure(self, *given: str) -> bool:
            noted.append(given)
            return len(noted) == 1

    item = MapItem("order-5", "SO-5", "h", Piece(0, 1, "0" * 64))
    error = {"Error": "PersonNeeded", "Cause": cause}
    assert note_the_failure(a_run(RUN), item, read_state(Caught, error), Ledger()) == {"outcome": "failed"}
    assert note_the_failure(a_run(RUN), item, read_state(Caught, error), Ledger()) == {"outcome": "drafted"}
    assert noted[0] == ("order-5", "h", "run-1", "2026-05", "PersonNeeded", reason)


def test_the_record_of_a_redriven_run_has_every_request_of_it_whatever_came_after(closing: Closing) -> None:
    def asked(number: int, outcome: str) -> StoredRequest:
        opened = f"2026-06-0{number}T09:00:00+00:00"
        request = ApprovalRequest(
            f"run-1.{number}", "run-1", "arn", "main", "2026-05", "k", f"h{number}", (), opened, "t", 3
        )
        ended = RecordedOutcome(outcome, f"reason {number}", f"2026-06-0{number}T10:00:00+00:00")
        return StoredRequest(request, b"", (), 0, ended)

    closing.earlier = (asked(1, "expired"), asked(2, "rejected"))
    closing.outcome = RecordedOutcome("approved", "", "t")
    told = [
        ("run-1.1", "opened the request run-1.1"),
        ("run-1.1", "ended as expired"),
        ("run-1.2", "opened the request run-1.2"),
        ("run-1.2", "ended as rejected"),
        ("run-1.3", "opened the request run-1.3"),
        ("run-1.3", "ended as approved"),
    ]
    closing.close(listed=closing.listed(), matched=closing.matched(), **APPROVED)
    assert [(line.request, line.what) for line in closing.report.record] == told
    assert closing.report.decision == closing.outcome, "the last request is the run's own"
    closing.close(error={"Error": "PersonNeeded", "Cause": "NetSuite refuses the login."})
    assert [(line.request, line.what) for line in closing.report.record] == told, "stopped before it had a batch"
    assert closing.report.decision is None


# A month that was finished before ---------------------------------------------------------------------------

FINISHED = {"finishedBy": "run-0"}


def done_orders(run_id: str = "run-0") -> tuple[DoneOrder, ...]:
    """The three orders, drafted and unchanged."""
    planned = plan_invoices(read_orders(ROWS), BillingPolicy())
    return tuple(
        DoneOrder(
            plan.key, plan.orders[0].id, plan.orders[0].number, "77", "Acme", plan.currency, plan.total, "in_1",
            plan_hash(plan), "Drafted in 2026-05 as in_1.", plan.key, run_id,
        )
        for plan in planned.invoices
    )  # fmt: skip


def done_batch(closing: Closing, **more: Any) -> dict[str, Any]:
    """A batch of which everything is drafted and unchanged, but for what is given."""
    parts = {"invoices": (), "problems": (), "done": done_orders(), **more}
    return {
        "batchKey": "batch.json",
        "sha256": closing.files.write_json("batch.json", stored(Batch(a_run(RUN).frame, **parts))),
    }


def test_a_finished_month_with_nothing_new_writes_nothing_and_is_set_free(closing: Closing) -> None:
    closing.run |= FINISHED
    state = {"listed": closing.listed(), "matched": done_batch(closing)}
    before = dict(closing.files.data)
    closed = closing.close(**state)
    assert (closed["outcome"], closed["error"], closed["counts"]["skipped"]) == ("nothing new", "", 3)
    assert closed["reportKey"] == "runs/2026-05/run-0/report.json"
    assert closing.files.data == before
    assert (closing.released, closing.finished, closing.months) == (["LOCK"], False, {})
    assert not hasattr(closing, "kept")
    assert not hasattr(closing, "paid")


WORTH_TELLING: list[dict[str, Any]] = [
    {"carried_gone": (CarriedGone("9", "SO-9", "2026-04"),)},
    {"outstanding": (Outstanding("9", "SO-9", "2026-04", "Held.", "Pending."),)},
    {"left_alone": ()},
    {"problems": (Problem("502", "SO-1003", "x", "y", "z"),)},
]


@pytest.mark.parametrize("more", WORTH_TELLING, ids=lambda more: next(iter(more)))
def test_a_finished_month_with_anything_to_tell_is_a_run_like_any_other(closing: Closing, more: dict[str, Any]) -> None:
    closing.run |= {**FINISHED, "billFrom": "2026-05-01"}
    if "problems" in more:
        more = {**more, "done": done_orders()[:2]}
    state = {"listed": closing.listed(), "matched": done_batch(closing, **more)}
    assert closing.close(**state)["outcome"] == "nothing to bill"
    assert closing.report.listed == 3


def test_a_month_that_nobody_has_finished_reports_even_if_everything_is_done(closing: Closing) -> None:
    state = {"listed": closing.listed(), "matched": done_batch(closing, paid=("in_1",))}
    closed = closing.close(**state)
    assert (closed["outcome"], closed["counts"]["skipped"]) == ("nothing to bill", 3)
    assert closing.finished
    assert closing.paid == ["in_1"]


def test_an_order_that_was_listed_and_is_nowhere_is_never_nothing_new(closing: Closing) -> None:
    closing.run |= FINISHED
    state = {"listed": closing.listed(), "matched": done_batch(closing, done=done_orders()[:2])}
    closed = close(closing, 0, state)
    assert closed["error"] == "RunIncomplete"


def test_a_run_that_drafted_everything_before_it_was_stopped_tells_of_its_own_work(closing: Closing) -> None:
    closing.run |= FINISHED
    state = {"listed": closing.listed(), "matched": done_batch(closing, done=done_orders("run-1"))}
    closed = closing.close(**state)
    assert (closed["outcome"], closed["counts"]["drafted"]) == ("billed", 3)


def test_a_trial_finishes_no_month(closing: Closing) -> None:
    closing.run["filter"] = {"atMost": 3}
    closing.close(listed=closing.listed(), matched=done_batch(closing))
    assert not closing.finished


def test_what_lies_before_the_start_is_told_once_the_report_is_written(closing: Closing) -> None:
    closing.run["billFrom"] = "2026-05-01"
    closing.close(listed=closing.listed(), matched=done_batch(closing, left_alone=(LeftAlone("usd", 2, 500),)))
    assert closing.report.left_alone == (LeftAlone("usd", 2, 500),)
    assert closing.told == "2026-05-01"


def test_a_run_that_could_not_list_still_names_what_earlier_runs_left_over(closing: Closing) -> None:
    closing.on_the_list = (Carried("9", "SO-9", "2026-04", "Rejected."),)
    closed = closing.close(error={"Error": "PassingError", "Cause": '{"errorMessage": "NetSuite is down."}'})
    assert closed["outcome"] == "stopped by an error"
    ((waiting),) = closing.report.outstanding
    assert (waiting.number, waiting.reason) == ("SO-9", "Rejected.")
