"""Rows of the tables: those of earlier versions stay readable, each that is written bears its format's number, a newer
version's is refused by a sentence, and an altered one never by a stray KeyError.

The rows under tests/stored were written by the product itself; see tests/domain/test_stored_records.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from billing.adapters.dynamodb.approvals import ApprovalsTable
from billing.adapters.dynamodb.carry_over import CarryOver
from billing.adapters.dynamodb.customers import CustomersTable
from billing.adapters.dynamodb.ended_orders import EndedOrders
from billing.adapters.dynamodb.items import ROW_FORMAT, to_item
from billing.adapters.dynamodb.ledger import LedgerTable
from billing.adapters.dynamodb.message_log import MessageLog
from billing.adapters.dynamodb.months import Months
from billing.adapters.dynamodb.runs import RunsTable
from billing.domain.approval.approval_request import ApprovalRequest, Bounce, RecordedOutcome, RunEnd
from billing.domain.approval.approvers import Slot
from billing.domain.batch.month_comparison import MonthInvoice
from billing.domain.ledger.ended_orders import EndedOrder
from billing.domain.ledger.ledger import Approval, EntryState, Objection, Revocation
from billing.domain.orders.outstanding import Carried
from billing.domain.records import FORMAT, RecordUnreadable
from billing.domain.runs.period_lock import lock_key
from billing.domain.sending import Sending
from tests.adapters.aws_world import APPROVALS, CUSTOMERS, LEDGER, RUNS, AwsWorld

STORED = Path(__file__).parent.parent / "stored"
VERSIONS = ("written_2026_11_22", "written_2026_11_27")
TABLES = {"ApprovalsTable": APPROVALS, "LedgerTable": LEDGER, "RunsTable": RUNS, "CustomersTable": CUSTOMERS}


def filled(aws: AwsWorld, version: str) -> dict[str, list[dict[str, Any]]]:
    """The tables as that version left them; answers the rows."""
    tables: dict[str, list[dict[str, Any]]] = json.loads((STORED / f"{version}.json").read_text())["tables"]
    for name, rows in tables.items():
        for row in rows:
            if "sealed_token" in row:
                row["sealed_token"] = b"sealed"  # the only attribute that JSON does not hold
            aws.dynamodb.put_item(TableName=TABLES[name], Item=to_item(row))
    return tables


READS: dict[str, Callable[[AwsWorld], Any]] = {
    "requests": lambda aws: ApprovalsTable(aws.dynamodb, APPROVALS).every("first-run"),
    "how the run ended": lambda aws: ApprovalsTable(aws.dynamodb, APPROVALS).end("first-run.1"),
    "entries": lambda aws: LedgerTable(aws.dynamodb, LEDGER, RUNS).entries(["order-20001", "order-20003"]),
    "orders": lambda aws: LedgerTable(aws.dynamodb, LEDGER, RUNS).order_records(["20001", "20003"]),
    "approvals": lambda aws: LedgerTable(aws.dynamodb, LEDGER, RUNS).approvals(_approved(aws)),
    "carried over": lambda aws: CarryOver(aws.dynamodb, LEDGER).of("monthly"),
    "customers": lambda aws: CustomersTable(aws.dynamodb, CUSTOMERS).known(["502", "504"]),
    "months": lambda aws: Months(aws.dynamodb, RUNS).of("monthly", "2026-05"),
    "the lock": lambda aws: RunsTable(aws.dynamodb, RUNS).holder(lock_key("monthly", "2026-05")),
}


def _approved(aws: AwsWorld) -> list[tuple[str, str]]:
    keys = [(row["pk"]["S"], row["sk"]["S"]) for row in aws.rows(LEDGER)]
    return [(pk, sk.removeprefix("APPROVED#")) for pk, sk in keys if sk.startswith("APPROVED#")]


@pytest.mark.parametrize("version", VERSIONS)
def test_rows_of_an_earlier_version_are_read(aws: AwsWorld, version: str) -> None:
    filled(aws, version)
    found = {what: read(aws) for what, read in READS.items()}
    (request,) = found["requests"]
    assert (request.request.run_id, request.changes, request.outcome.outcome) == ("first-run", 2, "approved")
    assert (len(request.signed_votes), len(request.signed_entries)) == (1, 1)
    assert found["how the run ended"].drafted == 4
    assert {one.total for one in found["entries"].values()} == {30_000, 137_938}
    assert {one.state for one in found["entries"].values()} == {EntryState.DRAFTED}
    assert {len(one.billed) for one in found["orders"].values()} == {1}
    assert any(one.stands for one in found["approvals"].values())
    assert {one.number: one.period for one in found["carried over"]} == dict.fromkeys(
        ("SO-2", "SO-4", "SO-7"), "2026-05"
    )
    assert set(found["customers"]) == {"502", "504"}
    assert sorted(one.total for one in found["months"]) == [30_000, 30_000, 30_000, 137_938]
    assert found["the lock"].run_id == "second-run"


@pytest.mark.parametrize("what", READS)
def test_a_row_of_a_newer_version_is_refused_by_a_sentence(aws: AwsWorld, what: str) -> None:
    for name, rows in filled(aws, VERSIONS[1]).items():
        for row in rows:
            aws.dynamodb.put_item(TableName=TABLES[name], Item=to_item({**row, ROW_FORMAT: FORMAT + 1}))
    with pytest.raises(RecordUnreadable, match=r"newer version.*Deploy the newer version"):
        READS[what](aws)


@pytest.mark.parametrize("what", READS)
def test_a_row_that_was_altered_is_refused_by_name_or_reads_on_and_is_never_a_stray_error(
    aws: AwsWorld, what: str
) -> None:
    """Each attribute of each row in turn is taken away, and made a number."""
    tables = filled(aws, VERSIONS[1])
    refused = []
    for name, rows in tables.items():
        for row in rows:
            for attribute in row.keys() - {"pk", "sk"}:
                for other in (None, 7):
                    changed = {key: value for key, value in row.items() if key != attribute}
                    changed |= {attribute: other} if other is not None else {}
                    aws.dynamodb.put_item(TableName=TABLES[name], Item=to_item(changed))
                    try:
                        READS[what](aws)
                    except RecordUnreadable as error:
                        refused.append(str(error))
            aws.dynamodb.put_item(TableName=TABLES[name], Item=to_item(row))
        if refused:
            break  # the other tables are other kinds of rows: this reading is not about them
    assert refused
    assert all("restore the row from the table's backup" in one for one in refused)
    assert not [one for one in refused if "Zephyrine" in one or "137938" in one]


def test_every_row_that_is_written_bears_its_format(aws: AwsWorld) -> None:
    approvals, ledger = ApprovalsTable(aws.dynamodb, APPROVALS), LedgerTable(aws.dynamodb, LEDGER, RUNS)
    runs, log = RunsTable(aws.dynamodb, RUNS), MessageLog(aws.dynamodb, RUNS)
    assert approvals.open(REQUEST, "signature")
    approvals.make_current("run-1", 1)
    approvals.seal(REQUEST.id, b"token")
    approvals.index("ann", REQUEST.id, "now")
    assert approvals.vote(REQUEST.id, "ann", "signed", "h")
    assert approvals.append(REQUEST.id, 1, "signed", "h2")
    assert approvals.note_bounce(REQUEST.id, Bounce("bob", "bounce", "No such user.", "now"))
    assert approvals.conclude(REQUEST.id, RecordedOutcome("approved", "", "now"), 2)
    approvals.note_end(REQUEST.id, 0, RunEnd("billed", "now", 1, 0, 0))
    ledger.record_approvals([Approval("order-1", "h", "cus_1")], "run-1", "now")
    ledger.revoke([Revocation("order-2", "h", Objection.HELD, "bob", "Why.", "run-1", "now")])
    assert ledger.note_failure("order-3", "h", "run-1", "2026-05", "OurFault", "Why.")
    ledger.explain("order-3", "run-1", "In full.")
    ledger.note_paid(["in_1"])
    CarryOver(aws.dynamodb, LEDGER).change("monthly", [Carried("1", "SO-1", "2026-05", "Why.")], [])
    assert EndedOrders(aws.dynamodb, LEDGER).say(EndedOrder("2", "SO-2", "By hand.", "ann", "now", "c"))
    assert runs.take("PERIOD#monthly#2026-05", "run-1", "arn", "now", None)
    runs.release("PERIOD#monthly#2026-05", "run-1", finished=True)
    runs.remember_bill_from(date(2026, 5, 1), "run-1", "now")
    runs.tell_bill_from("monthly", "2026-05-01", "run-1")
    assert log.begin("RUN#run-1", "slack", "now") is Sending.NEW
    log.finish("RUN#run-1", "slack", "now")
    Months(aws.dynamodb, RUNS).record("monthly", "2026-05", {"order-1": MonthInvoice("7", "Acme", "usd", 100)})
    CustomersTable(aws.dynamodb, CUSTOMERS).remember("7", "cus_1", None, "now")
    assert CustomersTable(aws.dynamodb, CUSTOMERS).settle("8", "cus_2", "ann", None, "now")
    rows = {table: aws.rows(table) for table in TABLES.values()}
    assert {table: len(found) for table, found in rows.items()} == {APPROVALS: 8, LEDGER: 6, RUNS: 5, CUSTOMERS: 2}
    unmarked = [row for found in rows.values() for row in found if row.get(ROW_FORMAT) != {"N": str(FORMAT)}]
    assert unmarked == []


REQUEST = ApprovalRequest(
    id="run-1.1",
    run_id="run-1",
    execution_arn="arn",
    cycle="monthly",
    period="2026-05",
    batch_key="runs/2026-05/run-1/batch.json",
    request_hash="h",
    slots=(Slot("Lead", 1, ("ann@firm.example",)),),
    opened_at="2026-06-01T13:00:00+00:00",
    expires_at="2026-06-08T13:00:00+00:00",
    invoices=1,
)
