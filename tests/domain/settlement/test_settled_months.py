"""The month's report after the run: NetSuite's invoice of each order, and what of it was paid and deposited by now. The
amounts are added up by hand.
"""

from __future__ import annotations

import csv
import io
from datetime import date

import pytest

from billing.domain.settlement.books import Books
from billing.domain.settlement.reconciliation import index_of
from billing.domain.settlement.records import Hold
from billing.domain.settlement.settled_months import SettledOrder, settled_months
from billing.domain.settlement.sides import ProvenRoot
from billing.domain.settlement.stripe_objects import PayoutFacts
from billing.pages.settlement.month_csv import HEAD, month_csv
from tests.domain.settlement.booked import books_of, root_of, rows_of, without
from tests.domain.settlement.facts import drafted, note, order, paid, policies
from tests.domain.settlement.test_payouts import member, payout

MAY = {"billing_period": "2026-05", "netsuite_so_number": "SO-500,SO-501"}
# 100.00 and 50.00; 120.00 was paid, oldest order first, and paid out.
GROUPED = drafted(
    order("500", ("item", 10000)),
    order("501", ("item", 5000)),
    metadata=MAY,
    amount_paid=12000,
    amount_remaining=3000,
    payments=(paid(12000),),
)
# 80.00, of which 10.00 was credited at once; nobody has paid.
CREDITED = drafted(
    order("502", ("item", 8000)),
    id="in_2",
    metadata={**MAY, "netsuite_so_number": "SO-502"},
    amount_due=7000,
    amount_remaining=7000,
    credit_notes=(note(pre=1000),),
)
DRAFT = drafted(
    order("503", ("item", 700)),
    id="in_3",
    status="draft",
    finalized_at=None,
    metadata={**MAY, "netsuite_so_number": "SO-503"},
)
APRIL = drafted(order("400", ("item", 900)), id="in_4", metadata={**MAY, "billing_period": "2026-04"})
BY_HAND = drafted(order("401", ("item", 900)), id="in_5", metadata={})
PAID_OUT = PayoutFacts(payout(11622), (member("charge", 12000, 378, id="txn_1", charge="ch_1"),))
AT_ONCE = policies(prepayment_credit_notes="at_once")
SINCE = date(2026, 5, 1)


def roots() -> tuple[ProvenRoot, ...]:
    return tuple(root_of(one, AT_ONCE) for one in (GROUPED, CREDITED, DRAFT, APRIL, BY_HAND, PAID_OUT))


def months(books: Books | None = None, of: tuple[ProvenRoot, ...] | None = None) -> dict[str, list[SettledOrder]]:
    chosen = of or roots()
    index = index_of(chosen, books or books_of(chosen, AT_ONCE), rows_of(chosen), AT_ONCE)
    return {period: list(orders) for period, orders in settled_months(chosen, index, SINCE).items()}


def test_each_order_has_netsuites_invoice_and_what_was_credited_paid_due_and_deposited() -> None:
    found = {one.orders: one for one in months()["2026-05"]}
    amounts = {
        name: (one.amount, one.credited, one.paid, one.due, one.deposited, one.deposits) for name, one in found.items()
    }
    assert amounts == {
        "SO-500": (10000, 0, 10000, 0, 10000, ("po_1",)),
        "SO-501": (5000, 0, 2000, 3000, 2000, ("po_1",)),
        "SO-502": (8000, 1000, 0, 7000, 0, ()),
        "SO-503": (700, 0, 0, 0, 0, ()),
    }
    assert all(found[name].netsuite_invoice for name in ("SO-500", "SO-501", "SO-502"))
    assert (found["SO-503"].status, found["SO-503"].netsuite_invoice) == ("draft", "")


def test_only_months_that_were_read_whole_and_invoices_of_the_run_are_there() -> None:
    assert list(months()) == ["2026-05"]


@pytest.mark.parametrize("gone", ["po_1", "ch_1", "in_1-so501"])
def test_it_says_what_netsuite_holds_and_not_what_it_should_hold(gone: str) -> None:
    books = without(books_of(roots(), AT_ONCE), gone)
    found = {one.orders: one for one in months(books)["2026-05"]}
    if gone == "in_1-so501":
        assert (found["SO-501"].netsuite_invoice, found["SO-501"].paid) == ("", 0)
    else:
        assert found["SO-500"].deposited == 0
        assert found["SO-500"].paid == (10000 if gone == "po_1" else 0)


def test_what_waits_is_named() -> None:
    held = root_of(GROUPED, AT_ONCE, bell=Hold("order_and_invoice_differ", "…"))
    (one, two) = months(of=(held,))["2026-05"]
    assert (one.waits, two.waits) == ("order_and_invoice_differ", "order_and_invoice_differ")


def test_the_file_is_a_table_in_major_units() -> None:
    text = month_csv(months()["2026-05"]).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert tuple(rows[0]) == HEAD
    assert [rows[1][name] for name in ("Sales order", "Amount", "Paid", "Due", "Deposited", "Deposits")] == [
        *("SO-501", "50.00", "20.00", "30.00", "20.00"),
        "po_1",
    ]
