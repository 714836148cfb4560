"""Mail scanners open every link and post every form. Not one byte changes in any store."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import pytest
import requests

from tests.approval.asked import ANN, BOB, asked_of, links, mails_of, post
from tests.runs.firm import PERIOD
from tests.runs.story import SECONDS
from tests.sandbox import Run, Sandbox
from tests.sandbox.person import Form, read_page

GUESSES = (
    "",
    "1",
    "0",
    "123",
    "test",
    "yes",
    "true",
    "on",
    "approve",
    "reject",
    "hold",
    "test@example.com",
    "admin@firm.example",
)
"""What a machine types into a field whose meaning it does not know."""


class Links(HTMLParser):
    """Everything that an answer leads to."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in ("href", "src", "action") and value is not None]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    parameters = {"DelegateDomains": "partner.example", "ReminderIntervalSeconds": "0"}
    with asked_of(f"Lead: {ANN}; Controller: {BOB}", orders=41, **parameters) as opened:
        yield opened


@pytest.fixture(scope="module")
def run(sandbox: Sandbox) -> Run:
    """Forty invoices wait, with one order held back: every form there is is on the page."""
    started = sandbox.start({"period": PERIOD})
    sandbox.wait_for_approval(started, SECONDS)
    assert post(sandbox, links(sandbox, started)[BOB], "hold", order="SO-5", reason="Not final.").status == 200
    return started


def crawl(sandbox: Sandbox, run: Run) -> list[requests.Response]:
    """Every link of every mail by GET and HEAD, and what those answers lead to, two levels deep."""
    session = requests.Session()
    host = urlsplit(next(iter(links(sandbox, run).values()))).netloc
    level = list(dict.fromkeys(link for mail in mails_of(sandbox, run) for link in mail.links))
    answers, seen = [], set[str]()
    for _ in range(3):
        following: list[str] = []
        for link in level:
            if link in seen or urlsplit(link).netloc != host:
                continue
            seen.add(link)
            head = session.head(link, timeout=60)
            answer = session.get(link, timeout=60)
            assert head.status_code == answer.status_code
            answers.append(answer)
            if "html" in answer.headers.get("content-type", ""):
                parser = Links()
                parser.feed(answer.text)
                following += [urljoin(link, found).partition("#")[0] for found in parser.found]
        level = following
    return answers


def test_every_link_of_every_mail_two_levels_deep_changes_no_byte(sandbox: Sandbox, run: Run) -> None:
    before = sandbox.dump()
    answers = crawl(sandbox, run)
    kinds = {re.sub(r"/approvals/(inbox/)?[^?]+", r"/approvals/\1…", urlsplit(answer.url).path) for answer in answers}
    assert kinds == {"/approvals/…", "/approvals/inbox/…"}
    assert len(answers) >= 6, "two pages, two inboxes, two CSVs"
    assert any(answer.headers["content-type"].startswith("text/csv") for answer in answers)
    assert all(answer.status_code == 200 for answer in answers)
    assert sandbox.dump() == before
    assert sandbox.is_waiting(run)


def forms_of(sandbox: Sandbox, run: Run) -> list[tuple[str, Form]]:
    found = []
    for link in links(sandbox, run).values():
        answer = requests.get(link, timeout=60)
        found += [(link, form) for form in read_page(link, 200, answer.text, {}).forms if form.method == "post"]
    return found


def test_every_form_posted_unfilled_or_guessed_changes_no_byte(sandbox: Sandbox, run: Run) -> None:
    forms = forms_of(sandbox, run)
    assert {button.value for _, form in forms for button in form.buttons} == {
        "approve",
        "reject",
        "hold",
        "release",
        "delegate",
    }
    before = sandbox.dump()
    session = requests.Session()
    for link, form in forms:
        for guess in GUESSES:
            for button in form.buttons:
                guessed = {field.name: guess for field in form.fields} | {button.name: button.value}
                hidden = {field.name: field.value for field in form.fields if field.kind == "hidden"}
                assert set(hidden) == {"content"}
                for data in (guessed | hidden, guessed):  # what a browser would send, and with that guessed as well
                    answer = session.post(link, data=data, timeout=60)
                    assert answer.status_code == 422, (data, answer.text[:300])
        assert session.post(link, data={}, timeout=60).status_code == 422
        assert session.post(link, data=hidden, timeout=60).status_code == 422
        assert session.post(link, json={"answer": "approve", "invoices": "40"}, timeout=60).status_code == 422
    assert sandbox.dump() == before
    assert sandbox.is_waiting(run)


HEADERS = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


def test_every_answer_carries_the_headers_and_no_foreign_asset(sandbox: Sandbox, run: Run) -> None:
    link = links(sandbox, run)[ANN]
    broken = requests.get(link[:-3], timeout=60)
    assert broken.status_code == 404
    root = link.rpartition("/approvals/")[0]
    nowhere = [
        requests.get(root + path, timeout=60)
        for path in ("/", "/approvals", "/approvals/", "/favicon.ico", f"{link.removeprefix(root)}/")
    ]
    nowhere.append(requests.put(link, timeout=60))
    assert [answer.status_code for answer in nowhere] == [404] * 6
    assert all(answer.text == broken.text for answer in nowhere), "a page, and not the gateway's own answer"
    for answer in [*crawl(sandbox, run), broken, *nowhere, requests.post(link, data={}, timeout=60)]:
        for name, value in HEADERS.items():
            assert answer.headers[name] == value, (name, answer.url[:60])
        assert "max-age=" in answer.headers["strict-transport-security"]
        if "html" in answer.headers["content-type"]:
            policy = answer.headers["content-security-policy"]
            assert policy.startswith("default-src 'none'; style-src 'sha256-")
            for part in ("form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"):
                assert part in policy
            assert "<script" not in answer.text
            assert "http://" not in answer.text.replace("http://www.w3.org", "")
            assert 'src="' not in answer.text


def test_no_link_reaches_a_log_and_no_token_leaves_the_state_machine(sandbox: Sandbox, run: Run) -> None:
    requests.get(links(sandbox, run)[ANN] + "?q=secret-search", timeout=60)
    logs = sandbox.aws.client("logs")
    lines = [line for _, line in sandbox.logs()]
    for group in logs.describe_log_groups()["logGroups"]:
        events = logs.filter_log_events(logGroupName=group["logGroupName"])["events"]
        lines += [event["message"] for event in events]
    assert any("GET /approvals/{link}" in line for line in lines), "the access log is written"
    written = "\n".join(lines)
    for link in links(sandbox, run).values():
        assert link.rpartition("/")[2] not in written
    assert "secret-search" not in written
    token = next(
        json.loads(event["taskScheduledEventDetails"]["parameters"])["Payload"]["taskToken"]
        for event in sandbox.history(run)
        if "taskToken" in event.get("taskScheduledEventDetails", {}).get("parameters", "")
    )
    assert token
    assert token not in written + str(sandbox.tables()) + str(sandbox.mails()) + str(sandbox.posts())


def test_wrong_links_are_counted(sandbox: Sandbox, run: Run) -> None:
    requests.get(links(sandbox, run)[ANN][:-4], timeout=60)
    assert any("ApprovalLinksRefused" in line for _, line in sandbox.logs("ApprovalPageFunction"))
    alarm = sandbox.aws.client("cloudwatch").describe_alarms()["MetricAlarms"]
    watched = [one for one in alarm if one.get("MetricName") == "ApprovalLinksRefused"]
    assert [(one["Namespace"], one["Threshold"]) for one in watched] == [("MonthEndBilling", 20.0)]
