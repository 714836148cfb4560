"""The run's whole content: stored exactly, and cut into pieces that are what was hashed."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from billing.domain.batch.batch import Batch, BatchInvoice, map_items, read_batch, totals, with_pieces
from billing.domain.canonical import canonical_json, sha256_hex
from billing.domain.invoices.billing_policy import BillingPolicy
from billing.domain.invoices.invoice_plan import InvoicePlan, plan_hash, plan_invoices
from billing.domain.ledger.customer_match import How, MatchedCustomer
from billing.domain.ledger.ledger import Disposition
from billing.domain.orders.order_rows import read_orders
from billing.domain.orders.sales_order import Problem
from billing.domain.records import from_record, stored
from billing.domain.run import RunFrame
from tests.domain.suiteql_rows import hours, order

NAMES = ("Ålder & Söhne – 株式会社", "Emoji 🧾 Ltd", "Line\u2028Separator", 'Quote " Ltd', "Plain Ltd")


def plan(number: int) -> InvoicePlan:
    rows = order(
        "1000.00", hours(), id=str(500 + number), tranid=f"SO-{1000 + number}", entity=str(70 + number),
        clientname=NAMES[number % len(NAMES)], currencycode="USD" if number % 2 else "EUR",
    )  # fmt: skip
    (made,) = plan_invoices(read_orders(rows), BillingPolicy()).invoices
    return made


def invoices() -> list[BatchInvoice]:
    """One of each disposition, twice, and one more to ask for."""
    made = []
    for number, disposition in enumerate([*Disposition, *Disposition, Disposition.ASK]):
        one = plan(number)
        done = disposition in (Disposition.SKIP, Disposition.HOLD)
        customer = None if done else MatchedCustomer(f"cus_{number}", How.KNOWN)
        made.append(
            BatchInvoice(one, plan_hash(one), disposition, "because", customer, f"in_{number}" if done else None)
        )
    return made


def batch() -> Batch:
    placed, _ = with_pieces(invoices())
    problem = Problem("9", "SO-9", "email", "customer_without_email", "SO-9: none", "usd", 100, "77", "Acme")
    return Batch(RunFrame(id="run-1"), placed, (problem,), ("orderemail",))


def test_a_batch_survives_storage_exactly() -> None:
    kept = canonical_json(stored(batch()))
    assert read_batch(json.loads(kept, parse_float=pytest.fail)) == batch()
    assert canonical_json(stored(read_batch(json.loads(kept)))) == kept


def test_the_byte_range_of_a_piece_is_exactly_the_line_that_was_hashed() -> None:
    placed, ndjson = with_pieces(invoices())
    drafted = [one for one in placed if one.piece is not None]
    assert [one.disposition for one in drafted] == [
        one.disposition for one in placed if one.disposition in (Disposition.ASK, Disposition.FINISH)
    ]
    for one in drafted:
        assert one.piece is not None
        line = ndjson[one.piece.offset : one.piece.offset + one.piece.length]
        assert sha256_hex(line) == one.piece.sha256
        assert b"\n" not in line
        assert ndjson[one.piece.offset + one.piece.length : one.piece.offset + one.piece.length + 1] == b"\n"
        read = json.loads(line)
        assert from_record(InvoicePlan, read["plan"]) == one.plan
        assert plan_hash(from_record(InvoicePlan, read["plan"])) == read["content_hash"] == one.invoice_hash
        assert from_record(MatchedCustomer, read["customer"]) == one.customer
    assert ndjson.count(b"\n") == len(drafted)


def test_what_is_not_drafted_has_no_piece_that_could_be_drafted() -> None:
    placed, ndjson = with_pieces(invoices())
    for one in placed:
        if one.disposition in (Disposition.SKIP, Disposition.HOLD):
            assert one.piece is None
            assert one.plan.orders[0].number.encode() not in ndjson
    assert len(map_items(placed)) == len(Batch(RunFrame(), placed, ()).to_draft)


def test_map_items_carry_no_names_and_no_amounts() -> None:
    """They are in the execution history for everybody to read who may look at the console."""
    placed, _ = with_pieces(invoices())
    items = map_items(placed)
    written = [stored(item) for item in items]
    text = json.dumps(written, ensure_ascii=False)
    for one in placed:
        assert one.plan.client.name not in text
        assert one.plan.client.name.split()[0] not in text
        assert one.plan.client.email not in text
        assert str(one.plan.total) not in text
    assert all(set(item) == {"format", "key", "order", "content_hash", "piece", "draft_before"} for item in written)
    assert all(set(item["piece"]) == {"offset", "length", "sha256"} for item in written)


def test_an_item_stays_small_with_a_thousand_orders_on_one_invoice() -> None:
    """262,144 bytes is all that a state may hold."""
    one = plan(1)
    many = replace(one, orders=tuple(replace(one.orders[0], number=f"SO-{n}") for n in range(1000)))
    placed, _ = with_pieces([replace(invoices()[0], plan=many)])
    assert len(json.dumps([stored(item) for item in map_items(placed)])) < 1000


def test_the_same_batch_gives_the_same_bytes() -> None:
    assert with_pieces(invoices()) == with_pieces(invoices())
    assert canonical_json(stored(batch())) == canonical_json(stored(batch()))


def test_totals_are_kept_apart_by_currency() -> None:
    chosen = invoices()[:3]
    assert totals(chosen) == {"eur": 200_000, "usd": 100_000}
    assert totals([]) == {}
