"""What we drafted and what was billed in NetSuite stand on the same line, and each hour counts once.

Every case is a small history with books of its own: hours that were ordered, hours that were drafted and hours that
were billed in NetSuite, which of these are the same, and what a person would say is left. The ledger's records are
written as drafting writes them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain.invoices.billing_policy import BillingPolicy
from billing.domain.ledger.billing_state import Done, Held, State, ToBill
from billing.domain.ledger.ledger import BilledInvoice, EntryState, LedgerEntry, OrderRecord
from billing.domain.ledger.still_to_bill import still_to_bill
from billing.domain.orders.order_rows import read_orders
from billing.domain.orders.sales_order import Problem
from tests.domain.suiteql_rows import Row, line, order

ONE_HOUR = 100_00


@dataclass
class Firm:
    """One order of hours at `price`, our ledger's record of it, and what was billed in NetSuite."""

    ordered: Decimal
    price: int = 100
    in_netsuite: Decimal = Decimal(0)
    closed: bool = False
    old: bool = False
    record: OrderRecord | None = None
    removed: set[str] = field(default_factory=set)
    entries: dict[str, LedgerEntry] = field(default_factory=dict)
    other_lines: list[Row] = field(default_factory=list)

    def rows(self) -> list[Row]:
        hours = line(
            1,
            "Service",
            f"{self.ordered * self.price:.2f}",
            quantity=f"{self.ordered:f}",
            quantitybilled=f"{self.in_netsuite:f}",
            isclosed="T" if self.closed else "F",
        )
        every = [hours, *self.other_lines]
        total = -sum(Decimal(row["foreignamount"]) for row in every)
        return order(f"{total:.2f}", *every)

    def look(self) -> State | Problem:
        """What a run makes of the order."""
        records = {self.record.order_id: self.record} if self.record else {}
        planned = still_to_bill(read_orders(self.rows()), BillingPolicy(), records, self.entries, self.removed)
        (found,) = (*planned.states, *planned.problems)
        return found

    def draft(self) -> int:
        """A run drafts what is to bill. Answers minor units: 0 if there is nothing, and raises if it is held."""
        found = self.look()
        if isinstance(found, Done):
            return 0
        assert isinstance(found, ToBill), found
        before = dict(self.record.billed) if self.record else {}
        for invoice_id in found.replaces:
            del before[invoice_id]
        plan = found.plan
        invoice_id = f"in_{len(self.entries) + 1}"
        noted = None if self.old else dict(found.link.netsuite_billed or ())
        lines = tuple((one.id, one.quantity, one.amount, one.description) for one in plan.lines)
        self.record = OrderRecord(
            "500",
            found.link.order_hash,
            found.link.version + 1,
            plan.client.netsuite_id,
            plan.currency,
            {**before, invoice_id: BilledInvoice(plan.key, lines, noted)},
        )
        self.entries[plan.key] = LedgerEntry(
            plan.key, EntryState.DRAFTED, "h", "run-1", "2026-05", 1, "2026-06-01", invoice_id=invoice_id
        )
        return plan.total

    def bill_in_netsuite(self, hours: str | Decimal) -> None:
        self.in_netsuite += Decimal(hours)

    def extend(self, to: str | Decimal) -> None:
        self.ordered = Decimal(to)


def firm(hours: str, **more: object) -> Firm:
    return Firm(Decimal(hours), **more)  # type: ignore[arg-type]


def held(found: State | Problem, *numbers: str) -> None:
    """Held, with all these numbers in its reason."""
    assert isinstance(found, Held), found
    for number in numbers:
        assert number in found.reason, (number, found.reason)


# By name -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("extended", "more"), [("15", 5), ("20", 10), ("25", 15)])
def test_ten_hours_drafted_and_billed_in_netsuite_and_then_extended_bill_the_extension(
    extended: str, more: int
) -> None:
    it = firm("10")
    assert it.draft() == 10 * ONE_HOUR
    it.bill_in_netsuite("10")
    it.extend(extended)
    assert it.draft() == more * ONE_HOUR
    assert it.draft() == 0


def test_extended_first_and_then_billed_in_netsuite_is_the_same() -> None:
    it = firm("10")
    it.draft()
    it.extend("20")
    it.bill_in_netsuite("10")
    assert it.draft() == 10 * ONE_HOUR


def test_what_netsuite_billed_before_our_draft_is_additional_to_it() -> None:
    it = firm("10", in_netsuite=Decimal(4))
    assert it.draft() == 6 * ONE_HOUR
    assert it.draft() == 0
    it.extend("20")
    assert it.draft() == 10 * ONE_HOUR


def test_both_in_either_order() -> None:
    it = firm("10", in_netsuite=Decimal(4))
    it.draft()
    it.bill_in_netsuite("6")  # what we drafted
    it.bill_in_netsuite("3")  # of what comes now, before we see it
    it.extend("20")
    assert it.draft() == 7 * ONE_HOUR
    it.bill_in_netsuite("7")
    assert it.in_netsuite == it.ordered
    assert it.draft() == 0


def test_our_own_settlement_of_every_draft_leaves_nothing_to_bill_and_nothing_to_hold() -> None:
    it = firm("10")
    for to in ("10", "15", "22.5"):
        it.extend(to)
        it.bill_in_netsuite(it.draft() / Decimal(ONE_HOUR))
    assert it.in_netsuite == Decimal("22.5")
    assert isinstance(it.look(), Done)


@pytest.mark.parametrize("billed", ["0", "4", "10"])
def test_reduced_below_what_was_drafted_is_held_with_both_numbers(billed: str) -> None:
    it = firm("10")
    it.draft()
    it.bill_in_netsuite(billed)
    it.extend("6")
    numbers = () if billed == "0" else ("6 ordered", f"{billed} billed in NetSuite", "10 drafted by us")
    held(it.look(), "in_1", *numbers)


@pytest.mark.parametrize("billed", ["0", "4", "10"])
def test_another_price_is_held_with_both_numbers(billed: str) -> None:
    it = firm("10")
    it.draft()
    it.bill_in_netsuite(billed)
    it.price = 120
    numbers = () if billed == "0" else (f"{billed} billed in NetSuite", "10 drafted by us")
    held(it.look(), "1,000.00 USD", "1,200.00 USD", *numbers)


def test_a_line_closed_after_netsuite_billed_what_we_drafted_is_done() -> None:
    it = firm("10")
    it.draft()
    it.bill_in_netsuite("10")
    it.extend("20")
    it.closed = True
    it.other_lines = [line(2, "Service", "50.00", quantity="1", quantitybilled="0")]
    assert it.draft() == 50_00


def test_a_line_closed_while_our_draft_of_it_waits_is_held() -> None:
    it = firm("10")
    it.other_lines = [line(2, "Service", "50.00", quantity="1", quantitybilled="0")]
    it.draft()
    it.closed = True
    held(it.look(), "in_1", "1,000.00 USD")
    it.bill_in_netsuite("4")
    held(it.look(), "4 billed in NetSuite", "10 drafted by us")


def test_a_deleted_draft_whose_hours_netsuite_billed_is_not_billed_again() -> None:
    it = firm("10")
    it.draft()
    it.bill_in_netsuite("4")
    it.removed = {"in_1"}
    assert it.draft() == 6 * ONE_HOUR


def test_of_two_drafts_one_of_which_is_gone_nobody_can_say_which_netsuite_billed() -> None:
    it = firm("10")
    it.draft()
    it.extend("15")
    it.draft()
    it.bill_in_netsuite("10")
    it.removed = {"in_1"}
    held(it.look(), "15 ordered", "10 billed in NetSuite", "5 drafted by us")


def test_a_netsuite_invoice_that_was_deleted_again_leaves_it_to_a_person_where_it_could_be_either() -> None:
    it = firm("20", in_netsuite=Decimal(5))
    it.draft()
    it.bill_in_netsuite("5")
    it.bill_in_netsuite("-7")
    held(it.look(), "20 ordered", "3 billed in NetSuite", "15 drafted by us")


def test_a_fixed_price_that_we_drafted_is_ours_and_a_new_one_is_not_guessed_once_netsuite_has_billed() -> None:
    it = firm("10")
    it.other_lines = [line(2, "Service", "500.00")]
    assert it.draft() == 1500_00
    it.bill_in_netsuite("10")
    assert it.draft() == 0
    it.other_lines.append(line(3, "Service", "70.00"))
    found = it.look()
    assert isinstance(found, Problem)
    assert found.reason_code == "billed_part_unknown"


def test_a_discount_that_netsuite_billed_with_our_hours_is_not_taken_back() -> None:
    it = firm("10")
    it.other_lines = [line(7, "Discount", "-100.00", rate="-10%", transactiondiscount="T", quantity="1")]
    assert it.draft() == 900_00
    it.bill_in_netsuite("10")
    it.other_lines[0]["quantitybilled"] = "1"
    assert it.draft() == 0


# What an older version drafted, without a note of what NetSuite had billed by then ------------------------------------


def test_of_an_older_version_with_nothing_billed_in_netsuite_everything_is_clear() -> None:
    it = firm("10", old=True)
    it.draft()
    assert it.draft() == 0
    it.extend("15")
    assert it.draft() == 5 * ONE_HOUR


@pytest.mark.parametrize("extended", ["10", "15", "20", "25"])
def test_of_an_older_version_what_netsuite_billed_may_be_either_and_is_held_with_both_numbers(extended: str) -> None:
    it = firm("10", old=True)
    it.draft()
    it.bill_in_netsuite("10")
    it.extend(extended)
    held(it.look(), f"{extended} ordered", "10 billed in NetSuite", "10 drafted by us")


def test_of_an_older_version_a_draft_that_a_settlement_billed_in_netsuite_is_certain() -> None:
    it = firm("10", old=True)
    it.draft()
    assert it.record is not None
    mirrored = {id_: replace(one, mirrored_as="9001") for id_, one in it.record.billed.items()}
    it.record = replace(it.record, billed=mirrored)
    it.bill_in_netsuite("10")
    assert it.draft() == 0
    it.extend("20")
    assert it.draft() == 10 * ONE_HOUR


# Every mixture -------------------------------------------------------------------------------------------------------

BEFORE = ("nothing", "part by a person")
AFTER = ("nothing", "part of ours", "all of ours", "ours and more")
THEN = ("nothing", "extended", "reduced", "repriced", "closed")


@pytest.mark.parametrize(("before", "after", "then"), list(product(BEFORE, AFTER, THEN)))
def test_every_mixture_bills_what_was_ordered_or_is_held_with_its_numbers(before: str, after: str, then: str) -> None:
    """Twelve hours. `before` is billed in NetSuite before our draft, `after` after it; the books say what is the same.

    In the end: hours that only NetSuite billed + hours that we drafted = hours ordered, or it is held.
    """
    first = Decimal(3 if before == "part by a person" else 0)
    it = firm("12", in_netsuite=first)
    ours = it.draft() / Decimal(ONE_HOUR)
    assert ours == 12 - first
    later = {"nothing": Decimal(0), "part of ours": Decimal(2), "all of ours": ours, "ours and more": ours + 1}[after]
    if after == "ours and more":
        it.extend("13")
    it.bill_in_netsuite(later)
    only_netsuite = first + (1 if after == "ours and more" else 0)
    if then == "extended":
        it.extend(it.ordered + 8)
    elif then == "reduced":
        it.extend(it.ordered - 2)
    elif then == "repriced":
        it.price = 130
    elif then == "closed":
        it.closed = True
        it.other_lines = [line(2, "Service", "1.00", quantity="1", quantitybilled="0")]
    found = it.look()
    drafted_more = Decimal(0)
    if isinstance(found, ToBill):
        drafted_more = it.draft() / Decimal(ONE_HOUR)
        assert it.draft() == 0
    elif isinstance(found, Held):
        assert "in_1" in found.reason
        if it.in_netsuite:
            assert f"{it.in_netsuite:f} billed in NetSuite, {ours:f} drafted by us" in found.reason
        assert then in ("reduced", "repriced", "closed")
        return
    else:
        assert isinstance(found, Done), found
    if then == "closed":
        # What is closed is not ordered any more: NetSuite billed all that we drafted, and only the other line is new.
        assert later >= ours
        assert drafted_more == Decimal("0.01")
    else:
        assert then not in ("reduced", "repriced")
        assert only_netsuite + ours + drafted_more == it.ordered


@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["draft", "mirror", "person", "extend"]), st.integers(1, 40)), min_size=1, max_size=12
    )
)
def test_in_any_history_of_more_work_the_hours_billed_are_the_hours_ordered(steps: list[tuple[str, int]]) -> None:
    """A person in NetSuite bills what we drafted before anything else, as an accountant works through the list."""
    it = firm("5")
    ours = same = own = Decimal(0)
    for what, size in steps:
        hours = Decimal(size) / 4
        if what == "draft":
            ours += it.draft() / Decimal(ONE_HOUR)
        elif what == "mirror":
            hours = min(hours, ours - same)
            it.bill_in_netsuite(hours)
            same += hours
        elif what == "person":
            hours = min(hours, it.ordered - it.in_netsuite)
            it.bill_in_netsuite(hours)
            onto_ours = min(hours, ours - same)
            same, own = same + onto_ours, own + hours - onto_ours
            assert ours + own <= it.ordered
        else:
            it.extend(it.ordered + hours)
    ours += it.draft() / Decimal(ONE_HOUR) if it.in_netsuite < it.ordered else 0
    assert ours + own == it.ordered
