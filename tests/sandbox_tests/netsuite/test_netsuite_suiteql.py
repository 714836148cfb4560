"""SuiteQL is executed, in NetSuite's dialect and with NetSuite's refusals."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.sandbox.netsuite import concurrency_fault, generate_world, maintenance_fault
from tests.sandbox_tests.netsuite.account_client import MAIN_QUERY, SUITEQL_PATH, Account
from tests.sandbox_tests.netsuite.conftest import StartAccount


def _walk(account: Account, query: str, limit: int = 1000) -> list[tuple[int, int]]:
    """Keyset paging over orders and lines, as the product does it."""
    found: list[tuple[int, int]] = []
    last = (0, 0)
    while True:
        answer = account.query(query, last[0], last[0], last[1], page={"limit": limit})
        assert answer.status_code == 200, answer.text
        items = answer.json()["items"]
        found += [(int(item["id"]), int(item["line"])) for item in items]
        if len(items) < limit:
            return found
        last = found[-1]


def test_the_main_query_gives_orders_lines_clients_and_terms_in_one_page(tiny: Account) -> None:
    first, *_ = tiny.rows(MAIN_QUERY, "0", "0", "0")
    assert first == {
        "id": "20001",
        "tranid": "SO-1001",
        "status": "F",
        "trandate": "2026-05-05",
        "lastmodified": "2026-05-05 09:30:00",
        "entity": "501",
        "clientnumber": "C-101",
        "clientname": "Alder Analytics LLC",
        "clientemail": "ap@alder.example",
        "currencycode": "USD",
        "foreigntotal": "1359.38",
        "otherrefnum": "PO-7781",
        "memo": "Consulting",
        "daysuntilnetdue": "30",
        "termsname": "Net 30",
        "line": "1",
        "uniquekey": "200010001",
        "item": "1001",
        "itemid": "Consulting",
        "itemtype": "Service",
        "linememo": "Architecture review",
        "quantity": "-7.25",
        "rate": "187.5",
        "foreignamount": "-1359.38",
        "quantitybilled": "0",
        "isclosed": "F",
        "mainline": "F",
        "taxline": "F",
    }


@pytest.mark.parametrize("limit", [1, 7, 100, 1000])
def test_keyset_paging_meets_every_line_once_whatever_the_page(firm: Account, limit: int) -> None:
    dump = firm.server.dump()
    listed = {
        row["id"]
        for row in dump["transaction"]
        if row["status"] in ("E", "F") and "2026-05-01" <= str(row["trandate"]) < "2026-06-01"
    }
    lines = [
        (line["transaction"], line["id"])
        for line in dump["transactionline"]
        if line["transaction"] in listed and line["mainline"] == "F"
    ]
    assert _walk(firm, MAIN_QUERY, limit) == sorted(lines)
    assert len(listed) == 39


def test_fifteen_thousand_lines_take_sixteen_calls(start_account: StartAccount) -> None:
    account = start_account(generate_world(5000, 3, 400, 1))
    found = _walk(account, MAIN_QUERY)
    assert len(found) == len(set(found)) == 15_000
    assert account.server.counts() == {"token": 1, "suiteql": 16, "record": 0, "other": 0}


def test_exactly_a_full_page_is_followed_by_an_empty_one(start_account: StartAccount) -> None:
    account = start_account(generate_world(100, 2, 5, 3))
    first = account.query(MAIN_QUERY, 0, 0, 0, page={"limit": 200}).json()
    assert (first["count"], first["hasMore"], first["totalResults"]) == (200, False, 200)
    last = first["items"][-1]
    second = account.query(MAIN_QUERY, last["id"], last["id"], last["line"], page={"limit": 200}).json()
    assert (second["count"], second["items"], second["totalResults"]) == (0, [], 0)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("NVL(t.email, 'none')", "none"),
        ("COALESCE(t.email, t.memo)", "Consulting"),
        ("NULLIF(t.status, 'F')", None),
        ("CASE WHEN t.foreigntotal > 1000 THEN 'big' ELSE 'small' END", "big"),
        ("DECODE(t.status, 'F', 'open', 'other')", "open"),
        ("ABS(-3)", "3"),
        ("ROUND(2.345, 2)", "2.35"),
        ("TRUNC(2.349, 2)", "2.34"),
        ("5 / 2", "2.5"),
        ("0.1 + 0.2", "0.3"),
        ("t.tranid || '/' || t.email || t.status", "SO-1001/F"),
        ("UPPER(t.memo)", "CONSULTING"),
        ("BUILTIN.DF(t.status)", "Sales Order : Pending Billing"),
        ("BUILTIN.CF(t.status)", "SalesOrd:F"),
        ("BUILTIN.DF(t.entity)", "Alder Analytics LLC"),
        ("BUILTIN.DF(t.currency)", "US Dollar"),
        ("TO_CHAR(t.trandate, 'DD.MM.YYYY')", "05.05.2026"),
        ("TO_CHAR(SYS_EXTRACT_UTC(t.lastmodifieddate), 'YYYY-MM-DD HH24:MI:SS')", "2026-05-05 13:30:00"),
        ("TO_CHAR(ADD_MONTHS(t.trandate, 1), 'YYYY-MM-DD')", "2026-06-05"),
        ("TO_CHAR(LAST_DAY(t.trandate), 'YYYY-MM-DD')", "2026-05-31"),
        ("TO_CHAR(TRUNC(t.lastmodifieddate), 'HH24:MI')", "00:00"),
        ("TO_CHAR(SYSDATE, 'YYYY-MM-DD HH24:MI:SS')", "2026-06-01 04:00:00"),
        ("t.trandate + 30", "6/4/2026"),
        ("TO_CHAR(SYSDATE - 1, 'YYYY-MM-DD HH24:MI:SS')", "2026-05-31 04:00:00"),
        ("TRUNC(SYSDATE) - t.trandate", "27"),
        ("CASE WHEN t.trandate >= SYSDATE - 20 THEN 'new' ELSE 'old' END", "old"),
        ("TRUNC(t.trandate, 'MM')", "5/1/2026"),
        ("TO_CHAR(TRUNC(SYSDATE, 'YYYY'), 'YYYY-MM-DD')", "2026-01-01"),
        ("CONCAT(t.tranid, t.email)", "SO-1001"),
        ("SESSIONTIMEZONE", "America/New_York"),
        ("TO_NUMBER('12.50')", "12.5"),
        ("t.trandate", "5/5/2026"),
        ("MAX(t.trandate)", "5/5/2026"),
        ("t.lastmodifieddate", "5/5/2026"),
        ("(SELECT SUM(tl.foreignamount) FROM transactionline tl WHERE tl.transaction = t.id)", "0"),
    ],
)
def test_an_expression_gives_what_oracle_gives(tiny: Account, expression: str, value: str | None) -> None:
    rows = tiny.rows(f"SELECT {expression} AS x FROM transaction t WHERE t.tranid = 'SO-1001'")
    assert rows == [{} if value is None else {"x": value}]


@pytest.mark.parametrize(
    ("preference", "shown"),
    [("M/D/YYYY", "5/5/2026"), ("DD/MM/YYYY", "05/05/2026"), ("D.M.YYYY", "5.5.2026")],
)
def test_raw_dates_come_back_in_the_users_preference(start_account: StartAccount, preference: str, shown: str) -> None:
    account = start_account("tiny", date_format=preference)
    query = "SELECT t.trandate, TO_CHAR(t.trandate,'YYYY-MM-DD') AS iso FROM transaction t WHERE t.trandate = ?"
    assert account.rows(query, shown) == [{"trandate": shown, "iso": "2026-05-05"}]


def test_an_iso_text_is_not_a_date(tiny: Account) -> None:
    text = tiny.refusal("SELECT t.id FROM transaction t WHERE t.trandate >= '2026-05-01' ORDER BY t.id ASC")
    assert "Invalid date value '2026-05-01'" in text


def test_the_status_filter_needs_the_composite_form(tiny: Account) -> None:
    count = "SELECT COUNT(*) AS n FROM transaction t WHERE {} = '{}'"
    assert tiny.rows(count.format("t.status", "SalesOrd:F")) == [{"n": "0"}]
    assert tiny.rows(count.format("BUILTIN.CF(t.status)", "SalesOrd:F")) == [{"n": "3"}]
    assert tiny.rows(count.format("t.status", "F")) == [{"n": "3"}]


def test_select_star_gives_every_column_that_is_not_null_as_text(tiny: Account) -> None:
    row = tiny.rows("SELECT * FROM transaction WHERE tranid = 'SO-1002'")[0]
    assert row["recordtype"] == "salesorder"
    assert row["trandate"] == "5/12/2026"
    assert "otherrefnum" not in row
    assert all(isinstance(value, str) for value in row.values())


def test_grouping_sums_exactly(tiny: Account) -> None:
    rows = tiny.rows(
        "SELECT tl.transaction, COUNT(*) AS n, SUM(tl.foreignamount) AS s FROM transactionline tl "
        "WHERE tl.mainline = 'F' GROUP BY tl.transaction HAVING COUNT(*) > 1 ORDER BY tl.transaction ASC"
    )
    assert rows == [{"transaction": "20003", "n": "2", "s": "-2325"}]


def test_rownum_counts_before_sorting_and_fetch_after(tiny: Account) -> None:
    rownum = tiny.rows("SELECT t.tranid FROM transaction t WHERE ROWNUM <= 2 ORDER BY t.id DESC")
    fetch = tiny.rows("SELECT t.tranid FROM transaction t ORDER BY t.id DESC FETCH FIRST 2 ROWS ONLY")
    assert [row["tranid"] for row in rownum] == ["SO-1002", "SO-1001"]
    assert [row["tranid"] for row in fetch] == ["SO-1003", "SO-1002"]


def test_an_expression_without_alias_is_named_by_netsuite(tiny: Account) -> None:
    assert tiny.rows("SELECT 1 + 1, t.id, 2 FROM transaction t WHERE t.id = 20001") == [
        {"expr1": "2", "id": "20001", "expr2": "2"}
    ]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("SELECT t.id FROM transaction t LIMIT 5", "LIMIT is not supported"),
        ("WITH a AS (SELECT id FROM transaction) SELECT * FROM a", "WITH is not supported"),
        ("SELECT t.id FROM transaction t WHERE t.trandate > CURRENT_DATE", "CURRENT_DATE is not supported"),
        ("SELECT [id] FROM transaction", "square brackets are not supported"),
        ("SELECT * FROM opportunityx", "Record 'opportunityx' was not found."),
        ("SELECT id FROM transaction WHERE", "Invalid or unsupported search"),
        ("DELETE FROM transaction", "only SELECT is supported"),
        ("SELECT id FROM transaction; SELECT id FROM item", "exactly one SELECT"),
        ("SELECT FROBNICATE(t.id) FROM transaction t", "unknown function FROBNICATE"),
        ("SELECT t.id FROM transaction t, customer c WHERE id = 1", "Ambiguous identifier 'id'"),
        ("SELECT TO_DATE('12 May', 'YYYY-MM-DD') AS d FROM dual", "ORA-01861"),
        ("SELECT TO_CHAR(t.trandate, 'XXXX') AS d FROM transaction t", "ORA-01821"),
        (
            "SELECT t.id, tl.itemtype FROM transaction t JOIN transactionline tl ON tl.transaction = t.id",
            "Search error occurred: Unknown identifier 'itemtype'. Available identifiers are: {t=t, tl=tl}.",
        ),
        (
            "SELECT subsidiary FROM transaction",
            "Unknown identifier 'subsidiary'. Available identifiers are: {transaction=transaction}.",
        ),
    ],
)
def test_what_netsuite_refuses_is_refused_with_a_400(tiny: Account, query: str, words: str) -> None:
    text = tiny.refusal(query)
    assert text.startswith("Invalid search query. Detailed unprocessed description follows. ")
    assert words in text


def test_a_list_of_more_than_1000_values_is_refused(tiny: Account) -> None:
    query = "SELECT t.id FROM transaction t WHERE t.id IN ({}) ORDER BY t.id ASC"
    assert len(tiny.rows(query.format(",".join(str(20_001 + n) for n in range(1000))))) == 3
    assert "ORA-01795" in tiny.refusal(query.format(",".join(str(n) for n in range(1001))))


def test_as_many_values_as_question_marks_are_wanted(tiny: Account) -> None:
    query = "SELECT t.id FROM transaction t WHERE t.tranid = '?' OR t.id = ? OR t.memo = ?"
    assert tiny.rows(query, "20002", "x") == [{"id": "20002"}]
    assert "2 parameters, 1 values" in tiny.refusal(query, "20002")


def test_columns_and_records_can_be_missing_from_an_account(start_account: StartAccount) -> None:
    account = start_account(
        "tiny", columns_absent=["transactionline.kitmemberof", "transaction.email"], records_absent=["term"]
    )
    assert "Record 'term' was not found." in account.refusal("SELECT id FROM term")
    assert "Unknown identifier 'email'" in account.refusal("SELECT t.email FROM transaction t")
    assert account.rows("SELECT c.email FROM customer c WHERE c.id = 501") == [{"email": "ap@alder.example"}]
    assert "kitmemberof" not in account.rows("SELECT * FROM transactionline")[0]


def test_key_casing_is_not_promised(start_account: StartAccount) -> None:
    for casing, key in (("lower", "tranid"), ("upper", "TRANID"), ("mixed", "Tranid")):
        account = start_account("tiny", key_casing=casing)
        assert list(account.rows("SELECT t.tranid FROM transaction t WHERE t.id = 20001")[0]) == [key]


def test_prefer_transient_is_required(tiny: Account) -> None:
    answer = tiny.query("SELECT 1 AS one FROM dual", headers={"Prefer": ""})
    assert answer.status_code == 400
    assert answer.json()["o:errorDetails"][0]["o:errorHeader"] == "Prefer"


@pytest.mark.parametrize(
    ("page", "wrong"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 1001}, "limit"),
        ({"limit": 10, "offset": 5}, "offset"),
        ({"limit": 1000, "offset": 100_000}, "offset"),
    ],
)
def test_pages_follow_netsuites_rules(tiny: Account, page: dict[str, int], wrong: str) -> None:
    answer = tiny.query("SELECT t.id FROM transaction t ORDER BY t.id ASC", page=page)
    assert answer.status_code == 400
    detail = answer.json()["o:errorDetails"][0]
    assert (detail["o:errorCode"], detail["o:errorQueryParam"]) == ("INVALID_PARAMETER", wrong)


def _by_offset(account: Account, query: str, limit: int) -> list[str]:
    found: list[str] = []
    offset = 0
    while True:
        page = account.query(query, page={"limit": limit, "offset": offset}).json()
        found += [item["k"] for item in page["items"]]
        if not page["hasMore"]:
            return found
        offset += limit


@pytest.mark.parametrize(
    ("order", "safe"),
    [
        ("t.id ASC, tl.id ASC", True),
        ("tl.uniquekey ASC", True),
        ("t.trandate ASC, tl.uniquekey ASC", True),
        ("t.id, tl.id", False),
        ("t.id ASC", False),
        ("t.trandate ASC", False),
        ("", False),
    ],
)
def test_pages_shift_unless_the_order_is_a_unique_key_with_asc(firm: Account, order: str, safe: bool) -> None:
    query = "SELECT tl.uniquekey AS k FROM transaction t JOIN transactionline tl ON tl.transaction = t.id"
    found = _by_offset(firm, f"{query} ORDER BY {order}" if order else query, 20)
    complete = sorted(str(line["uniquekey"]) for line in firm.server.dump()["transactionline"])
    assert (sorted(found) == complete) == safe
    assert safe or len(set(found)) < len(complete)


def test_a_keyset_that_forgets_the_line_loses_lines(firm: Account) -> None:
    """The stand-in shows the mistake that a small test account would hide."""
    careless = MAIN_QUERY.replace("ORDER BY t.id ASC, tl.id ASC", "ORDER BY t.id ASC")
    assert len(set(_walk(firm, careless, 7))) < len(_walk(firm, MAIN_QUERY, 7))


def test_a_missing_permission_is_a_400_user_error(start_account: StartAccount) -> None:
    answer = start_account("tiny", may_query=False).query("SELECT 1 AS one FROM dual")
    assert answer.status_code == 400
    assert answer.json()["o:errorDetails"][0]["o:errorCode"] == "USER_ERROR"


@pytest.mark.parametrize("retry_after", [None, 3])
def test_one_request_above_the_concurrency_limit_gets_429(start_account: StartAccount, retry_after: int | None) -> None:
    account = start_account("tiny", concurrency_limit=2, retry_after=retry_after)
    account.token()
    release, arrived = threading.Event(), threading.Semaphore(0)

    def hold(_: object) -> None:
        arrived.release()
        release.wait(10)

    stop = account.server.faults.on_call(hold)
    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(_ask, account) for _ in range(2)]
        assert arrived.acquire(timeout=10)
        assert arrived.acquire(timeout=10)
        stop()
        refused = _ask(account)
        release.set()
        assert [each.result().status_code for each in waiting] == [200, 200]
    assert refused.status_code == 429
    assert refused.json()["o:errorDetails"][0]["o:errorCode"] == "CONCURRENCY_LIMIT_EXCEEDED"
    assert refused.headers.get("Retry-After") == (None if retry_after is None else str(retry_after))
    assert _ask(account).status_code == 200
    assert account.server.most_at_once == 3


def _ask(account: Account) -> requests.Response:
    return requests.post(
        account.server.url + SUITEQL_PATH,
        json={"q": "SELECT 1 AS one FROM dual"},
        headers={"Authorization": f"Bearer {account.token()}", "Prefer": "transient"},
        timeout=10,
    )


def test_scripted_faults_answer_as_netsuite_does(tiny: Account) -> None:
    tiny.token()
    tiny.server.faults.add(action=concurrency_fault(retry_after=2), path="suiteql")
    tiny.server.faults.add(action=maintenance_fault(), path="suiteql")
    refused, page = _ask(tiny), _ask(tiny)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "2")
    assert (page.status_code, page.headers["Content-Type"]) == (503, "text/html; charset=utf-8")
    assert _ask(tiny).status_code == 200
