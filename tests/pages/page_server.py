"""Serves rendered pages over HTTP with their real headers, and takes the form as the approval function will."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from billing.domain.approval.approval_request import ApprovalRequest
from billing.domain.approval.approvers import Answer, Vote
from billing.domain.batch.batch import Batch
from billing.pages.approval.approval_page import (
    NO_CHOICE,
    Posted,
    RequestView,
    approval_page,
    batch_csv,
    status_page,
)
from billing.pages.approval.table_choice import Choice, choice_of
from billing.pages.rendering import Shown
from tests.pages import samples


@dataclass
class Desk:
    """One approver's link: the page to sign on until a vote is there, the standing after that."""

    batch: Batch
    request: ApprovalRequest
    approver: str = samples.ANN
    votes: list[Vote] = field(default_factory=list)
    posts: list[dict[str, str]] = field(default_factory=list)

    def get(self, fields: dict[str, str]) -> Shown | bytes:
        if fields.get("format") == "csv":
            return batch_csv(self.batch)
        if any(vote.approver == self.approver for vote in self.votes):
            return self._standing()
        return self._page(choice=choice_of(fields))

    def post(self, form: dict[str, str]) -> Shown:
        self.posts.append(form)
        if form.get("answer") == "approve":
            if form.get("invoices", "").strip() != str(self.request.invoices):
                return self._page(mistake="The number that you typed is not the number of invoices.", typed=form)
            self.votes.append(samples.vote(self.approver))
        elif form.get("answer") == "reject":
            if not form.get("reason", "").strip():
                return self._page(mistake="A rejection needs a reason. Write it down.", typed=form)
            self.votes.append(samples.vote(self.approver, Answer.REJECT, form["reason"].strip()))
        elif form.get("answer") == "hold":
            if not form.get("reason", "").strip() or form.get("number", "").strip() != str(self.request.invoices):
                return self._page(mistake="Give a reason, and type the number.", typed=form)
            return self._page(said="The order is on hold.")
        else:
            return self._page(mistake="Choose to approve or to reject.", typed=form)
        return self._standing(just_signed=True)

    def _page(
        self, choice: Choice = NO_CHOICE, mistake: str = "", typed: dict[str, str] | None = None, said: str = ""
    ) -> Shown:
        posted = Posted(mistake=mistake, typed=typed or {}, said=said)
        return approval_page(self._view(), self.batch, posted, choice=choice)

    def _standing(self, just_signed: bool = False) -> Shown:
        return status_page(self._view(), self.batch, Posted(just_signed=just_signed))

    def _view(self) -> RequestView:
        return samples.view(self.request, self.votes, self.approver)


@dataclass
class PageServer:
    """`pages` are shown as they are, at their paths; `desks` answer GET and POST."""

    url: str
    pages: dict[str, Shown | str] = field(default_factory=dict)
    desks: dict[str, Desk] = field(default_factory=dict)
    requested: list[str] = field(default_factory=list)

    def show(self, path: str, page: Shown | str) -> str:
        """Serve `page` at `path`; answers its URL."""
        self.pages[path] = page
        return self.url + path

    def open_desk(self, path: str, desk: Desk) -> str:
        """Let `desk` answer at `path`; answers its URL."""
        self.desks[path] = desk
        return self.url + path


@contextmanager
def serving() -> Iterator[PageServer]:
    """A server on a free port of this machine."""
    served: list[PageServer] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer({})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
            self._answer(_fields(body))

        def _answer(self, form: dict[str, str]) -> None:
            server = served[0]
            url = urlsplit(self.path)
            server.requested.append(f"{self.command} {self.path}")
            desk = server.desks.get(url.path)
            content: Shown | str | bytes
            if desk is not None:
                content = desk.post(form) if self.command == "POST" else desk.get(_fields(url.query))
            else:
                content = server.pages.get(url.path, b"")
            if isinstance(content, Shown):
                headers, data = content.headers, content.html.encode()
            elif isinstance(content, str):
                headers, data = {"content-type": "text/html; charset=utf-8"}, content.encode()
            else:
                headers, data = {"content-type": "text/csv; charset=utf-8"}, content
            self.send_response(200 if data else 404)
            for name, value in {**headers, "content-length": str(len(data))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served.append(PageServer(f"http://127.0.0.1:{httpd.server_port}"))
    thread = threading.Thread(target=httpd.serve_forever, daemon=True)
    thread.start()
    try:
        yield served[0]
    finally:
        httpd.shutdown()
        httpd.server_close()
        thread.join()


def _fields(text: str) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(text, keep_blank_values=True).items()}
