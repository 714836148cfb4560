"""The tax of an order of which part is billed is the tax of that part. Amounts worked out by hand."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain.invoices.billing_policy import BillingPolicy
from billing.domain.invoices.invoice_plan import plan_invoices
from billing.domain.orders.order_rows import read_orders
from tests.domain.suiteql_rows import Row, line, order

STANDARD, REDUCED, GROUP = "901", "902", "955"


def goods(number: int, amount: str, billed: str = "0", **columns: str | None) -> Row:
    return line(number, "Service", amount, quantity="10", quantitybilled=billed, **columns)


def tax(number: int, amount: str, code: str = STANDARD, rate: str | None = "20%") -> Row:
    return line(number, "TaxItem", amount, taxline="T", item=code, itemid=f"VAT-{code}", rate=rate)


def planned(rows: list[Row], **policy):
    return plan_invoices(read_orders(rows), BillingPolicy(**policy))


def taxes_of(rows: list[Row]) -> dict[str, int]:
    """Tax in minor units by code, of the one invoice that these rows give."""
    plans = planned(rows)
    assert plans.problems == ()
    (plan,) = plans.invoices
    return {each.tax.code: each.amount for each in plan.lines if each.tax is not None}


def test_goods_at_20_per_cent_that_are_billed_leave_only_the_5_per_cent_of_the_open_ones():
    """300.00 at 20 % is billed (60.00), 100.00 at 5 % is open (5.00). In proportion: 15.00 and 1.25."""
    rows = order(
        "465.00",
        goods(1, "300.00", billed="10"),
        goods(2, "100.00"),
        tax(3, "60.00"),
        tax(4, "5.00", REDUCED, "5%"),
    )
    assert taxes_of(rows) == {"VAT-902": 500}


def test_half_of_the_20_per_cent_goods_are_billed():
    """150.00 of 300.00 at 20 % (30.00) and 100.00 at 5 % (5.00) are open."""
    rows = order(
        "465.00", goods(1, "300.00", billed="5"), goods(2, "100.00"), tax(3, "60.00"), tax(4, "5.00", REDUCED, "5%")
    )
    assert taxes_of(rows) == {"VAT-901": 3000, "VAT-902": 500}


def test_a_closed_line_takes_its_own_tax_with_it():
    """Closed lines that are in the header's total: its 60.00 of tax is for nothing that is open."""
    rows = order(
        "465.00", goods(1, "300.00", isclosed="T"), goods(2, "100.00"), tax(3, "60.00"), tax(4, "5.00", REDUCED, "5%")
    )
    assert taxes_of(rows) == {"VAT-902": 500}


def test_one_rate_on_some_of_the_lines_only():
    """300.00 untaxed is billed, 100.00 at 20 % is open: 20.00, not a quarter of it."""
    rows = order("420.00", goods(1, "300.00", billed="10"), goods(2, "100.00"), tax(3, "20.00"))
    assert taxes_of(rows) == {"VAT-901": 2000}


def test_two_taxes_on_the_same_lines_each_follow_all_of_them():
    """GST 5 % and PST 7 % on 400.00; 100.00 of it is open: 5.00 and 7.00."""
    rows = order(
        "448.00",
        goods(1, "300.00", billed="10"),
        goods(2, "100.00"),
        tax(3, "20.00", "901", "5%"),
        tax(4, "28.00", "902", "7%"),
    )
    assert taxes_of(rows) == {"VAT-901": 500, "VAT-902": 700}


def test_tax_that_was_rounded_line_by_line_is_recognised():
    """Three lines of 0.33 at 10 %: 0.03 each are 0.09, of the sum it would be 0.10. Untaxed 5.00 is billed."""
    rows = order(
        "6.08",
        goods(1, "0.33"),
        goods(2, "0.33"),
        goods(3, "0.33"),
        goods(4, "5.00", billed="10"),
        tax(5, "0.09", rate="10%"),
    )
    assert taxes_of(rows) == {"VAT-901": 9}


def test_shipping_is_taxed_with_the_goods_that_it_goes_with():
    """10 % on 300.00 + 100.00 + 40.00 shipping = 44.00. 100.00 is open and with it 10.00 of shipping: 11.00."""
    rows = order(
        "484.00",
        goods(1, "300.00", billed="10"),
        goods(2, "100.00"),
        line(3, "ShipItem", "40.00"),
        tax(4, "44.00", rate="10%"),
    )
    assert taxes_of(rows) == {"VAT-901": 1100}


@pytest.mark.parametrize("rate", ["0.2", "20", "20.0%"])
def test_a_rate_is_read_as_per_cent_or_as_a_fraction(rate):
    rows = order(
        "465.00",
        goods(1, "300.00", billed="10"),
        goods(2, "100.00"),
        tax(3, "60.00", rate=rate),
        tax(4, "5.00", REDUCED, "5%"),
    )
    assert taxes_of(rows) == {"VAT-902": 500}


# NetSuite's own word on each line.


def test_the_lines_codes_decide_where_the_amounts_do_not():
    """Two lines of 100.00, one at 20 % and one at 5 %: only the code says which. The one at 5 % is billed."""
    rows = order(
        "225.00",
        goods(1, "100.00", billed="10", linetaxcode=REDUCED),
        goods(2, "100.00", linetaxcode=STANDARD),
        tax(3, "20.00"),
        tax(4, "5.00", REDUCED, "5%"),
    )
    assert taxes_of(rows) == {"VAT-901": 2000}


def test_the_lines_codes_decide_where_the_tax_has_no_rate_and_was_typed_in_by_hand():
    """19.90 of tax on the standard lines, of which 100.00 of 200.00 is open: 9.95."""
    rows = order(
        "324.90",
        goods(1, "100.00", billed="10", linetaxcode=STANDARD),
        goods(2, "100.00", linetaxcode=STANDARD),
        goods(3, "100.00", linetaxcode=REDUCED),
        tax(4, "19.90", rate=None),
        tax(5, "5.00", REDUCED, rate=None),
    )
    assert taxes_of(rows) == {"VAT-901": 995, "VAT-902": 500}


def test_the_lines_rates_decide_where_the_account_shows_no_code():
    rows = order(
        "225.00",
        goods(1, "100.00", billed="10", linetaxrate="5"),
        goods(2, "100.00", linetaxrate="20%"),
        tax(3, "20.00"),
        tax(4, "5.00", REDUCED, "5%"),
    )
    assert taxes_of(rows) == {"VAT-901": 2000}


def test_the_tax_lines_of_a_tax_group_are_on_the_lines_with_the_groups_code():
    """State 4 % and county 4.875 % on 100.00 open and 300.00 billed; 500.00 without tax is billed too."""
    rows = order(
        "935.50",
        goods(1, "300.00", billed="10", linetaxcode=GROUP),
        goods(2, "100.00", linetaxcode=GROUP),
        goods(3, "500.00", billed="10"),
        tax(4, "16.00", "901", "4%"),
        tax(5, "19.50", "902", "4.875%"),
    )
    assert taxes_of(rows) == {"VAT-901": 400, "VAT-902": 488}


def test_a_discount_takes_its_share_of_the_tax_of_the_line_above_it():
    """300.00 less 30.00 at 20 % is 54.00, and is billed; 100.00 at 5 % is open."""
    rows = order(
        "429.00",
        goods(1, "300.00", billed="10"),
        line(2, "Discount", "-30.00", rate="-10.0%"),
        goods(3, "100.00"),
        tax(4, "54.00"),
        tax(5, "5.00", REDUCED, "5%"),
    )
    assert taxes_of(rows) == {"VAT-902": 500}


# Nobody guesses.


def test_two_lines_of_one_amount_and_two_rates_are_held_with_what_to_do():
    rows = order(
        "225.00", goods(1, "100.00", billed="10"), goods(2, "100.00"), tax(3, "20.00"), tax(4, "5.00", REDUCED, "5%")
    )
    plans = planned(rows)
    assert plans.invoices == ()
    (problem,) = plans.problems
    assert problem.reason_code == "tax_base_unknown"
    assert "VAT-901 of 20.00 USD, VAT-902 of 5.00 USD" in problem.message
    assert planned(rows, tax="none").problems == ()


def test_the_same_lines_need_no_answer_while_they_are_open_by_the_same_part():
    """Half of each: half of each tax, whichever line it is on."""
    rows = order(
        "225.00",
        goods(1, "100.00", billed="5"),
        goods(2, "100.00", billed="5"),
        tax(3, "20.00"),
        tax(4, "5.00", REDUCED, "5%"),
    )
    assert taxes_of(rows) == {"VAT-901": 1000, "VAT-902": 250}


def test_two_taxes_of_which_one_fits_nothing_are_held():
    rows = order(
        "467.00",
        goods(1, "300.00", billed="10"),
        goods(2, "100.00"),
        tax(3, "62.00"),
        tax(4, "5.00", REDUCED, "5%"),
    )
    (problem,) = planned(rows).problems
    assert problem.reason_code == "tax_base_unknown"
    assert "VAT-901" in problem.message
    assert "VAT-902" not in problem.message


def test_a_single_tax_without_a_rate_follows_the_net_amount_and_says_so():
    rows = order("440.00", goods(1, "300.00", billed="10"), goods(2, "100.00"), tax(3, "40.00", rate=None))
    plans = planned(rows)
    assert [(each.kind, each.amount) for each in plans.invoices[0].lines] == [("item", 10000), ("tax", 1000)]
    assert "shared_in_proportion" in {each.code for each in plans.invoices[0].warnings}


def test_an_order_of_a_hundred_lines_and_two_rates_without_codes_is_held_and_not_searched_for_ever():
    lines = [goods(number, f"{number}.01", billed="10" if number % 2 else "0") for number in range(1, 101)]
    total = sum((Decimal(f"{number}.01") for number in range(1, 101)), Decimal(0))
    rows = order(f"{total + 400 + 100}", *lines, tax(101, "400.00"), tax(102, "100.00", REDUCED, "5%"))
    (problem,) = planned(rows).problems
    assert problem.reason_code == "tax_base_unknown"


@given(
    amounts=st.lists(st.integers(1, 10**6), min_size=1, max_size=8),
    billed=st.lists(st.integers(0, 10), min_size=8, max_size=8),
    reduced=st.lists(st.booleans(), min_size=8, max_size=8),
)
def test_what_is_billed_of_a_tax_in_turns_is_the_tax(amounts, billed, reduced):
    """With codes, the tax of the open part and the tax of the rest are the whole tax, and never below nothing."""
    codes = [REDUCED if one else STANDARD for one in reduced]
    rates = {STANDARD: Decimal("0.20"), REDUCED: Decimal("0.05")}
    whole = {
        code: (sum(Decimal(a) for a, c in zip(amounts, codes, strict=False) if c == code) * rate).quantize(
            Decimal(1), ROUND_HALF_UP
        )
        for code, rate in rates.items()
    }
    lines = [
        goods(number, f"{Decimal(a) / 100:f}", billed=str(b), linetaxcode=c)
        for number, (a, b, c) in enumerate(zip(amounts, billed, codes, strict=False), 1)
    ]
    taxes = [tax(90 + at, f"{whole[code] / 100:f}", code, None) for at, code in enumerate(rates)]
    total = (Decimal(sum(amounts)) + sum(whole.values())) / 100
    plans = planned(order(f"{total:f}", *lines, *taxes))
    for plan in plans.invoices:
        for each in plan.lines:
            if each.tax is not None:
                open_net = sum(
                    (
                        Decimal(a) * (10 - b) / 10
                        for a, b, c in zip(amounts, billed, codes, strict=False)
                        if f"VAT-{c}" == each.tax.code
                    ),
                    Decimal(0),
                )
                rate = rates[each.tax.code.removeprefix("VAT-")]
                assert abs(Decimal(each.amount) - open_net * rate) <= 1
