"""Every state that a Stripe invoice or charge can be in, and the records that NetSuite must hold then. Amounts are
worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from billing.domain.settlement.stripe_objects import (
    ChargeFacts,
    CreditNoteLine,
    Discount,
    InvoicePayment,
    Tax,
)
from tests.domain.settlement.facts import (
    OUTSIDE,
    at,
    charge,
    dispute,
    drafted,
    facts,
    held,
    invoice,
    items,
    line,
    movement,
    note,
    order,
    paid,
    plan_of,
    policies,
    record,
    refund,
    used,
    written,
)

INVOICE = "invoice in_1 10000 usd 2026-06-01"


# The invoice itself.


def test_finalised_above_zero_has_a_line_for_each_line_discount_shipping_and_tax() -> None:
    coupon = Discount(500, "di_1", "SPRING 10%")
    sales_tax = Tax(855, 9500, False, "txr_ny")
    lines = [line(9500 + 500, discounts=(coupon,), taxes=(sales_tax,))]
    of = facts(invoice(10000 - 500 + 855 + 1000, shipping=1000), lines)
    policy = replace(policies(tax__mode="item_lines"), tax_items={"txr_ny": "110"})
    plan = plan_of(of, policy)
    assert items(plan, "in_1") == [
        ("price", "price_1", 10000),
        ("discount", "SPRING 10%", -500),
        ("shipping", "", 1000),
        ("tax", "txr_ny", 855),
    ]
    assert record(plan, "in_1").amount == 11355


@pytest.mark.parametrize("mode", ["item_lines", "suitetax"])
@pytest.mark.parametrize("inclusive", [True, False])
def test_tax_inclusive_and_exclusive_as_item_lines_and_as_suitetax(mode: str, inclusive: bool) -> None:
    """119.00 with 19.00 of tax inside, or 100.00 with 19.00 on top: goods of 100.00 and tax of 19.00 either way."""
    tax = Tax(1900, 10000, inclusive, "txr_de")
    of = facts(invoice(11900), [line(11900 if inclusive else 10000, taxes=(tax,))])
    policy = replace(policies(tax__mode=mode), tax_items={"txr_de": "110"}, tax_codes={"txr_de": "7"})
    plan = plan_of(of, policy)
    assert items(plan, "in_1") == [("price", "price_1", 10000), ("tax", "txr_de", 1900)]
    taxed = record(plan, "in_1").lines[1]
    assert (taxed.taxable, taxed.stripe_line) == (10000, "il_1" if mode == "suitetax" else "")
    assert taxed.item.item_id == ("110" if mode == "item_lines" else "")


def test_tax_that_the_policy_has_no_place_for_is_held_by_its_rate() -> None:
    of = facts(invoice(10855), [line(10000, taxes=(Tax(855, 10000, False, "txr_ny"),))])
    for policy in (policies(), policies(tax__mode="item_lines"), policies(tax__mode="suitetax")):
        plan = plan_of(of, policy)
        assert (written(plan), held(plan)) == ([], ["tax_not_mapped"])
        assert "txr_ny" in plan.holds[0].reason


def test_a_tax_is_found_by_its_rate_then_its_jurisdiction_then_its_country() -> None:
    policy = policies(tax__mode="item_lines")
    of = facts(invoice(10855), [line(10000, taxes=(Tax(855, 10000, False, "txr_1", "US", "NY"),))])
    for table in ({"US": "1"}, {"US": "2", "NY": "1"}, {"US": "2", "NY": "3", "txr_1": "1"}):
        taxed = record(plan_of(of, replace(policy, tax_items=table)), "in_1").lines[-1]
        assert taxed.item.item_id == "1"


def test_a_proration_is_a_line_below_zero_and_service_days_are_inclusive() -> None:
    lines = [
        line(10000, period=(at("2026-06-01", "00:00:00"), at("2026-07-01", "00:00:00"))),
        line(-2500, "il_2", proration=True, period=(at("2026-06-20", "00:00:00"), at("2026-06-30", "23:59:59"))),
        line(0, "il_3", period=(at("2026-06-20"), at("2026-06-20"))),
    ]
    made = record(plan_of(facts(invoice(7500), lines)), "in_1")
    assert [one.amount for one in made.lines] == [10000, -2500, 0]
    assert [one.rev_rec for one in made.lines] == [
        (date(2026, 6, 1), date(2026, 6, 30)),
        (date(2026, 6, 20), date(2026, 6, 30)),
        None,
    ]


def test_finalised_with_every_line_zero_is_by_policy() -> None:
    trial = facts(invoice(0), [line(0)])
    assert written(plan_of(trial)) == []
    assert "trial_invoices" in plan_of(trial).nothing_because
    assert written(plan_of(trial, policies(trial_invoices="sync"))) == ["invoice in_1 0 usd 2026-06-01"]


def test_finalised_at_zero_with_lines_that_cancel_out_is_an_invoice_of_zero_with_its_lines() -> None:
    plan = plan_of(facts(invoice(0), [line(5000), line(-5000, "il_2")]))
    assert written(plan) == ["invoice in_1 0 usd 2026-06-01"]
    assert items(plan, "in_1") == [("price", "price_1", 5000), ("price", "price_1", -5000)]


def test_finalised_below_zero_is_an_invoice_of_zero_or_an_unapplied_memo_by_policy() -> None:
    of = facts(invoice(-3000, ending_balance=-3000), [line(2000), line(-5000, "il_2")])
    plan = plan_of(of)
    assert written(plan) == ["invoice in_1 0 usd 2026-06-01"]
    assert [amount for _, _, amount in items(plan, "in_1")] == [0, 0]
    plan = plan_of(of, policies(negative_invoice="credit_memo", balance="when_funded"))
    assert written(plan) == ["creditMemo in_1-neg 3000 usd 2026-06-01"]
    assert [amount for _, _, amount in items(plan, "in_1-neg")] == [-2000, 5000]


def test_below_the_least_that_stripe_charges_is_nothing_but_an_order_of_ours_is_held() -> None:
    small = used(30, type="invoice_too_small")
    plan = plan_of(facts(invoice(30), balance=(small,)))
    assert (written(plan), held(plan)) == ([], [])
    assert "below what Stripe charges" in plan.nothing_because
    plan = plan_of(drafted(order("500", ("item", 30)), balance=(small,)))
    assert (written(plan), held(plan)) == ([], ["below_minimum_charge"])


def test_lines_that_do_not_add_up_are_held_with_both_sums() -> None:
    plan = plan_of(facts(invoice(10000), [line(9999)]))
    assert (written(plan), held(plan)) == ([], ["lines_do_not_add_up"])
    assert plan.holds[0].columns == (("total", "100.00 USD", "99.99 USD"),)


def test_an_invoice_in_yen_is_in_yen() -> None:
    assert written(plan_of(facts(invoice(5000, currency="jpy")))) == ["invoice in_1 5000 jpy 2026-06-01"]


# The customer's balance.


def test_credit_that_was_used_is_a_memo_applied_to_the_invoice_with_the_single_lines_item() -> None:
    of = facts(invoice(amount_due=7000, starting_balance=-3000), balance=(used(3000),), payments=(paid(7000),))
    plan = plan_of(of)
    assert written(plan) == [
        INVOICE,
        "creditMemo cbtxn_1 3000 usd 2026-06-01 -> in_1 3000",
        "customerPayment ch_1 7000 usd 2026-06-03 -> in_1 7000",
    ]
    assert items(plan, "cbtxn_1") == [("price", "price_1", 3000)]
    two = replace(of, lines=(line(6000), line(4000, "il_2")))
    assert items(plan_of(two), "cbtxn_1") == [("balance", "", 3000)]


def test_debt_that_was_collected_is_a_line_of_the_invoice() -> None:
    plan = plan_of(facts(invoice(10000, amount_due=12000, starting_balance=2000), payments=(paid(12000),)))
    assert written(plan) == [
        "invoice in_1 12000 usd 2026-06-01",
        "customerPayment ch_1 12000 usd 2026-06-03 -> in_1 12000",
    ]
    assert items(plan, "in_1") == [("price", "price_1", 10000), ("balance_debit", "", 2000)]


def test_debt_that_was_collected_with_an_order_is_an_invoice_of_its_own() -> None:
    of = drafted(order("500", ("item", 10000)), starting_balance=2000, amount_due=12000, payments=(paid(12000),))
    assert written(plan_of(of)) == [
        "invoice in_1-so500 10000 usd 2026-06-01",
        "invoice in_1-debit 2000 usd 2026-06-01",
        "customerPayment ch_1 12000 usd 2026-06-03 -> in_1-so500 10000, in_1-debit 2000",
    ]


def test_credit_of_an_overpayment_is_in_netsuite_already_and_a_person_applies_it() -> None:
    """20.00 were paid too much on in_0, 10.00 are a goodwill credit: of 25.00 used, only 5.00 are new to NetSuite."""
    history = (
        used(-2000, "cbtxn_a", "2026-05-01", type="invoice_overpaid", invoice="in_0"),
        used(-1000, "cbtxn_b", "2026-05-02", type="adjustment"),
        used(2500),
    )
    of = facts(invoice(amount_due=7500, starting_balance=-3000), balance=(used(2500),), balance_history=history)
    plan = plan_of(of)
    assert written(plan) == [INVOICE, "creditMemo cbtxn_1 500 usd 2026-06-01 -> in_1 500"]
    assert held(plan) == ["balance_credit_to_apply"]
    assert plan.holds[0].columns == (("in_0", "20.00 USD", "unapplied"),)


def test_credit_that_has_its_memo_since_it_was_given_is_applied_by_a_person() -> None:
    history = (used(-3000, "cbtxn_0", "2026-05-01", type="credit_note", credit_note="cn_9"), used(3000))
    of = facts(invoice(amount_due=7000, starting_balance=-3000), balance=(used(3000),), balance_history=history)
    plan = plan_of(of, policies(balance="when_funded"))
    assert (written(plan), held(plan)) == ([INVOICE], ["balance_credit_to_apply"])
    assert plan.holds[0].columns == (("cn_9", "30.00 USD", "unapplied"),)


# Payments.


def test_several_payments_are_applied_one_after_the_other() -> None:
    of = facts(invoice(amount_remaining=1000), payments=(paid(4000), paid(5000, "py_2", "2026-06-04")))
    assert written(plan_of(of)) == [
        INVOICE,
        "customerPayment ch_1 4000 usd 2026-06-03 -> in_1 4000",
        "customerPayment py_2 5000 usd 2026-06-04 -> in_1 5000",
    ]


def test_overpaid_keeps_the_rest_unapplied_on_the_payment() -> None:
    of = facts(invoice(status="paid", overpaid=2000), payments=(paid(12000),))
    expected = [INVOICE, "customerPayment ch_1 12000 usd 2026-06-03 -> in_1 10000"]
    assert written(plan_of(of)) == expected
    assert written(plan_of(of, policies(duplicate_payment="hold"))) == expected


def test_a_second_payment_of_a_paid_invoice_is_unapplied_or_held_by_policy() -> None:
    of = facts(payments=(paid(10000), paid(10000, "ch_2", "2026-06-04")))
    plan = plan_of(of)
    assert written(plan)[2] == "customerPayment ch_2 10000 usd 2026-06-04"
    assert held(plan) == []
    plan = plan_of(of, policies(duplicate_payment="hold"))
    assert (len(written(plan)), held(plan)) == (2, ["duplicate_payment"])


def test_paid_out_of_band_is_nothing_or_a_payment_that_never_sees_undeposited_funds() -> None:
    outside = InvoicePayment("prec_1", 10000, at("2026-06-05"), None)
    of = facts(invoice(status="paid", paid_off_stripe=10000), payments=(outside,))
    assert written(plan_of(of)) == [INVOICE]
    plan = plan_of(of, policies(out_of_band="payment_to_account"))
    assert written(plan) == [INVOICE, "customerPayment prec_1 10000 usd 2026-06-05 -> in_1 10000"]
    assert record(plan, "prec_1").account == OUTSIDE


def test_paid_out_of_band_is_on_the_account_of_its_currency() -> None:
    """A bank account of NetSuite's has one currency, and takes no payment in another."""
    given = policies(out_of_band="payment_to_account")
    euro = replace(given.currencies["eur"], out_of_band="24")
    given = replace(given, currencies={**given.currencies, "eur": euro})
    outside = InvoicePayment("prec_1", 10000, at("2026-06-05"), None)
    for currency, account in (("usd", OUTSIDE), ("eur", "24"), ("jpy", OUTSIDE)):
        of = facts(invoice(status="paid", paid_off_stripe=10000, currency=currency), payments=(outside,))
        given_back = note(post=4000, out_of_band=4000)
        plan = plan_of(replace(of, credit_notes=(given_back,)), given)
        accounts = {one.external_id: one.account for one in plan.records if one.account}
        assert accounts == {"prec_1": account, f"{given_back.id}-oob": account}


def test_a_debit_that_failed_later_and_was_paid_again_is_paid_by_the_second_alone() -> None:
    failed = paid(10000, "py_1", failed_later_at=at("2026-06-09"))
    of = facts(invoice(status="paid"), payments=(failed, paid(10000, "py_2", "2026-06-12")))
    assert written(plan_of(of)) == [
        INVOICE,
        "customerPayment py_1 10000 usd 2026-06-03",
        "customerPayment py_2 10000 usd 2026-06-12 -> in_1 10000",
        "customerRefund py_1-failed 10000 usd 2026-06-09 -> py_1 10000",
    ]


def test_one_charge_in_two_parts_is_one_payment() -> None:
    one = charge(10000)
    parts = (InvoicePayment("a", 4000, at("2026-06-03"), one), InvoicePayment("b", 6000, at("2026-06-03"), one))
    assert written(plan_of(facts(payments=parts)))[1:] == ["customerPayment ch_1 10000 usd 2026-06-03 -> in_1 10000"]


def test_a_charge_without_an_invoice_or_a_customer_is_the_fallback_customers() -> None:
    alone = ChargeFacts(charge(5000, customer=None, refunds=(refund(5000),)))
    plan = plan_of(alone)
    assert (written(plan), held(plan)) == ([], ["customer_missing"])
    plan = plan_of(alone, replace(policies(), fallback_customer="99"))
    assert [(one.external_id, one.netsuite_customer) for one in plan.records] == [("ch_1", "99"), ("re_1", "99")]


def test_a_charge_without_an_invoice_may_fail_later_or_be_disputed() -> None:
    failed = ChargeFacts(charge(5000, failed_later_at=at("2026-06-09")))
    assert written(plan_of(failed)) == [
        "customerPayment ch_1 5000 usd 2026-06-03",
        "customerRefund ch_1-failed 5000 usd 2026-06-09 -> ch_1 5000",
    ]
    won = dispute(5000, movement(-5000), movement(5000, "txn_2", "2026-07-20"))
    assert written(plan_of(ChargeFacts(charge(5000, disputes=(won,))), policies(disputes_won="payment"))) == [
        "customerPayment ch_1 5000 usd 2026-06-03",
        "customerPayment dp_1-won 5000 usd 2026-07-20",
        "customerRefund dp_1 5000 usd 2026-06-12 -> ch_1 5000",
    ]


def test_no_more_is_refunded_of_a_payment_than_it_brought() -> None:
    both = charge(5000, refunds=(refund(3000),), disputes=(dispute(5000, movement(-5000)),))
    plan = plan_of(ChargeFacts(both))
    assert written(plan)[1:] == ["customerRefund re_1 3000 usd 2026-06-10 -> ch_1 3000"]
    assert held(plan) == ["refunded_more_than_paid"]


# Credit notes and refunds.


def test_a_refund_that_a_credit_note_covers_is_applied_to_its_memo() -> None:
    of = facts(
        payments=(paid(10000, refunds=(refund(4000),)),), credit_notes=(note(post=4000, refunds=(("re_1", 4000),)),)
    )
    assert written(plan_of(of)) == [
        INVOICE,
        "creditMemo cn_1 4000 usd 2026-06-05",
        "customerPayment ch_1 10000 usd 2026-06-03 -> in_1 10000",
        "customerRefund re_1 4000 usd 2026-06-10 -> cn_1 4000",
    ]


def test_a_refund_that_a_credit_note_covers_in_part_has_a_memo_for_the_rest() -> None:
    of = facts(
        lines=[line(6000), line(4000, "il_2")],
        payments=(paid(10000, refunds=(refund(7000),)),),
        credit_notes=(note(post=4000, refunds=(("re_1", 4000),)),),
    )
    plan = plan_of(of)
    assert written(plan)[1:3] == ["creditMemo cn_1 4000 usd 2026-06-05", "creditMemo re_1-cm 3000 usd 2026-06-10"]
    assert written(plan)[-1] == "customerRefund re_1 7000 usd 2026-06-10 -> cn_1 4000, re_1-cm 3000"
    assert items(plan, "re_1-cm") == [("partial_refund", "", 3000)]


def test_a_refund_over_several_credit_notes_is_applied_to_each() -> None:
    notes = (
        note(post=4000, refunds=(("re_1", 4000),)),
        note(post=1000, id="cn_2", day="2026-06-06", refunds=(("re_1", 1000),)),
    )
    plan = plan_of(facts(payments=(paid(10000, refunds=(refund(5000),)),), credit_notes=notes))
    assert written(plan)[-1] == "customerRefund re_1 5000 usd 2026-06-10 -> cn_1 4000, cn_2 1000"


def test_a_mixed_credit_note_lowers_refunds_and_credits() -> None:
    """50.00: 20.00 were still due, 15.00 are refunded, 10.00 become credit, 5.00 were given back in cash. The credit
    has its memo when it is used."""
    mixed = note(pre=2000, post=3000, refunds=(("re_1", 1500),), to_balance=1000, out_of_band=500)
    of = facts(
        invoice(status="paid", paid_at=at("2026-06-04")),
        payments=(paid(8000, refunds=(refund(1500),)),),
        credit_notes=(mixed,),
    )
    plan = plan_of(of)
    assert written(plan) == [
        INVOICE,
        "creditMemo cn_1 4000 usd 2026-06-05 -> in_1 2000",
        "customerPayment ch_1 8000 usd 2026-06-03 -> in_1 8000",
        "customerRefund re_1 1500 usd 2026-06-10 -> cn_1 1500",
    ]
    plan = plan_of(of, policies(balance="when_funded", out_of_band="payment_to_account"))
    assert written(plan)[1] == "creditMemo cn_1 5000 usd 2026-06-05 -> in_1 2000"
    assert written(plan)[-2:] == [
        "customerRefund cn_1-oob 500 usd 2026-06-05 -> cn_1 500",
        "customerRefund re_1 1500 usd 2026-06-10 -> cn_1 1500",
    ]
    assert record(plan, "cn_1-oob").account == OUTSIDE


def test_a_credit_note_that_is_all_credit_has_no_memo_until_it_is_used() -> None:
    of = facts(payments=(paid(10000),), credit_notes=(note(post=2000, to_balance=2000),))
    assert [one for one in written(plan_of(of)) if "cn_1" in one] == []
    plan = plan_of(of, policies(balance="when_funded"))
    assert written(plan)[1] == "creditMemo cn_1 2000 usd 2026-06-05"


def test_a_credit_note_credits_the_items_of_its_lines_with_tax_and_shipping() -> None:
    """100.00 of goods with 19.00 of tax, 10.00 of shipping with 1.90: the whole is credited."""
    policy = replace(policies(tax__mode="item_lines", prepayment_credit_notes="at_once"), tax_items={"txr_de": "110"})
    tax, shipping_tax = Tax(1900, 10000, False, "txr_de"), Tax(190, 1000, False, "txr_de")
    of = facts(
        invoice(13090, shipping=1000, shipping_taxes=(shipping_tax,)),
        [line(10000, taxes=(tax,), period=(at("2026-06-01", "00:00:00"), at("2026-07-01", "00:00:00")))],
        credit_notes=(
            note(
                pre=13090,
                lines=(CreditNoteLine(10000, "Work", "il_1", taxes=(tax,)),),
                shipping=1000,
                shipping_taxes=(shipping_tax,),
            ),
        ),
    )
    plan = plan_of(of, policy)
    assert items(plan, "cn_1") == [
        ("price", "price_1", 10000),
        ("shipping", "", 1000),
        ("tax", "txr_de", 2090),
    ]
    assert record(plan, "cn_1").lines[0].rev_rec == (date(2026, 6, 1), date(2026, 6, 30))
    assert written(plan)[1] == "creditMemo cn_1 13090 usd 2026-06-05 -> in_1 13090"


def test_a_custom_credit_line_has_its_item() -> None:
    of = facts(credit_notes=(note(pre=500, lines=(CreditNoteLine(500, "Goodwill"),)),))
    assert items(plan_of(of), "cn_1") == [("custom_credit", "", 500)]


def test_credit_note_voided_is_a_persons() -> None:
    plan = plan_of(facts(credit_notes=(note(pre=500, status="void"),)))
    assert (written(plan), held(plan)) == ([INVOICE], ["credit_note_voided"])


def test_a_refund_that_has_not_moved_money_is_nothing_yet() -> None:
    waits = refund(4000, status="pending", balance_transaction=None)
    assert written(plan_of(facts(payments=(paid(10000, refunds=(waits,)),))))[2:] == []
    gone = refund(4000, status="canceled", balance_transaction=None)
    plan = plan_of(facts(payments=(paid(10000, refunds=(gone,)),)))
    assert (written(plan)[2:], held(plan)) == ([], [])


def test_a_refund_into_a_cash_balance_is_a_persons() -> None:
    plan = plan_of(facts(payments=(paid(10000, refunds=(refund(4000, balance_transaction=None),)),)))
    assert held(plan) == ["refund_without_movement"]


def test_a_failed_refund_of_a_charge_without_invoice_comes_back_unapplied() -> None:
    failed = refund(5000, status="failed", failure_balance_transaction="txn_b", failed_at=at("2026-06-15"))
    plan = plan_of(ChargeFacts(charge(5000, refunds=(failed,))))
    assert written(plan) == [
        "customerPayment ch_1 5000 usd 2026-06-03",
        "customerPayment re_1-back 5000 usd 2026-06-15",
        "customerRefund re_1 5000 usd 2026-06-10 -> ch_1 5000",
    ]


def test_a_dispute_whose_money_moved_twice_is_a_persons() -> None:
    again = dispute(5000, movement(-5000), movement(5000, "t2"), movement(-5000, "t3", "2026-08-01"))
    for of in (facts(payments=(paid(10000, disputes=(again,)),)), ChargeFacts(charge(5000, disputes=(again,)))):
        plan = plan_of(of)
        assert held(plan) == ["dispute_moved_twice"]
        assert not [one for one in written(plan) if "dp_1" in one]


# Ends without money.


def test_void_after_a_part_payment_credits_only_the_rest() -> None:
    of = facts(invoice(status="void", voided_at=at("2026-06-20")), payments=(paid(4000),))
    assert written(plan_of(of)) == [
        INVOICE,
        "creditMemo in_1-void 6000 usd 2026-06-20 -> in_1 6000",
        "customerPayment ch_1 4000 usd 2026-06-03 -> in_1 4000",
    ]


def test_void_after_a_credit_note_credits_only_the_rest_whenever_memos_are_applied() -> None:
    of = facts(invoice(status="void", voided_at=at("2026-06-20")), credit_notes=(note(pre=3000),))
    for choice in ("when_paid", "at_once"):
        assert written(plan_of(of, policies(prepayment_credit_notes=choice))) == [
            INVOICE,
            "creditMemo cn_1 3000 usd 2026-06-05 -> in_1 3000",
            "creditMemo in_1-void 7000 usd 2026-06-20 -> in_1 7000",
        ]


def test_void_after_a_debit_that_failed_credits_all() -> None:
    failed = paid(10000, failed_later_at=at("2026-06-09"))
    of = facts(invoice(status="void", voided_at=at("2026-06-20")), payments=(failed,))
    assert "creditMemo in_1-void 10000 usd 2026-06-20 -> in_1 10000" in written(plan_of(of))


@pytest.mark.parametrize("policy", ["credit_original_items", "bad_debt_item"])
def test_uncollectible_and_later_paid_is_a_persons(policy: str) -> None:
    of = facts(
        invoice(status="paid", uncollectible_at=at("2026-06-20"), paid_at=at("2026-07-02")),
        payments=(paid(10000, day="2026-07-02"),),
    )
    for duplicate in ("unapplied", "hold"):
        plan = plan_of(of, policies(uncollectible=policy, duplicate_payment=duplicate))
        assert written(plan) == [
            INVOICE,
            "creditMemo in_1-void 10000 usd 2026-06-20 -> in_1 10000",
            "customerPayment ch_1 10000 usd 2026-07-02",
        ]
        assert held(plan) == ["uncollectible_then_paid"]


def test_uncollectible_kept_open_and_later_paid_is_paid_and_later_voided_is_closed() -> None:
    keep = policies(uncollectible="keep_open")
    paid_later = facts(invoice(uncollectible_at=at("2026-06-20")), payments=(paid(10000, day="2026-07-02"),))
    plan = plan_of(paid_later, keep)
    assert written(plan)[1:] == ["customerPayment ch_1 10000 usd 2026-07-02 -> in_1 10000"]
    assert held(plan) == []
    voided = facts(invoice(uncollectible_at=at("2026-06-20"), voided_at=at("2026-07-02"), status="void"))
    assert written(plan_of(voided, keep))[1:] == ["creditMemo in_1-void 10000 usd 2026-07-02 -> in_1 10000"]
    assert written(plan_of(voided))[1:] == ["creditMemo in_1-void 10000 usd 2026-06-20 -> in_1 10000"]


# What is left out.


def test_what_is_blocked_or_not_allowed_or_older_than_the_start_is_left_out_and_says_why() -> None:
    blocked = facts(invoice(metadata={"netsuite_block_integration": "true"}))
    assert (written(plan_of(blocked)), "block list" in plan_of(blocked).nothing_because) == ([], True)
    allow = replace(policies(), allow=(("netsuite_allow_integration", "true"),))
    assert written(plan_of(facts(), allow)) == []
    assert written(plan_of(facts(invoice(metadata={"netsuite_allow_integration": "true"})), allow)) == [INVOICE]
    later = replace(policies(), start_date=date(2026, 6, 2))
    assert "start date" in plan_of(facts(), later).nothing_because
    assert written(plan_of(facts(), replace(later, start_date=date(2026, 6, 1)))) == [INVOICE]
    assert "start date" in plan_of(ChargeFacts(charge(1, day="2026-06-01")), later).nothing_because
    alone = ChargeFacts(charge(1, metadata={"netsuite_block_integration": "true"}))
    assert "block list" in plan_of(alone).nothing_because


def test_money_that_comes_after_the_start_for_an_older_invoice_is_named() -> None:
    later = replace(policies(), start_date=date(2026, 6, 2))
    plan = plan_of(facts(payments=(paid(10000),)), later)
    assert (written(plan), held(plan)) == ([], ["invoice_before_start_date"])
    assert "ch_1" in plan.holds[0].reason


def test_a_blocked_payment_leaves_the_invoice_open_and_is_named() -> None:
    plan = plan_of(facts(payments=(paid(10000, metadata={"netsuite_block_integration": "true"}),)))
    assert (written(plan), held(plan)) == ([INVOICE], ["payment_blocked"])


def test_defaults_and_metadata_become_fields_of_each_record() -> None:
    policy = replace(
        policies(),
        defaults={"invoice": {"custbody_source": "Stripe"}, "customerPayment": {"paymentOption": "5"}},
        mappings={
            "invoice": {"project": "custbody_project"},
            "customerPayment": {"till": "custbody_till"},
            "creditMemo": {"why": "custbody_why"},
            "customerRefund": {"who": "custbody_who"},
        },
    )
    of = facts(
        invoice(metadata={"project": "P-1", "other": "x"}),
        payments=(paid(10000, metadata={"till": "7"}, refunds=(refund(500, metadata={"who": "me"}),)),),
        credit_notes=(note(post=500, refunds=(("re_1", 500),), metadata={"why": "late"}),),
    )
    found = {one.external_id: one.fields for one in plan_of(of, policy).records}
    assert found == {
        "in_1": (("custbody_project", "P-1"), ("custbody_source", "Stripe")),
        "cn_1": (("custbody_why", "late"),),
        "ch_1": (("custbody_till", "7"), ("paymentOption", "5")),
        "re_1": (("custbody_who", "me"),),
    }
