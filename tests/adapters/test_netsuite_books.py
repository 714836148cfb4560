"""NetSuite's books as the nightly proof reads them: every row once, whatever the pages, and few calls."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import requests

from billing.adapters.netsuite import books as books_module
from billing.adapters.netsuite import suiteql as suiteql_module
from billing.adapters.netsuite.books import NetSuiteBooks
from billing.adapters.netsuite.login import login_from_secret
from billing.adapters.netsuite.suiteql import SuiteQL
from billing.domain.settlement.books import Books
from billing.domain.settlement.records import RecordType
from tests.sandbox.netsuite import NetSuiteServer, generate_world, load_world
from tests.sandbox.netsuite.records.model import CashLine, Line, LineKind, Transaction
from tests.sandbox_tests.netsuite.books import WORLD

JUNE_FIRST = 1_780_300_800.0
PAGE = 100
INVOICES, PAYMENTS, MEMOS, REFUNDS, DEPOSITS = 480, 430, 40, 40, 10
"""A thousand records by pages of a hundred cost what ten thousand do by pages of a thousand."""

MAY = date(2026, 5, 12)


@dataclass
class Account:
    server: NetSuiteServer
    books: NetSuiteBooks


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    world = generate_world(INVOICES, lines_per_order=3)
    secret = NetSuiteServer.new_credentials("oauth2", "ES256", world.account)
    with NetSuiteServer(world, lambda: JUNE_FIRST, secret, today=date(2026, 6, 1)) as server:
        _enter(server)
        login = login_from_secret(secret, server.url, lambda: JUNE_FIRST)
        yield Account(server, NetSuiteBooks(SuiteQL(server.url, login, lambda _: None, requests.Session())))


def _enter(server: NetSuiteServer) -> None:
    """The records, straight into the register: writing each by REST would take minutes."""
    register, world = server._records.register, server._store.world
    named = {one["acctName"]: int(one["id"]) for one in server.records("account")}
    items = sorted(register.store.items)
    period = register.store.chart.month(MAY).id

    def saved(record: str, account: str, total: str, external_id: str | None, **more: Any) -> int:
        return register.save(
            Transaction(
                record, 0, 1, 0, named[account], MAY, period, Decimal(1), Decimal(total), "A",
                external_id=external_id, **more,
            )
        ).id  # fmt: skip

    invoices = []
    for place, order in enumerate(world.orders):
        lines = [
            Line(number, LineKind.ITEM, items[(place + number) % len(items)], "Service", Decimal("10.00"), Decimal(2),
                 order_line=number)
            for number in (1, 2, 3)
        ]  # fmt: skip
        name = f"in_{place}-so{order.id}"
        memo = {"memo": f"Stripe: in_{place}", "otherRefNum": f"INV-{place}"}
        invoices.append(
            saved("invoice", "Accounts Receivable", "30.00", name, entity=501, lines=lines, created_from=order.id,
                  fields=memo)
        )  # fmt: skip
    payments = [
        saved("customerPayment", "Undeposited Funds", "30.00", f"ch_{place}", entity=501,
              receivable=named["Accounts Receivable"], applies={invoices[place]: Decimal("30.00")})
        for place in range(PAYMENTS)
    ]  # fmt: skip
    memos = [
        saved("creditMemo", "Accounts Receivable", "4.00", f"re_{place}-cm", entity=501,
              lines=[Line(1, LineKind.ITEM, items[0], "Service", Decimal("4.00"))])
        for place in range(MEMOS)
    ]  # fmt: skip
    for place in range(REFUNDS):
        saved("customerRefund", "Undeposited Funds", "4.00", f"re_{place}", entity=501,
              receivable=named["Accounts Receivable"], applies={memos[place]: Decimal("4.00")})  # fmt: skip
    each = PAYMENTS // DEPOSITS
    for place in range(DEPOSITS):
        some = payments[place * each : (place + 1) * each]
        gross = Decimal("30.00") * len(some)
        saved("deposit", "Checking USD", str(gross - 5), f"po_{place}",
              deposited=dict.fromkeys(some, Decimal("30.00")),
              cashback=[CashLine(named["Stripe Fees"], Decimal("5.00"))])  # fmt: skip
    saved("invoice", "Accounts Receivable", "0.00", None, entity=501, fields={"memo": "Stripe: in_7"})
    saved("invoice", "Accounts Receivable", "0.00", None, entity=501, fields={"otherRefNum": "INV-8"})
    saved("invoice", "Accounts Receivable", "0.00", "SF-0001", entity=501)


@pytest.fixture(scope="module")
def read(account: Account) -> tuple[Books, int]:
    """Everything, by pages of a hundred, and how many calls it took."""
    before = sum(account.server.counts().values())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(books_module, "PAGE_SIZE", PAGE)
        patch.setattr(suiteql_module, "PAGE_SIZE", PAGE)
        found = account.books.since(date(2026, 5, 1))
        orders = account.server._store.world.orders
        found = found.and_also(account.books.of_orders(str(one.id) for one in orders))
    return found, sum(account.server.counts().values()) - before


def test_ten_thousand_objects_take_at_most_sixty_calls(read: tuple[Books, int]) -> None:
    books, calls = read
    assert len(books.records) == INVOICES + PAYMENTS + MEMOS + REFUNDS + DEPOSITS == 10 * PAGE
    assert calls <= 60


def test_every_record_is_read_once_with_its_amounts(read: tuple[Books, int]) -> None:
    books, _ = read
    assert len({one.external_id for one in books.records}) == len(books.records)
    by_name = {one.external_id: one for one in books.records}
    paid = next(one for name, one in by_name.items() if name.startswith("in_0-so"))
    assert (paid.type, paid.total, paid.due, paid.on) == (RecordType.INVOICE, Decimal(30), Decimal(0), MAY)
    assert paid.period == (date(2026, 5, 1), date(2026, 5, 31))
    due = next(one for name, one in by_name.items() if name.startswith(f"in_{INVOICES - 1}-so"))
    assert due.due == Decimal(30)
    assert by_name["ch_0"].unused == 0
    assert by_name["po_0"].total == Decimal(30) * (PAYMENTS // DEPOSITS) - 5


def test_lines_applies_and_deposits_come_to_what_was_entered(read: tuple[Books, int]) -> None:
    books, _ = read
    assert sum(one.amount for one in books.lines) == 30 * INVOICES - 4 * MEMOS
    assert sum(one.amount for one in books.applies) == 30 * PAYMENTS + 4 * REFUNDS
    assert len({one.payment for one in books.deposited}) == PAYMENTS
    assert {one.deposit_external_id for one in books.deposited} == {f"po_{place}" for place in range(DEPOSITS)}
    assert sum(one.amount for one in books.deposit_lines) == 5 * DEPOSITS


def test_each_order_has_what_its_invoices_bill(read: tuple[Books, int]) -> None:
    books, _ = read
    assert len(books.orders) == INVOICES
    assert len(books.order_invoices) == INVOICES
    assert {one.quantity for one in books.order_invoices} == {Decimal(6)}


def test_what_was_entered_by_hand_as_well_is_told_by_its_memo_or_its_number(read: tuple[Books, int]) -> None:
    books, _ = read
    by_id = {one.internal_id: one.external_id for one in books.records}
    by_memo, by_number = sorted(books.lookalikes, key=lambda one: one.like)
    assert by_memo.memo == "Stripe: in_7"
    assert by_id[by_number.like].startswith("in_8-so")


def test_older_records_are_found_by_their_names(account: Account) -> None:
    assert account.books.since(date(2026, 6, 1)).records != (), "what is open is read whatever its date"
    found = account.books.of_records(["ch_1", "ch_2", "ch_nowhere", "no legal name"])
    assert [one.external_id for one in found.records] == ["ch_1", "ch_2"]
    assert [one.amount for one in found.applies] == [Decimal(30), Decimal(30)]
    assert account.books.of_records([]) == Books()


def test_a_deposit_is_found_by_its_internal_id_and_takes_its_payouts_name(account: Account) -> None:
    every = account.books.since(date(2020, 1, 1))
    deposit = next(one for one in every.records if one.type is RecordType.DEPOSIT)
    found = account.books.of_ids([deposit.internal_id, "0", "not an id"])
    assert found.records == (deposit,)
    assert found.deposit_lines == tuple(one for one in every.deposit_lines if one.deposit == deposit.internal_id)
    nameless = replace(found, records=(replace(deposit, external_id=""),))
    assert nameless.named({deposit.internal_id: "po_9"}).records[0].external_id == "po_9"
    assert found.named({deposit.internal_id: "po_9"}) == found, "an externalId that it has stays"
    assert account.books.of_ids([]) == Books()


def test_another_subsidiarys_records_are_another_stacks() -> None:
    world = load_world(WORLD)
    secret = NetSuiteServer.new_credentials("oauth2", "ES256", world.account)
    with NetSuiteServer(world, lambda: JUNE_FIRST, secret, today=date(2026, 6, 1)) as server:
        register = server._records.register
        accounts = {one["acctName"]: int(one["id"]) for one in server.records("account")}
        subsidiaries = [int(one["id"]) for one in server.records("subsidiary")]
        for place, subsidiary in enumerate(subsidiaries):
            each = Transaction(
                "customerPayment", 0, 1, subsidiary, accounts["Undeposited Funds"], MAY,
                register.store.chart.month(MAY).id, Decimal(1), Decimal(5), "A", entity=501,
                receivable=accounts["Accounts Receivable"], external_id=f"ch_{place}",
            )  # fmt: skip
            register.save(each)
        login = login_from_secret(secret, server.url, lambda: JUNE_FIRST)
        suiteql = SuiteQL(server.url, login, lambda _: None, requests.Session())
        seen = [
            [one.external_id for one in NetSuiteBooks(suiteql, str(which)).since(MAY).records]
            for which in (*subsidiaries, "")
        ]
    assert seen == [["ch_0"], ["ch_1"], ["ch_0", "ch_1"]]
