"""NetSuite over real HTTP: both ways in, every page, and what each refusal means."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import pytest
import requests

from billing.adapters.netsuite.fingerprints import orders_listed_now
from billing.adapters.netsuite.login import account_host, base_url_of, login_from_secret
from billing.adapters.netsuite.sales_orders import list_sales_orders
from billing.adapters.netsuite.suiteql import PAGE_SIZE, SuiteQL
from billing.domain.errors import InputInvalid, OurFault, PassingError, PersonNeeded
from billing.domain.orders.order_filter import OrderFilter
from billing.domain.orders.order_rows import read_orders
from billing.domain.runs.order_query import OrderQuery, email_column
from tests.sandbox.faults import Answer, DropAfter, DropBefore
from tests.sandbox.netsuite import (
    NetSuiteServer,
    concurrency_fault,
    generate_world,
    invalid_login_fault,
    load_world,
    maintenance_fault,
    permission_fault,
    unexpected_error_fault,
)

JUNE_FIRST = 1_780_300_800.0
SUITEQL = "/suiteql"
TOKEN = "/oauth2/v1/token"
MAY = OrderQuery(("E", "F"), date(2026, 5, 1), date(2026, 6, 1), OrderFilter())


@dataclass
class Clock:
    now: float = JUNE_FIRST

    def __call__(self) -> float:
        return self.now


@dataclass
class Account:
    """A NetSuite account and the product's client of it. `slept` are the pauses that it would have made."""

    server: NetSuiteServer
    clock: Clock
    secret: dict[str, str]
    slept: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        login = login_from_secret(self.secret, self.server.url, self.clock)
        self.suiteql = SuiteQL(self.server.url, login, self.slept.append, requests.Session(), jitter=lambda: 1.0)

    def list(self, query: OrderQuery = MAY) -> Any:
        return list_sales_orders(self.suiteql, query)

    def numbers(self, query: OrderQuery = MAY) -> list[str]:
        return sorted({row["tranid"] for row in self.list(query).rows})


def pages(account: Account, listed: Any) -> int:
    """How many pages were read: besides, one query is asked for each optional column that the account lacks."""
    return account.server.counts()["suiteql"] - len(listed.absent_columns)


Start = Callable[..., Account]


@pytest.fixture
def start() -> Iterator[Start]:
    with ExitStack() as stack:

        def started(world: Any = "tiny", kind: str = "oauth2", algorithm: str = "ES256", **options: Any) -> Account:
            # oauthlib stamps its signatures with the machine's own time.
            clock = Clock(time.time()) if kind == "tba" else Clock()
            loaded = load_world(world) if isinstance(world, str) else world
            secret = NetSuiteServer.new_credentials(kind, algorithm, loaded.account)  # type: ignore[arg-type]
            server = stack.enter_context(NetSuiteServer(loaded, clock, secret, today=date(2026, 6, 1), **options))
            return Account(server, clock, secret)

        yield started


# Logins --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "algorithm"), [("oauth2", "ES256"), ("oauth2", "PS256"), ("oauth2", "ES512"), ("tba", "")]
)
def test_every_way_in_lists_the_orders(start: Start, kind: str, algorithm: str) -> None:
    account = start(kind=kind, algorithm=algorithm)
    assert account.numbers() == ["SO-1001", "SO-1002", "SO-1003"]
    assert account.server.login_audit == []


def test_one_token_serves_many_queries(start: Start) -> None:
    account = start()
    for _ in range(3):
        account.list()
    assert account.server.counts()["token"] == 1


def test_a_token_is_renewed_before_it_ends(start: Start) -> None:
    account = start()
    account.list()
    account.clock.now += 3600 - 121
    account.list()
    assert account.server.counts()["token"] == 1
    account.clock.now += 2
    account.list()
    assert account.server.counts()["token"] == 2
    assert account.server.login_audit == [], "no request went out with a token that had ended"


def test_a_lost_token_is_replaced_by_one_fresh_login(start: Start) -> None:
    account = start()
    account.list()
    account.server.expire_tokens()
    assert len(account.numbers()) == 3
    assert account.server.counts()["token"] == 2
    assert account.slept == []


@pytest.mark.parametrize("kind", ["oauth2", "tba"])
def test_one_401_under_load_is_lived_through(start: Start, kind: str) -> None:
    account = start(kind=kind)
    account.server.faults.add(path=SUITEQL, action=invalid_login_fault("1234567_SB1"))
    assert len(account.numbers()) == 3


@pytest.mark.parametrize("kind", ["oauth2", "tba"])
def test_a_second_401_needs_a_person_at_once(start: Start, kind: str) -> None:
    """Five bad logins lock a user for half an hour."""
    account = start(kind=kind)
    fault = account.server.faults.add(path=SUITEQL, action=invalid_login_fault("1234567_SB1"), times=None)
    with pytest.raises(PersonNeeded, match="Login Audit Trail"):
        account.list()
    assert fault.hits == 2


def test_a_revoked_certificate_needs_a_person(start: Start) -> None:
    account = start()
    account.server.revoke_credentials()
    with pytest.raises(PersonNeeded, match="invalid_client"):
        account.list()


def test_a_revoked_token_needs_a_person(start: Start) -> None:
    account = start(kind="tba")
    account.server.revoke_credentials()
    with pytest.raises(PersonNeeded, match="refuses the login"):
        account.list()


@pytest.mark.parametrize("fault", [Answer(503), Answer(429), maintenance_fault(), maintenance_fault(200), DropAfter()])
def test_a_faint_token_endpoint_is_waited_for(start: Start, fault: Any) -> None:
    account = start()
    account.server.faults.add(path=TOKEN, action=fault, times=2)
    assert len(account.numbers()) == 3
    assert len(account.slept) == 2


@pytest.mark.parametrize(
    "key", ["no pem", "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----", "-----BEGIN CERTIFICATE-----"]
)
def test_a_key_that_is_none_needs_a_person_and_is_not_shown(start: Start, key: str) -> None:
    account = start()
    account = Account(account.server, account.clock, {**account.secret, "private_key": key})
    with pytest.raises(PersonNeeded, match='"private_key"') as refused:
        account.list()
    assert key not in str(refused.value)


@pytest.mark.parametrize("algorithm", ["RS256", "HS256", "none"])
def test_an_algorithm_that_netsuite_refuses_is_refused_before(start: Start, algorithm: str) -> None:
    account = start()
    account = Account(account.server, account.clock, {**account.secret, "algorithm": algorithm})
    with pytest.raises(PersonNeeded, match='"algorithm"'):
        account.list()
    assert account.server.calls == []


@pytest.mark.parametrize(
    ("account", "host"),
    [
        ("1234567", "1234567.suitetalk.api.netsuite.com"),
        ("1234567_SB1", "1234567-sb1.suitetalk.api.netsuite.com"),
        ("TSTDRV12-rp", "tstdrv12-rp.suitetalk.api.netsuite.com"),
    ],
)
def test_an_account_has_its_host(account: str, host: str) -> None:
    assert account_host(account) == host
    assert base_url_of({"account": account}, "") == f"https://{host}"


@pytest.mark.parametrize(
    "account",
    [
        "",
        "x@evil.example",
        "evil.example/",
        "evil.example#",
        "1234567_SB1_2",
        "a b",
        "1234567\n",
        "a:1@b",
        "..",
        "-1",
        "ä",
    ],
)
def test_an_account_id_that_is_no_host_is_refused(account: str) -> None:
    with pytest.raises(PersonNeeded, match='"account"'):
        base_url_of({"account": account}, "")
    with pytest.raises(PersonNeeded, match='"account"'):
        base_url_of({"account": account}, "http://127.0.0.1:1")


@pytest.mark.parametrize("override", ["ftp://x.example", "file:///etc/passwd", "127.0.0.1:80"])
def test_only_an_http_address_can_stand_for_netsuite(override: str) -> None:
    with pytest.raises(PersonNeeded, match="NetSuiteApiUrl"):
        base_url_of({"account": "1234567"}, override)


def test_a_secret_without_a_login_is_named_by_what_it_lacks() -> None:
    with pytest.raises(PersonNeeded) as refused:
        login_from_secret({"account": "1", "client_id": "c", "private_key": "top secret"}, "https://x.example", Clock())
    assert "certificate_id" in str(refused.value)
    assert "top secret" not in str(refused.value)


# Pages ---------------------------------------------------------------------------------------------------


def test_2500_rows_come_in_three_pages_each_line_once(start: Start) -> None:
    account = start(generate_world(500, lines_per_order=5))
    listed = account.list()
    rows = listed.rows
    assert len(rows) == 2500
    assert len({(row["id"], row["line"]) for row in rows}) == 2500
    assert pages(account, listed) == 3
    assert [int(row["id"]) for row in rows] == sorted(int(row["id"]) for row in rows), "an order's lines stand together"


def test_exactly_a_full_page_is_followed_by_one_that_is_empty(start: Start) -> None:
    account = start(generate_world(200, lines_per_order=5))
    listed = account.list()
    assert len(listed.rows) == PAGE_SIZE
    assert pages(account, listed) == 2


def test_an_order_that_spans_two_pages_is_whole(start: Start) -> None:
    account = start(generate_world(4, lines_per_order=700, clients=2))
    listing = read_orders(account.list().rows)
    assert [len(order.lines) for order in listing.orders] == [700] * 4


def test_no_orders_are_no_rows(start: Start) -> None:
    account = start(generate_world(0))
    listed = account.list()
    assert listed.rows == ()
    assert pages(account, listed) == 1


def test_pages_that_do_not_advance_are_noticed(start: Start) -> None:
    account = start()
    page = {"items": [{"id": "5", "line": str(n % 3)} for n in range(PAGE_SIZE)]}
    account.server.faults.add(path=SUITEQL, action=Answer(200, json.dumps(page).encode()), times=None)
    with pytest.raises(PassingError, match="do not advance"):
        account.list()


def test_a_row_without_an_id_at_a_pages_end_stops_the_listing(start: Start) -> None:
    account = start()
    page = {"items": [{"line": "1"}] * PAGE_SIZE}
    account.server.faults.add(path=SUITEQL, action=Answer(200, json.dumps(page).encode()))
    with pytest.raises(OurFault, match="numeric internal id"):
        account.list()


def test_an_order_edited_between_two_pages_does_not_shift_the_others(start: Start) -> None:
    account = start(generate_world(500, lines_per_order=3))
    edited: list[str] = []

    def edit(request: Any) -> None:
        if SUITEQL in request.path and len(account.server.calls) == 2 and not edited:
            edited.append("SO-100001")
            account.server.delete_order("SO-100001")

    account.server.faults.on_call(edit)
    rows = account.list().rows
    assert edited
    seen = {row["tranid"] for row in rows}
    assert {f"SO-{100_001 + place}" for place in range(1, 500)} <= seen, "an offset would have skipped some"
    assert len({(row["id"], row["line"]) for row in rows}) == len(rows)


def test_keys_in_any_casing_are_the_same_rows(start: Start) -> None:
    assert start(key_casing="upper").list() == start(key_casing="lower").list()


def test_half_an_emoji_in_a_text_can_be_stored(start: Start) -> None:
    """NetSuite cuts texts at its own lengths; a lone surrogate would stop the whole month."""
    account = start()
    page = b'{"items": [{"id": "1", "tranid": "SO-1", "memo": "cut \\ud83e", "linememo": "whole \\ud83e\\uddfe"}]}'
    account.server.faults.add(path=SUITEQL, action=Answer(200, page))
    (row,) = account.list().rows
    assert row["memo"] == "cut ?"
    assert row["linememo"] == "whole 🧾"
    json.dumps(row, ensure_ascii=False).encode()


# Filters -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("narrowed", "numbers"),
    [
        (OrderFilter(order_numbers=("SO-1002", "SO-9999")), ["SO-1002"]),
        (OrderFilter(order_numbers=("SO-1001' OR '1'='1",)), []),
        (OrderFilter(at_most=2), ["SO-1001", "SO-1002"]),
        (OrderFilter(from_date=date(2026, 5, 12)), ["SO-1002", "SO-1003"]),
        (OrderFilter(to_date=date(2026, 5, 12)), ["SO-1001"]),
        (OrderFilter(from_date=date(2026, 5, 12), to_date=date(2026, 5, 13)), ["SO-1002"]),
        # A filter narrows the period and never widens it.
        (OrderFilter(from_date=date(2020, 1, 1), to_date=date(2030, 1, 1)), ["SO-1001", "SO-1002", "SO-1003"]),
        (OrderFilter(from_date=date(2026, 7, 1)), []),
    ],
)
def test_a_filter_narrows_the_listing(start: Start, narrowed: OrderFilter, numbers: list[str]) -> None:
    query = OrderQuery(("E", "F"), date(2026, 5, 1), date(2026, 6, 1), narrowed)
    assert start().numbers(query) == numbers


def test_a_customer_filter_takes_that_customers_orders(start: Start) -> None:
    account = start()
    client = next(row["entity"] for row in account.list().rows if row["clientnumber"] == "C-101")
    query = OrderQuery(("E", "F"), date(2026, 5, 1), date(2026, 6, 1), OrderFilter(customer_ids=(client,)))
    assert account.numbers(query) == ["SO-1001", "SO-1003"]


def test_only_the_chosen_statuses_and_the_period_are_listed(start: Start) -> None:
    account = start()
    account.server.set_status("SO-1001", "G")
    assert account.numbers() == ["SO-1002", "SO-1003"]
    assert account.numbers(OrderQuery(("F",), date(2026, 4, 1), date(2026, 5, 1), OrderFilter())) == []


def test_at_most_keeps_the_last_order_whole(start: Start) -> None:
    account = start(generate_world(500, lines_per_order=5))
    query = OrderQuery(("F",), date(2026, 5, 1), date(2026, 6, 1), OrderFilter(at_most=3))
    listed = account.list(query)
    assert len(listed.rows) == 15
    assert pages(account, listed) == 1


# Faults --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        concurrency_fault(),
        unexpected_error_fault(),
        maintenance_fault(),
        maintenance_fault(502),
        maintenance_fault(200),
        Answer(504),
        Answer(200, b"[]"),
        DropBefore(),
        DropAfter(),
    ],
)
def test_what_can_pass_is_tried_again_with_growing_pauses(start: Start, fault: Any) -> None:
    account = start()
    account.server.faults.add(path=SUITEQL, action=fault, times=4)
    assert len(account.numbers()) == 3
    assert account.slept == [1.0, 2.0, 4.0, 8.0]


def test_a_refusal_under_load_says_how_long_to_wait(start: Start) -> None:
    account = start()
    account.server.faults.add(path=SUITEQL, action=concurrency_fault(7), times=2)
    account.list()
    assert account.slept == [7.0, 7.0]


@pytest.mark.parametrize("said", ["soon", "Mon, 01 Jun 2026 10:00:00 GMT", "-5", "²", ""])
def test_a_retry_after_that_is_no_number_of_seconds_is_ignored(start: Start, said: str) -> None:
    account = start()
    headers = {"Retry-After": said.encode().decode("latin-1")}
    account.server.faults.add(path=SUITEQL, action=Answer(429, b"{}", headers))
    account.list()
    assert account.slept == [1.0]


def test_no_pause_is_longer_than_a_minute(start: Start) -> None:
    account = start()
    account.server.faults.add(path=SUITEQL, action=concurrency_fault(86_400))
    account.list()
    assert account.slept == [60.0]


@pytest.mark.parametrize("fault", [concurrency_fault(), maintenance_fault(), DropBefore()])
def test_what_does_not_pass_ends_as_a_passing_error(start: Start, fault: Any) -> None:
    account = start()
    scripted = account.server.faults.add(path=SUITEQL, action=fault, times=None)
    with pytest.raises(PassingError, match="Run again later"):
        account.list()
    assert scripted.hits == 7


def test_an_answer_slower_than_the_client_waits_is_asked_for_again() -> None:
    """The session's time-out is real; only the exception is scripted here, so that nothing waits."""

    class Slow(requests.Session):
        asked = 0

        def request(self, *_: Any, **options: Any) -> Any:
            assert options["timeout"], "without one a run would hang"
            self.asked += 1
            if self.asked < 3:
                raise requests.ReadTimeout
            answer = requests.Response()
            answer.status_code, answer._content = 200, b'{"items": []}'
            return answer

    class Open:
        def authorize(self, *_: Any) -> str:
            return "Bearer x"

        def renew(self) -> None: ...

    session, slept = Slow(), list[float]()
    assert SuiteQL("http://x.example", Open(), slept.append, session).page("SELECT 1") == []
    assert (session.asked, len(slept)) == (3, 2)


def test_a_missing_permission_needs_a_person_and_is_not_retried(start: Start) -> None:
    """NetSuite says 400 USER_ERROR, not 403."""
    account = start()
    fault = account.server.faults.add(path=SUITEQL, action=permission_fault(), times=None)
    with pytest.raises(PersonNeeded, match="SuiteAnalytics Workbook"):
        account.list()
    assert fault.hits == 1


def test_a_role_that_may_not_query_needs_a_person(start: Start) -> None:
    with pytest.raises(PersonNeeded, match="SuiteAnalytics Workbook"):
        start(may_query=False).list()


def test_a_record_that_the_role_may_not_see_needs_a_person(start: Start) -> None:
    with pytest.raises(PersonNeeded, match="currencies"):
        start(records_absent={"currency"}).list()


# Columns -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("absent", "alias"),
    [
        ("transaction.email", "orderemail"),
        ("transaction.startdate", "startdate"),
        ("transactionline.rate", "rate"),
        ("transactionline.iscogs", "iscogs"),
        ("term.duenextmonthifwithindays", "duenextmonthifwithindays"),
    ],
)
@pytest.mark.parametrize("words", ["unknown_identifier", "not_exposed"])
def test_an_account_without_an_optional_column_is_listed_without_it(
    start: Start, absent: str, alias: str, words: str
) -> None:
    account = start(columns_absent={absent}, absent_words=words)
    listed = account.list()
    assert set(listed.absent_columns) - set(start().list().absent_columns) == {alias}
    assert sorted({row["tranid"] for row in listed.rows}) == ["SO-1001", "SO-1002", "SO-1003"]


@pytest.mark.parametrize(
    ("chosen", "absent", "field"),
    [
        (
            OrderFilter(custom_fields=(("custbody_billing_grup", "A"),)),
            set(),
            "filter.customFields.custbody_billing_grup",
        ),
        (OrderFilter(subsidiaries=("3",)), {"transactionline.subsidiary"}, "filter.subsidiaries"),
        (OrderFilter(customer_categories=("7",)), {"customer.category"}, "filter.customerCategories"),
    ],
)
def test_a_filter_by_a_field_that_the_account_does_not_know_is_a_mistake_in_the_input_and_named(
    start: Start, chosen: OrderFilter, absent: set[str], field: str
) -> None:
    account = start(columns_absent=absent)
    query = replace(MAY, filter=chosen)
    with pytest.raises(InputInvalid, match=f'"{field}"'):
        account.list(query)
    with pytest.raises(InputInvalid, match=f'"{field}"'):
        orders_listed_now(account.suiteql, query, set(account.list().absent_columns))


def test_several_absent_columns_are_all_dropped_and_reported(start: Start) -> None:
    account = start(columns_absent={"transaction.email", "transactionline.rate", "term.datedriven"})
    absent = set(account.list().absent_columns) - set(start().list().absent_columns)
    assert absent == {"orderemail", "rate", "datedriven"}


@pytest.mark.parametrize("absent", ["transactionline.quantitybilled", "transaction.foreigntotal", "customer.email"])
def test_a_column_that_no_bill_can_do_without_is_named(start: Start, absent: str) -> None:
    for words in ("unknown_identifier", "not_exposed"):
        with pytest.raises(OurFault, match=f"'.*{absent.split('.')[1]}'"):
            start(columns_absent={absent}, absent_words=words).list()


def test_a_hidden_memo_is_the_orders_or_the_lines_as_netsuite_says(start: Start) -> None:
    """The order's is optional, the line's is the invoice's text."""
    account = start(columns_absent={"transaction.memo"}, absent_words="not_exposed")
    assert set(account.list().absent_columns) - set(start().list().absent_columns) == {"memo"}
    with pytest.raises(OurFault, match=r"'tl\.memo'"):
        start(columns_absent={"transactionline.memo"}, absent_words="not_exposed").list()


def test_configured_fields_come_as_columns_of_their_own(start: Start) -> None:
    account = start()
    query = OrderQuery(
        ("F",), date(2026, 5, 1), date(2026, 6, 1), OrderFilter(),
        email_fields=("order.email", "customer.custentity_ap", "customer.email"), stripe_id_field="custentity_stripe",
    )  # fmt: skip
    assert [email_column(field) for field in query.email_fields] == [
        "orderemail",
        "customer_custentity_ap",
        "clientemail",
    ]
    listed = account.list(query)
    absent = set(listed.absent_columns) - set(account.list().absent_columns)
    assert absent <= {"customer_custentity_ap", "clientstripeid"}
    assert len({row["tranid"] for row in listed.rows}) == 3
