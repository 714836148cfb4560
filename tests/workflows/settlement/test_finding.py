"""Whose customer and which item of NetSuite's an object of Stripe's belongs to: each value of the policies about it,
against the stand-in's own records."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any, cast

import pytest
import requests

from billing.adapters.netsuite.login import login_from_secret
from billing.adapters.netsuite.records import NetSuiteRecords
from billing.adapters.netsuite.settlement_lookups import NetSuiteCustomers, NetSuiteItems
from billing.adapters.netsuite.suiteql import SuiteQL
from billing.domain.errors import PersonNeeded
from billing.domain.ledger.stripe_customer import StripeCustomer
from billing.domain.records import stored
from billing.domain.settlement.event_roots import RootKind
from billing.domain.settlement.passes import Pass
from billing.domain.settlement.policies import parse_policies
from billing.domain.settlement.records import (
    Hold,
    ItemRef,
    ItemRole,
    NetSuiteRecord,
    Phase,
    RecordLine,
    RecordType,
    SettlementPlan,
)
from billing.workflows.settlement import find_the_customer, find_the_items
from billing.workflows.settlement.planning import Planner
from tests.domain.settlement.facts import CALENDAR
from tests.sandbox.netsuite import NetSuiteServer, load_world
from tests.sandbox_tests.netsuite.books import EU, US, WORLD
from tests.workflows.settlement.writing_world import JUNE_FIRST

FALLBACK = 'fallback = "501"'
CURRENCIES = '[currencies.usd]\nid = "1"\n[currencies.eur]\nid = "2"\n'


@dataclass
class Desk:
    """A pass of one plan: what is held is kept as the bell's row would, pairs as our table would."""

    server: NetSuiteServer
    plan: SettlementPlan = field(default_factory=lambda: SettlementPlan("cus_1"))
    customers: dict[str, StripeCustomer] = field(default_factory=dict)
    pairs: dict[str, tuple[str, str]] = field(default_factory=dict)
    items_kept: dict[str, tuple[str, str]] = field(default_factory=dict)
    holds: list[Hold] = field(default_factory=list)

    def __post_init__(self) -> None:
        login = login_from_secret(self.server.oauth2_credentials, self.server.url, lambda: JUNE_FIRST)
        self.suiteql = SuiteQL(self.server.url, login, lambda _: None, requests.Session(), jitter=lambda: 1.0)
        self.records = NetSuiteRecords(self.suiteql.transport)

    # The ports.

    def still_holds(self, root: str, execution: str) -> None:
        pass

    def note(self, root: str, execution: str, hold: Hold, at: str) -> None:
        self.holds.append(hold)

    def read_json(self, key: str, sha256: str) -> Any:
        return stored(self.plan)

    def customer(self, stripe_id: str) -> str | None:
        return self.pairs[stripe_id][0] if stripe_id in self.pairs else None

    def keep_customer(self, stripe_id: str, netsuite_id: str, how: str, at: str) -> None:
        self.pairs[stripe_id] = netsuite_id, how

    def items(self, keys: Any) -> dict[str, str]:
        return {key: self.items_kept[key][0] for key in keys if key in self.items_kept}

    def keep_item(self, key: str, netsuite_id: str, how: str, at: str) -> None:
        self.items_kept[key] = netsuite_id, how

    # What is tested.

    def pair(self, of: StripeCustomer, policy: str = "") -> tuple[str, str]:
        """(NetSuite's customer, how it was found); the hold's name and "held" where it is a person's."""
        mine = cast(Any, self)
        finding = find_the_customer.Finding(
            mine, mine, mine, lambda _: of, NetSuiteCustomers(self.suiteql, self.records), parse_policies(policy), "now"
        )
        try:
            finding.find(Pass(of.id, "customer", "arn:x:1"))
        except PersonNeeded:
            return self.holds[-1].name, "held"
        return self.pairs[of.id]

    def item(self, ref: ItemRef, policy: str) -> tuple[str, str]:
        line = RecordLine(ref, 1000, "Work")
        record = NetSuiteRecord(
            RecordType.INVOICE, Phase.INVOICES, "in_1", "cus_1", "usd", 1000, date(2026, 6, 1), "", lines=(line,)
        )
        self.plan = SettlementPlan("in_1", (record,))
        mine = cast(Any, self)
        finding = find_the_items.Finding(
            mine, mine, mine, NetSuiteItems(self.suiteql, self.records), parse_policies(policy), "now"
        )
        try:
            finding.find(Pass("in_1", "invoice", "arn:x:1"))
        except PersonNeeded:
            return self.holds[-1].name, "held"
        ((found, how),) = self.items_kept.values()
        return found, how

    def shown(self, record: str, netsuite_id: str) -> dict[str, Any]:
        return dict(self.records.by_id(record, netsuite_id) or {})


@pytest.fixture(scope="module")
def server() -> Iterator[NetSuiteServer]:
    world = load_world(
        {
            **WORLD,
            "customers": [
                {"number": "C-1", "name": "Alder LLC", "email": "AP@alder.example ", "subsidiary": US},
                {"number": "C-2", "name": "Birch Inc", "email": "ap@birch.example", "subsidiary": US},
                {"number": "C-3", "name": "Birch GmbH", "email": "ap@birch.example", "subsidiary": EU},
                {"number": "C-4", "name": "Gone LLC", "email": "ap@gone.example", "subsidiary": US, "inactive": True},
                {"number": "C-5", "name": "Twin", "email": "one@twin.example", "subsidiary": US},
                {"number": "Twin", "name": "Other", "email": "two@twin.example", "subsidiary": US},
            ],
        }
    )
    with NetSuiteServer(world, lambda: JUNE_FIRST, today=date(2026, 6, 1)) as running:
        yield running


@pytest.fixture
def desk(server: NetSuiteServer) -> Desk:
    return Desk(server)


NAME_FIRST = '[customer]\nmatch = ["name", "email"]'
ALDER = StripeCustomer("cus_alder", "ap@ALDER.example", "Something else")


@pytest.mark.parametrize(
    ("of", "policy", "found"),
    [
        (ALDER, "", ("501", "email")),
        (StripeCustomer("cus_2", " Ap@Alder.Example ", None), "", ("501", "email")),
        (StripeCustomer("cus_3", "ap@alder.example", None, "502"), "", ("502", "netsuite_customer_id")),
        (StripeCustomer("cus_4", "ap@alder.example", " birch INC "), NAME_FIRST, ("502", "name")),
        (StripeCustomer("cus_5", None, "c-2"), '[customer]\nmatch = ["name"]', ("502", "name")),
        (StripeCustomer("cus_6", "ap@alder.example", None, "999"), "", ("customer_missing", "held")),
        (StripeCustomer("cus_7", "ap@alder.example", None, "none"), "", ("customer_missing", "held")),
        (StripeCustomer("cus_8", "ap@birch.example", None), "", ("customer_ambiguous", "held")),
        (StripeCustomer("cus_9", "ap@birch.example", None), 'subsidiary = "1"', ("502", "email")),
        (StripeCustomer("cus_10", "ap@birch.example", None), 'subsidiary = "2"', ("503", "email")),
        (StripeCustomer("cus_11", None, "Twin"), '[customer]\nmatch = ["name"]', ("customer_ambiguous", "held")),
        (StripeCustomer("cus_12", "x@gone.example", "X"), '[customer]\ncreate = "no"', ("customer_missing", "held")),
        (StripeCustomer("cus_13", "ap@gone.example"), f'[customer]\ncreate = "no"\n{FALLBACK}', ("501", "fallback")),
        (StripeCustomer("cus_14", deleted=True), f"[customer]\n{FALLBACK}", ("501", "fallback")),
        (StripeCustomer("cus_15", None, None, "503"), 'subsidiary = "1"', ("invalid_subsidiary", "held")),
    ],
)  # fmt: skip
def test_a_customer_is_found_by_the_policys_fields_in_their_order(
    desk: Desk, of: StripeCustomer, policy: str, found: tuple[str, str]
) -> None:
    assert desk.pair(of, policy) == found
    assert bool(desk.pairs) is (found[1] != "held"), "a pair that is held is not kept"


def test_a_customer_that_fits_none_is_made_with_its_subsidiary_currencies_and_defaults(desk: Desk) -> None:
    policy = f'subsidiary = "2"\n{CURRENCIES}[defaults.customer]\ncomments = "From Stripe"'
    made, how = desk.pair(StripeCustomer("cus_new", "pay@cedar.example", "Cedar GmbH"), policy)
    assert how == "created"
    shown = desk.shown("customer", made)
    assert (shown["externalId"], shown["companyName"], shown["isPerson"]) == ("cus_new", "Cedar GmbH", False)
    assert (shown["email"], shown["subsidiary"]["id"], shown["comments"]) == ("pay@cedar.example", "2", "From Stripe")
    assert [one["currency"]["id"] for one in shown["currencyList"]["items"]] == ["1", "2"]
    # A worker that died before it kept the pair finds what it made.
    desk.pairs.clear()
    assert desk.pair(StripeCustomer("cus_new", "other@cedar.example", "Cedar GmbH"), policy)[0] == made
    by_id = '[customer]\nmatch = ["external_id"]\ncreate = "no"'
    assert Desk(desk.server).pair(StripeCustomer("cus_new"), by_id) == (made, "external_id")


def test_a_person_has_a_first_and_a_last_name_and_an_inactive_customer_is_not_found(desk: Desk) -> None:
    policy = 'subsidiary = "1"\n[customer]\nkind = "person"'
    made, how = desk.pair(StripeCustomer("cus_person", "ap@gone.example", "Ada King Lovelace"), policy)
    shown = desk.shown("customer", made)
    assert how == "created"
    assert (shown["isPerson"], shown["firstName"], shown["lastName"]) == (True, "Ada", "King Lovelace")


def test_a_pair_whose_customer_was_deleted_is_held_and_one_that_is_there_costs_one_call(desk: Desk) -> None:
    desk.pairs["cus_alder"] = "501", "email"
    before = desk.server.counts().get("suiteql", 0)
    assert desk.pair(ALDER) == ("501", "email")
    assert desk.server.counts().get("suiteql", 0) == before
    desk.pairs["cus_alder"] = "9999", "email"
    assert desk.pair(ALDER) == ("deleted_netsuite_record", "held")


@pytest.mark.parametrize(
    ("policy", "known", "why"),
    [
        ("", False, "Customers are made at first use."),
        ('[customer]\nwhen = "at_creation"', False, ""),
        ('[customer]\nwhen = "at_creation"', True, "Its customer in NetSuite is known."),
    ],
)
def test_a_customers_own_pass_pairs_it_at_creation_by_policy_and_once(
    desk: Desk, policy: str, known: bool, why: str
) -> None:
    if known:
        desk.pairs["cus_alder"] = "501", "email"
    mine = cast(Any, desk)
    planner = Planner(mine, mine, mine, parse_policies(policy), CALENDAR, keep=False)
    assert planner.planned("cus_alder", RootKind.CUSTOMER) == (None, SettlementPlan("cus_alder", nothing_because=why))


MATCH = '[items]\nprices = "match"\nmatch_field = "itemid"'
PRICE = ItemRole.PRICE


@pytest.mark.parametrize(
    ("price", "found"),
    [("Work", ("1001", "itemid")), ("Nowhere", ("item_missing", "held"))],
)
def test_a_price_is_matched_by_the_policys_field(desk: Desk, price: str, found: tuple[str, str]) -> None:
    assert desk.item(ItemRef(PRICE, price), MATCH) == found


def test_a_price_that_two_items_have_is_held(desk: Desk) -> None:
    policy = MATCH.replace("itemid", "itemtype")
    assert desk.item(ItemRef(PRICE, "Discount"), policy) == ("item_ambiguous", "held")


def test_a_price_of_its_own_is_an_item_made_once_on_the_policys_account(desk: Desk) -> None:
    accounts = {str(one["acctName"]): str(one["id"]) for one in desk.server.records("account")}
    revenue = accounts["Hosting Revenue"]
    policy = f'subsidiary = "1"\n[items]\nprices = "per_price"\nincome_account = "{revenue}"'
    made, how = desk.item(ItemRef(PRICE, "price_1QabcDEFghiJKL"), policy)
    shown = desk.shown("serviceSaleItem", made)
    assert (how, shown["externalId"], shown["incomeAccount"]["id"]) == ("created", "price_1QabcDEFghiJKL", revenue)
    assert Desk(desk.server).item(ItemRef(PRICE, "price_1QabcDEFghiJKL"), policy) == (made, "external_id")
