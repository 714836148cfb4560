"""Promises of the page on which finance signs."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import re
from dataclasses import fields, replace
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from billing.domain.approval.approvers import Answer, Slot
from billing.domain.batch.batch import Batch, read_batch
from billing.domain.batch.month_comparison import MonthInvoice
from billing.domain.batch.past_months import past_months
from billing.domain.invoices.plan_record import PlanOrder, PlanWarning
from billing.domain.ledger.customer_match import How, MatchedCustomer
from billing.domain.ledger.ledger import Disposition
from billing.domain.orders.order_filter import FILTER_FIELDS
from billing.domain.records import stored
from billing.domain.runs.run_input import parse_filter
from billing.pages.approval.approval_mail import Invitation, approval_mail
from billing.pages.approval.approval_page import Posted, approval_page, batch_csv
from billing.pages.approval.approval_view import CountDiffers
from billing.pages.approval.batch_table import MOST_LINES, MOST_ROWS, Pages, lookup, page_of
from billing.pages.approval.table_choice import Choice, choice_of
from billing.pages.rendering import Shown
from tests.pages import samples
from tests.pages.parsed_page import Element, parse


def render(batch: Batch | None = None, **options: Any) -> Shown:
    batch = batch or samples.month()
    request = options.pop("request", None) or samples.request(batch)
    votes = options.pop("votes", ())
    posted, names = samples.posted(options), [one.name for one in fields(Choice) if one.name in options]
    choice = Choice(**{name: options.pop(name) for name in names})
    return approval_page(samples.view(request, votes, **options), batch, posted, choice=choice)


def tree(batch: Batch | None = None, **options: Any) -> Element:
    return parse(render(batch, **options).html)


def rows(page: Element) -> list[tuple[Element, Element]]:
    """Each row of the table, and what it opens."""
    found = [one for one in page.first("table", class_="sheet").first("tbody").children if isinstance(one, Element)]
    assert [one.attributes.get("class") == "lines" for one in found] == [False, True] * (len(found) // 2)
    return list(zip(found[::2], found[1::2], strict=True))


def section(page: Element, name: str) -> Element:
    return page.first("section", **{"aria-labelledby": f"{name}-title"})


def totals_of(page: Element) -> dict[str, str]:
    return {
        total.first("dt").first("span", class_="code").text: total.first("dd").text
        for total in page.first("dl", class_="totals").all("div")
    }


def test_the_sample_month_survives_its_way_through_storage() -> None:
    batch = samples.month()
    assert read_batch(stored(batch)) == batch


def test_the_totals_per_currency_are_those_of_what_will_be_drafted() -> None:
    batch = samples.month()
    by_hand: dict[str, int] = {}
    for invoice in batch.invoices:
        if invoice.disposition in (Disposition.ASK, Disposition.FINISH):
            by_hand[invoice.plan.currency] = by_hand.get(invoice.plan.currency, 0) + invoice.plan.total
    shown = totals_of(tree(batch))
    assert {code.lower(): int(text.replace(",", "").replace(".", "")) for code, text in shown.items()} == by_hand
    assert shown["JPY"].count(".") == 0
    assert len(shown["KWD"].partition(".")[2]) == 3


def test_every_invoice_is_a_row_with_its_client_orders_total_due_day_and_customer_and_opens_its_lines() -> None:
    batch = samples.month()
    shown = rows(tree(batch))
    assert len(shown) == len(batch.to_draft) == 36
    for (row, opened), invoice in zip(shown, batch.to_draft, strict=True):
        plan, text = invoice.plan, opened.text
        assert plan.client.name[:40] in row.first("summary").text
        assert row.first("td", class_="numbers").text == plan.orders[0].number
        assert row.first("td", class_="number sum").text.startswith(f"{plan.currency.upper()} ")
        assert invoice.disposition is Disposition.FINISH or re.fullmatch(
            r"\d{1,2} (Jun|Jul)", row.first("td", class_="day").text
        )
        lines = list(opened.first("tbody").all("tr"))
        assert len(lines) == len(plan.lines)
        for line, of in zip(lines, plan.lines, strict=True):
            assert of.description in line.text
        assert "Due " in text
        assert plan.custom_fields == () or plan.custom_fields[0][1] in text
        customer = invoice.customer
        assert customer is not None
        assert (customer.id or "will be created in Stripe") in text
        assert row.first("td", class_="whom" if customer.id else "whom new").text == (customer.id or "New")
        assert opened.first("tfoot").text.startswith(f"Total {plan.currency.upper()} ")


def test_what_is_not_billed_is_summed_by_cause_before_the_rows_and_each_cause_leads_to_its_own() -> None:
    html = render().html
    page = parse(html)
    # SO-1990 would have been USD 1,200.00, the held SO-1013 EUR 2,594.00, and of SO-1991 nobody knows.
    assert section(page, "unbilled").first("h3").text == (
        "Not billed: 3 orders, EUR 2,594.00, USD 1,200.00, 1 amount unknown"
    )
    differs = section(page, "cause-header_differs")
    assert differs.first("summary").text == "Lines and total differ (1) USD 1,200.00"
    assert "SO-1990" in differs.text
    assert "20.00 apart" in differs.text
    assert "SO-1991" in section(page, "cause-amount_unreadable").text
    assert "SO-1013" in section(page, "cause-held_for_a_person").text
    links = [link.attributes["href"] for link in differs.all("a")]
    assert links == ["?q=SO-1990#invoices-title", "?show=unbilled&cause=header_differs#invoices-title"]
    assert html.index('id="unbilled-title"') < html.index('id="invoices-title"') < html.index('name="answer"')


def test_what_differs_from_last_month_is_said_with_the_currency_first_and_leads_to_its_rows() -> None:
    page = tree(samples.beside_last_year(samples.month()))
    gone = section(page, "gone")
    assert gone.first("summary").text == "Gone (1) Zephyr Labs"
    assert "Zephyr Labs: nothing to bill now, and USD 1,234.50 in April 2026." in gone.text
    assert section(page, "above").first("summary").text.startswith("Above the upper bound (")
    for group in ("above", "changed", "new-clients"):
        (link,) = [one for one in section(page, group).all("a") if one.text == "See them in the table"]
        assert rows(tree(samples.beside_last_year(samples.month()), **chosen(link)))


def test_each_total_stands_beside_last_months_with_its_bars_and_a_sentence_that_says_the_same() -> None:
    client, other = samples.plan(0, client="Northwind"), samples.plan(3)
    past = past_months(
        [
            ("2026-03", [MonthInvoice("70", "Northwind", "usd", 50_00)]),
            ("2026-04", [MonthInvoice("70", "N", "usd", 0)]),
        ],
        {"70"},
    )
    assert past is not None
    past = replace(past, periods=("2026-03", "2026-04", "2026-05"), totals={"usd": (50_00, 400_00, 10_00)})
    past = replace(past, clients={"70": {"usd": (50_00, 425_00, 0)}})
    batch = Batch(samples.run_frame(), (samples.invoice(client), samples.invoice(other)), (), past=past)
    page = tree(batch)
    # 850.00 and 7,910.00 now, 10.00 drafted before: 8,770.00 are 2,092% more than April's 400.00.
    assert client.total + other.total == 876_000
    compared = page.first("dd", class_="compared").text
    assert "+2,092% 400.00 in April 2026; with 10.00 drafted before" in compared
    assert "March 2026 to April 2026: between USD 50.00 and USD 400.00 a month, the most in April 2026." in compared
    assert "May 2026: USD 8,770.00." in compared
    changes = [row.first("td", class_="against").text.split()[-1] for row, _ in rows(page)]
    assert changes == ["+100%", "new"]
    for picture in page.all("svg"):
        assert picture.attributes["aria-hidden"] == "true"


def test_fifty_orders_with_one_problem_are_one_line_to_read() -> None:
    problem = samples.problems()[0]
    batch = replace(samples.month(), problems=tuple(replace(problem, order_id=str(n)) for n in range(50)))
    cause = section(tree(batch), "cause-header_differs")
    assert cause.first("summary").text == "Lines and total differ (50) USD 60,000.00"
    assert len(list(cause.all("li"))) == 5
    assert "And 45 more" in cause.text


def test_new_customers_earlier_approvals_and_notes_are_named_before_the_rows() -> None:
    page = tree()
    new = section(page, "new-customers")
    assert new.first("summary").text == "New in Stripe (2) Øresund Havn A/S, Brightwater Primary School"
    assert "SO-1007" in new.text
    assert "SO-1032" in new.text
    assert "SO-1015" in section(page, "finished").text
    assert "31/02/2026" in section(page, "warnings").text
    assert "in_1PxB" in section(page, "skipped").text


def test_an_order_that_is_asked_about_again_says_why() -> None:
    why = "Approved earlier for another Stripe customer than the one it matches now."
    batch = Batch(samples.run_frame(), (samples.invoice(samples.plan(1), reason=why),), ())
    assert why in tree(batch).first("section", **{"aria-labelledby": "again-title"}).text


def test_a_plain_month_has_no_warnings_to_look_at() -> None:
    batch = Batch(samples.run_frame(), (samples.invoice(samples.plan(1)),), ())
    page = tree(batch)
    assert list(page.all("section", class_="look")) == []
    assert "#look" not in [link.attributes["href"] for link in page.all("a")]


def test_a_narrowed_run_a_dry_run_and_missing_columns_are_said() -> None:
    frame = samples.run_frame(dryRun=True, filter={"orderNumbers": ["SO-1002"], "atMost": 3})
    batch = Batch(frame, (samples.invoice(samples.plan(1)),), (), ("custbody_po",))
    text = tree(batch).text
    assert "dry run" in text
    assert "the orders SO-1002 and at most 3 orders" in text
    assert "custbody_po" in text


NARROWED: dict[str, tuple[Any, str]] = {
    "orderNumbers": (["SO-1", "SO-2"], "the orders SO-1, SO-2"),
    "customerIds": (["7"], "the customers with NetSuite ids 7"),
    "customerCategories": (["5", "6"], "the customer categories with NetSuite ids 5, 6"),
    "subsidiaries": (["3"], "the subsidiaries with NetSuite ids 3"),
    "customFields": ({"custbody_group": "A"}, "orders whose field custbody_group is A"),
    "fromDate": ("2026-05-01", "orders from 1 May 2026 on"),
    "toDate": ("2026-05-16", "orders before 16 May 2026"),
    "atMost": (3, "at most 3 orders"),
}


def test_every_field_that_narrows_a_run_is_named_on_page_and_mail() -> None:
    assert set(NARROWED) == set(FILTER_FIELDS)
    for name, (value, words) in NARROWED.items():
        parse_filter({name: value})
        batch = Batch(samples.run_frame(filter={name: value}), (samples.invoice(samples.plan(1)),), ())
        said = f"This run is narrowed to {words}. Other orders of the month are not in it."
        assert said in tree(batch).text
        assert said in " ".join(
            approval_mail(Invitation(samples.request(batch), batch, samples.ANN, "https://x")).text.split()
        )


def test_what_is_not_billed_is_said_in_one_way() -> None:
    """ "Left out" meant both what has a problem and what a search or a hold leaves out."""
    batch = samples.month()
    page = tree(batch)
    assert "left out" not in page.text
    orders = {order.id for one in batch.of(Disposition.HOLD) for order in one.plan.orders}
    assert f"{len(orders) + len(batch.problems)} orders are not billed" in page.text


def test_an_order_that_a_person_ended_is_named_once_with_who_and_why_and_counted_after_that() -> None:
    new = replace(samples.month(), ended=(samples.ended("SO-1800"), samples.ended("SO-1801", "an-earlier-run")))
    section = tree(new).first("section", **{"aria-labelledby": "ended-title"})
    assert "Halcyon Media SO-1800" in section.text
    assert "USD 400.00" in section.text
    assert "Ended on 2026-05-20 by bob@firm.example: billed by hand." in section.text
    assert "SO-1801" not in tree(new).text
    assert "1 listed order was ended by a person, as an earlier report has named, and has not changed" in tree(new).text


def test_the_form_can_only_be_answered_with_something_typed() -> None:
    page = tree()
    forms = list(page.all("form", method="post"))
    asked = {"approve": ["invoices", "comment"], "reject": ["number", "reason"], "hold": ["order", "reason"]}
    assert len(forms) == len(asked)
    for form in forms:
        hidden = list(form.all("input", type="hidden"))
        # They say what is answered about and on which day, and are the same whatever is answered: they decide nothing.
        told = [(field.attributes["name"], field.attributes["value"]) for field in hidden]
        assert told == [("content", samples.SHA), ("day", "2026-06-01")]
        shown = [field for field in (*form.all("input"), *form.all("textarea")) if field not in hidden]
        for field in shown:
            assert field.attributes.get("value") is None
            assert field.text.strip() == ""
            assert field.attributes.get("placeholder") is None
            assert field.attributes["autocomplete"] == "off"
        (button,) = form.all("button")
        assert button.attributes["name"] == "answer"
        seen = [field for field in shown if "tabindex" not in field.attributes]
        (trap,) = (field for field in shown if field not in seen)
        assert [field.attributes["name"] for field in seen] == asked.pop(button.attributes["value"])
        assert (trap.attributes["name"], trap.attributes["tabindex"]) == ("note", "-1")
        assert form.attributes["action"] == ""


def test_signing_says_plainly_what_it_does() -> None:
    text = tree().first("section", class_="decide").text
    assert "Signing creates 36 draft invoices and 2 new customers in Stripe" in text
    assert "Nothing is sent to clients" in text
    assert "There are 36 ." in text or "There are 36." in text
    sending = tree(finalizes=True).first("section", class_="decide").text
    assert "Nothing is sent to clients" not in sending
    assert "sends them to the clients automatically" in sending


def test_a_mistake_is_announced_first_and_at_its_field_and_the_typed_number_is_not_kept() -> None:
    page = tree(mistake="You typed 35.", typed={"answer": "approve", "invoices": "35"})
    alert = page.first("div", role="alert")
    assert "autofocus" in alert.attributes
    assert alert.attributes["tabindex"] == "-1"
    assert alert.first("a").attributes["href"] == "#typed-invoices"
    field = page.first("input", id="typed-invoices")
    assert field.attributes["aria-invalid"] == "true"
    assert "typed-wrong" in (field.attributes["aria-describedby"] or "")
    assert page.first("p", id="typed-wrong").text == "You typed 35."
    assert field.attributes.get("value") is None


def test_a_reason_that_was_typed_is_kept_and_its_form_is_open() -> None:
    page = tree(mistake="Too short.", typed={"answer": "reject", "reason": "\n no <b> "})
    (opened,) = (one for one in page.first("section", class_="decide").all("details") if "open" in one.attributes)
    assert opened.first("summary").text == "Reject instead"
    assert page.first("textarea", id="reason").attributes["aria-invalid"] == "true"
    assert page.first("textarea", id="reason").text == "no <b>"


def test_the_page_shows_who_must_sign_and_who_has() -> None:
    text = tree(votes=[samples.vote(samples.CY)]).first("section", class_="decide").text
    assert "any one of ann@firm.example and bob@firm.example" in text
    assert "cy@firm.example approved on 1 June 2026, 10:15 UTC" in text
    assert "Still to sign: Finance lead." in text


def test_the_page_names_the_content_that_is_signed_for_and_until_when() -> None:
    text = tree().text
    assert samples.SHA in text
    assert "8 June 2026, 09:00 UTC" in text
    assert "6 days 23 hours" in text


def test_a_request_that_asks_for_another_number_than_its_batch_holds_is_never_shown() -> None:
    batch = samples.month()
    with pytest.raises(CountDiffers):
        render(batch, request=replace(samples.request(batch), invoices=37))


def test_invoices_signed_for_earlier_are_told_apart_from_those_to_sign_now() -> None:
    batch = samples.month()
    page = tree(batch, request=replace(samples.request(batch), invoices=35))
    assert "35 invoices to sign now, 1 signed for earlier" in page.text
    assert "Approve 35 invoices" in page.text


# Hostile text.


def hostile_batch() -> Batch:
    bad = samples.HOSTILE
    plan = samples.plan(1, client=bad, email=bad, description=bad, warnings=[PlanWarning("x", bad)])
    plan = replace(
        plan,
        orders=(PlanOrder("5001", bad, "2026-05-02"),),
        custom_fields=((bad, bad),),
        memo=bad,
        client=replace(plan.client, number=bad),
    )
    problem = replace(samples.problems()[0], order_number=bad, message=bad, client_name=bad)
    held = samples.invoice(samples.plan(2, client=bad), Disposition.HOLD, bad)
    new = samples.invoice(samples.plan(3, client=bad), customer=MatchedCustomer(None, How.NEW))
    return Batch(
        samples.run_frame(filter={"orderNumbers": [bad]}),
        (samples.invoice(plan, reason=bad, customer=MatchedCustomer(bad, How.EMAIL)), held, new),
        (problem,),
        (bad,),
    )


def hostile_page() -> Shown:
    batch = hostile_batch()
    slots = (Slot(samples.HOSTILE, 1, (samples.ANN, "<b>@x.example")),)
    request = replace(samples.request(batch, slots), run_id=samples.HOSTILE, cycle=samples.HOSTILE)
    votes = [samples.vote("<b>@x.example", Answer.APPROVE, samples.HOSTILE)]
    posted = Posted(mistake=samples.HOSTILE, typed={"answer": "reject", "reason": samples.HOSTILE})
    return approval_page(samples.view(request, votes), batch, posted)


def test_hostile_names_stay_text_everywhere() -> None:
    html = hostile_page().html
    page = parse(html)
    assert list(page.all("script")) == []
    assert list(page.all("img")) == []
    assert list(page.all("b")) == []
    assert not [e for e in page.all() for name in e.attributes if name.startswith("on")]
    assert "\u202e" not in html
    assert "{{7*7}}" in page.text
    assert "49" not in rows(page)[0][0].text


def test_a_hostile_query_stays_text_and_finds_nothing() -> None:
    batch = samples.month()
    page = tree(batch, query='"><script>alert(1)</script>')
    assert list(page.all("script")) == []
    assert list(page.all("table", class_="sheet")) == []
    assert "0 rows found" in page.text


def test_names_of_ten_thousand_characters_are_cut_on_the_page_and_whole_in_the_csv() -> None:
    name = "N" * 10_000
    batch = Batch(samples.run_frame(), (samples.invoice(samples.plan(1, client=name, description=name)),), ())
    html = render(batch).html
    assert "N" * 301 not in html
    assert "N" * 100 in html
    assert name in batch_csv(batch).decode("utf-8-sig")


def test_every_foreign_name_is_isolated_from_the_text_around_it() -> None:
    arabic = "شركة الخليج للتجارة"
    page = tree(Batch(samples.run_frame(), (samples.invoice(samples.plan(1, client=arabic)),), ()))
    assert rows(page)[0][0].first("bdi").text == arabic


# Headers.


def test_the_policy_allows_exactly_the_inline_stylesheet_and_posts_to_ourselves() -> None:
    shown = render()
    style = shown.html.split("<style>")[1].split("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert shown.csp == (
        f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )


def test_the_page_has_no_script_no_style_attribute_and_nothing_foreign() -> None:
    shown = render()
    page = parse(shown.html)
    assert list(page.all("script")) == []
    for element in page.all():
        assert "style" not in element.attributes
        assert "src" not in element.attributes
        assert element.tag not in ("link", "iframe", "object", "embed", "base")
        href = element.attributes.get("href") or ""
        assert href == "" or href[0] in "?#"
    assert "url(" not in shown.html
    assert "@import" not in shown.html


def test_every_page_carries_the_headers_that_keep_it_private() -> None:
    headers = render().headers
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert "max-age=" in headers["strict-transport-security"]
    assert headers["content-security-policy"] == render().csp


# Structure.


def test_headings_go_down_one_level_at_a_time_and_there_is_one_of_the_first() -> None:
    for page in (tree(), tree(mistake="x", typed={"answer": "approve"}), tree(query="Kestrel")):
        levels = [int(e.tag[1]) for e in page.all() if e.tag in ("h1", "h2", "h3", "h4", "h5", "h6")]
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(next_ - level <= 1 for level, next_ in pairwise(levels))


def test_every_id_is_unique_and_every_reference_and_label_finds_its_element() -> None:
    for page in (tree(), tree(query="Kestrel SO-1026"), tree(mistake="x", typed={"answer": "reject"})):
        ids = [e.attributes["id"] for e in page.all() if "id" in e.attributes]
        assert len(ids) == len(set(ids))
        for element in page.all():
            for name in ("for", "aria-labelledby", "aria-describedby"):
                for target in (element.attributes.get(name) or "").split():
                    assert target in ids, (element.tag, name, target)
            href = element.attributes.get("href") or ""
            assert not href.startswith("#") or href[1:] in ids
        labelled = {label.attributes["for"] for label in page.all("label")}
        for tag in ("input", "textarea"):
            for field in page.all(tag):
                assert field.attributes.get("type") == "hidden" or field.attributes["id"] in labelled


def test_every_table_has_a_caption_and_scoped_headers() -> None:
    for table in tree().all("table"):
        assert table.first("caption").text
        for cell in table.all("th"):
            assert cell.attributes["scope"] in ("col", "row")


# Searching, sorting, filtering and paging.


def pages_of(invoices: list[Any], number: int = 1, **choice: Any) -> Pages:
    batch = Batch(samples.run_frame(), tuple(invoices), ())
    return page_of(lookup(batch, samples.NOW.date()), Choice(page=number, **choice))


def names(page: Element) -> list[str]:
    return [row.first("td", class_="numbers").text for row, _ in rows(page)]


def test_a_search_finds_by_client_and_by_order_number_and_leaves_totals_and_count_alone() -> None:
    everything, found = tree(), tree(query="kestrel")
    clients = [row.first("summary").text for row, _ in rows(found)]
    assert clients
    assert all("Kestrel" in name for name in clients)
    assert totals_of(found) == totals_of(everything)
    assert "Approve 36 invoices" in found.text
    assert names(tree(query="so-1002")) == ["SO-1002"]
    assert names(tree(query="MÜLLER"))


def test_a_whole_order_number_finds_that_order_and_not_those_that_begin_like_it() -> None:
    invoices = [samples.invoice(samples.plan(number)) for number in (1, 99)]
    plan = replace(invoices[0].plan, orders=(PlanOrder("1", "SO-110", "2026-05-02"),), key="order-1")
    assert [
        one.plan.orders[0].number for one in pages_of([*invoices, samples.invoice(plan)], query="so-110").items
    ] == ["SO-110"]
    assert len(pages_of([*invoices, samples.invoice(plan)], query="so-1").items) == 3


def test_a_search_also_finds_orders_that_are_not_billed_and_they_explain_themselves() -> None:
    ((row, opened),) = rows(tree(query="SO-1990"))
    assert row.first("td", class_="look-at").text == "Not billed: Lines and total differ"
    assert "20.00 apart" in opened.text
    assert list(row.all("button")) == []


def test_each_link_of_the_filter_shows_as_many_rows_as_it_says() -> None:
    page = tree()
    links = list(page.first("nav", class_="filters").all("a"))
    assert len(links) > 8
    for link in links:
        _, _, number = link.text.rpartition(" ")
        found = tree(**chosen(link))
        assert len(rows(found)) == int(number), link.text
        marked = [one.text for one in found.first("nav", class_="filters").all("a", **{"aria-current": "true"})]
        assert marked == [link.text]
        assert totals_of(found) == totals_of(page)


def chosen(link: Element) -> dict[str, Any]:
    """What a link of the page asks for, as the function reads it."""
    query = parse_qs(urlsplit(link.attributes["href"] or "").query)
    choice = choice_of({name: values[0] for name, values in query.items()})
    return {one.name: getattr(choice, one.name) for one in fields(choice)}


def test_a_column_sorts_by_its_link_and_the_other_way_round_when_it_is_pressed_again() -> None:
    batch = samples.month()
    by_hand = {one.plan.orders[0].number: (one.plan.currency, -one.plan.total) for one in batch.to_draft}
    once = tree(batch, **chosen(head(tree(batch), "Total").first("a")))
    assert names(once) == sorted(by_hand, key=lambda number: by_hand[number])
    assert head(once, "Total").attributes["aria-sort"] == "descending"
    again = tree(batch, **chosen(head(once, "Total").first("a")))
    assert names(again) == sorted(by_hand, key=lambda n: (by_hand[n][0], -by_hand[n][1]))
    assert head(again, "Total").attributes["aria-sort"] == "ascending"
    clients = [row.first("summary").text for row, _ in rows(tree(batch, sort="client"))]
    assert clients == sorted(clients, key=lambda name: name.rstrip("…").casefold())


def head(page: Element, words: str) -> Element:
    return next(one for one in page.first("table", class_="sheet").all("th", scope="col") if one.text == words)


def test_a_query_that_is_none_of_ours_shows_the_table() -> None:
    odd = {"show": "x", "sort": "-x", "page": "9" * 40, "cause": "y", "currency": "zzzz", "q": " ", "rows": "7"}
    assert choice_of(odd) == Choice(currency="zzz")
    assert choice_of({"page": "٣"}) == choice_of({"page": "-1"}) == Choice()


def test_every_invoice_is_on_exactly_one_page_however_many_there_are() -> None:
    invoices = [samples.invoice(samples.plan(number, lines=3)) for number in range(120)]
    seen: list[str] = []
    pages = pages_of(invoices)
    for number in range(1, pages.count + 1):
        page = pages_of(invoices, number)
        assert len(page.items) <= MOST_ROWS
        assert page.first == len(seen) + 1
        seen += [invoice.plan.key for invoice in page.items]
    assert seen == [invoice.plan.key for invoice in invoices]
    assert pages.count == 3
    assert len(pages_of(invoices, every=True).items) == 120


def test_invoices_with_many_lines_make_shorter_pages_and_never_an_empty_one() -> None:
    invoices = [samples.invoice(samples.plan(number, lines=240)) for number in range(9)]
    invoices.insert(0, samples.invoice(samples.plan(99, lines=MOST_LINES + 500)))
    pages = pages_of(invoices)
    assert len(pages.items) == 1
    assert [len(pages_of(invoices, n).items) for n in range(1, pages.count + 1)] == [1, 4, 4, 1]


@pytest.mark.parametrize(("asked", "given"), [(-5, 1), (0, 1), (2, 2), (99, 2)])
def test_a_page_that_does_not_exist_becomes_the_nearest_that_does(asked: int, given: int) -> None:
    assert pages_of([samples.invoice(samples.plan(number)) for number in range(60)], asked).number == given


def test_links_to_other_pages_keep_the_search_the_filter_and_the_order_and_stay_on_the_page() -> None:
    invoices = [samples.invoice(samples.plan(number, client="A & B =?#")) for number in range(80)]
    page = pages_of(invoices, query="a & b", currency="usd", sort="-total")
    assert page.link(2) == "?q=a+%26+b&currency=usd&sort=-total&page=2#invoices-title"


def test_the_pager_stands_above_and_below_and_shows_a_gap_as_a_gap() -> None:
    batch = Batch(samples.run_frame(), tuple(samples.invoice(samples.plan(n)) for n in range(1_000)), ())
    above, below = tree(batch, page=10).all("nav", class_="pages")
    assert above.attributes["aria-label"] != below.attributes["aria-label"]
    for pager in (above, below):
        assert pager.text == "Previous Page 1 … Page 8 Page 9 Page 10 Page 11 Page 12 … Page 20 Next"
    assert next(tree(batch, page=4).all("nav", class_="pages")).text.startswith("Previous Page 1 Page 2 Page 3 Page 4")


def test_ten_thousand_invoices_make_a_page_that_a_function_may_answer() -> None:
    batch = Batch(
        samples.run_frame(),
        tuple(
            samples.invoice(
                samples.plan(number, warnings=[PlanWarning("w", "Look.")]), customer=MatchedCustomer(None, How.NEW)
            )
            for number in range(10_000)
        ),
        (),
    )
    html = render(batch, page=57).html
    assert len(html.encode()) < 600_000
    page = parse(html)
    assert len(rows(page)) == 50
    assert "Rows 2,801 to 2,850 of 10,000, page 57 of 200" in page.text
    assert "And 9,950 more" in page.text
    assert len(render(batch, every=True, opened=True).html.encode()) < 4_500_000


# The CSV.


def rows_of(batch: Batch) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(batch_csv(batch).decode("utf-8-sig"), newline="")))


def test_the_csv_has_every_line_and_every_problem_and_its_amounts_add_up() -> None:
    batch = samples.month()
    rows = rows_of(batch)
    assert len(rows) == sum(len(invoice.plan.lines) for invoice in batch.invoices) + len(batch.problems)
    usd = [r for r in rows if r["What is done"].startswith("will be drafted") and r["Currency"] == "USD"]
    cents = sum(int(row["Amount"].replace(".", "")) for row in usd)
    assert cents == sum(i.plan.total for i in batch.to_draft if i.plan.currency == "usd")
    assert {row["What is done"] for row in rows} == {
        "will be drafted",
        "will be drafted, approved earlier",
        "already drafted",
        "held",
        "not billed",
    }


def test_hostile_names_are_no_formulas_in_the_csv_and_amounts_stay_numbers() -> None:
    plan = samples.plan(0, client='=HYPERLINK("http://x","y")', description="@SUM(1)\r\n=2")
    batch = Batch(samples.run_frame(), (samples.invoice(plan),), ())
    rows = rows_of(batch)
    assert rows[0]["Client"] == '\'=HYPERLINK("http://x","y")'
    assert rows[0]["Description"].startswith("'@SUM(1)")
    assert rows[-1]["Amount"] == "-100.00"


def test_the_csv_begins_with_a_byte_order_mark() -> None:
    assert batch_csv(samples.month()).startswith(b"\xef\xbb\xbf")
