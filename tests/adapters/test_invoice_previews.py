"""What NetSuite would invoice of an order, asked of the stand-in's record API by HTTP, and what is billed then."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import date
from typing import Any, Protocol

import pytest
import requests

from billing.adapters.netsuite.invoice_previews import InvoicePreviews
from billing.adapters.netsuite.login import login_from_secret
from billing.adapters.netsuite.sales_orders import list_sales_orders
from billing.adapters.netsuite.suiteql import SuiteQL
from billing.domain.errors import PersonNeeded
from billing.domain.invoices.billing_policy import BillingPolicy
from billing.domain.invoices.invoice_plan import Plans, plan_invoices
from billing.domain.orders.invoice_preview import InvoicePreview
from billing.domain.orders.open_amount import needs_preview
from billing.domain.orders.order_filter import OrderFilter
from billing.domain.orders.order_rows import read_orders
from billing.domain.orders.sales_order import Listing
from billing.domain.records import from_record, to_record
from billing.domain.runs.order_query import OrderQuery
from tests.sandbox.netsuite import NetSuiteServer, load_world, permission_fault

JUNE_FIRST = 1780300800.0
WORLD: dict[str, Any] = {
    "account": "1234567_SB1",
    "currencies": [{"symbol": "USD", "name": "US Dollar"}],
    "terms": [{"name": "Net 30", "daysUntilNetDue": 30}],
    "taxCodes": [{"name": "VAT 20", "rate": "20"}, {"name": "VAT 5", "rate": "5"}],
    "items": [{"name": "Consulting", "type": "Service"}, {"name": "Laptop", "type": "InvtPart"}],
    "customers": [{"number": "C-1", "name": "Northwind Ltd", "email": "ap@northwind.example"}],
    "orders": [],
}


def world(*lines: dict[str, Any], **header: Any) -> dict[str, Any]:
    order = {
        "number": "SO-1",
        "status": "E",
        "date": "2026-05-12",
        "customer": "C-1",
        "currency": "USD",
        "terms": "Net 30",
        **header,
    }
    return {**WORLD, "orders": [{**order, "lines": list(lines)}]}


def work(amount: str, billed: str, tax: str, **more: Any) -> dict[str, Any]:
    return {"item": "Consulting", "quantity": "10", "amount": amount, "billed": billed, "taxCode": tax, **more}


class Account:
    def __init__(self, server: NetSuiteServer) -> None:
        self.server = server
        login = login_from_secret(server.oauth2_credentials, server.url, lambda: JUNE_FIRST)
        self.suiteql = SuiteQL(server.url, login, lambda _: None, requests.Session())

    def listing(self) -> Listing:
        query = OrderQuery(("E", "F"), date(2026, 5, 1), date(2026, 6, 1), OrderFilter())
        return read_orders(list_sales_orders(self.suiteql, query).rows)

    def planned(self, preview: bool = True) -> Plans:
        listing = self.listing()
        previews = InvoicePreviews(self.suiteql)
        orders = [
            replace(order, preview=from_record(InvoicePreview, to_record(previews.of(order.id))))
            if preview and needs_preview(order, in_advance=False)
            else order
            for order in listing.orders
        ]
        return plan_invoices(replace(listing, orders=tuple(orders)), BillingPolicy())

    def billed(self) -> list[tuple[str, int]]:
        plans = self.planned()
        assert plans.problems == ()
        (plan,) = plans.invoices
        return [(each.kind, each.amount) for each in plan.lines]


class Start(Protocol):
    def __call__(self, content: dict[str, Any], **options: Any) -> Account: ...


@pytest.fixture
def start() -> Iterator[Start]:
    with ExitStack() as stack:
        servers: list[NetSuiteServer] = []

        def started(content: dict[str, Any], **options: Any) -> Account:
            servers.append(stack.enter_context(NetSuiteServer(load_world(content), lambda: JUNE_FIRST, **options)))
            return Account(servers[-1])

        yield started
        assert [server.errors for server in servers] == [[] for _ in servers]


NO_CODES = {"columns_absent": {"transactionline.taxcode", "transactionline.taxrate1"}}


def test_two_rates_on_equal_amounts_are_told_apart_by_what_netsuite_would_bill(start: Start) -> None:
    """100.00 at 20 % is billed, 100.00 at 5 % is open, and the account shows no codes: 5.00, as NetSuite says."""
    content = world(work("100.00", "10", "VAT 20"), work("100.00", "0", "VAT 5"))
    account = start(content, **NO_CODES)
    assert [one.reason_code for one in account.planned(preview=False).problems] == ["tax_base_unknown"]
    before = account.server.dump()
    assert account.billed() == [("item", 10000), ("tax", 500)]
    assert account.server.dump() == before, "a preview saves nothing"


def test_the_lines_own_codes_come_from_netsuite_without_a_preview(start: Start) -> None:
    account = start(world(work("100.00", "10", "VAT 20"), work("100.00", "0", "VAT 5")))
    (plan,) = account.planned(preview=False).invoices
    assert [(each.kind, each.amount) for each in plan.lines] == [("item", 10000), ("tax", 500)]


def test_shipping_that_netsuite_has_billed_with_its_first_invoice_is_not_billed_again(start: Start) -> None:
    """Half of 1,000.00 at 20 % is open. In proportion 12.50 of 25.00 shipping would be billed; NetSuite bills none."""
    content = world(work("1000.00", "5", "VAT 20"), shipping="25.00")
    account = start(content, shipping_sharing="first")
    assert account.billed() == [("item", 50000), ("tax", 10000)]


def test_delivered_goods_are_billed_by_netsuites_amounts(start: Start) -> None:
    goods = {"item": "Laptop", "quantity": "3", "amount": "100.00", "fulfilled": "1", "taxCode": "VAT 20"}
    account = start(world(goods))
    assert account.billed() == [("item", 3333), ("tax", 667)]


def test_only_orders_that_are_billed_in_part_cost_a_call(start: Start) -> None:
    account = start(world(work("100.00", "0", "VAT 20"), status="F"))
    assert account.billed() == [("item", 10000), ("tax", 2000)]
    assert not [call for call in account.server.calls if "transform" in call.path]


def test_units_and_service_periods_come_from_netsuites_lines(start: Start) -> None:
    line = work("1000.00", "0", "VAT 20", unit="h", serviceStart="2026-05-01", serviceEnd="2026-05-31", rate="100.00")
    account = start(world(line, status="F"))
    (plan,) = account.planned().invoices
    assert plan.lines[0].description == "Consulting — 10 h × 100.00"
    assert plan.lines[0].service_period is not None
    assert (plan.lines[0].service_period.start, plan.lines[0].service_period.end) == ("2026-05-01", "2026-05-31")


def test_a_billing_schedule_is_read_from_the_order_and_from_its_line(start: Start) -> None:
    whole = start(world(work("1200.00", "0", "VAT 20"), billingSchedule="Monthly x 12", nextBill="2026-07-01"))
    line = start(world(work("1200.00", "0", "VAT 20", billingSchedule="Milestones")))
    for account, words in ((whole, "(Monthly x 12, next on 2026-07-01)"), (line, "(Milestones on line 1)")):
        plans = account.planned()
        assert plans.invoices == ()
        (problem,) = plans.problems
        assert problem.reason_code == "billing_schedule"
        assert words in problem.message
        assert not [call for call in account.server.calls if "transform" in call.path]


def test_an_account_without_any_of_the_new_columns_is_listed_all_the_same(start: Start) -> None:
    columns = {
        "transactionline": "taxcode taxrate1 units revrecstartdate revrecenddate billingschedule quantityshiprecv",
        "transaction": "billingschedule nextbilldate",
        "item": "isfulfillable",
        "currency": "currencyprecision",
    }
    absent = {f"{table}.{name}" for table, names in columns.items() for name in names.split()}
    account = start(world(work("100.00", "0", "VAT 20"), status="F"), columns_absent=absent)
    assert account.billed() == [("item", 10000), ("tax", 2000)]


def test_an_order_that_netsuite_would_not_invoice_is_named_with_netsuites_words(start: Start) -> None:
    account = start(world(work("100.00", "5", "VAT 20")))
    (order,) = account.listing().orders
    account.server.set_status("SO-1", "H")
    preview = InvoicePreviews(account.suiteql).of(order.id)
    assert preview.refused
    plans = plan_invoices(Listing((replace(order, preview=preview),), ()), BillingPolicy())
    (problem,) = plans.problems
    assert problem.reason_code == "preview_differs"
    assert preview.refused in problem.message


def test_a_role_without_the_permission_is_told_which_one(start: Start) -> None:
    account = start(world(work("100.00", "5", "VAT 20")))
    (order,) = account.listing().orders
    account.server.faults.add(path="transform", action=permission_fault(), times=None)
    with pytest.raises(PersonNeeded, match=r"Invoice \(Create\)"):
        InvoicePreviews(account.suiteql).of(order.id)
