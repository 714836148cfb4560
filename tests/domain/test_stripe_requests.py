"""A plan as Stripe's parameters: the same bytes always, valid by Stripe's own description, due on the firm's day."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stripe._encode import _api_encode

from billing.domain.canonical import canonical_json
from billing.domain.invoices.billing_policy import BillingPolicy
from billing.domain.invoices.invoice_days import days_by_terms
from billing.domain.invoices.invoice_plan import InvoicePlan, plan_hash, plan_invoices
from billing.domain.invoices.stripe_requests import idempotency_key, invoice_params, line_params
from billing.domain.orders.due_date import DayOfMonth, Due, NetDays
from billing.domain.orders.order_rows import read_orders
from billing.domain.records import from_record, to_record
from tests.a_run import a_run
from tests.domain.suiteql_rows import hours, line, order

RUN = a_run()
DAY = date(2026, 6, 1)
UTC_ZONE = ZoneInfo("UTC")
VALIDATOR = Path(__file__).resolve().parents[3] / "shared" / "stripe" / "validate_request.py"


def plan(rows: list[dict[str, str]] | None = None, **policy: Any) -> InvoicePlan:
    rows = rows or order(
        "1581.25",
        hours("7.5", "937.50", rate="125"),
        line(2, "Service", "600.00", quantity="5", rate="120"),
        line(3, "Discount", "-50.00"),
        line(4, "TaxItem", "93.75", taxline="T", rate="10%"),
        otherrefnum="PO-1", startdate="2026-05-01", enddate="2026-05-31",
    )  # fmt: skip
    plans = plan_invoices(read_orders(rows), BillingPolicy(**policy))
    assert plans.problems == ()
    return plans.invoices[0]


def params(
    made: InvoicePlan, zone: ZoneInfo = UTC_ZONE, earliest: date = DAY, day: date = DAY, **settings: Any
) -> dict[str, Any]:
    chosen = {"auto_advance": False, "tax": "netsuite", **settings}
    terms = days_by_terms(made.due, day.isoformat())
    days = replace(terms, due=terms.due_if_drafted(earliest))
    return invoice_params(made, "cus_1", plan_hash(made), days, zone, RUN, **chosen)


def local(epoch: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(epoch, zone)


def test_the_same_plan_gives_the_same_bytes() -> None:
    """Stripe refuses an idempotency key whose second request differs in one byte."""
    stored = from_record(InvoicePlan, to_record(plan()))
    assert canonical_json(params(plan())) == canonical_json(params(stored))
    assert list(_api_encode(params(plan()))) == list(_api_encode(params(stored)))
    for one, other in zip(plan().lines, stored.lines, strict=True):
        assert canonical_json(line_params(one, "usd", UTC_ZONE)) == canonical_json(line_params(other, "usd", UTC_ZONE))


def test_a_draft_is_never_sent_or_finalised_by_itself_unless_the_firm_says_so() -> None:
    assert params(plan())["auto_advance"] is False
    assert params(plan(), auto_advance=True)["auto_advance"] is True
    assert params(plan())["collection_method"] == "send_invoice"
    assert params(plan())["pending_invoice_items_behavior"] == "exclude"
    assert "days_until_due" not in params(plan())


def test_tax_by_stripe_is_asked_for_only_in_that_mode() -> None:
    assert "automatic_tax" not in params(plan())
    assert "automatic_tax" not in params(plan(tax="none"), tax="none")
    assert params(plan(tax="stripe"), tax="stripe")["automatic_tax"] == {"enabled": True}


def test_the_drafts_metadata_names_netsuites_ids_the_period_and_the_run() -> None:
    made = plan()
    assert params(made)["metadata"] == {
        "billing_plan": "order-500",
        "content_sha256": plan_hash(made),
        "netsuite_so_id": "500",
        "netsuite_so_number": "SO-1001",
        "netsuite_customer_id": "77",
        "billing_period": "2026-05",
        "run_id": "run-1",
    }


def test_metadata_of_a_thousand_orders_stays_within_stripes_length() -> None:
    one = plan()
    many = replace(one, orders=tuple(replace(one.orders[0], number=f"SO-{n}", id=str(n)) for n in range(1000)))
    sent = params(many)["metadata"]
    assert all(len(value) <= 500 for value in sent.values())
    assert sent["netsuite_so_id"].endswith("…"), "a list that was cut must not look complete"


ZONES = ("Pacific/Auckland", "Pacific/Kiritimati", "Etc/GMT+12", "America/New_York", "Europe/London", "Asia/Kolkata")


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("day", [date(2026, 6, 1), date(2026, 3, 1), date(2026, 10, 1), date(2027, 1, 1)])
@pytest.mark.parametrize(
    ("due", "expected"),
    [
        (NetDays(0), {6: (2026, 6, 1), 3: (2026, 3, 1), 10: (2026, 10, 1), 1: (2027, 1, 1)}),
        (NetDays(30), {6: (2026, 7, 1), 3: (2026, 3, 31), 10: (2026, 10, 31), 1: (2027, 1, 31)}),
        (DayOfMonth(31), {6: (2026, 6, 30), 3: (2026, 3, 31), 10: (2026, 10, 31), 1: (2027, 1, 31)}),
    ],
)
def test_an_invoice_is_due_at_the_end_of_the_firms_own_day(
    zone: str, day: date, due: Due, expected: dict[int, tuple[int, int, int]]
) -> None:
    firm = ZoneInfo(zone)
    sent = params(replace(plan(), due=due), firm, earliest=day, day=day)
    ends = local(sent["due_date"], firm)
    assert ends.date() == date(*expected[day.month])
    assert (ends.hour, ends.minute) == (23, 59)
    assert local(sent["effective_at"], firm).date() == day


def test_no_invoice_is_due_before_it_exists() -> None:
    sent = params(replace(plan(), due=NetDays(0)), earliest=date(2026, 6, 9))
    assert local(sent["due_date"], UTC_ZONE).date() == date(2026, 6, 9)


def test_a_late_approval_does_not_shorten_or_lengthen_the_clients_terms() -> None:
    early = params(replace(plan(), due=NetDays(30)))
    late = params(replace(plan(), due=NetDays(30)), earliest=date(2026, 6, 12))
    assert early["due_date"] == late["due_date"]


@pytest.mark.parametrize("zone", ZONES)
def test_a_service_period_covers_the_firms_own_days(zone: str) -> None:
    firm = ZoneInfo(zone)
    sent = line_params(plan().lines[0], "usd", firm)["period"]
    assert local(sent["start"], firm).date() == date(2026, 5, 1)
    assert local(sent["end"], firm).date() == date(2026, 5, 31)
    assert sent["start"] < sent["end"]


def test_a_line_is_an_amount_or_quantity_and_price_never_both() -> None:
    for style in ("amount", "quantity"):
        for one in plan(line_style=style).lines:
            sent = line_params(one, "usd", UTC_ZONE)
            assert ("amount" in sent) != ("price_data" in sent)
            assert ("quantity_decimal" in sent) == ("price_data" in sent)
    assert any("price_data" in line_params(one, "usd", UTC_ZONE) for one in plan(line_style="quantity").lines)


@given(st.lists(st.one_of(st.integers(), st.text(max_size=5)), max_size=4))
def test_an_idempotency_key_stands_for_exactly_its_content(parts: list[Any]) -> None:
    assert idempotency_key("x", *parts) == idempotency_key("x", *parts)
    assert idempotency_key("x", *parts) != idempotency_key("x", *parts, 0)
    assert idempotency_key("x", *parts) != idempotency_key("y", *parts)
    assert len(idempotency_key("x", *parts)) <= 255


@pytest.fixture(scope="module")
def stripes_description() -> ModuleType:
    if not VALIDATOR.exists():
        pytest.skip("Stripe's own description of its API is not on this machine")
    pytest.importorskip("jsonschema")
    spec = importlib.util.spec_from_file_location("validate_request", VALIDATOR)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def encoded(sent: dict[str, Any]) -> str:
    """As the SDK puts it on the wire."""
    return urlencode(list(_api_encode(sent)))


@pytest.mark.parametrize("tax", ["netsuite", "stripe", "none"])
@pytest.mark.parametrize("style", ["amount", "quantity"])
@pytest.mark.parametrize("grouping", ["order", "client"])
@pytest.mark.parametrize("footer", ["", "Thank you, {client}"])
def test_what_is_sent_is_valid_by_stripes_own_description(
    stripes_description: ModuleType, tax: str, style: str, grouping: str, footer: str
) -> None:
    made = plan(tax=tax, line_style=style, grouping=grouping, footer_template=footer)
    assert stripes_description.check("POST", "/v1/invoices", encoded(params(made, tax=tax))) == []
    lines = {"lines": [line_params(one, made.currency, UTC_ZONE) for one in made.lines]}
    assert stripes_description.check("POST", "/v1/invoices/in_1/add_lines", encoded(lines)) == []


def test_the_longest_texts_are_valid_by_stripes_own_description(stripes_description: ModuleType) -> None:
    rows = order(
        "1000.00", hours(linememo="w" * 6000), memo="m" * 4000, otherrefnum="p" * 45, clientname="n" * 250,
    )  # fmt: skip
    made = plan(
        rows, description_template="{memo} {client} {orders}", footer_template="{memo}{memo}", line_style="quantity"
    )
    assert stripes_description.check("POST", "/v1/invoices", encoded(params(made))) == []
    lines = {"lines": [line_params(one, made.currency, UTC_ZONE) for one in made.lines]}
    assert stripes_description.check("POST", "/v1/invoices/in_1/add_lines", encoded(lines)) == []


def test_stripes_description_would_notice_a_wrong_parameter(stripes_description: ModuleType) -> None:
    assert stripes_description.check("POST", "/v1/invoices", encoded({**params(plan()), "colour": "red"})) != []


def test_instants_are_whole_seconds_in_utc() -> None:
    sent = params(plan(), ZoneInfo("Asia/Kolkata"))
    assert isinstance(sent["due_date"], int)
    assert datetime.fromtimestamp(sent["due_date"], UTC).minute == 29, "half past: Kolkata is 5:30 ahead"
