"""A whole month of a services firm: scheduled, asked, signed for by one person, drafted, told."""

from __future__ import annotations

import importlib.util
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import requests

from tests.played.firm import ANN, BOB, NOW, OWNER, PERIOD
from tests.played.natural_bill import minor_goods, minor_total
from tests.played.story import SECONDS, amounts, entered, in_slack, live
from tests.sandbox import Mail, Run, RunResult, Sandbox
from tests.sandbox.egress import OutgoingRequest
from tests.sandbox.person import Page

REPOSITORY = Path(__file__).parents[2]
WORLD = json.loads((REPOSITORY / "tests/sandbox/netsuite/worlds/services_firm.json").read_text(encoding="utf-8"))
ORDERS: dict[str, dict[str, Any]] = {one["number"]: one for one in WORLD["orders"]}
TAX_RATES = {code["name"]: Decimal(code["rate"]) for code in WORLD["taxCodes"]}
UNBILLABLE = {
    "SO-1010": "no e-mail",
    "SO-1014": "838.125",
    "SO-1031": "72.331",
    "SO-1035": "total of 0",
    "SO-1036": "negative",
    "SO-1037": "currency",
    "SO-1038": "905.00",
    "SO-1039": "no customer",
}
"""What cannot be billed as it is, with a word of the reason that a person must be given."""
NOT_LISTED = {"SO-1040", "SO-1041", "SO-1042", "SO-1043", "SO-1044", "SO-1045"}
BILLABLE = {number: order for number, order in ORDERS.items() if number not in {*UNBILLABLE, *NOT_LISTED}}
FIRST_OF_JUNE = datetime(2026, 6, 1, 23, 59, 59, tzinfo=ZoneInfo("America/New_York"))
DUE_ON = {
    "Net 15": FIRST_OF_JUNE + timedelta(days=15),
    "Net 30": FIRST_OF_JUNE + timedelta(days=30),
    "Net 60": FIRST_OF_JUNE + timedelta(days=60),
    "10th of next month": FIRST_OF_JUNE.replace(day=10),
    None: FIRST_OF_JUNE + timedelta(days=30),
}


@dataclass(frozen=True)
class Month:
    """The month at its end, and what was seen on the way."""

    sandbox: Sandbox
    run: Run
    result: RunResult
    asked: list[Mail]
    page: Page
    stores_around_looking: tuple[bytes, bytes]
    before_the_vote: list[OutgoingRequest]
    record: Path

    @property
    def drafts(self) -> dict[str, dict[str, Any]]:
        return {draft["metadata"]["netsuite_so_number"]: draft for draft in self.sandbox.drafts()}


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Month]:
    record = tmp_path_factory.mktemp("record") / "requests.jsonl"
    with Sandbox("services_firm", now=NOW, record=record) as sandbox:
        run = sandbox.fire_schedule()
        asked = sandbox.wait_for_approval(run, SECONDS)
        link = sandbox.page_links(asked[0])[0]
        before = sandbox.dump()
        page = sandbox.person().open(link)
        requests.head(link, timeout=30)
        after = sandbox.dump()
        sent = sandbox.requests
        sandbox.answer(asked[0], "approve")
        result = sandbox.wait_for_end(run, SECONDS)
        yield Month(sandbox, run, result, asked, page, (before, after), sent, record)


def test_the_run_succeeds_and_passes_the_states_in_the_order_that_is_drawn(month: Month) -> None:
    assert month.result.status == "SUCCEEDED"
    assert entered(month.sandbox, month.run) == [
        "Open the run", "Is the period free", "List the sales orders", "Match the customers",
        "Is there anything to bill", "Announce the request", "Ask for approval", "Read the decision",
        "What was decided", "Check for changes", "Is anything left to draft",
        "Draft the invoices",
        "Close the run", "Tell the team", "How did it end", "The month is billed",
    ]  # fmt: skip
    assert month.sandbox.denials == []


def test_every_billable_order_has_one_draft_right_to_the_cent(month: Month) -> None:
    found = Counter(draft["metadata"]["netsuite_so_number"] for draft in live(month.sandbox))
    assert found == Counter(dict.fromkeys(BILLABLE, 1))
    totals = {number: (draft["total"], draft["currency"]) for number, draft in month.drafts.items()}
    assert totals == {
        number: (minor_total(order, TAX_RATES), order["currency"].lower()) for number, order in BILLABLE.items()
    }


def test_every_line_of_the_order_is_a_line_of_the_draft_with_its_own_amount(month: Month) -> None:
    for number, order in BILLABLE.items():
        drafted, sold = Counter(amounts(month.drafts[number])), Counter(minor_goods(order))
        assert sold <= drafted, number
        extras = [name for name in ("taxCode", "shipping", "handling", "discount") if order.get(name)]
        assert (drafted == sold) == (not extras), (number, extras)


def test_a_draft_is_a_draft_and_waits_for_a_person_to_send_it(month: Month) -> None:
    kinds = {(draft["status"], draft["auto_advance"], draft["collection_method"]) for draft in month.drafts.values()}
    assert kinds == {("draft", False, "send_invoice")}
    assert month.sandbox.stripe.sent() == []


def test_a_draft_is_due_when_the_orders_terms_say(month: Month) -> None:
    assert {number: draft["due_date"] for number, draft in month.drafts.items()} == {
        number: int(DUE_ON[order.get("terms")].timestamp()) for number, order in BILLABLE.items()
    }


def test_a_draft_names_its_order_period_and_run(month: Month) -> None:
    ids = {number: str(order.id) for number, order in month.sandbox.netsuite.orders().items()}
    for number, draft in month.drafts.items():
        metadata = draft["metadata"]
        assert (metadata["netsuite_so_id"], metadata["billing_period"]) == (ids[number], PERIOD)
        assert metadata["run_id"] == month.run.name
        assert number in draft["description"]
        assert {line["metadata"]["netsuite_so_id"] for line in draft["lines"]["data"]} == {ids[number]}
        po_number = ORDERS[number].get("poNumber")
        fields = draft["custom_fields"] or []
        assert [field["value"] for field in fields] == ([po_number] if po_number else [])


def test_each_client_has_one_customer_in_stripe_with_its_own_name_and_address(month: Month) -> None:
    names = {one["number"]: one.get("name") or f"{one['firstName']} {one['lastName']}" for one in WORLD["customers"]}
    customers = {one["id"]: one for one in month.sandbox.stripe.customers()}
    assert len(customers) == len({order["customer"] for order in BILLABLE.values()})
    for number, draft in month.drafts.items():
        assert customers[draft["customer"]]["name"] == names[ORDERS[number]["customer"]]


def test_each_approver_gets_one_mail_with_a_link_of_their_own(month: Month) -> None:
    assert sorted(mail.to for mail in month.asked) == [(ANN,), (BOB,)]
    links = [month.sandbox.page_links(mail) for mail in month.asked]
    assert all(len(set(of_one)) == 2 for of_one in links), "to decide, and to the inbox"
    assert len({link for of_one in links for link in of_one}) == 4
    assert all(mail.html and mail.text for mail in month.asked)


def test_the_approval_page_shows_every_order_its_client_and_the_problems(month: Month) -> None:
    text = month.page.text
    assert f"{len(BILLABLE)} invoices" in text
    for sums in ("76,418.03", "17,302.73", "6,845.96", "890,242"):
        assert sums in text
    for number in (*BILLABLE, *UNBILLABLE):
        assert number in text, number
    assert "Alder Analytics LLC" in text
    assert "Warehouse migration" in text
    assert "<script" not in month.page.html


def test_looking_at_the_page_changes_nothing_in_any_store(month: Month) -> None:
    before, after = month.stores_around_looking
    assert before == after


def test_nothing_is_written_to_stripe_before_somebody_has_signed(month: Month) -> None:
    early = [request for request in month.before_the_vote if request.service == "stripe"]
    assert early, "Stripe is read before the vote"
    assert {request.method for request in early} == {"GET"}
    later = month.sandbox.requests[len(month.before_the_vote) :]
    votes = [place for place, request in enumerate(later) if request.function == "ApprovalPageFunction"]
    writes = [place for place, request in enumerate(later) if request.service == "stripe" and request.method == "POST"]
    assert min(votes) < min(writes)


def test_the_report_accounts_for_every_listed_order_in_number_and_in_sum(month: Month) -> None:
    report = month.sandbox.report(month.run)
    assert report["listed"] == len(BILLABLE) + len(UNBILLABLE) == sum(report["counts"].values())
    assert report["counts"] == {
        "drafted": len(BILLABLE),
        "problem": len(UNBILLABLE),
        "held": 0,
        "failed": 0,
        "skipped": 0,
        "ended": 0,
    }
    sums: Counter[str] = Counter()
    for order in BILLABLE.values():
        sums[order["currency"].lower()] += minor_total(order, TAX_RATES)
    assert report["totals"]["drafted"] == dict(sums)
    votes = [(vote["approver"], vote["answer"]) for vote in report["votes"]]
    assert votes == [(ANN, "approve")]
    assert {f"report.{kind}" for kind in ("html", "csv", "json")} <= {
        key.rpartition("/")[2] for key in month.sandbox.objects() if month.run.name in key
    }


def test_what_cannot_be_billed_is_named_with_its_reason_and_is_not_billed(month: Month) -> None:
    lines = {number: line for line in month.sandbox.report(month.run)["lines"] for number in line["orders"]}
    said = in_slack(month.sandbox)
    for number, word in UNBILLABLE.items():
        assert lines[number]["fate"] == "problem", number
        assert word in lines[number]["reason"], number
        assert number in said, number
        assert live(month.sandbox, int(number[3:])) == []


def test_slack_and_the_owners_hear_counts_sums_and_where_to_look(month: Month) -> None:
    asked, ended = month.sandbox.posts()
    assert asked["text"].startswith("Approval requested: ")
    assert ended["text"].startswith("May 2026 is billed")
    mails = [mail for mail in month.sandbox.mails() if mail.to == (OWNER,)]
    assert len(mails) == 1
    for said in (in_slack(month.sandbox), mails[0].text):
        for words in (
            "May 2026",
            "31",
            "76,418.03",
            "SO-1014",
            "report.html",
            "dashboard.stripe.com/test",
            month.run.name,
        ):
            assert words in said, words
    told = Counter(mail.to[0] for mail in month.sandbox.mails())
    # Each approver is asked, and hears the result; the owner hears the summary; and nobody else hears anything.
    assert sorted(told.values()) == [1, 2, 2]


def test_forty_orders_cost_netsuite_at_most_six_calls(month: Month) -> None:
    assert 0 < sum(month.sandbox.netsuite.counts().values()) <= 6
    assert len([request for request in month.sandbox.requests if request.service == "netsuite"]) <= 6


def test_every_request_to_stripe_is_valid_by_stripes_own_description(month: Month) -> None:
    script = REPOSITORY.parent / "shared" / "stripe" / "validate_request.py"
    if not script.exists():
        pytest.skip("Stripe's description is not beside the repository")
    spec = importlib.util.spec_from_file_location("validate_request", script)
    assert spec is not None
    assert spec.loader is not None
    validator = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(validator)
    recorded = [json.loads(line) for line in month.record.read_text(encoding="utf-8").splitlines()]
    sent = [request for request in recorded if request["service"] == "stripe"]
    assert len(sent) > 3 * len(BILLABLE)
    problems = {}
    for request in sent:
        path, _, query = request["path"].partition("?")
        found = validator.check(request["method"], path, request["body"] if request["method"] == "POST" else query)
        if found:
            problems[f"{request['method']} {path}"] = found
    assert problems == {}
