"""Invoices, memos, payments, refunds and deposits: what is saved, what the books say, what is refused.

The refusals are those that NetSuite is known for (facts of the record API and of a connector's error pages).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import requests

from tests.sandbox.faults import CommitLater, DropAfter
from tests.sandbox.netsuite import record_changed_fault, workflow_lock_fault
from tests.sandbox_tests.netsuite.books import Books, started
from tests.sandbox_tests.netsuite.conftest import StartAccount

NO_LINE = "Unable to find a matching line for sub-list apply with key: [doc,line]"


@pytest.fixture
def books(start_account: StartAccount) -> Books:
    return started(start_account)


# What is saved, and what the general ledger says.


def test_an_invoice_debits_receivables_and_credits_the_income_account_of_each_item(books: Books) -> None:
    lines = [books.line(100), books.line(50, "Hosting"), books.line(-20, "Coupon"), books.line(13, "Sales tax")]
    invoice = books.invoice(item={"items": lines})
    assert books.account.get(f"invoice/{invoice}")["total"] == 143
    assert books.balance("Accounts Receivable") == 143
    assert books.balance("Services Revenue") == -100
    assert books.balance("Hosting Revenue") == -50
    assert books.balance("Sales Discounts") == 20
    assert books.balance("Sales Tax Payable") == -13


def test_a_discount_that_does_not_post_lowers_the_income_of_the_line_above(books: Books) -> None:
    books.invoice(item={"items": [books.line(50, "Hosting"), books.line(-20, "Silent coupon")]})
    assert (books.balance("Hosting Revenue"), books.balance("Sales Discounts")) == (-30, 0)


def test_a_payment_moves_receivables_to_undeposited_funds_and_pays_the_invoice(books: Books) -> None:
    invoice = books.invoice(100)
    payment = books.payment(60, {invoice: 60})
    assert (books.status(invoice), books.status(payment)) == ("A", "B")
    assert books.account.get(f"invoice/{invoice}")["amountRemaining"] == 40
    books.payment(50, {invoice: 40})
    assert books.status(invoice) == "B"
    assert (books.balance("Accounts Receivable"), books.balance("Undeposited Funds")) == (-10, 110)
    row = books.account.rows("SELECT foreignamountpaid, foreignamountunpaid FROM transaction WHERE id = ?", invoice)
    assert row == [{"foreignamountpaid": "100", "foreignamountunpaid": "0"}]


def test_a_credit_memo_reverses_income_and_closes_the_invoice(books: Books) -> None:
    invoice = books.invoice(100)
    memo = books.account.write(
        "POST",
        f"invoice/{invoice}/!transform/creditMemo",
        {"externalId": "in_1-void", "apply": books.apply({invoice: 100})},
    )
    assert (books.status(invoice), books.status(memo)) == ("B", "B")
    assert (books.balance("Accounts Receivable"), books.balance("Services Revenue")) == (0, 0)
    shown = books.account.get("creditMemo/eid:in_1-void")
    assert (shown["applied"], shown["unapplied"], shown["createdFrom"]["id"]) == (100, 0, str(invoice))


def test_a_memo_takes_the_lines_of_its_invoice_and_adds_lines_without_a_key(books: Books) -> None:
    invoice = books.invoice(item={"items": [books.line(100), books.line(40, "Hosting")]})
    path = f"invoice/{invoice}/!transform/creditMemo"

    def amounts(query: str, *items: dict[str, Any]) -> list[float]:
        body = {"item": {"items": list(items)}, "apply": books.apply({})}
        memo = books.account.get(f"creditMemo/{books.account.write('POST', path + query, body)}")
        return [line["amount"] for line in memo["item"]["items"]]

    assert amounts("") == [100, 40]
    assert amounts("", {"orderLine": 1, "amount": 25}, {"orderLine": 2, "quantity": 0}) == [25]
    assert amounts("", books.line(7)) == [100, 40, 7]
    assert amounts("?replace=item", books.line(7)) == [7]
    assert "[orderLine] and value: [5]" in books.refused("POST", path, {"item": {"items": [{"orderLine": 5}]}})


def test_a_memo_over_a_part_of_a_taxed_invoice_takes_its_part_of_the_tax(start_account: StartAccount) -> None:
    books = started(start_account, legacy_tax_code="NY")
    invoice = books.invoice(100)
    body = {"item": {"items": [{"orderLine": 1, "amount": 25}]}}
    memo = books.account.write("POST", f"invoice/{invoice}/!transform/creditMemo", body)
    assert books.account.get(f"creditMemo/{memo}")["total"] == 27.5
    assert books.balance("Sales Tax Payable") == -7.5


def test_a_refund_takes_a_credit_memo_back_out_of_undeposited_funds(books: Books) -> None:
    memo = books.memo(30)
    refund = books.refund({memo: 30}, line=1, externalId="re_1")
    assert books.status(memo) == "B"
    assert books.balance("Undeposited Funds") == -30
    assert books.account.get(f"customerRefund/{refund}")["deposit"]["items"] == []
    assert books.account.get("customerRefund/eid:re_1")["total"] == 30


def test_a_payment_is_refunded_and_leaves_its_invoice_open(books: Books) -> None:
    invoice = books.invoice(100)
    payment = books.payment(100, {invoice: 100})
    unapply = {"apply": {"items": [{"doc": {"id": str(invoice)}, "line": 0, "apply": False}]}}
    assert books.account.send("PATCH", f"customerPayment/{payment}", unapply).status_code == 204
    assert books.status(invoice) == "A"
    books.account.write(
        "POST",
        f"customerPayment/{payment}/!transform/customerRefund",
        {
            "account": {"id": str(books.accounts["Undeposited Funds"])},
            "externalId": "ch_1-failed",
        },
    )
    assert books.balance("Undeposited Funds") == 0
    assert books.balance("Accounts Receivable") == 100


def test_a_deposit_brings_payments_less_refunds_less_fees_to_the_bank(books: Books) -> None:
    first, second = books.payment(100), books.payment(50)
    refund = books.refund({second: 20}, line=0)
    deposit = books.deposit([first, second, refund], fee=4.5, externalId="po_1")
    assert books.account.get(f"deposit/{deposit}")["total"] == 125.5
    assert books.balance("US Bank") == 125.5
    assert books.balance("Stripe Fees") == 4.5
    assert books.balance("Undeposited Funds") == 0
    assert (books.status(first), books.status(second)) == ("C", "C")
    links = books.account.rows("SELECT previousdoc FROM previoustransactionlinelink WHERE nextdoc = ?", deposit)
    assert {link["previousdoc"] for link in links} == {str(first), str(second), str(refund)}


def test_a_foreign_invoice_paid_at_another_rate_gains_or_loses_in_base_currency(books: Books) -> None:
    invoice = books.invoice(100, currency="EUR")
    payment = books.payment(100, {invoice: 100}, currency="EUR", tranDate="2026-05-21")
    base = books.server.base_balances()
    assert base["Accounts Receivable"] == 0
    assert (base["Undeposited Funds"], base["Realized Gain/Loss"]) == (Decimal(120), Decimal(-10))
    books.deposit([payment], "US Euro Bank", tranDate="2026-05-21")
    assert (books.balance("US Euro Bank", "EUR"), books.balance("Undeposited Funds", "EUR")) == (100, 0)


def test_a_foreign_payment_in_a_bank_of_base_currency_takes_the_stored_rate_or_the_amount_entered(
    start_account: StartAccount,
) -> None:
    books = started(start_account)
    payment, other = books.payment(100, currency="EUR"), books.payment(100, currency="EUR")
    books.deposit([payment])
    assert books.balance("US Bank") == 110
    line = {"id": other, "deposit": True, "paymentAmount": 107.31}
    books.account.write("POST", "deposit", books.deposit_body([], payment={"items": [line]}))
    assert books.balance("US Bank") == 217.31
    assert books.balance("Undeposited Funds", "EUR") == 0
    books.server.set_options(honours_payment_amount=False)
    third = books.payment(100, currency="EUR")
    line = {"id": third, "deposit": True, "paymentAmount": 107.31}
    preview = books.account.send(
        "POST",
        "deposit",
        books.deposit_body([], payment={"items": [line]}),
        headers={"Accept": "application/vnd.oracle.resource+json; type=create-form"},
    )
    assert preview.json()["total"] == 110


def test_the_books_of_a_subsidiary_are_in_its_own_currency(books: Books) -> None:
    invoice = books.invoice(100, "C-3", "USD")
    assert books.account.get(f"invoice/{invoice}")["exchangeRate"] == pytest.approx(1 / 1.1)
    assert books.server.base_balances()["Accounts Receivable"] == Decimal("90.91")


def test_suiteql_reads_the_general_ledger(books: Books) -> None:
    books.invoice(100)
    found = books.account.rows(
        "SELECT a.accountsearchdisplayname AS name, SUM(tal.amount) AS amount FROM transactionaccountingline tal "
        "JOIN account a ON a.id = tal.account GROUP BY a.accountsearchdisplayname ORDER BY name ASC"
    )
    assert found == [
        {"name": "Accounts Receivable", "amount": "100"},
        {"name": "Services Revenue", "amount": "-100"},
    ]


def test_records_are_found_by_external_id_in_one_query_and_in_one_batch_read(books: Books) -> None:
    one, two = books.invoice(1, externalId="in_1"), books.invoice(2, externalId="in_2")
    books.payment(1, externalId="ch_1")
    found = books.account.rows(
        "SELECT t.id, t.type, t.externalid, BUILTIN.DF(t.status) AS words FROM transaction t "
        "WHERE t.externalid IN ('in_1', 'ch_1') ORDER BY t.id ASC"
    )
    assert [(row["type"], row["externalid"], row["words"]) for row in found] == [
        ("CustInvc", "in_1", "Invoice : Open"),
        ("CustPymt", "ch_1", "Payment : Not Deposited"),
    ]
    answer = books.account.send("GET", "invoice", params={"ids": "eid:in_1,eid:in_2,eid:in_3", "expandRecords": "true"})
    assert [(each["id"], each["total"]) for each in answer.json()["items"]] == [(str(one), 1), (str(two), 2)]


def test_get_by_external_id_limits_fields_and_expands_sublists(books: Books) -> None:
    books.invoice(5, externalId="in_1", memo="Stripe: in_1")
    answer = books.account.send("GET", "invoice/eid:in_1", params={"fields": "memo,total"})
    assert set(answer.json()) == {"links", "id", "memo", "total"}
    assert "items" not in books.account.send("GET", "invoice/eid:in_1").json()["item"]
    assert books.account.get("invoice/eid:in_1")["item"]["totalResults"] == 1
    assert books.account.send("GET", "invoice/eid:in_9").status_code == 404
    assert books.account.send("GET", "creditMemo/eid:in_1").status_code == 404


def test_customers_and_items_are_created_and_used(books: Books) -> None:
    customer = books.account.write(
        "POST",
        "customer",
        {
            "companyName": "New Client LLC",
            "externalId": "cus_1",
            "email": "ap@new.example",
            "subsidiary": {"id": "1"},
            "currencyList": {"items": [{"currency": {"id": "1"}}, {"currency": {"id": "2"}}]},
        },
    )
    account = {"id": str(books.accounts["Hosting Revenue"])}
    item = {
        "itemId": "Gold plan",
        "externalId": "price_1",
        "incomeAccount": account,
        "subsidiary": {"items": [{"id": "1"}]},
    }
    new = books.account.write("POST", "serviceSaleItem", item)
    body = books.invoice_body(80, item={"items": [{"item": {"id": str(new)}, "quantity": 2, "rate": 40}]})
    books.account.write("POST", "invoice", {**body, "entity": {"externalId": "cus_1"}})
    assert books.balance("Hosting Revenue") == -80
    shown = books.account.get("customer/eid:cus_1")
    assert (shown["id"], shown["entityId"]) == (str(customer), "New Client LLC")
    assert [each["currency"]["id"] for each in shown["currencyList"]["items"]] == ["1", "2"]
    assert books.account.get(f"serviceSaleItem/{new}")["itemId"] == "Gold plan"
    coupon = {"itemId": "SUMMER", "nonPosting": True, "subsidiary": {"items": [{"id": "1"}]}}
    assert books.account.get(f"discountItem/{books.account.write('POST', 'discountItem', coupon)}")["nonPosting"]


def test_lists_of_the_account_are_read(books: Books) -> None:
    bank = books.account.get(f"account/{books.accounts['EU Bank']}")
    assert (bank["acctType"]["id"], bank["currency"]["refName"]) == ("Bank", "Euro")
    assert books.account.get("currency/3")["currencyPrecision"] == 0
    assert books.account.get("subsidiary/2")["currency"]["id"] == "2"
    may = next(each for each in books.server.records("accountingPeriod") if each["periodName"] == "May 2026")
    assert (may["startDate"], may["endDate"], may["closed"], may["isPosting"]) == (
        "2026-05-01",
        "2026-05-31",
        False,
        True,
    )
    assert books.account.get("paymentMethod/1")["name"] == "Stripe"
    assert books.account.send("DELETE", "account/101").status_code == 405


# Ids.


def test_one_external_id_serves_once_in_all_transactions(books: Books) -> None:
    books.invoice(externalId="in_1")
    for record, body in (
        ("invoice", books.invoice_body(externalId="in_1")),
        ("creditMemo", books.invoice_body(externalId="in_1")),
        ("customerPayment", books.payment_body(5, externalId="in_1")),
    ):
        assert books.refused("POST", record, body).endswith("This entity already exists.")


def test_entities_and_items_have_their_own_external_ids(books: Books) -> None:
    books.invoice(externalId="same")
    body = {"companyName": "Same", "externalId": "same", "subsidiary": {"id": "1"}}
    books.account.write("POST", "customer", body)
    again = {**body, "companyName": "Other"}
    assert books.refused("POST", "customer", again).endswith("This entity already exists.")


def test_an_external_id_of_other_characters_cannot_be_addressed(books: Books) -> None:
    books.invoice(externalId="ns_memo:re_1")
    assert "ns_memo:re_1" in books.refused("GET", "invoice/eid:ns_memo:re_1")


def test_two_posts_without_an_external_id_make_two_invoices(books: Books) -> None:
    assert books.invoice() != books.invoice()
    assert books.balance("Accounts Receivable") == 200


def test_an_upsert_repeated_adds_the_lines_again(books: Books) -> None:
    body = books.invoice_body(100)
    for _ in range(2):
        assert books.account.send("PUT", "invoice/eid:in_1", body).status_code == 204
    assert [each["total"] for each in books.server.records("invoice")] == [200]


# Fields.


def test_an_unknown_name_is_a_warning_or_an_error_and_is_not_saved(books: Books) -> None:
    body = books.invoice_body(memos="x")
    answer = books.account.send("POST", "invoice", body)
    assert "memos" in answer.headers["X-NetSuite-PropertyValidation"]
    strict = books.account.send("POST", "invoice", body, headers={"X-NetSuite-PropertyNameValidation": "Error"})
    assert (strict.status_code, strict.json()["o:errorDetails"][0]["o:errorPath"]) == (400, "memos")
    quiet = books.account.send("POST", "invoice", body, headers={"X-NetSuite-PropertyNameValidation": "Ignore"})
    assert "X-NetSuite-PropertyValidation" not in quiet.headers


@pytest.mark.parametrize(
    ("field", "value"),
    [("memo", 5), ("tranDate", "5/12/2026"), ("entity", "501"), ("exchangeRate", "1.1"), ("item", [])],
)
def test_a_value_of_the_wrong_kind_is_refused(books: Books, field: str, value: Any) -> None:
    assert field in books.refused("POST", "invoice", books.invoice_body(**{field: value}))


def test_a_field_that_the_form_demands_is_asked_for(start_account: StartAccount) -> None:
    books = started(start_account, mandatory_fields={"invoice": ["otherRefNum"], "customerPayment": ["memo"]})
    assert books.refused("POST", "invoice", books.invoice_body()).endswith("value(s) for: PO/Check #")
    assert books.refused("POST", "customerPayment", books.payment_body(1)).endswith("value(s) for: Memo")
    books.invoice(otherRefNum="A-1")


@pytest.mark.parametrize(
    ("record", "missing", "words"),
    [
        ("invoice", "entity", "Customer"),
        ("customerPayment", "customer", "Customer"),
        ("customerPayment", "payment", "Payment Amount"),
        ("customerRefund", "account", "Account"),
        ("deposit", "account", "Account"),
    ],
)
def test_what_every_form_demands(books: Books, record: str, missing: str, words: str) -> None:
    bodies = {
        "invoice": books.invoice_body(),
        "customerPayment": books.payment_body(1),
        "customerRefund": books.refund_body({}),
        "deposit": books.deposit_body([]),
    }
    body = {name: value for name, value in bodies[record].items() if name != missing}
    assert books.refused("POST", record, body).endswith(f"Please enter value(s) for: {words}")


def test_a_customer_needs_a_name_and_on_oneworld_a_subsidiary(books: Books) -> None:
    words = "Error while accessing a resource. You must enter a value for Company Name."
    assert books.refused("POST", "customer", {"subsidiary": {"id": "1"}}) == words
    assert "Subsidiary" in books.refused("POST", "customer", {"companyName": "X"})


def test_the_currency_must_be_in_the_customers_list_until_it_is_added(books: Books) -> None:
    assert "currency" in books.refused("POST", "invoice", books.invoice_body(1, "C-2", "EUR"))
    added = {"currencyList": {"items": [{"currency": {"id": "2"}}]}}
    assert books.account.send("PATCH", "customer/502", added).status_code == 204
    books.invoice(1, "C-2", "EUR")


def test_subsidiary_and_receivables_account_must_agree_with_customer_and_currency(books: Books) -> None:
    assert "subsidiary" in books.refused("POST", "invoice", books.invoice_body(subsidiary={"id": "2"}))
    euro = {"id": str(books.accounts["Euro Receivables"])}
    assert "account" in books.refused("POST", "invoice", books.invoice_body(account=euro))
    bank = {"id": str(books.accounts["US Bank"])}
    assert "account" in books.refused("POST", "invoice", books.invoice_body(account=bank))
    books.invoice(5, "C-1", "EUR", account=euro)
    assert books.balance("Euro Receivables", "EUR") == 5


@pytest.mark.parametrize(("currency", "amount"), [("USD", 1.005), ("JPY", 10.5)])
def test_an_amount_has_no_more_decimals_than_its_currency(books: Books, currency: str, amount: float) -> None:
    assert "amount" in books.refused("POST", "invoice", books.invoice_body(amount, currency=currency))
    assert "payment" in books.refused("POST", "customerPayment", books.payment_body(amount, currency=currency))


def test_a_credit_cannot_be_written_as_a_negative_invoice(books: Books) -> None:
    assert "negative" in books.refused("POST", "invoice", books.invoice_body(-5))


# Applying.


def test_no_more_than_what_is_due_is_applied(books: Books) -> None:
    invoice = books.invoice(100)
    body = books.payment_body(200, {invoice: 100.01})
    assert books.refused("POST", "customerPayment", body).startswith(f"Error while accessing a resource. {NO_LINE}")


def test_a_paid_a_pending_and_a_foreign_invoice_are_not_offered(start_account: StartAccount) -> None:
    books = started(start_account, approval_routing=True)
    approved = {"approvalStatus": {"id": "2"}}
    paid = books.invoice(10, **approved)
    books.payment(10, {paid: 10})
    others = [
        paid,
        books.invoice(10),
        books.invoice(10, customer="C-2", **approved),
        books.invoice(10, currency="EUR", **approved),
        999_999,
    ]
    for invoice in others:
        assert NO_LINE in books.refused("POST", "customerPayment", books.payment_body(10, {invoice: 10}))


def test_an_invoice_that_waits_for_approval_does_not_post_until_it_is_approved(start_account: StartAccount) -> None:
    books = started(start_account, approval_routing=True)
    invoice = books.invoice(10)
    assert (books.status(invoice), books.balance("Accounts Receivable")) == ("D", 0)
    books.account.write("PATCH", f"invoice/{invoice}", {"approvalStatus": {"id": "2"}})
    assert (books.status(invoice), books.balance("Accounts Receivable")) == ("A", 10)


def test_several_invoices_and_a_rest_that_stays_unapplied(books: Books) -> None:
    first, second = books.invoice(30), books.invoice(50)
    payment = books.payment(100, {first: 30, second: 50})
    shown = books.account.get(f"customerPayment/{payment}")
    assert (shown["applied"], shown["unapplied"]) == (80, 20)
    assert "cannot exceed" in books.refused("POST", "customerPayment", books.payment_body(5, {books.invoice(9): 6}))


def test_a_refund_needs_a_credit_with_that_much_left_and_its_line(books: Books) -> None:
    memo = books.memo(30)
    assert NO_LINE in books.refused("POST", "customerRefund", books.refund_body({memo: 30.5}, line=1))
    assert NO_LINE in books.refused("POST", "customerRefund", books.refund_body({memo: 30}, line=0))
    assert "at least one" in books.refused("POST", "customerRefund", books.refund_body({}))


# Deposits.


def test_only_what_is_undeposited_is_deposited_and_once(books: Books) -> None:
    payment = books.payment(10)
    direct = books.payment(10, account={"id": str(books.accounts["US Bank"])})
    books.deposit([payment])
    for wrong in (payment, direct, books.invoice(10), 999_999):
        words = books.refused("POST", "deposit", books.deposit_body([wrong]))
        assert words.endswith(f"Invalid id reference key {wrong}.")


def test_a_deposit_is_above_zero(books: Books) -> None:
    payment = books.payment(10)
    for fee in (10, 11):
        words = books.refused("POST", "deposit", books.deposit_body([payment], fee=fee))
        assert words.endswith("The total can not be negative.")


def test_the_bank_decides_currency_and_subsidiary(books: Books) -> None:
    payment = books.payment(10)
    assert "Invalid id reference" in books.refused("POST", "deposit", books.deposit_body([payment], "EU Bank"))
    wrong = books.deposit_body([payment], currency={"id": "2"})
    assert "currency" in books.refused("POST", "deposit", wrong)
    yen = books.payment(1000, currency="JPY")
    assert "Payment Amount" in books.refused("POST", "deposit", books.deposit_body([yen], "US Euro Bank"))
    income = {"id": str(books.accounts["Hosting Revenue"])}
    assert "account" in books.refused("POST", "deposit", {**books.deposit_body([payment]), "account": income})


def test_lines_without_a_key_are_added_by_a_patch_unless_they_are_replaced(books: Books) -> None:
    deposit = books.deposit([books.payment(100)], fee=3)
    fees = {"cashback": {"items": [books.cash(3)]}}
    books.account.write("PATCH", f"deposit/{deposit}", fees)
    assert books.balance("US Bank") == 94
    books.account.write("PATCH", f"deposit/{deposit}?replace=cashback", fees)
    assert books.balance("US Bank") == 97


def test_a_negative_cash_back_is_stored_as_an_other_line(books: Books) -> None:
    deposit = books.deposit([books.payment(10)], cashback={"items": [books.cash(-2)]})
    shown = books.account.get(f"deposit/{deposit}")
    assert ([line["amount"] for line in shown["other"]["items"]], shown["total"]) == ([2], 12)


def test_a_deposited_payment_keeps_its_amount_and_its_account(books: Books) -> None:
    payment = books.payment(10)
    books.deposit([payment])
    assert "deposited" in books.refused("PATCH", f"customerPayment/{payment}", {"payment": 11})
    bank = {"account": {"id": str(books.accounts["US Bank"])}}
    assert "deposited" in books.refused("PATCH", f"customerPayment/{payment}", bank)
    books.account.write("PATCH", f"customerPayment/{payment}", {"memo": "seen"})


# Editing and deleting.


def test_a_line_is_edited_by_its_number_and_added_without_one(books: Books) -> None:
    invoice = books.invoice(100)
    lines = {"item": {"items": [{"line": 1, "amount": 70}, books.line(5)]}}
    books.account.write("PATCH", f"invoice/{invoice}", lines)
    assert [line["amount"] for line in books.account.get(f"invoice/{invoice}")["item"]["items"]] == [70, 5]
    unknown = {"item": {"items": [{"line": 9, "amount": 1}]}}
    assert "[line] and value: [9]" in books.refused("PATCH", f"invoice/{invoice}", unknown)
    books.account.write("PATCH", f"invoice/{invoice}?replace=item", {"item": {"items": [books.line(8)]}})
    assert books.balance("Accounts Receivable") == 8


def test_an_invoice_cannot_shrink_below_what_is_paid(books: Books) -> None:
    invoice = books.invoice(100)
    books.payment(60, {invoice: 60})
    lines = {"item": {"items": [{"line": 1, "amount": 59}]}}
    assert "cannot exceed" in books.refused("PATCH", f"invoice/{invoice}", lines)


def test_a_field_is_cleared_by_null_and_replace(books: Books) -> None:
    invoice = books.invoice(1, memo="old")
    books.account.write("PATCH", f"invoice/{invoice}", {"memo": None})
    assert books.account.get(f"invoice/{invoice}")["memo"] == "old"
    books.account.write("PATCH", f"invoice/{invoice}?replaceSelectedFields=true&replace=memo", {"memo": None})
    assert "memo" not in books.account.get(f"invoice/{invoice}")


def test_an_edit_form_and_a_create_form_save_nothing(books: Books) -> None:
    invoice = books.invoice(100)
    before = books.server.dump()
    form = {"Accept": "application/vnd.oracle.resource+json; type=edit-form"}
    lines = {"item": {"items": [{"line": 1, "amount": 70}]}}
    assert books.account.send("PATCH", f"invoice/{invoice}", lines, headers=form).json()["total"] == 70
    create = {"Accept": "application/vnd.oracle.resource+json; type=create-form"}
    body = books.payment_body(40, {invoice: 30})
    shown = books.account.send("POST", "customerPayment", body, headers=create).json()
    assert (shown["applied"], shown["unapplied"]) == (30, 10)
    assert books.server.dump() == before


def test_the_forms_of_customers_and_items_save_nothing(books: Books) -> None:
    before = books.server.dump()
    create = {"Accept": "application/vnd.oracle.resource+json; type=create-form"}
    edit = {"Accept": "application/vnd.oracle.resource+json; type=edit-form"}
    body = {"companyName": "New", "subsidiary": {"id": "1"}}
    assert books.account.send("POST", "customer", body, headers=create).json()["companyName"] == "New"
    assert books.account.send("PATCH", "customer/501", {"email": "a@b.example"}, headers=edit).json()["id"] == "501"
    assert books.server.dump() == before


def test_what_others_depend_on_is_not_deleted(books: Books) -> None:
    invoice = books.invoice(10)
    payment = books.payment(10, {invoice: 10})
    deposit = books.deposit([payment])
    for path in (f"invoice/{invoice}", f"customerPayment/{payment}"):
        assert "linked" in books.refused("DELETE", path)
    for path in (f"deposit/{deposit}", f"customerPayment/{payment}", f"invoice/{invoice}"):
        assert books.account.send("DELETE", path).status_code == 204
    assert not any(any(amounts.values()) for amounts in books.server.ledger().values())
    assert books.account.rows("SELECT id FROM transaction") == []


def test_deleting_an_invoice_reopens_its_order_and_a_credit_memo_does_not(books: Books) -> None:
    books.server.add_order(
        {
            "number": "SO-1",
            "status": "F",
            "date": "2026-05-12",
            "customer": "C-1",
            "currency": "USD",
            "lines": [{"item": "Work", "quantity": "3", "rate": "10"}],
        }
    )
    order = books.server.orders()["SO-1"].id
    invoice = books.account.bill(order, {})
    memo = books.account.write("POST", f"invoice/{invoice}/!transform/creditMemo", {})
    assert books.server.orders()["SO-1"].status == "G"
    books.account.send("DELETE", f"creditMemo/{memo}")
    assert books.account.send("DELETE", f"invoice/{invoice}").status_code == 204
    assert books.server.orders()["SO-1"].status == "F"
    assert books.account.preview(order)["total"] == 30


# Periods.


def test_a_closed_period_takes_no_posting(books: Books) -> None:
    invoice = books.invoice(10)
    books.server.close_period("2026-05")
    for record, body in (
        ("invoice", books.invoice_body()),
        ("customerPayment", books.payment_body(1)),
        ("deposit", books.deposit_body([])),
    ):
        assert "closed period" in books.refused("POST", record, body)
    lines = {"item": {"items": [{"line": 1, "amount": 9}]}}
    assert "closed period" in books.refused("PATCH", f"invoice/{invoice}", lines)
    assert "closed period" in books.refused("DELETE", f"invoice/{invoice}")
    books.server.open_period("2026-05")
    books.invoice()


def test_locked_receivables_stop_invoices_but_not_deposits(books: Books) -> None:
    payment = books.payment(10)
    books.server.close_period("2026-05", ar_locked=True)
    assert "Accounts Receivable" in books.refused("POST", "invoice", books.invoice_body())
    books.deposit([payment])


@pytest.mark.parametrize(("preference", "day"), [("move_period", "2026-05-12"), ("move_date", "2026-06-01")])
def test_a_preference_moves_the_period_or_the_date(start_account: StartAccount, preference: str, day: str) -> None:
    books = started(start_account, closed_period=preference)
    books.server.close_period("2026-05")
    shown = books.account.get(f"invoice/{books.invoice()}")
    assert (shown["tranDate"], shown["postingPeriod"]["refName"]) == (day, "Jun 2026")


def test_a_posting_period_that_is_sent_is_used_and_must_be_a_month(books: Books) -> None:
    periods = {each["periodName"]: each["id"] for each in books.server.records("accountingPeriod")}
    invoice = books.invoice(postingPeriod={"id": periods["Jun 2026"]})
    assert books.account.get(f"invoice/{invoice}")["postingPeriod"]["refName"] == "Jun 2026"
    quarter = books.invoice_body(postingPeriod={"id": periods["Q2 2026"]})
    assert "postingPeriod" in books.refused("POST", "invoice", quarter)


# Tax.


def test_legacy_tax_has_no_field_and_comes_with_the_customers_code(start_account: StartAccount) -> None:
    books = started(start_account, legacy_tax_code="NY")
    invoice = books.account.get(f"invoice/{books.invoice(100)}")
    assert (invoice["subtotal"], invoice["total"]) == (100, 110)
    assert not [name for name in invoice if "tax" in name.lower()]
    strict = {"X-NetSuite-PropertyNameValidation": "Error"}
    body = books.invoice_body(taxDetailsOverride=True)
    assert books.account.send("POST", "invoice", body, headers=strict).status_code == 400


def test_suitetax_takes_details_that_point_at_lines(start_account: StartAccount) -> None:
    books = started(start_account, tax_mode="suitetax")
    detail = {"taxDetailsReference": {"id": "L1"}, "taxAmount": 8.88, "taxBasis": 100, "taxRate": 8.88}
    body = books.invoice_body(
        item={"items": [books.line(100, taxDetailsReference="L1")]},
        taxDetailsOverride=True,
        taxDetails={"items": [detail]},
    )
    shown = books.account.get(f"invoice/{books.account.write('POST', 'invoice', body)}")
    assert (shown["total"], shown["taxTotal"]) == (108.88, 8.88)
    assert books.balance("Sales Tax Payable") == -8.88
    wrong = {**body, "taxDetails": {"items": [{**detail, "taxDetailsReference": {"id": "L2"}}]}}
    assert "L2" in books.refused("POST", "invoice", wrong)


# Transport.


def test_a_write_answers_204_without_a_body_and_with_its_location(books: Books) -> None:
    answer = books.account.send("POST", "invoice", books.invoice_body())
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["Location"].startswith(f"{books.server.url}/services/rest/record/v1/invoice/")


def test_a_write_that_committed_before_the_connection_broke_is_found_and_not_repeated(books: Books) -> None:
    books.server.faults.add(action=DropAfter(), method="POST", path="/invoice$")
    with pytest.raises(requests.ConnectionError):
        books.invoice(externalId="in_1")
    assert books.account.get("invoice/eid:in_1")["total"] == 100
    assert "already exists" in books.refused("POST", "invoice", books.invoice_body(externalId="in_1"))


def test_a_write_may_commit_after_the_caller_looked_for_it(books: Books) -> None:
    late = CommitLater()
    books.server.faults.add(action=late, method="POST", path="/invoice$")
    with pytest.raises(requests.ConnectionError):
        books.invoice(externalId="in_1")
    assert books.account.send("GET", "invoice/eid:in_1").status_code == 404
    assert (late.commit(), late.answers[0].status) == (1, 204)
    assert "already exists" in books.refused("POST", "invoice", books.invoice_body(externalId="in_1"))


def test_refusals_of_the_moment_come_as_user_errors(books: Books) -> None:
    books.server.faults.add(action=record_changed_fault(), method="POST", path="/invoice$")
    assert "RCRD_HAS_BEEN_CHANGED" in books.refused("POST", "invoice", books.invoice_body())
    books.server.faults.add(action=workflow_lock_fault(), method="POST", path="/invoice$")
    assert "locked by a user defined workflow" in books.refused("POST", "invoice", books.invoice_body())


def test_a_missing_permission_is_a_400(start_account: StartAccount) -> None:
    books = started(start_account, may_not=["deposit:POST", "*:DELETE"])
    words = books.refused("POST", "deposit", books.deposit_body([books.payment(1)]))
    assert words.startswith("Your current role does not have permission")
    assert "permission" in books.refused("DELETE", f"invoice/{books.invoice()}")


def test_an_asynchronous_write_runs_once_for_its_key(books: Books) -> None:
    headers = {"Prefer": "respond-async", "X-NetSuite-Idempotency-Key": "6b0c"}
    first = books.account.send("POST", "invoice", books.invoice_body(), headers=headers)
    assert first.status_code == 202
    again = books.account.send("POST", "invoice", books.invoice_body(), headers=headers)
    assert (again.status_code, again.json()["o:errorDetails"][0]["o:errorCode"]) == (400, "IDEMPOTENCY_ERROR")
    assert again.headers["Location"] == first.headers["Location"]
    assert len(books.server.records("invoice")) == 1
    job = first.headers["Location"].removeprefix(books.server.url)
    headers = {"Authorization": f"Bearer {books.account.token()}"}
    state = requests.get(books.server.url + job, headers=headers, timeout=10).json()
    assert state["completed"] is True
    result = requests.get(f"{books.server.url}{job}/task/1/result", headers=headers, timeout=10)
    assert (result.status_code, "/invoice/" in result.headers["Location"]) == (204, True)


def test_the_synchronous_key_is_ignored(books: Books) -> None:
    headers = {"X-NetSuite-Idempotency-Key": "6b0c"}
    for _ in range(2):
        assert books.account.send("POST", "invoice", books.invoice_body(), headers=headers).status_code == 204
    assert len(books.server.records("invoice")) == 2
