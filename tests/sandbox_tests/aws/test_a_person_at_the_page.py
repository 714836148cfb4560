"""A person reads the page and types what it asks for, nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qs

import pytest

from tests.sandbox import SandboxError
from tests.sandbox.aws.frontdoor import SentMail
from tests.sandbox.aws.mail import parse_mail
from tests.sandbox.http_server import HttpServer, Request, Response
from tests.sandbox.person import Person

PAGE = """<html><head><title>99 invoices</title><style>p{}</style></head><body>
<form method="get"><input name="q" value="x"><button>Search 3 invoices</button></form>
<p>1,204 invoices wait.</p>
<form method="post" action="decide">
  <input type="hidden" name="csrf" value="abc"><label>Type the number of invoices</label>
  <input name="invoices" inputmode="numeric"><button name="answer" value="approve">Approve 1,204 invoices</button>
</form>
<form method="post"><textarea name="reason"></textarea><button name="answer" value="reject">Reject</button></form>
</body></html>"""


class Site(HttpServer):
    """Shows the page, and keeps what was posted."""

    posted: list[tuple[str, str, dict[str, list[str]]]]

    def handle(self, request: Request) -> Response:
        if request.method == "POST":
            form = parse_qs(request.body.decode(), keep_blank_values=True)
            self.posted.append((request.path, request.headers.get("cookie", ""), form))
            return Response(303, b"", {"Location": "/done"})
        body = b"<p>Thank you</p>" if request.path == "/done" else PAGE.encode()
        return Response(200, body, {"Content-Type": "text/html; charset=utf-8", "Set-Cookie": "visit=1"})


@pytest.fixture
def site() -> Iterator[Site]:
    server = Site()
    server.posted = []
    with server:
        yield server


def test_approving_types_the_number_that_the_form_shows(site: Site) -> None:
    page = Person().decide(f"{site.url}/a/link", "approve", "")
    assert page.text == "Thank you"
    ((path, cookie, form),) = site.posted
    assert (path, cookie) == ("/a/decide", "visit=1")
    assert form == {"csrf": ["abc"], "invoices": ["1204"], "answer": ["approve"]}


def test_rejecting_gives_the_reason(site: Site) -> None:
    Person().decide(f"{site.url}/a/link", "reject", "wrong month")
    assert site.posted[0][2] == {"reason": ["wrong month"], "answer": ["reject"]}


def test_a_page_without_the_button_is_an_error_that_shows_the_page(site: Site) -> None:
    with pytest.raises(SandboxError, match="Thank you"):
        Person().decide(f"{site.url}/done", "approve", "")


def test_a_simple_mail_keeps_both_of_its_bodies() -> None:
    mail = parse_mail(
        SentMail(
            12.0,
            {
                "FromEmailAddress": "a@b.example",
                "Destination": {"ToAddresses": ["c@d.example"], "CcAddresses": ["e@f.example"]},
                "Content": {
                    "Simple": {
                        "Subject": {"Data": "Hi"},
                        "Body": {
                            "Text": {"Data": "see http://x.example/1."},
                            "Html": {"Data": '<a href="http://x.example/2">2</a>'},
                        },
                    }
                },
            },
            "mail-1",
            "a function",
        )
    )
    assert (mail.subject, mail.to) == ("Hi", ("c@d.example", "e@f.example"))
    assert mail.links == ("http://x.example/2", "http://x.example/1")
