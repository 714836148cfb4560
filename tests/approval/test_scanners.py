"""Mail scanners open every link and post every form. Not one byte changes in any store."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from html.parser import HTMLParser
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import pytest
import requests

from billing.adapters.signatures import Signatures
from billing.domain.approval.signed_links import InboxLink
from tests.approval.asked import ANN, BOB, asked_of, links, mails_of, post
from tests.approval.machine import WORDS
from tests.played.firm import PERIOD
from tests.played.story import SECONDS
from tests.sandbox import Run, Sandbox
from tests.sandbox.person import Form, hidden_in, read_page


class Links(HTMLParser):
    """Everything that an answer leads to."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in ("href", "src", "action") and value is not None]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    parameters = {"DelegateDomains": "partner.example, firm.example", "ReminderIntervalSeconds": "0"}
    with asked_of(f"Lead: {ANN}; Controller: {BOB}", orders=41, **parameters) as opened:
        yield opened


@pytest.fixture(scope="module")
def run(sandbox: Sandbox) -> Run:
    """Forty invoices wait, with one order held back: every form there is is on the page."""
    started = sandbox.start({"period": PERIOD})
    sandbox.wait_for_approval(started, SECONDS)
    assert post(sandbox, links(sandbox, started)[BOB], "hold", order="SO-5", reason="Not final.").status == 200
    return started


OF_A_KIND = 2
"""So many links that differ in their values only are followed: the table has one of each sort for every row."""


def kind_of(link: str) -> tuple[str, ...]:
    """The person's page, and what is asked of it by name."""
    parts = urlsplit(link)
    return parts.path, *sorted(parse_qs(parts.query, keep_blank_values=True))


def crawl(sandbox: Sandbox, run: Run) -> list[requests.Response]:
    """Every link of every mail by GET and HEAD, and what those answers lead to, two levels deep."""
    session = requests.Session()
    host = urlsplit(next(iter(links(sandbox, run).values()))).netloc
    level = list(dict.fromkeys(link for mail in mails_of(sandbox, run) for link in mail.links))
    answers, seen, kinds = [], set[str](), Counter[tuple[str, ...]]()
    for _ in range(3):
        following: list[str] = []
        for link in level:
            if link in seen or urlsplit(link).netloc != host:
                continue
            seen.add(link)
            kinds[kind_of(link)] += 1
            if kinds[kind_of(link)] > OF_A_KIND:
                continue
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
    before, written = everything(sandbox, run), writes(sandbox)
    answers = crawl(sandbox, run)
    kinds = {re.sub(r"/approvals/(inbox/)?[^?]+", r"/approvals/\1…", urlsplit(answer.url).path) for answer in answers}
    assert kinds == {"/approvals/…", "/approvals/inbox/…"}
    assert len(answers) >= 6, "two pages, two inboxes, two CSVs"
    assert any(answer.headers["content-type"].startswith("text/csv") for answer in answers)
    assert all(answer.status_code == 200 for answer in answers)
    for guess in WORDS:
        for link in links(sandbox, run).values():
            assert (
                requests.get(link, params={"q": guess, "page": guess, "answer": guess}, timeout=60).status_code == 200
            )
    assert everything(sandbox, run) == before
    assert writes(sandbox) == written
    assert sandbox.is_waiting(run)


def forms_of(sandbox: Sandbox, run: Run) -> list[tuple[str, Form]]:
    found = []
    for link in links(sandbox, run).values():
        answer = requests.get(link, timeout=60)
        found += [(link, form) for form in read_page(link, 200, answer.text, {}).forms if form.method == "post"]
    return found


def everything(sandbox: Sandbox, run: Run) -> bytes:
    """Every byte that is kept: tables, files, mails, Slack, Stripe, what the executions did."""
    machine = sandbox.state_machine_arn
    executions = sandbox.aws.client("stepfunctions").list_executions(stateMachineArn=machine)["executions"]
    return sandbox.dump() + repr((sandbox.history(run), executions)).encode()


def writes(sandbox: Sandbox) -> list[str]:
    """What the page's function has asked AWS for, but for reading."""
    reading = {"Query", "GetObject", "GetSecretValue"}
    asked = [one.operation or one.path for one in sandbox.requests if one.function == "ApprovalPageFunction"]
    assert asked, "the page reads"
    return [one for one in asked if one.rpartition(":")[2].rpartition(".")[2] not in reading]


BLUNT = ("40", "SO-7", "SO-5", "12,000.00", "41", "2026", ANN, "billing@firm.example", "eve@firm.example")
"""Typed into every field of a form: everything that a person would have to type. What machines type beside that, and
how they combine it, is tried without the network in test_machines."""


def test_every_form_posted_unfilled_or_guessed_changes_no_byte(sandbox: Sandbox, run: Run) -> None:
    forms = forms_of(sandbox, run)
    assert {button.value for _, form in forms for button in form.buttons} == {
        "approve",
        "reject",
        "hold",
        "release",
        "delegate",
        "question",
    }
    before, written = everything(sandbox, run), writes(sandbox)
    session = requests.Session()
    for link, form in forms:
        (button,) = form.buttons
        hidden = {field.name: field.value for field in form.fields if field.kind == "hidden"}
        assert set(hidden) == {"content", "day"}
        guesses = [{field.name: guess for field in form.fields} for guess in BLUNT]
        # What the page hides goes back as it is, as a browser sends it; and once filled in like any other field.
        fillings = [{}, hidden, guesses[0], *({**guess, **hidden} for guess in guesses)]
        for filling in fillings:
            answer = session.post(link, data={**filling, button.name: button.value}, timeout=60)
            assert answer.status_code == 422, (button.value, filling, answer.text[:300])
        assert session.post(link, data={}, timeout=60).status_code == 422
    assert everything(sandbox, run) == before
    assert written, "the order that was held back: what is written is seen here"
    assert writes(sandbox) == written, "not even an attempt"
    assert sandbox.is_waiting(run)


RIGHT = {"answer": "approve", "invoices": "40"}
"""What a person would send: here it comes as no person sends it."""

Send = Callable[[str, dict[str, str]], requests.Response]
MASKED: dict[str, tuple[int, Send]] = {
    "in the query of a GET": (200, lambda link, right: requests.get(link, params=right, timeout=60)),
    "in the body of a GET": (200, lambda link, right: requests.get(link, data=right, timeout=60)),
    "in the body of a HEAD": (200, lambda link, right: requests.head(link, data=right, timeout=60)),
    "in the query of a POST": (422, lambda link, right: requests.post(link, params=right, timeout=60)),
    "as JSON": (422, lambda link, right: requests.post(link, json=right, timeout=60)),
    "as multipart": (
        422,
        lambda link, right: requests.post(link, files={k: (None, v) for k, v in right.items()}, timeout=60),
    ),
    "as text": (422, lambda link, right: _posted(link, right, "text/plain")),
    "as JSON by name": (422, lambda link, right: _posted(link, right, "application/json")),
    "given twice": (422, lambda link, right: requests.post(link, data=[*right.items(), ("invoices", "1")], timeout=60)),
    "as an array": (
        422,
        lambda link, right: requests.post(link, data={"answer": "approve", "invoices[]": "40"}, timeout=60),
    ),
    "by _method in the body": (
        405,
        lambda link, right: requests.put(link, data={"_method": "POST", **right}, timeout=60),
    ),
    "by _method in the query": (
        200,
        lambda link, right: requests.get(link, params={"_method": "POST", **right}, timeout=60),
    ),
    "by a header that overrides": (
        200,
        lambda link, right: requests.get(link, data=right, headers=OVERRIDE, timeout=60),
    ),
    "too long": (422, lambda link, right: requests.post(link, data={**right, "reason": "x" * 20_000}, timeout=60)),
    "announced, then unfilled": (
        422,
        lambda link, right: requests.post(link, headers={"Expect": "100-continue"}, timeout=60),
    ),
    "by PUT": (405, lambda link, right: requests.put(link, data=right, timeout=60)),
    "by PATCH": (405, lambda link, right: requests.patch(link, data=right, timeout=60)),
    "by DELETE": (405, lambda link, right: requests.delete(link, data=right, timeout=60)),
    "by OPTIONS": (405, lambda link, right: requests.options(link, data=right, timeout=60)),
    "behind a slash": (404, lambda link, right: requests.post(f"{link}/", data=right, timeout=60)),
    "to the inbox": (
        405,
        lambda link, right: requests.post(link.replace("/approvals/", "/approvals/inbox/"), data=right),
    ),
}
OVERRIDE = {"X-HTTP-Method-Override": "POST", "X-Method-Override": "POST", "X-HTTP-Method": "POST"}


def _posted(link: str, right: dict[str, str], kind: str) -> requests.Response:
    return requests.post(link, data=urlencode(right), headers={"Content-Type": kind}, timeout=60)


def test_the_right_answer_sent_as_no_browser_sends_it_changes_no_byte(sandbox: Sandbox, run: Run) -> None:
    link = links(sandbox, run)[ANN]
    RIGHT.update(hidden_in(sandbox.person().open(link)))
    before, written = everything(sandbox, run), writes(sandbox)
    right = {**RIGHT, **hidden_in(sandbox.person().open(link))}
    assert set(right) == {"answer", "invoices", "content", "day"}
    for kind, (status, send) in MASKED.items():
        answer = send(link, right)
        assert answer.status_code == status, (kind, answer.text[:300])
        private(answer)
    assert everything(sandbox, run) == before
    assert writes(sandbox) == written
    assert sandbox.is_waiting(run)


HEADERS = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "x-robots-tag": "noindex, nofollow",
}


def private(answer: requests.Response) -> None:
    """The answer carries what facts ask for, and refers to nothing foreign."""
    for name, value in HEADERS.items():
        assert answer.headers[name] == value, (name, answer.status_code, answer.url[:60])
    assert "max-age=" in answer.headers["strict-transport-security"]
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    for part in ("form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"):
        assert part in policy
    assert "set-cookie" not in answer.headers
    assert answer.headers["content-type"] in ("text/html; charset=utf-8", "text/csv; charset=utf-8")
    if "html" in answer.headers["content-type"]:
        assert "<script" not in answer.text
        assert "http://" not in answer.text.replace("http://www.w3.org", "")
        assert 'src="' not in answer.text


def test_every_answer_carries_the_headers_and_no_foreign_asset(sandbox: Sandbox, run: Run) -> None:
    link = links(sandbox, run)[ANN]
    base = link.partition("/approvals/")[0]
    answers = {
        200: crawl(sandbox, run),
        404: [requests.get(f"{base}{path}", timeout=60) for path in BESIDE] + [requests.get(link[:-3], timeout=60)],
        405: [requests.put(link, timeout=60), requests.post(f"{base}/approvals/inbox/x", timeout=60)],
        422: [requests.post(link, data={}, timeout=60)],
    }
    for status, found in answers.items():
        for answer in found:
            assert answer.status_code == status, answer.url
            private(answer)
    assert answers[405][0].headers["allow"] == "GET, HEAD, POST"
    assert answers[405][1].headers["allow"] == "GET, HEAD"


BESIDE = ("", "/", "/approvals", "/approvals/", "/approvals/inbox", "/approvals/inbox/", "/favicon.ico", "/.env")
"""What a cut link or a curious machine asks for: a page that says so, and no raw error."""


def test_a_file_that_is_gone_makes_a_page_with_the_headers_that_tells_nothing(sandbox: Sandbox, run: Run) -> None:
    link = links(sandbox, run)[ANN]
    bucket = sandbox.stack.outputs["RunsBucketName"]
    key = next(key for key in sandbox.objects() if key.endswith("batch.json"))
    kept = sandbox.objects()[key]
    s3 = sandbox.aws.client("s3")
    s3.put_object(Bucket=bucket, Key=key, Body=b"{}")
    try:
        answers = [requests.get(link, timeout=60), requests.post(link, data=RIGHT, timeout=60)]
    finally:
        s3.put_object(Bucket=bucket, Key=key, Body=kept)
    for answer in answers:
        assert answer.status_code == 500
        private(answer)
        assert "Something went wrong on our side" in answer.text
        for secret in ("Traceback", "OurFault", "batch.json", "sha", bucket, ANN):
            assert secret not in answer.text.split("<body>")[1], secret
    assert sandbox.is_waiting(run)


def test_unknown_and_forged_links_leave_the_same_calls_log_lines_and_metrics(sandbox: Sandbox, run: Run) -> None:
    link = links(sandbox, run)[ANN]
    address, _, text = link.rpartition("/")
    client = sandbox.aws.client("secretsmanager")
    rings = [
        client.get_secret_value(SecretId=one["ARN"])["SecretString"] for one in client.list_secrets()["SecretList"]
    ]
    signatures = Signatures(next(ring for ring in map(json.loads, rings) if "first" in ring))
    good = signatures.read_link(text)
    assert good is not None
    unknown = signatures.sign_link(replace(good, request_id=good.request_id + "1"))
    stranger = signatures.sign_inbox(InboxLink("0" * 16, good.expires_at))
    requests.get(link, timeout=60)  # So that none of those below is a process's first.
    left = []
    for target in (text[:-9] + "123456789", unknown, "inbox/nonsense", f"inbox/{stranger}"):
        calls, lines = len(sandbox.requests), len(sandbox.logs("ApprovalPageFunction"))
        answer = requests.get(f"{address}/{target}", timeout=60)
        own = [one for one in sandbox.requests[calls:] if one.function == "ApprovalPageFunction"]
        # The keys are read again every five minutes, whichever link comes then.
        own = [one for one in own if "GetSecretValue" not in str(one.operation)]
        said = [_without_ids(line) for _, line in sandbox.logs("ApprovalPageFunction")[lines:]]
        left.append((answer.status_code, answer.content, dict(answer.headers), [one.operation for one in own], said))
        left[-1][2].pop("Date")
    status, _, _, calls_made, said = left[0]
    assert (status, len(calls_made)) == (404, 1)
    assert any("approval link refused" in line for line in said)
    assert all(other == left[0] for other in left)


def _without_ids(line: str) -> str:
    """A log line without times, and without the ids that each request has of its own."""
    line = re.sub(r'"(timestamp|function_request_id|xray_trace_id|Timestamp)": ?("[^"]*"|\d+)', "", line)
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d+(\.\d+)? ms|\d+ MB", "", line)


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
    counted = next(line for _, line in sandbox.logs("ApprovalPageFunction") if '"ApprovalLinksRefused"' in line)
    assert watched[0]["Dimensions"] == [{"Name": "service", "Value": json.loads(counted)["service"]}]
