"""Invoices of our monthly run: an invoice an order, made from it, and money shared over them to the cent."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from billing.domain.settlement.bodies import Resolved, body_of, lines_of_invoice, order_lines, preview_of
from billing.domain.settlement.order_invoices import (
    Preview,
    PreviewLine,
    compare,
    rounding_of,
)
from billing.domain.settlement.periods import AccountingPeriod, Posting
from billing.domain.settlement.records import NetSuiteRecord, TransformLine
from billing.domain.settlement.resolved_holds import without_resolved
from billing.domain.settlement.stripe_objects import CreditNoteLine
from billing.domain.settlement.write_backs import LONGEST_VALUE, metadata_of
from tests.domain.settlement.facts import (
    at,
    dispute,
    drafted,
    facts,
    held,
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

FIRST = order("500", ("item", 6000), ("discount", -1000), ("shipping", 500), ("tax", 500))  # 60.00
SECOND = order("501", ("item", 3000))
THIRD = order("502", ("item", 1000))
GROUPED = (FIRST, SECOND, THIRD)  # 100.00
INVOICES = [
    "invoice in_1-so500 6000 usd 2026-06-01",
    "invoice in_1-so501 3000 usd 2026-06-01",
    "invoice in_1-so502 1000 usd 2026-06-01",
]


def test_an_order_is_transformed_with_exactly_our_lines() -> None:
    made = record(plan_of(drafted(FIRST)), "in_1-so500")
    assert made.transform is not None
    assert made.transform.lines == (TransformLine("1", "5001", "2", 6000, "91"),)
    assert made.transform.other_lines == (("discount", -1000), ("shipping", 500), ("tax", 500))
    assert made.transform.kept == ("5002",)  # the discount line goes with the goods
    assert (made.amount, made.netsuite_customer, made.memo) == (6000, "77", "Stripe: in_1. SO-500")


def test_a_grouped_invoice_is_an_invoice_an_order_and_their_sum_is_stripes_total() -> None:
    plan = plan_of(drafted(*GROUPED))
    assert written(plan) == INVOICES
    assert sum(one.amount for one in plan.records) == 10000


def test_ids_of_a_grouped_invoice_share_one_key_of_its_metadata() -> None:
    plan = plan_of(drafted(*GROUPED))
    ids = [(one, str(100 + place)) for place, one in enumerate(plan.records)]
    assert metadata_of(ids) == {"in_1": {"netsuite_invoice_id": "100,101,102"}}


def test_ids_of_ninety_orders_fit_into_stripes_metadata() -> None:
    plan = plan_of(drafted(*(order(str(500 + number), ("item", 100)) for number in range(90))))
    found = metadata_of([(one, f"{123456700 + place}") for place, one in enumerate(plan.records)])["in_1"]
    assert list(found) == ["netsuite_invoice_id", "netsuite_invoice_id_2"]
    assert all(len(value) <= LONGEST_VALUE for value in found.values())
    assert len(",".join(found.values()).split(",")) == 90


def test_an_order_in_parts_is_an_invoice_for_each_stripe_invoice() -> None:
    part = order("500", ("item", 6000))
    assert written(plan_of(drafted(part, id="in_2"))) == ["invoice in_2-so500 6000 usd 2026-06-01"]


def test_payments_pay_the_oldest_order_first_and_exactly() -> None:
    payments = (paid(7000), paid(1500, "ch_2", "2026-06-04"), paid(1500, "ch_3", "2026-06-05"))
    assert written(plan_of(drafted(*GROUPED, payments=payments)))[3:] == [
        "customerPayment ch_1 7000 usd 2026-06-03 -> in_1-so500 6000, in_1-so501 1000",
        "customerPayment ch_2 1500 usd 2026-06-04 -> in_1-so501 1500",
        "customerPayment ch_3 1500 usd 2026-06-05 -> in_1-so501 500, in_1-so502 1000",
    ]


def test_a_credit_note_is_a_memo_on_each_order_whose_lines_it_credits() -> None:
    lines = (CreditNoteLine(1000, "", "il_5001"), CreditNoteLine(400, "", "il_5011"), CreditNoteLine(100, "Goodwill"))
    of = drafted(*GROUPED, credit_notes=(note(pre=1500, lines=lines),))
    plan = plan_of(of, policies(prepayment_credit_notes="at_once"))
    assert written(plan)[3:] == [
        "creditMemo cn_1-so500 1100 usd 2026-06-05 -> in_1-so500 1100",
        "creditMemo cn_1-so501 400 usd 2026-06-05 -> in_1-so501 400",
    ]
    # The order's own items, not the global one.
    assert items(plan, "cn_1-so501") == [("order_line", "501/5011", 400)]
    assert [one.item.item_id for one in record(plan, "cn_1-so501").lines] == ["91"]


def test_a_memo_whose_order_is_paid_already_is_applied_to_the_orders_that_are_not() -> None:
    of = drafted(
        *GROUPED,
        payments=(paid(8000),),
        credit_notes=(note(pre=2000, lines=(CreditNoteLine(2000, "", "il_5001"),)),),
    )
    plan = plan_of(of, policies(prepayment_credit_notes="at_once"))
    # The payment of June 3rd paid SO-500 and 20.00 of SO-501; the memo of June 5th finds the rest.
    assert "creditMemo cn_1-so500 2000 usd 2026-06-05 -> in_1-so501 1000, in_1-so502 1000" in written(plan)


def test_refunds_of_a_grouped_invoices_credit_note_are_exact_on_its_memos() -> None:
    lines = (CreditNoteLine(1001, "", "il_5001"), CreditNoteLine(2, "", "il_5011"))
    covered = note(post=1003, lines=lines, refunds=(("re_1", 1), ("re_2", 1002)))
    refunds = (refund(1), refund(1002, "re_2"))
    of = drafted(*GROUPED, payments=(paid(10000, refunds=refunds),), credit_notes=(covered,))
    assert written(plan_of(of))[-2:] == [
        "customerRefund re_1 1 usd 2026-06-10 -> cn_1-so500 1",
        "customerRefund re_2 1002 usd 2026-06-10 -> cn_1-so500 1000, cn_1-so501 2",
    ]


def test_a_mixed_credit_note_of_a_grouped_invoice_lowers_first_and_refunds_the_rest() -> None:
    """80.00 of credit on two orders, of which 30.00 were due and 50.00 are refunded."""
    lines = (CreditNoteLine(4000, "", "il_5001"), CreditNoteLine(4000, "", "il_5011"))
    mixed = note(pre=3000, post=5000, lines=lines, refunds=(("re_1", 5000),))
    of = drafted(*GROUPED, payments=(paid(7000, refunds=(refund(5000),)),), credit_notes=(mixed,))
    plan = plan_of(of, policies(prepayment_credit_notes="at_once"))
    assert written(plan)[3:5] == [
        "creditMemo cn_1-so500 4000 usd 2026-06-05 -> in_1-so501 2000, in_1-so502 1000",
        "creditMemo cn_1-so501 4000 usd 2026-06-05",
    ]
    assert written(plan)[-1] == "customerRefund re_1 5000 usd 2026-06-10 -> cn_1-so500 1000, cn_1-so501 4000"


def test_a_refund_without_a_credit_note_is_shared_by_the_orders_totals() -> None:
    """10.01 over 60, 30 and 10 per cent: 6.006, 3.003 and 1.001; the cent goes to the largest remainder."""
    of = drafted(*GROUPED, payments=(paid(10000, refunds=(refund(1001),)),))
    assert written(plan_of(of))[3:6] == [
        "creditMemo re_1-cm-so500 601 usd 2026-06-10",
        "creditMemo re_1-cm-so501 300 usd 2026-06-10",
        "creditMemo re_1-cm-so502 100 usd 2026-06-10",
    ]
    taken = dispute(10000, movement(-10000))
    plan = plan_of(drafted(*GROUPED, payments=(paid(10000, disputes=(taken,)),)))
    assert "creditMemo dp_1-cm-so501 3000 usd 2026-06-12" in written(plan)


def test_void_after_a_part_payment_closes_each_order_by_its_rest() -> None:
    of = drafted(*GROUPED, status="void", voided_at=at("2026-06-20"), payments=(paid(7000),))
    assert written(plan_of(of))[3:5] == [
        "creditMemo in_1-so501-void 2000 usd 2026-06-20 -> in_1-so501 2000",
        "creditMemo in_1-so502-void 1000 usd 2026-06-20 -> in_1-so502 1000",
    ]


def test_credit_used_by_a_grouped_invoice_is_a_memo_for_each_invoice_that_it_pays() -> None:
    of = drafted(*GROUPED, starting_balance=-7000, amount_due=3000, balance=(used(7000),))
    assert written(plan_of(of))[3:] == [
        "creditMemo cbtxn_1-so500 6000 usd 2026-06-01 -> in_1-so500 6000",
        "creditMemo cbtxn_1-so501 1000 usd 2026-06-01 -> in_1-so501 1000",
    ]


def test_the_revision_of_an_orders_invoice_is_not_transformed_again_and_keeps_the_orders_items() -> None:
    revised = drafted(FIRST, id="in_2", revises="in_1")
    policy = replace(policies(), tax_items={"order": "110"})
    plan = plan_of(revised, policy)
    assert written(plan) == ["invoice in_2 6000 usd 2026-06-01"]
    assert record(plan, "in_2").transform is None
    assert [(one.item.role.value, one.item.item_id, one.amount) for one in record(plan, "in_2").lines] == [
        ("order_line", "91", 6000),
        ("order_line", "92", -1000),
        ("shipping", "", 500),
        ("tax", "110", 500),
    ]
    plan = plan_of(revised)
    assert (written(plan), held(plan)) == ([], ["tax_not_mapped"])
    assert "tax.items.order" in plan.holds[0].reason


def test_a_revision_whose_order_our_ledger_does_not_know_asks_the_order_for_its_items() -> None:
    revised = replace(drafted(SECOND, id="in_2", revises="in_1"), orders=())
    assert items(plan_of(revised), "in_2") == [("order_line", "501/5011", 3000)]


def test_orders_are_plain_invoices_or_left_out_by_policy() -> None:
    plan = plan_of(drafted(SECOND), policies(orders="plain"))
    assert written(plan) == ["invoice in_1 3000 usd 2026-06-01"]
    assert record(plan, "in_1").transform is None
    plan = plan_of(drafted(SECOND), policies(orders="off"))
    assert (written(plan), "'off'" in plan.nothing_because) == ([], True)


def test_what_was_edited_in_stripe_is_held_with_both_columns() -> None:
    of = drafted(FIRST, SECOND)
    changed = replace(of, lines=(*of.lines[:-1], replace(of.lines[-1], amount=2900)))
    plan = plan_of(replace(changed, invoice=replace(of.invoice, total=8900)))
    assert (written(plan), held(plan)) == ([], ["edited_in_stripe"])
    assert plan.holds[0].columns == (
        ("order SO-501", "29.00 USD", "30.00 USD"),
        ("total", "89.00 USD", "90.00 USD"),
    )
    added = replace(of, lines=(*of.lines, line(1, "il_x", price="")))
    assert held(plan_of(added)) == ["line_without_order"]


def test_orders_that_no_invoice_or_payment_can_be_made_of_are_held() -> None:
    assert held(plan_of(drafted(SECOND, order("503", ("item", -100))))) == ["order_below_zero"]
    assert held(plan_of(drafted(SECOND, order("503", ("item", 100), customer="78")))) == ["several_customers"]


# What NetSuite would save.


def transformed() -> NetSuiteRecord:
    return record(plan_of(drafted(FIRST)), "in_1-so500")


def preview(**more: object) -> Preview:
    lines = (PreviewLine("1", Decimal(2), 6000), PreviewLine("2", None, -1000))
    return Preview(
        **{"customer": "77", "currency": "usd", "total": 6000, "lines": lines, "tax": 500, "shipping": 500, **more}
    )  # type: ignore[arg-type]


def test_a_preview_that_is_what_stripe_billed_is_equal() -> None:
    assert compare(transformed(), preview()) is None
    header = (PreviewLine("1", Decimal(2), 6000),)
    assert compare(transformed(), preview(lines=header, discount=-1000)) is None
    same = (PreviewLine("1", Decimal(2), 6000, "91"), PreviewLine("2", None, -1000, "70"))
    assert compare(transformed(), preview(lines=same)) is None, "the items of discounts are NetSuite's own"
    # Legacy tax is not shown: the total decides.
    assert compare(transformed(), preview(tax=None)) is None


@pytest.mark.parametrize(
    ("changed", "columns"),
    [
        ({"customer": "78"}, [("customer", "77", "78")]),
        ({"currency": "eur"}, [("currency", "USD", "EUR")]),
        ({"total": 6001}, [("total", "60.00 USD", "60.01 USD")]),
        ({"tax": 501, "total": 6001}, [("tax", "5.00 USD", "5.01 USD"), ("total", "60.00 USD", "60.01 USD")]),
        ({"tax": 501, "shipping": 499}, [("shipping", "5.00 USD", "4.99 USD"), ("tax", "5.00 USD", "5.01 USD")]),
        (
            {"lines": (PreviewLine("1", Decimal(3), 6000), PreviewLine("2", None, -1000))},
            [("line 1, quantity", "2", "3")],
        ),
        (
            {"lines": (PreviewLine("1", Decimal(2), 6000, "95"), PreviewLine("2", None, -1000))},
            [("line 1, item", "91", "95")],
        ),
        (
            {"lines": (PreviewLine("1", Decimal(2), 5999), PreviewLine("2", None, -999))},
            [
                ("line 1", "60.00 USD", "59.99 USD"),
                ("discounts (line 2)", "-10.00 USD", "-9.99 USD"),
            ],
        ),
        (
            {"lines": (PreviewLine("2", None, -1000), PreviewLine("4", Decimal(1), 6000))},
            [
                ("line 1", "60.00 USD", "not on the invoice"),
                ("discounts (line 2, line 4)", "-10.00 USD", "50.00 USD"),
            ],
        ),
    ],
)
def test_one_cent_of_difference_is_held_with_both_columns(
    changed: dict[str, object], columns: list[tuple[str, str, str]]
) -> None:
    hold = compare(transformed(), preview(**changed))
    assert hold is not None
    assert (hold.name, list(hold.columns)) == ("order_and_invoice_differ", columns)


def shown_by_netsuite(kind: str, amount: float | None, number: int, **more: object) -> dict[str, object]:
    """A line of a sublist as the record API shows it."""
    item = {"Subtotal": "-2", "Description": "-3", "EndGroup": "0"}.get(kind, f"9{number}")
    found = {"itemType": {"id": kind}, "item": {"id": item}, "amount": amount, "line": number, "orderLine": number}
    return {**found, **more}


WITH_SUBTOTALS = {
    "entity": {"id": "77"},
    "currency": {"id": "1"},
    "total": 60.0,
    "shippingCost": 5.0,
    "taxTotal": 5.0,
    "item": {
        "items": [
            shown_by_netsuite("Description", None, 6),
            shown_by_netsuite("Group", None, 7),
            shown_by_netsuite("Service", 60.0, 1, quantity=2),
            shown_by_netsuite("EndGroup", 60.0, 3),
            shown_by_netsuite("Subtotal", 60.0, 4),
            shown_by_netsuite("Discount", -10.0, 2),
        ]
    },
}


def test_subtotals_and_group_ends_repeat_amounts_and_are_counted_once() -> None:
    found = preview_of(WITH_SUBTOTALS, transformed(), {"1": "usd"})
    assert [(one.order_line, one.amount) for one in found.lines] == [("1", 6000), ("2", -1000)]
    assert compare(transformed(), found) is None


def test_a_memo_about_an_invoice_with_subtotals_credits_its_goods_discount_shipping_and_tax() -> None:
    policy = replace(policies(), items={"shipping": "105"}, tax_items={"order": "110"})
    credited = lines_of_invoice(WITH_SUBTOTALS, "usd", policy)
    assert [(one.item, one.amount) for one in credited] == [("91", 6000), ("92", -1000), ("105", 500), ("110", 500)]
    assert [one.counted for one in credited] == [True, False, True, True]
    (by_header,) = lines_of_invoice(
        {"total": -10.0, "discountTotal": -10.0, "discountItem": {"id": "92"}}, "usd", policy
    )
    assert (by_header.item, by_header.amount, by_header.counted) == ("92", -1000, False)


def test_a_discount_in_a_memo_has_an_amount_and_no_quantity() -> None:
    void = drafted(FIRST, status="void", voided_at=at("2026-06-20"), amount_remaining=6000)
    memo = record(plan_of(void), "in_1-so500-void")
    credited = lines_of_invoice(WITH_SUBTOTALS, "usd", replace(policies(), items={"shipping": "105"}))
    period = AccountingPeriod("7", "Jun 2026", date(2026, 6, 1), date(2026, 6, 30), False, False)
    resolved = Resolved(
        "77",
        Posting(period, date(2026, 6, 20), moved=False),
        documents={"in_1-so500": "900"},
        credited_lines=[one for one in credited if one.item],
    )
    items = body_of(memo, resolved, policies())["item"]["items"]
    assert [one["item"]["id"] for one in items] == ["91", "92", "105"]
    assert ["quantity" in one for one in items] == [True, False, True]


def test_a_transform_names_the_lines_of_the_order_that_are_billed_and_no_texts() -> None:
    assert [line for line, _ in order_lines(WITH_SUBTOTALS)] == ["1", "2"]


def test_the_rounding_line_makes_up_for_sums_and_never_for_a_line() -> None:
    cent_more = preview(tax=501, total=6001)
    assert rounding_of(transformed(), cent_more, 0) == 0
    assert rounding_of(transformed(), cent_more, 1) == -1
    assert rounding_of(transformed(), preview(total=5998), 1) == 0
    other_line = (PreviewLine("1", Decimal(2), 6001), PreviewLine("2", None, -1000))
    assert rounding_of(transformed(), preview(lines=other_line, total=6001), 1) == 0
    # With the line in the preview, the total must be equal.
    with_line = (*preview().lines, PreviewLine("", Decimal(1), -1))
    assert compare(transformed(), preview(lines=with_line, tax=501, total=6000), -1) is None
    assert compare(transformed(), preview(lines=with_line, tax=502, total=6001), -1) is not None


def test_void_of_an_orders_invoice_says_that_the_order_stays_billed_until_another_bills_it() -> None:
    of = drafted(order("500", ("item", 10000)), status="void", voided_at=at("2026-06-20"))
    plan = plan_of(of)
    assert written(plan)[1:] == ["creditMemo in_1-so500-void 10000 usd 2026-06-20 -> in_1-so500 10000"]
    assert held(plan) == ["order_stays_billed"]
    assert "SO-500" in plan.holds[0].reason
    again = replace(of, orders=tuple(replace(one, billed_again=True) for one in of.orders))
    assert held(plan_of(again)) == []
    revised = replace(of, invoice=replace(of.invoice, revised_by="in_2"))
    assert held(plan_of(revised)) == []


def test_an_invoice_of_orders_that_the_ledger_does_not_know_is_held_and_never_written_beside_them() -> None:
    of = replace(drafted(order("500", ("item", 10000))), orders=())
    assert (written(plan_of(of)), held(plan_of(of))) == ([], ["order_not_in_ledger"])
    gone = replace(of, invoice=replace(of.invoice, status="void", voided_at=at("2026-06-20")))
    assert (written(plan_of(gone)), held(plan_of(gone))) == ([], [])
    assert written(plan_of(of, policies(orders="plain"))) != []


def test_a_hold_that_a_person_has_settled_is_gone_and_the_next_one_of_its_kind_is_not() -> None:
    failed = [
        refund(1000, f"re_{n}", failure_balance_transaction="t", failed_at=at("2026-06-15")) for n in (1, 2)
    ]  # fmt: skip
    plan = plan_of(facts(payments=(paid(10000, refunds=tuple(failed)),)))
    assert [hold.key for hold in plan.holds] == ["refund_failed:re_1", "refund_failed:re_2"]
    left = without_resolved(plan, {"netsuite_resolved": "order_stays_billed, refund_failed:re_1"})
    assert [hold.key for hold in left.holds] == ["refund_failed:re_2"]
    assert left.records == plan.records
    assert without_resolved(plan, {"netsuite_resolved": "refund_failed"}).holds == plan.holds
