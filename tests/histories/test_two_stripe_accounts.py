"""Two subsidiaries, each with a Stripe account and a stack of its own, beside one NetSuite: what people type alike in
both (a coupon's id, a client's address) is not taken for the same, and what belongs to the other is held by its name.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.histories.settled_firm import PETTY_CASH, WORLD, items_of, policies
from tests.histories.settling import SettlingWorld, settling_beside
from tests.histories.small_firm import START, month, order, small_firm
from tests.histories.world import Clock, netsuite_of
from tests.sandbox.netsuite import NetSuiteServer, load_world
from tests.sandbox.stripe import InvoiceLine

INC, GMBH = "Acme Inc", "Acme GmbH"
SHARED = "konto@birke.example"
"""The address of a client of both: customer 501 is Acme Inc's, 502 Acme GmbH's."""


@dataclass
class Played:
    netsuite: NetSuiteServer
    inc: SettlingWorld
    gmbh: SettlingWorld
    ids: dict[str, str] = field(default_factory=dict)

    def record(self, root: str) -> dict[str, Any]:
        return next(one for one in self.inc.transactions() if one["externalId"] == root)


def _policies(netsuite: NetSuiteServer, subsidiary: str) -> str:
    accounts = {str(one["acctName"]): str(one["id"]) for one in netsuite.records("account")}
    return policies(netsuite, subsidiary=subsidiary).replace(
        f'discount = "{items_of(netsuite)["Coupon"]}"',
        f'discount_account = "{accounts["Sales Discounts"]}"',
    )


def _made_before(world: SettlingWorld) -> None:
    """Acme Inc's coupon item by the name that earlier versions gave it."""
    accounts = {str(one["acctName"]): str(one["id"]) for one in world.netsuite.records("account")}
    world.create_in_netsuite(
        "discountItem",
        {
            "externalId": "coupon-SPRING5",
            "itemId": "coupon-SPRING5",
            "account": {"id": accounts["Sales Discounts"]},
            "subsidiary": {"items": [{"id": "1"}]},
        },
    )


@pytest.fixture(scope="module")
def played() -> Iterator[Played]:
    world = load_world(
        {
            **WORLD,
            "subsidiaries": [{"name": INC, "currency": "USD"}, {"name": GMBH, "currency": "EUR"}],
            "accounts": [
                *PETTY_CASH,
                *(
                    {"name": f"Bank {name}", "type": "Bank", "currency": "USD", "subsidiary": name}
                    for name in (INC, GMBH)
                ),
            ],
            "customers": [
                *(
                    {"number": f"C-{place}", "name": f"Birke {name}", "email": SHARED, "subsidiary": name}
                    for place, name in enumerate((INC, GMBH), 1)
                ),
                {"number": "C-3", "name": "Eiche GmbH", "email": "konto@eiche.example", "subsidiary": GMBH},
            ],
            "orders": [order("SO-2", 3, client="C-3")],
        }
    )
    clock = Clock(START)
    with netsuite_of(world, clock) as netsuite, ExitStack() as stack:
        inc, gmbh = (
            stack.enter_context(
                settling_beside(
                    netsuite, clock, lambda server, name=name: _policies(server, name), f"-{name[5:].lower()}"
                )  # type: ignore[misc]
            )
            for name in (INC, GMBH)
        )
        found = Played(netsuite, inc, gmbh)
        for name, side in (("inc", inc), ("gmbh", gmbh)):
            with side.at_work():
                if side is inc:
                    _made_before(inc)
                side.stripe.coupon("SUMMER10", percent_off=10)
                side.stripe.coupon("SPRING5", percent_off=10)
                client = side.stripe.create_customer(name="Birke", email=SHARED)["id"]
                lines = [
                    InvoiceLine(100_00, "Seats", coupon="SUMMER10"),
                    InvoiceLine(50_00, "Support", coupon="SPRING5"),
                ]
                found.ids[name] = str(side.stripe.bill(client, lines, "usd")["id"])
                alone = side.stripe.create_customer(name="Only one side", email=f"only@{name}.example")["id"]
                found.ids[f"{name} alone"] = str(side.stripe.bill(alone, [InvoiceLine(70_00, "Seats")], "usd")["id"])
                side.settle()
        with gmbh.at_work():
            # Somebody took the other subsidiary's customer by its number.
            taken = gmbh.stripe.create_customer(
                name="Taken", email="taken@birke.example", metadata={"netsuite_customer_id": "501"}
            )["id"]
            found.ids["taken"] = str(gmbh.stripe.bill(taken, [InvoiceLine(50_00, "Seats")], "usd")["id"])
            gmbh.settle()
        with inc.at_work():
            # This stack's parameter Subsidiaries was left empty: it drafts an order of Acme GmbH's.
            month(inc.world, 0)
            (draft,) = [one for one in inc.stripe.invoices() if one["status"] == "draft"]
            found.ids["order"] = str(draft["id"])
            inc.stripe.finalise(draft["id"])
            inc.settle()
        yield found


def test_a_coupon_that_both_accounts_have_is_an_item_of_each_subsidiary(played: Played) -> None:
    items = {one["externalId"]: one for one in played.netsuite.records("discountItem") if one.get("externalId")}
    assert {name: one["subsidiary"]["items"] for name, one in items.items()} == {
        "coupon-SUMMER10-s1": [{"id": "1"}],
        "coupon-SUMMER10-s2": [{"id": "2"}],
        "coupon-SPRING5": [{"id": "1"}],
        "coupon-SPRING5-s2": [{"id": "2"}],
    }, "what an earlier version made is used on, by the subsidiary that it is of"
    for side, names in (
        ("inc", ("coupon-SUMMER10-s1", "coupon-SPRING5")),
        ("gmbh", ("coupon-SUMMER10-s2", "coupon-SPRING5-s2")),
    ):
        lines = played.record(played.ids[side])["item"]["items"]
        discounts = [(line["item"]["id"], line["amount"]) for line in lines if line["amount"] < 0]
        assert discounts == [(items[name]["id"], amount) for name, amount in zip(names, (-10, -5), strict=True)]


def test_a_client_of_both_is_each_subsidiarys_own_customer(played: Played) -> None:
    assert played.record(played.ids["inc"])["entity"]["id"] == "501"
    assert played.record(played.ids["gmbh"])["entity"]["id"] == "502"


def test_a_client_of_one_side_becomes_a_customer_of_that_subsidiary(played: Played) -> None:
    customers = {str(one["id"]): one for one in played.netsuite.records("customer")}
    for side, subsidiary in (("inc", "1"), ("gmbh", "2")):
        made = customers[played.record(played.ids[f"{side} alone"])["entity"]["id"]]
        assert made["subsidiary"]["id"] == subsidiary


def test_a_customer_of_the_other_subsidiary_is_held_by_name_and_nothing_is_written(played: Played) -> None:
    with played.gmbh.at_work():
        assert played.gmbh.held() == {played.ids["taken"]: "invalid_subsidiary"}
    assert played.ids["taken"] not in {one["externalId"] for one in played.gmbh.transactions()}


def test_whoever_corrects_the_customer_and_redrives_has_it_settled(played: Played) -> None:
    with played.gmbh.at_work():
        stripe, invoice = played.gmbh.stripe, played.ids["taken"]
        customer = stripe.invoice(invoice)["customer"]
        stripe.as_person("POST", f"/v1/customers/{customer}", {"metadata": {"netsuite_customer_id": "502"}})
        played.gmbh.redrive(played.gmbh.runs(invoice)[-1])
        assert played.gmbh.held() == {}
    assert played.record(invoice)["entity"]["id"] == "502"


def test_an_order_of_the_other_subsidiary_is_held_before_netsuite_saves_anything(played: Played) -> None:
    with played.inc.at_work():
        assert played.inc.held() == {played.ids["order"]: "invalid_subsidiary"}
    assert not [one for one in played.inc.transactions() if one["externalId"].startswith(played.ids["order"])]
    assert played.netsuite.orders()["SO-2"].status == "F"


def test_neither_proof_sees_the_others_books(played: Played) -> None:
    for side in (played.inc, played.gmbh):
        with side.at_work():
            proof = side.prove("2026-06-01")
            held = {("waiting", root) for root in side.held()}
        assert {(one["kind"], one["root"]) for one in proof["differences"]} == held
        assert [one for one in proof["equations"] if one["difference"]] == []


def test_an_order_that_a_stack_leaves_to_another_stays_in_its_report_until_it_is_billed() -> None:
    """Listed in May and not billable, left out since June by the parameter, listed again without it in July."""
    firm = {
        "subsidiaries": [{"name": INC, "currency": "USD"}, {"name": GMBH, "currency": "USD"}],
        "customers": [
            {"number": "C-1", "name": "Alder Inc", "email": "ap@alder.example", "subsidiary": INC},
            {"number": "C-2", "name": "Birke GmbH", "subsidiary": GMBH},
        ],
    }
    with small_firm([order("SO-1", 2), order("SO-2", 3, client="C-2")], firm) as world:
        reports = []
        for number, subsidiaries in enumerate(("", "1", "")):
            world.deploy(Subsidiaries=subsidiaries)
            reports.append(month(world, number)[1])
        mail = [one.text for one in world.mails if one.to == "owner@firm.example"][1]
    fates = [{line["orders"][0]: line["fate"] for line in report["lines"]} for report in reports]
    assert fates == [
        {"SO-1": "drafted", "SO-2": "problem"},
        {"SO-1": "skipped"},
        {"SO-1": "skipped", "SO-2": "problem"},
    ]
    assert [[one["numbers"] for one in report["of_others"]] for report in reports] == [[], [["SO-2"]], []]
    assert [[one["number"] for one in report["outstanding"]] for report in reports] == [[], ["SO-2"], []]
    assert "Acme GmbH (id 2): 1 order, USD 300.00" in " ".join(mail.split())
