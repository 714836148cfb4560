"""A month whose every text in NetSuite is an attack, from the listing to the report: what people and programs get."""

from __future__ import annotations

import csv
import email
import email.policy
import io
import json
import re
import unicodedata
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
import requests

from tests.approval.asked import ANN, BOB, links, mails_of, post
from tests.played.firm import PERIOD, client, firm, order, work
from tests.played.story import SECONDS, deployed
from tests.sandbox import Run, Sandbox

ATTACKS = (
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)><a href='//evil.example'>",
    "</title></style><base href=//evil.example><form action=//evil.example>",
    "{{7*7}}{% for x in y %}${7*7}",
    "Nordwind\u202egnp.exe\u2066\u2067\u200f\u061c",
    "Zero\u200bwidth\u2060\ufeff\u00ad\u180eWorks",
    "N" * 10_000,
    "Line\r\nBcc: eve@evil.example\r\n\r\nbody\x00\x1b[31m",
    "\u2028Subject: other\u0085X-Header: y",
    '=HYPERLINK("http://evil.example","x")',
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(1)",
    "\t=1",
    "＝1+1",
    "\u2060=1",
    "<!channel> <!here> <@U1> <#C1> <http://evil.example|Pay here> &lt;!everyone&gt; *b* _i_ `c` ~s~",
    "javascript:alert(1)//[click](http://evil.example)",
    "Z" + "\u0301" * 500,
    "ﷺ" * 50 + "شركة",
)
HIDDEN = re.compile("[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\x00\x1b]")


def attacked() -> dict[str, Any]:
    """One client and one order for each attack, and the attack wherever a text can be."""
    clients = [client(n, name=text, email=f"payables{n}@zephyrine.example") for n, text in enumerate(ATTACKS, 1)]
    orders = [
        order(n, work("1", "100.00", text), poNumber=text, memo=text, customer=n) for n, text in enumerate(ATTACKS, 1)
    ]
    return firm(orders, clients)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with deployed(attacked(), parameters={"Approvers": f"Lead: {ANN}; Controller: {BOB}"}) as opened:
        yield opened


@pytest.fixture(scope="module")
def run(sandbox: Sandbox) -> Run:
    started = sandbox.start({"period": PERIOD})
    sandbox.wait_for_approval(started, SECONDS)
    return started


@pytest.fixture(scope="module")
def ended(sandbox: Sandbox, run: Run) -> Run:
    """Rejected, with every attack in the reason."""
    page = sandbox.person().open(links(sandbox, run)[ANN])
    number = re.search(r"There are\s+(\d+)", page.text)
    assert number is not None
    said = post(sandbox, links(sandbox, run)[ANN], "reject", number=number.group(1), reason=" ".join(ATTACKS)[:900])
    assert said.status == 200
    sandbox.wait_for_end(run, SECONDS)
    return run


class _Strict(HTMLParser):
    """What a browser would run, load or follow."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]


def harmless(html: str) -> None:
    """No tag, attribute, address or invisible character of an attack came through."""
    found = _Strict()
    found.feed(html)
    for tag in ("script", "img", "base", "iframe", "object", "embed", "svg", "link"):
        assert tag not in found.tags
    assert not [name for name, _ in found.attributes if name.startswith("on")]
    for name, value in found.attributes:
        assert name not in ("href", "src", "action") or "evil.example" not in value
        assert name != "href" or not value.lower().startswith("javascript")
    assert not HIDDEN.search(html)
    assert "N" * 2_001 not in html
    assert "\u0301" * 4 not in html, "piled marks cover other lines"


def test_the_pages_the_inbox_and_a_mistake_show_attacks_as_text(sandbox: Sandbox, run: Run) -> None:
    link = links(sandbox, run)[ANN]
    answers = [requests.get(link, timeout=60), requests.get(link, params={"q": ATTACKS[0]}, timeout=60)]
    answers += [requests.get(one, timeout=60) for mail in mails_of(sandbox, run) for one in mail.links]
    for attack in ATTACKS:
        typed = {"answer": "hold", "order": attack, "reason": attack}
        answers.append(requests.post(link, data=typed, timeout=60))
        assert answers[-1].status_code == 422
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in answers[0].text
    assert "{{7*7}}" in answers[0].text
    for answer in answers:
        harmless(answer.text)
        assert not [value for value in answer.headers.values() if "evil" in value or len(value) > 600]


def test_the_csv_has_every_attack_and_no_formula(sandbox: Sandbox, run: Run) -> None:
    answer = requests.get(links(sandbox, run)[ANN], params={"format": "csv"}, timeout=60)
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["content-disposition"] == 'attachment; filename="approval-2026-05.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    assert {row["Client's NetSuite id"] for row in rows if row["Client's NetSuite id"]}, "there are rows"
    cells = {cell for row in rows for cell in row.values()}
    for formula in ATTACKS[9:13]:
        assert f"'{formula}" in cells
    longest = max(len(run) for cell in cells for run in re.findall("N+", cell))
    assert 30 < longest < 10_000, "cut when it was read, and still there"
    for row in rows:
        for name, cell in row.items():
            seen = "".join(sign for sign in cell if unicodedata.category(sign) not in ("Cf", "Zs", "Cc"))
            assert name in ("Amount", "Unit price") or unicodedata.normalize("NFKC", seen)[:1] not in tuple("=+-@"), (
                cell
            )


def test_every_mail_has_its_own_headers_one_subject_line_and_attacks_as_text(sandbox: Sandbox, ended: Run) -> None:
    mails = mails_of(sandbox, ended)
    assert {mail.subject.partition(":")[0].split()[0] for mail in mails} >= {"Approve", "Rejected"}
    names = {"From", "To", "Subject", "References", "In-Reply-To", "Auto-Submitted", "X-Auto-Response-Suppress"}
    names |= {"MIME-Version", "Content-Type"}
    for mail in mails:
        message = email.message_from_bytes(mail.raw, policy=email.policy.default)
        assert set(message.keys()) == names
        assert len(message.keys()) == len(names)
        assert mail.to[0] in (ANN, BOB, "owner@firm.example")
        assert len(mail.subject) <= 180
        assert not HIDDEN.search(mail.subject + mail.text)
        assert "N" * 2_001 not in mail.text
        assert "\nBcc:" not in mail.text
        harmless(mail.html)


def test_slack_gets_no_mention_and_no_foreign_link(sandbox: Sandbox, ended: Run) -> None:
    posts = sandbox.posts()
    assert len(posts) >= 2, "asked, and ended"
    for said in posts:
        text = json.dumps([said["text"], said["blocks"]], ensure_ascii=False)
        for mention in ("<!", "<@", "<#", "<http://evil"):
            assert mention not in text
        assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b\ufeff]", text)
        for block in said["blocks"]:
            for part in (block.get("text"), *block.get("elements", [])):
                assert not part or part["type"] != "mrkdwn" or part["verbatim"] is True


def test_the_reports_faces_show_attacks_as_text(sandbox: Sandbox, ended: Run) -> None:
    objects = sandbox.objects()
    page = next(body.decode() for key, body in objects.items() if key.endswith("report.html"))
    harmless(page)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    table = next(body for key, body in objects.items() if key.endswith("report.csv")).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(table, newline="")))
    assert len(rows) == len(ATTACKS)
    for row in rows:
        for name, cell in row.items():
            assert name == "Amount" or not re.match(r"[\s\u2060\u200b]*[=+\-@＝]", cell), cell


def test_the_page_after_the_end_shows_the_reason_as_text(sandbox: Sandbox, ended: Run) -> None:
    answer = requests.get(links(sandbox, ended)[BOB], timeout=60)
    assert answer.status_code == 200
    harmless(answer.text)
    assert "&lt;script&gt;" in answer.text
