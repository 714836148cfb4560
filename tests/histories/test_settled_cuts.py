"""Every write of the settlement, cut at each point: before it is sent, after it was done and before anybody heard, and
after the answer. The process dies there; the state machine (or the queue) tries again, and NetSuite holds each record
once, with the same amounts.

The write points are counted from the calls that the functions make, and must be those that are listed here: a new one
fails until it is listed.
"""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from tests.histories.machine import Killed
from tests.histories.settled_firm import settled_firm
from tests.histories.settling import SettlingWorld
from tests.histories.small_firm import month, order
from tests.histories.world import Kill
from tests.sandbox.stripe import InvoiceLine

WRITES = {
    # AWS: our rows and files, the queue, executions
    "update_item", "put_item", "batch_write_item", "put_object", "send_message", "start_execution",
}  # fmt: skip
NOT_OURS = re.compile(r"^POST .*(oauth2|suiteql|create-form|expandSubResources)")
POINTS = {
    ("RingTheBellsFunction", "update_item"),
    ("RingTheBellsFunction", "start_execution"),
    ("ReadTheStripeObjectFunction", "update_item"),
    ("ReadTheStripeObjectFunction", "put_object"),
    ("ReadTheStripeObjectFunction", "batch_write_item"),
    ("FindTheCustomerFunction", "POST customer"),
    ("FindTheCustomerFunction", "PATCH customer"),
    ("FindTheCustomerFunction", "put_item"),
    ("FindTheCustomerFunction", "update_item"),
    ("FindTheItemsFunction", "POST serviceSaleItem"),
    ("FindTheItemsFunction", "POST discountItem"),
    ("FindTheItemsFunction", "put_item"),
    ("FindTheItemsFunction", "update_item"),
    ("WriteTheInvoicesFunction", "POST invoice"),
    ("WriteTheInvoicesFunction", "POST salesOrder"),
    ("WriteTheInvoicesFunction", "update_item"),
    ("WriteTheInvoicesFunction", "put_item"),
    ("WriteTheCreditsFunction", "POST creditMemo"),
    ("WriteTheCreditsFunction", "PATCH creditMemo"),
    ("WriteTheCreditsFunction", "update_item"),
    ("WriteThePaymentsFunction", "POST customerPayment"),
    ("WriteThePaymentsFunction", "PATCH customerPayment"),
    ("WriteThePaymentsFunction", "update_item"),
    ("WriteTheRefundsFunction", "POST customerRefund"),
    ("WriteTheRefundsFunction", "update_item"),
    ("WriteTheDepositFunction", "POST deposit"),
    ("WriteTheDepositFunction", "update_item"),
    ("WriteBackToStripeFunction", "POST invoices"),
    ("WriteBackToStripeFunction", "POST charges"),
    ("WriteBackToStripeFunction", "POST credit_notes"),
    ("WriteBackToStripeFunction", "POST refunds"),
    ("WriteBackToStripeFunction", "POST payouts"),
    ("FinishThePassFunction", "send_message"),
    ("FinishThePassFunction", "batch_write_item"),
    ("FinishThePassFunction", "update_item"),
    ("HoldTheObjectFunction", "update_item"),
}
"""(function, write). Rows of one table are one point a function, struck at each of their writes in turn. Leases of
NetSuite's slots are among `update_item` of every function that calls NetSuite."""

WAYS_EACH = int(os.environ.get("CUTS_EACH", "1"))
ORDERS = 3 + WAYS_EACH
WAYS = ("before", "unheard", "after")


def write_of(call: str) -> str | None:
    """The name of a write among calls, None for a read, a login or a preview."""
    if call in WRITES:
        return call
    found = re.match(r"^(POST|PATCH|PUT|DELETE) (\S+)", call)
    if found is None or NOT_OURS.match(call):
        return None
    path = found[2].partition("?")[0]
    part = re.search(r"/record/v1/(\w+)|/v1/(\w+)", path)
    return f"{found[1]} {(part[1] or part[2]) if part else path}"


@dataclass
class Cut:
    """At the n-th call of this write by this function the process dies: before it is sent, when it was done and nobody
    has heard, or after the answer. Once."""

    point: tuple[str, str]
    at: int
    way: str
    calls: int = 0
    struck: bool = False

    def die(self) -> None:
        self.struck = True
        raise Killed


@dataclass
class Cuts(Kill):
    """Several, each of another function: a state is repeated after each."""

    world: Any = None
    cuts: Sequence[Cut] = ()

    def sending(self, call: str) -> None:
        """An HTTP request is about to be sent."""
        for cut in self._of(call):
            cut.calls += 1
            if cut.way == "before" and cut.calls == cut.at:
                cut.die()

    @contextmanager
    def around(self) -> Iterator[None]:
        call = self.world.calling
        over_http = " " in call
        mine = self._of(call)
        for cut in mine:
            cut.calls += not over_http
            if cut.calls == cut.at and cut.way == ("unheard" if over_http else "before"):
                cut.die()
        try:
            yield
        finally:  # a refusal is an answer too
            for cut in mine:
                if cut.calls == cut.at:
                    cut.die()

    def _of(self, call: str) -> list[Cut]:
        return [one for one in self.cuts if not one.struck and (self.world.function, write_of(call)) == one.point]


Story = Callable[[SettlingWorld, int], str]


def a_new_client_with_a_price_and_a_coupon(world: SettlingWorld, number: int) -> str:
    stripe = world.stripe
    buyer = stripe.create_customer(name=f"Cut {number} Inc", email=f"cut{number}@client.example")["id"]
    stripe.coupon(f"CUT {number}", percent_off=10)
    product = stripe.as_person("POST", "/v1/products", {"name": f"Plan {number}"})["id"]
    price = stripe.as_person(
        "POST", "/v1/prices", {"product": product, "currency": "usd", "unit_amount": 100_00}
    )["id"]  # fmt: skip
    return str(stripe.bill(buyer, [InvoiceLine(100_00, price=price, coupon=f"CUT {number}", subscription=True)])["id"])


def a_client_of_netsuites_whose_currency_is_new(world: SettlingWorld, number: int) -> str:
    email = f"euro{number}@client.example"
    world.netsuite.add_customer(
        {"number": f"E-{number}", "name": f"Euro {number} GmbH", "email": email, "currencies": ["USD"]}
    )
    buyer = world.stripe.create_customer(name=f"Euro {number} GmbH", email=email)["id"]
    return str(world.stripe.bill(buyer, [InvoiceLine(100_00)], "eur")["id"])


def sold(world: SettlingWorld, number: int) -> str:
    """An invoice over 100.00 of a client that is known by now."""
    buyer = world.stripe.create_customer(name=f"Known {number} Inc", email="ap@client1.example")["id"]
    return str(world.stripe.bill(buyer, [InvoiceLine(60_00), InvoiceLine(40_00)])["id"])


def paid_credited_and_refunded(world: SettlingWorld, number: int) -> str:
    invoice = sold(world, number)
    world.stripe.credit(invoice, 10_00)
    charge = world.stripe.pay(invoice)
    world.stripe.refund(charge, 20_00)
    return invoice


def a_memo_that_is_applied_later(world: SettlingWorld, number: int) -> str:
    invoice = sold(world, number)
    world.stripe.credit(invoice, 10_00)
    quietly(world)
    world.stripe.pay(invoice)
    return invoice


def a_payment_that_fails_later(world: SettlingWorld, number: int) -> str:
    invoice = sold(world, number)
    charge = world.stripe.pay(invoice, method="ach", fees=[])
    quietly(world)
    world.stripe.fail(charge)
    return invoice


def a_payout_that_was_waiting(world: SettlingWorld, number: int) -> str:
    invoice = sold(world, number)
    world.stripe.pay(invoice)
    events = world.new_events()
    payout = world.stripe.payout("usd")
    world.tell([*world.new_events(), *events])
    return str(payout["id"])


def an_order_of_ours(world: SettlingWorld, number: int) -> str:
    draft = next(one["id"] for one in world.stripe.invoices() if one["status"] == "draft")
    world.stripe.finalise(draft)
    return str(draft)


STORIES: tuple[Story, ...] = (
    a_new_client_with_a_price_and_a_coupon,
    a_client_of_netsuites_whose_currency_is_new,
    paid_credited_and_refunded,
    a_memo_that_is_applied_later,
    a_payment_that_fails_later,
    an_order_of_ours,
    a_payout_that_was_waiting,
)


def quietly(world: SettlingWorld) -> None:
    """Settle what has happened so far, with nobody dying or listening."""
    inside = world.world
    kill, heard = inside.kill, inside.heard
    inside.kill, inside.heard = None, lambda function, call: None
    world.settle()
    inside.kill, inside.heard = kill, heard


@pytest.fixture(scope="module")
def world() -> Iterator[SettlingWorld]:
    choices = 'prepayment_credit_notes = "when_paid"'
    orders = [order(f"SO-{place}", 5) for place in range(ORDERS)]
    with settled_firm(orders, choices) as opened:
        accounts = {str(one["acctName"]): str(one["id"]) for one in opened.netsuite.records("account")}
        text = opened.world.file_bytes("settlement/policies.toml").decode()
        own = f'prices = "per_price"\nincome_account = "{accounts["Services Revenue"]}"\n'
        own += f'discount_account = "{accounts["Sales Discounts"]}"\n'
        text = text.replace("[items]\n", f"[items]\n{own}")
        opened.world.aws.s3.put_object(Bucket="runs-bucket", Key="settlement/policies.toml", Body=text.encode())
        month(opened.world, 0)
        opened.settle()
        yield opened


def shape(world: SettlingWorld, roots: set[str]) -> list[tuple[str, ...]]:
    """What NetSuite holds of these roots: type, amount, what of it is applied."""
    found = []
    for root in roots:
        for one in world.records_of(root).values():
            total = one["payment"] if one["recordType"] == "customerPayment" else one["total"]
            applied = sum(
                Decimal(str(line["amount"])) for line in (one.get("apply") or {}).get("items", ()) if line.get("apply")
            )
            found.append((one["recordType"], str(total), str(applied), str(one.get("amountRemaining"))))
    return sorted(found)


def played(world: SettlingWorld, story: Story, number: int, cut: Kill | None = None) -> list[tuple[str, ...]]:
    """The story's records at its end; whatever rang is settled, and nothing waits."""
    if world.stripe.ledger().get("usd", {}).get("movements", 0) > 0:
        world.stripe.payout("usd")  # of the stories before
        quietly(world)
    before = set(world.bells())
    world.world.clock.pause(1_200)  # the accounting periods are read again after a quarter of an hour
    world.world.kill = cut
    story(world, number)
    world.settle()
    world.world.kill = None
    if world.parked():  # whoever rang and was never answered: the next night's sweep
        world.world.clock.pause(600)
        world.sweep()
        world.settle()
    assert world.held() == world.parked() == {}, (story.__name__, cut)
    return shape(world, set(world.bells()) - before)


def test_every_write_that_is_cut_is_repeated_and_leaves_one_record(world: SettlingWorld) -> None:
    seen: dict[tuple[str, str], tuple[Story, int]] = {}
    whole: dict[Story, list[tuple[str, ...]]] = {}
    number = 0
    for story in STORIES:
        counted: dict[tuple[str, str], int] = {}

        def hear(function: str, call: str, counted: dict[tuple[str, str], int] = counted) -> None:
            write = write_of(call)
            if write is not None and function != "SweepForEventsFunction":
                counted[function, write] = counted.get((function, write), 0) + 1

        number += 1
        world.world.heard = hear
        whole[story] = played(world, story, number)
        world.world.heard = lambda function, call: None
        for point, times in counted.items():
            seen.setdefault(point, (story, times))
    assert set(seen) == POINTS
    left = set(POINTS)
    for story in STORIES:
        points = sorted(point for point in POINTS if seen[point][0] is story)
        for turn in range(WAYS_EACH):
            of_function: dict[str, list[Cut]] = {}
            for place, point in enumerate(points):
                # One of its writes, another one for each point: rows before and after a record are both among them.
                cut = Cut(point, 1 + (place + turn) % seen[point][1], WAYS[(place + turn) % len(WAYS)])
                of_function.setdefault(point[0], []).append(cut)
            for together in itertools.zip_longest(*of_function.values()):
                number += 1
                cuts = [one for one in together if one is not None]
                kill = Cuts(0, after=False, whole_run=False, world=world.world, cuts=cuts)
                assert played(world, story, number, kill) == whole[story], cuts
                assert all(one.struck for one in cuts), cuts
                left -= {one.point for one in cuts}
    assert not left


def test_a_write_that_is_not_listed_is_seen() -> None:
    """What counts as a write is decided by the call, not by a list of functions."""
    assert write_of("POST /services/rest/record/v1/deposit") == "POST deposit"
    assert write_of("POST /services/rest/record/v1/salesOrder/7/!transform/invoice") == "POST salesOrder"
    assert write_of("POST /v1/invoices/in_1") == "POST invoices"
    assert write_of("DELETE /services/rest/record/v1/invoice/7") == "DELETE invoice"
    assert write_of("POST /services/rest/record/v1/deposit?expandSubResources=true") is None
    assert write_of("GET /v1/invoices/in_1") is None
