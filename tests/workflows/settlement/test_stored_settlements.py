"""The settlement's files and rows are written and read one way: those of an earlier version stay readable (a pass may
wait while a new version is deployed), each that is written bears its format's number, and one that cannot be read is
refused by a sentence that says what to do.

The plan and the rows below are as the version before the numbers wrote them, word for word.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any, cast

import boto3
import pytest
from moto import mock_aws

from billing.adapters.dynamodb.items import ROW_FORMAT, to_item
from billing.adapters.dynamodb.settled_records import SettledRecords
from billing.adapters.dynamodb.settlement_bells import Bells
from billing.domain.records import FORMAT, RecordUnreadable
from billing.domain.settlement.passes import Pass
from billing.domain.settlement.periods import AccountingPeriod
from billing.domain.settlement.records import (
    Apply,
    Deposit,
    DepositPayment,
    Hold,
    ItemRef,
    ItemRole,
    NetSuiteRecord,
    Phase,
    RecordLine,
    RecordType,
    SettlementPlan,
    Transform,
    TransformLine,
    WriteBack,
)
from billing.domain.settlement.stripe_objects import BilledLine, BilledOrder, Charge, ChargeFacts
from billing.domain.settlement.written import WriteState, WrittenRecord
from billing.workflows.settlement.plan_files import keep, plan_of

TABLE = "settlement"
AT = "2026-06-01T12:00:00+00:00"
PASS = Pass("in_1", "invoice", "arn:aws:states:eu-central-1:1:execution:settlement:in_1-1", 1, "plan.json", "0" * 64)
WRITTEN_BEFORE = (
    '{"holds":[{"columns":[["total","1","2"]],"name":"order_and_invoice_differ","reason":"They differ."}],'
    '"nothing_because":"","records":[{"account":"","amount":10000,"applies":[{"amount":5,"external_id":"in_0"}],'
    '"credits":null,"currency":"usd","deposit":{"lines":[],"payments":[{"amount":3,"external_id":"py_1",'
    '"movement":"txn_1"}]},"due":"2026-07-01","external_id":"in_1-so500","fields":[["custbody","x"]],"lines":'
    '[{"amount":10000,"description":"Work","item":{"item_id":"","role":"price","stripe_id":"price_1"},"quantity":"2",'
    '"rev_rec":["2026-05-01","2026-05-31"],"stripe_line":"","taxable":0}],"memo":"Stripe in_1",'
    '"netsuite_customer":null,"number":null,"on":"2026-06-01","phase":"invoices","stripe_customer":"cus_1",'
    '"transform":{"kept":[],"lines":[{"amount":10000,"order_line":"1","quantity":null,"unique_key":"11"}],'
    '"order_id":"500","order_number":"SO-500","other_lines":[["tax",5]]},"type":"invoice","write_backs":'
    '[{"key":"netsuite_invoice_id","stripe_object":"in_1"}]}],"root":"in_1","waits_for":["in_9"]}'
)
PLAN = SettlementPlan(
    "in_1",
    (
        NetSuiteRecord(
            RecordType.INVOICE,
            Phase.INVOICES,
            "in_1-so500",
            "cus_1",
            "usd",
            10000,
            date(2026, 6, 1),
            "Stripe in_1",
            lines=(
                RecordLine(
                    ItemRef(ItemRole.PRICE, "price_1"), 10000, "Work", "2", (date(2026, 5, 1), date(2026, 5, 31))
                ),
            ),
            applies=(Apply("in_0", 5),),
            transform=Transform("500", "SO-500", (TransformLine("1", "11", None, 10000),), (("tax", 5),)),
            deposit=Deposit((DepositPayment("py_1", 3, "txn_1"),)),
            due=date(2026, 7, 1),
            fields=(("custbody", "x"),),
            write_backs=(WriteBack("in_1", "netsuite_invoice_id"),),
        ),
    ),
    (Hold("order_and_invoice_differ", "They differ.", (("total", "1", "2"),)),),
    "",
    ("in_9",),
)
MAY = AccountingPeriod("101", "May 2026", date(2026, 5, 1), date(2026, 5, 31), False, True)
PERIOD_BEFORE = {
    "id": "101",
    "name": "May 2026",
    "first": "2026-05-01",
    "last": "2026-05-31",
    "closed": False,
    "receivables_locked": True,
    "is_quarter": False,
    "is_year": False,
    "is_adjustment": False,
}


@dataclass
class Files:
    """A bucket."""

    kept: dict[str, Any] = field(default_factory=dict)

    def write_json(self, key: str, value: Any) -> str:
        self.kept[key] = json.loads(json.dumps(value))
        return "0" * 64

    def read_json(self, key: str, sha256: str | None = None) -> Any:
        return self.kept[key]


class Held:
    """Bells that everybody holds."""

    def still_holds(self, root: str, execution: str) -> None: ...


@pytest.fixture
def table() -> Iterator[Any]:
    with mock_aws():
        client: Any = boto3.client("dynamodb", "eu-central-1", aws_access_key_id="x", aws_secret_access_key="x")
        client.create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        )
        yield client


def read(data: Any) -> SettlementPlan:
    return plan_of(cast(Any, Held()), cast(Any, Files({"plan.json": data})), PASS)


def test_a_plan_that_was_written_before_there_were_formats_is_carried_out() -> None:
    assert read(json.loads(WRITTEN_BEFORE)) == PLAN


def test_a_plan_and_what_stripe_said_bear_their_format_and_are_read_as_they_were_written() -> None:
    files = Files()
    facts = ChargeFacts(Charge("ch_1", "cus_1", 100, "usd", 1_780_300_800))
    key, _ = keep(cast(Any, files), PASS, facts, PLAN)
    assert {name.rpartition("/")[2]: kept["format"] for name, kept in files.kept.items()} == {
        "stripe.json": FORMAT,
        "plan.json": FORMAT,
    }
    assert read(files.kept[key]) == PLAN


def test_of_an_object_that_is_gone_the_plan_is_kept_and_stripes_file_says_nothing() -> None:
    files = Files()
    nothing = SettlementPlan("in_1", nothing_because="It is gone.")
    key, _ = keep(cast(Any, files), PASS, None, nothing)
    assert files.kept[key.replace("plan", "stripe")] is None
    assert read(files.kept[key]) == nothing


@pytest.mark.parametrize(
    ("altered", "said"),
    [
        ({"format": FORMAT + 1}, "written by a newer version of this product"),
        ({"color": "red"}, "Redrive: Stripe is read again."),
        ({"root": 5}, "root is no text. Redrive: Stripe is read again."),
    ],
)
def test_a_plan_that_cannot_be_read_says_so_in_a_sentence(altered: dict[str, Any], said: str) -> None:
    with pytest.raises(RecordUnreadable, match=r"^The plan of in_1 has format") as refused:
        read({**json.loads(WRITTEN_BEFORE), **altered})
    assert said in str(refused.value)


def test_rows_that_were_written_before_there_were_formats_are_read(table: Any) -> None:
    for row in (
        {"pk": "SETTLED#in_1", "type": "invoice", "state": "intended", "root": "in_1", "intended_at": AT},
        {
            "pk": "SETTLED#py_1",
            "type": "customerPayment",
            "state": "written",
            "root": "in_1",
            "internal_id": "77",
            "applied_hash": "abc",
            "settled_at": AT,
        },
        {"pk": "PERIODS", "periods": json.dumps({"periods": [PERIOD_BEFORE]}), "read_at": 1_780_300_800},
        {"pk": "BELL#in_1", "wanted": 2, "done": 1, "root": "in_1", "kind": "invoice", "list": "held", "stopped": 0}
        | {"hold_name": "x", "hold_reason": "y", "hold_columns": '[["total", "1", "2"]]'},
    ):
        table.put_item(TableName=TABLE, Item=to_item(row))
    rows = SettledRecords(table, TABLE)
    assert rows.record("in_1") == WrittenRecord("in_1", RecordType.INVOICE, WriteState.INTENDED, "in_1")
    assert rows.record("py_1") == WrittenRecord("py_1", RecordType.PAYMENT, WriteState.WRITTEN, "in_1", "77", "abc", AT)
    assert rows.periods() == ((MAY,), 1_780_300_800)
    bell = Bells(table, TABLE).bell("in_1")
    assert bell is not None
    assert (bell.wanted, bell.done, bell.stopped) == (2, 1, 0)
    assert bell.hold == Hold("x", "y", (("total", "1", "2"),))


def test_every_row_that_is_written_bears_its_format_and_is_read_as_it_was_written(table: Any) -> None:
    rows, bells = SettledRecords(table, TABLE), Bells(table, TABLE)
    order = BilledOrder("500", "SO-500", "C-1", (BilledLine("1", "item", "11", None, 100),))
    rows.keep_orders("in_1", (order,))
    rows.keep_periods((MAY,), 5)
    rows.keep_customer("cus_1", "9", "email", AT)
    rows.keep_item("price_1", "8", "price", AT)
    rows.wait_for(["in_1"], "po_1")
    intended = WrittenRecord("in_1", RecordType.INVOICE, WriteState.INTENDED, "in_1")
    rows.intend(intended, AT)
    rows.settle(WrittenRecord("py_1", RecordType.PAYMENT, WriteState.WRITTEN, "in_1", "77", "abc"), AT)
    assert bells.claim(bells.ring("in_1", "invoice", AT), "execution", AT)
    assert bells.begin("in_1", "execution") == 1
    assert rows.orders("in_1") == (order,)
    assert rows.periods() == ((MAY,), 5)
    assert rows.record("in_1") == intended
    kept = table.scan(TableName=TABLE)["Items"]
    assert len(kept) == 8
    assert {row["pk"]["S"]: row.get(ROW_FORMAT) for row in kept} == {row["pk"]["S"]: {"N": str(FORMAT)} for row in kept}


@pytest.mark.parametrize(
    "row",
    [
        {"pk": "SETTLED#in_1", "type": "invoice", "state": "sent", "root": "in_1"},
        {"pk": "SETTLED#in_1", "type": "invoice", "state": "written"},
        {"pk": "SETTLED#in_1", "type": "invoice", "state": "written", "root": "in_1", ROW_FORMAT: FORMAT + 1},
    ],
)
def test_a_row_that_was_altered_or_is_newer_is_refused_by_its_name(table: Any, row: dict[str, Any]) -> None:
    table.put_item(TableName=TABLE, Item=to_item(row))
    with pytest.raises(RecordUnreadable, match="SETTLED#in_1"):
        SettledRecords(table, TABLE).record("in_1")
