"""Whether NetSuite would still list the same: asked over HTTP, one row an order, a thousand orders a call."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any

import pytest

from billing.adapters.aws.run_files import RunFiles
from billing.adapters.dynamodb.carry_over import CarryOver
from billing.adapters.dynamodb.ended_orders import EndedOrders
from billing.adapters.netsuite.beside_the_listing import order_states, orders_before, orders_of_others
from billing.adapters.netsuite.fingerprints import columns_beside, order_fingerprints, orders_listed_now
from billing.adapters.netsuite.sales_orders import list_sales_orders
from billing.domain.errors import OurFault
from billing.domain.orders.order_fingerprint import fingerprints_of_rows
from billing.domain.orders.outstanding import Carried
from billing.domain.run import Listed, read_state, to_state
from billing.domain.runs.snapshot import read_snapshot
from billing.workflows.monthly_billing.compare_with_the_listing import ListingNow, compare_with_the_listing
from billing.workflows.monthly_billing.list_the_sales_orders import ListingSettings, NetSuite, list_the_sales_orders
from tests.a_run import a_run
from tests.adapters.aws_world import BUCKET, LEDGER, AwsWorld
from tests.adapters.test_netsuite import Account, Clock
from tests.played.firm import client, firm, order, work
from tests.sandbox.netsuite import NetSuiteServer, generate_world, load_world

EMAILS = ("order.email", "customer.email")
KEY = "runs/2026-05/run-1/orders.json"


@dataclass
class Listing:
    """A run that has listed, and may compare. `filter` is the run's own; the others are the stack's parameters."""

    account: Account
    aws: AwsWorld
    filter: dict[str, Any] = field(default_factory=dict)
    statuses: tuple[str, ...] = ("E", "F")
    emails: tuple[str, ...] = EMAILS

    def __post_init__(self) -> None:
        self.files = RunFiles(self.aws.s3, BUCKET)
        self.carry_over = CarryOver(self.aws.dynamodb, LEDGER)
        self.ended = EndedOrders(self.aws.dynamodb, LEDGER)

    @property
    def run(self) -> dict[str, Any]:
        return {
            "id": "run-1", "cycle": "main", "period": "2026-05", "listedFrom": "2026-05-01",
            "listedBefore": "2026-06-01", "filter": self.filter, "prefix": "runs/2026-05/run-1/",
        }  # fmt: skip

    def list(self) -> dict[str, Any]:
        suiteql = self.account.suiteql
        netsuite = NetSuite(
            partial(list_sales_orders, suiteql),
            partial(orders_before, suiteql),
            partial(order_states, suiteql),
            lambda _: None,
            partial(orders_of_others, suiteql),
        )
        listed = list_the_sales_orders(
            a_run(self.run), self.parameters, netsuite, self.carry_over, self.ended, self.files
        )
        return dict(to_state(listed))

    @property
    def parameters(self) -> ListingSettings:
        return ListingSettings(self.statuses, self.emails)

    def compare(self, listed: Mapping[str, Any]) -> dict[str, Any]:
        now = partial(orders_listed_now, self.account.suiteql)
        compared = compare_with_the_listing(
            a_run(self.run),
            read_state(Listed, listed),
            self.parameters,
            ListingNow(columns_beside, now),
            self.carry_over,
            self.ended,
            self.files,
        )
        return dict(to_state(compared))

    def carry(self, number: str, period: str) -> str:
        order_id = str(self.account.server.orders()[number].id)
        self.carry_over.change("main", [Carried(order_id, number, period, "Rejected.")], [])
        return order_id

    @property
    def calls(self) -> int:
        return int(self.account.server.counts()["suiteql"])


Open = Callable[..., Listing]


@pytest.fixture
def opened(aws: AwsWorld) -> Iterator[Open]:
    servers: list[NetSuiteServer] = []

    def listing(world: Any, **about: Any) -> Listing:
        clock = Clock()
        loaded = load_world(world) if isinstance(world, str | dict) else world
        secret = NetSuiteServer.new_credentials("oauth2", "ES256", loaded.account)
        servers.append(NetSuiteServer(loaded, clock, secret, today=date(2026, 6, 1)).__enter__())
        return Listing(Account(servers[-1], clock, secret), aws, **about)

    yield listing
    for server in servers:
        server.__exit__(None, None, None)


ODD = {
    50: {"lenient": True, "customer": None},
    51: {"lenient": True, "currency": None},
    52: {"raw": {"foreigntotal": "three hundred"}},
    53: {"raw": {"foreigntotal": None}},
    54: {"lines": [work("2", "150.00", raw={"quantitybilled": "many"})]},
    55: {"lines": [work("2", "150.00", raw={"foreignamount": None})]},
    56: {"lines": [work("0.25", "150.00"), work("1.75", "10.00")]},
    57: {"terms": None},
}
"""Orders that cannot be billed, each in a way of its own; and two that can."""


def odd_firm() -> dict[str, Any]:
    return firm([order(1), *({**order(place), **fields} for place, fields in ODD.items())], [client(1, email=None)])


@pytest.mark.parametrize("world", ["services_firm", odd_firm()], ids=["services firm", "odd orders"])
def test_an_untouched_account_gives_every_order_the_stamp_that_its_rows_gave(opened: Open, world: Any) -> None:
    listing = opened(world)
    listed = listing.list()
    asked = listing.calls
    compared = listing.compare(listed)
    assert compared == {"same": True, "why": "", "orders": listed["orders"]}
    assert listed["problems"] > 0
    assert listing.calls == asked + 1, "one call, the orders with problems among them"
    stamps = fingerprints_of_rows(read_snapshot(json.loads(listing.files.read(KEY))).listed)
    assert order_fingerprints(listing.account.suiteql, stamps) == stamps, "the check before drafting speaks of the same"


def test_a_thousand_orders_cost_a_call_though_all_of_them_are_to_come_back(opened: Open) -> None:
    """The run's own end put them on the list of those that come back."""
    listing = opened(generate_world(2500, lines_per_order=1))
    listed = listing.list()
    ids = sorted({row["id"] for row in read_snapshot(json.loads(listing.files.read(KEY))).listed})
    listing.carry_over.change("main", [Carried(one, f"SO-{one}", "2026-05", "Expired.") for one in ids], [])
    before = listing.calls
    assert listing.compare(listed)["same"] is True
    assert listing.calls - before == 3


@pytest.mark.parametrize(
    ("what", "why"),
    [
        (lambda server: server.edit_line("SO-1", 1, quantity="5"), "Changed"),
        (lambda server: server.bill("SO-1", 1, 1), "Changed"),
        (lambda server: server.close_line("SO-1", 1), "Changed"),
        (lambda server: server.set_customer("C-1", email="found@client.example"), "Changed"),
        (lambda server: server.set_status("SO-1", "G"), "No longer listed"),
        (lambda server: server.delete_order("SO-1"), "No longer listed"),
        (lambda server: server.add_order(order(9, customer=1)), "New"),
    ],
    ids=["edited", "partly billed", "a line closed", "client corrected", "billed", "deleted", "a new order"],
)
def test_whatever_moved_in_netsuite_is_seen(opened: Open, what: Callable[[NetSuiteServer], Any], why: str) -> None:
    listing = opened(firm([order(1), order(2)]))
    listed = listing.list()
    what(listing.account.server)
    compared = listing.compare(listed)
    assert compared["same"] is False
    assert compared["why"].startswith(why)
    assert listing.compare(listing.list())["same"] is True, "listed again, it is true again"


def test_the_runs_own_filter_is_the_comparisons(opened: Open) -> None:
    listing = opened(firm([order(1), order(2), order(3)]), filter={"orderNumbers": ["SO-1", "SO-2"]})
    listed = listing.list()
    listing.account.server.edit_line("SO-3", 1, quantity="5")
    assert listing.compare(listed) == {"same": True, "why": "", "orders": 2}
    listing.statuses = ("F", "B")
    listing.account.server.set_status("SO-2", "B")
    assert listing.compare(listed)["why"].startswith("Changed"), "still listed, and not as it was"


def test_a_trial_of_the_first_orders_is_compared_with_the_first_orders(opened: Open) -> None:
    listing = opened(firm([order(1), order(2), order(3)]), filter={"atMost": 2})
    listed = listing.list()
    assert listing.compare(listed) == {"same": True, "why": "", "orders": 2}


def test_orders_that_come_back_are_compared_too(opened: Open) -> None:
    listing = opened(firm([order(1), order(2, date="2026-04-10"), order(3, date="2026-03-10")]))
    listing.carry("SO-2", "2026-04")
    listed = listing.list()
    assert listed["orders"] == 2
    listing.carry("SO-1", "2026-05")
    assert listing.compare(listed)["same"] is True
    came = listing.carry("SO-3", "2026-03")
    assert listing.compare(listed)["why"] == f"New: {came}.", "another run left an order over meanwhile"
    listing.carry_over.change("main", [], [came])
    listing.account.server.edit_line("SO-2", 1, quantity="5")
    assert listing.compare(listed)["why"].startswith("Changed")


def test_what_a_later_month_left_over_is_no_reason(opened: Open) -> None:
    listing = opened(firm([order(1), order(2, date="2026-06-10")]))
    listed = listing.list()
    listing.carry("SO-2", "2026-06")
    assert listing.compare(listed)["same"] is True


def test_a_snapshot_that_is_missing_or_altered_is_not_the_same_and_no_error(opened: Open) -> None:
    listing = opened(firm([order(1)]))
    listed = listing.list()
    listing.files.write(KEY, b"{}", "application/json")
    altered = listing.compare(listed)
    listing.aws.s3.delete_object(Bucket=BUCKET, Key=KEY)
    assert altered == listing.compare(listed)
    assert (altered["same"], altered["why"]) == (False, "The former listing's file is missing or was altered.")


def test_another_chain_of_email_fields_is_listed_anew(opened: Open) -> None:
    listing = opened(firm([order(1)]))
    listed = listing.list()
    listing.emails = ("customer.email",)
    assert "BillingEmailFields" in listing.compare(listed)["why"]


def test_columns_that_the_account_never_had_are_not_asked_for_and_one_that_is_lost_is_named(opened: Open) -> None:
    listing = opened(firm([order(1)]))
    listing.account.server.set_options(columns_absent=["term.datedriven"])
    listed = listing.list()
    before = listing.calls
    assert listing.compare(listed)["same"] is True
    assert listing.calls == before + 1
    listing.account.server.set_options(columns_absent=["term.datedriven", "customer.firstname"])
    with pytest.raises(OurFault, match="lacks a column"):
        listing.compare(listed)
