"""The approval page over HTTP: a request of API Gateway in, a page out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Protocol

from billing.domain.approval.approval_entries import EntryKind, passed_on
from billing.domain.approval.approval_request import ApprovalRequest
from billing.domain.approval.approvers import Outcome
from billing.domain.approval.origin import Origin
from billing.domain.batch.batch import Batch, totals
from billing.domain.errors import OurFault
from billing.domain.run import RunFrame
from billing.pages.approval.approval_page import (
    LONGEST_REASON,
    NOT_POSTED,
    Posted,
    RequestView,
    altered_page,
    approval_page,
    batch_csv,
    csv_parts_page,
    ended_page,
    expired_inbox_page,
    invalid_link_page,
    status_page,
    trouble_page,
    wrong_method_page,
)
from billing.pages.approval.approval_view import changes_words, held_orders
from billing.pages.approval.batch_csv import batch_csv_parts
from billing.pages.approval.confirm_page import confirm_page
from billing.pages.approval.inbox_page import inbox_page
from billing.pages.approval.table_choice import choice_of
from billing.pages.formatting import counted, people_words, sums_words
from billing.pages.rendering import Shown, page_csp, private_headers
from billing.workflows.approval.who_may_sign import WhoMaySign
from billing.workflows.approval_page import approval_page as one_request
from billing.workflows.approval_page import inbox as inboxes
from billing.workflows.approval_page.after_signing import AfterSigning
from billing.workflows.approval_page.approval_page import (
    QUESTION_KEPT,
    Answered,
    Seen,
    batch_of,
    conclude,
    intended,
    look,
    record,
    stands_already,
)
from billing.workflows.approval_page.confirming import Asked
from billing.workflows.approval_page.guard import Guard
from billing.workflows.approval_page.http_exchange import (
    LONGEST_FILE,
    answer_of,
    file_of,
    form_of,
    origin_of,
    query_of,
)
from billing.workflows.approval_page.inbox import Expired, inbox
from billing.workflows.approval_page.questions import Questions
from billing.workflows.ports import ReadableFiles, Telemetry

_TRIES = 5


class Requests(one_request.Requests, inboxes.Requests, Protocol):
    """The approvals table, for both kinds of pages."""


class Signing(one_request.Signing, inboxes.Signing, Protocol):
    """Signs and verifies, for both kinds of pages."""


class Callback(Protocol):
    """Ends the wait of a run."""

    def wake(self, sealed_token: bytes, run_id: str) -> bool: ...


def approval_exchange(
    event: Mapping[str, Any], connect: Callable[[], ApprovalExchange], telemetry: Telemetry
) -> dict[str, Any]:
    """Answer one request. Whatever fails, a secret or a parameter that cannot be read included, a page answers: a
    person with money to sign for must never see a raw error. Links, names and amounts never reach a log."""
    reference = str(event.get("requestContext", {}).get("requestId", ""))[:60]
    try:
        return connect().handle(event)
    except Exception as error:  # noqa: BLE001 - whatever it was, a page answers
        telemetry.failed(
            "approval page failed", "ApprovalPagesFailed", error_name=type(error).__name__, reference=reference
        )
        answering = event.get("requestContext", {}).get("http", {}).get("method") == "POST"
        return _html(500, trouble_page(reference, answering))


@dataclass(frozen=True, slots=True)
class ApprovalExchange:
    """Everything behind the page. It can write votes, holds, delegations and outcomes, and complete the wait; nothing
    else."""

    requests: Requests
    files: ReadableFiles
    signatures: Signing
    callback: Callback
    who: WhoMaySign
    after: AfterSigning
    guard: Guard
    questions: Questions
    now: Callable[[], datetime]
    finalizes: bool
    telemetry: Telemetry

    def handle(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Answer one request that finds everything in order."""
        link = (event.get("pathParameters") or {}).get("link")
        if link is None:
            return _beside_the_routes(event)
        method = event["requestContext"]["http"]["method"]
        if str(event.get("rawPath", "")).startswith("/approvals/inbox/"):
            found = inbox(link, self.requests, self.signatures, self.who, self.now())
            if isinstance(found, Expired):
                return _html(410, expired_inbox_page())
            return _html(200, inbox_page(*found, self.now())) if found else self._refused()
        seen = self._look(link)
        if seen is None:
            return self._refused()
        self.telemetry.logger.append_keys(run_id=seen.request.run_id)
        if not seen.present.trustworthy:
            return self._altered(seen, method)
        if method == "POST":
            return self._decide(link, seen, form_of(event), origin_of(event))
        query = query_of(event)
        if seen.over:
            return _html(410 if query.get("format") == "csv" else 200, self._ended(seen))
        if query.get("format") == "csv":
            batch = batch_of(seen, self.files)
            return _csv(event, seen, batch, query.get("part", ""), batch.day_of(self.now()))
        if query.get("format") == "report":
            return self._report(event, seen)
        if not seen.open:
            return _html(200, self._standing(seen))
        return _html(200, self._page(seen, query))

    def _refused(self) -> dict[str, Any]:
        """The same answer for unknown and forged links, on both kinds of pages. Counted: many of them are an attack."""
        self.telemetry.logger.warning("approval link refused")
        self.telemetry.metrics.add_metric(name="ApprovalLinksRefused", unit="Count", value=1)
        return _html(404, invalid_link_page())

    def _altered(self, seen: Seen, method: str) -> dict[str, Any]:
        """Somebody has written into the request's row. Nothing of it is shown and nobody can answer; a POST wakes the
        run, which ends and tells the team."""
        self.telemetry.failed(
            "approval request altered in the table", "ApprovalPagesFailed", altered=list(seen.present.altered)
        )
        if method == "POST":
            self._wake(seen)
        return _html(409, altered_page())

    def _report(self, event: Mapping[str, Any], seen: Seen) -> dict[str, Any]:
        """The run's report, to whoever was asked; until there is one, how the request stands."""
        report = self.after.report(seen, self.requests.end(seen.request.id))
        file = None if report is None else file_of(event, _report_headers(), report)
        return file or _html(200, self._page(seen, {}) if seen.open else self._standing(seen))

    def _decide(self, link: str, seen: Seen, form: Mapping[str, str], origin: Origin) -> dict[str, Any]:
        # What cannot be shown (missing, altered) cannot be signed for. A request that has ended needs it no more: a
        # run that asks anew may have put other content in its place.
        batch = batch_of(seen, self.files) if seen.open else Batch(RunFrame(), (), ())
        shown = f"{counted(seen.request.invoices, 'invoice')}, {sums_words(totals(batch.to_draft))}"
        what = intended(seen, form, batch, shown, self.who, self.now())
        asks = form.get("answer") == EntryKind.QUESTION
        if asks and not self.questions.recipients(seen):
            what = Answered(mistake="Nobody is on record who could be asked: the run was started without a name.")
        if not isinstance(what, Answered):
            too_soon = self.guard.too_soon(seen, form.get("seen", ""), self.now())
            # A question decides nothing, and nobody should need a code to ask who asked for it.
            asked = None if too_soon or asks else self.guard.confirm(seen, form, self.now())
            if asked is not None:
                return _html(200 if asked in (Asked.SENT, Asked.SENT_BEFORE) else 422, self._confirm(seen, form, asked))
            what = Answered(mistake=too_soon) if too_soon else self.guard.marked(what, origin)
        answered = what if isinstance(what, Answered) else record(seen, what, batch, self.requests, self.signatures)
        if answered.mistake:
            again = self._look(link) or seen
            # Two clicks at once: the one that came second finds its own answer on record.
            if not stands_already(again, form.get("answer", "")):
                return _html(422, self._mistaken(again, answered, form))
        for _ in range(_TRIES):
            after = self._look_again(link)
            if conclude(after, self.requests, self.now()):
                break
        else:
            raise OurFault("Votes come in faster than they can be counted.")
        after = self._look_again(link)
        awake = True
        if after.present.stored.outcome is not None or answered.wake:
            woken = self._wake(after)
            # Only the answer that decided says that the run was not there to hear it: later ones find it at work.
            awake = woken or not answered.signed
        self.telemetry.logger.info("approval answered", extra={"outcome": str(after.tally.outcome)})
        if answered.said and asks:
            answered = replace(answered, said=self._sent_question(after, form))
        if answered.said and after.open:
            return _html(200, self._page(after, {}, Posted(said=answered.said)))
        posted = Posted(mistake=answered.late, said=answered.said, just_signed=answered.signed, awake=awake)
        return _html(200, self._standing(after, posted))

    def _sent_question(self, seen: Seen, form: Mapping[str, str]) -> str:
        to = people_words(self.questions.recipients(seen))
        if self.questions.send(seen, " ".join(form.get("question", "").split())[:LONGEST_REASON], self.now()):
            return f"{QUESTION_KEPT} It was mailed to {to}."
        return f"{QUESTION_KEPT} It could not be mailed to {to}: send it again in a minute."

    def _confirm(self, seen: Seen, form: Mapping[str, str], asked: Asked) -> Shown:
        self.telemetry.logger.info("code asked for", extra={"code": str(asked)})
        return confirm_page(self._view(seen), form, asked)

    def _mistaken(self, again: Seen, answered: Answered, form: Mapping[str, str]) -> Shown:
        if not again.open:
            return self._standing(again, Posted(mistake=answered.mistake))
        return self._page(again, {}, Posted(mistake=answered.mistake, typed=form, together=answered.together))

    def _wake(self, seen: Seen) -> bool:
        """Last, and repeatable: a lost callback is sent by the next POST, or the decision is read when the wait
        ends. Answers False if the run did not wait.
        """
        try:
            woken = self.callback.wake(seen.present.stored.sealed_token, seen.request.run_id)
            self.telemetry.logger.info("run woken" if woken else "run was awake already")
            return woken
        except Exception as error:  # noqa: BLE001 - the decision stands, whatever kept the run asleep
            self.telemetry.failed("run could not be woken", "RunsNotWoken", error_name=type(error).__name__)
            return True  # it waits, and reads the decision when its slice is over

    def _look(self, link: str) -> Seen | None:
        return look(link, self.requests, self.signatures, self.who, self.now())

    def _look_again(self, link: str) -> Seen:
        seen = self._look(link)
        if seen is None:
            raise OurFault("A request vanished while it was answered.")
        return seen

    def _page(self, seen: Seen, query: Mapping[str, str], posted: Posted = NOT_POSTED) -> Shown:
        view = replace(self._view(seen), seen=self.guard.seen_mark(seen, self.now(), posted.typed.get("seen", "")))
        return approval_page(view, batch_of(seen, self.files), posted, choice=choice_of(query))

    def _view(self, seen: Seen) -> RequestView:
        present = seen.present
        return RequestView(
            seen.request,
            seen.approver,
            present.counted,
            seen.tally,
            self.now(),
            outcome=present.stored.outcome,
            voided=present.voided,
            changes=changes_words(present.entries),
            end=self.requests.end(seen.request.id),
            asked_anew=self._is_asked_anew(seen),
            held=held_orders(present.entries),
            delegate_domains=sorted(self.who.listed.domains) if seen.approver in self._originals(seen) else (),
            passed_to=seen.passed_to,
            signed_before=any(vote.approver == seen.approver for vote in present.votes),
            finalizes=self.finalizes,
            ask_to=people_words(self.questions.recipients(seen)),
            origins=present.votes if self.guard.sees_origins(seen.approver) else (),
        )

    @staticmethod
    def _originals(seen: Seen) -> set[str]:
        return set(seen.present.people) - set(passed_on(seen.present.entries).values())

    def _standing(self, seen: Seen, posted: Posted = NOT_POSTED) -> Shown:
        if seen.over:
            return self._ended(seen, posted)
        try:
            batch = batch_of(seen, self.files)
        except OurFault:
            batch = None  # How it ended can be told without it.
        return status_page(replace(self._view(seen), drafting=self.after.drafting(seen, batch)), batch, posted)

    def _ended(self, seen: Seen, posted: Posted = NOT_POSTED) -> Shown:
        mine = seen.own_vote or seen.present.earlier_vote_of(seen.approver)
        return ended_page(self._view(seen), mine, posted, taken_off=not seen.expired)

    def _is_asked_anew(self, seen: Seen) -> bool:
        """Whether the run asks under a newer request now, because this one ended without an approval."""
        request, outcome = seen.request, seen.present.stored.outcome
        unapproved = outcome.outcome != Outcome.APPROVED if outcome else seen.expired
        return unapproved and self.requests.read(request.id_of(request.number + 1)) is not None


def _beside_the_routes(event: Mapping[str, Any]) -> dict[str, Any]:
    """For a path without a link, and for methods that a page does not have. Nothing is read, so the answer cannot
    depend on the link. An address that a mail program has cut after /approvals/ belongs here."""
    path = str(event.get("rawPath", ""))
    if re.fullmatch(r"/approvals/(inbox/)?[^/]+", path) and path != "/approvals/inbox":
        allowed = "GET, HEAD" if path.startswith("/approvals/inbox/") else "GET, HEAD, POST"
        shown = wrong_method_page()
        return answer_of(405, {**shown.headers, "allow": allowed}, shown.html)
    return _html(404, invalid_link_page())


def _html(status: int, shown: Shown) -> dict[str, Any]:
    return answer_of(status, shown.headers, shown.html)


def _csv(event: Mapping[str, Any], seen: Seen, batch: Batch, part: str, today: date) -> dict[str, Any]:
    """The whole table if one answer holds it, else a page that leads to its parts."""
    if not part:
        whole = file_of(event, _csv_headers(seen.request), batch_csv(batch, today))
        if whole is not None:
            return whole
    parts = batch_csv_parts(batch, LONGEST_FILE, today)
    if part.isascii() and part.isdecimal() and 1 <= int(part[:6]) <= len(parts):
        number = int(part[:6])
        one = file_of(event, _csv_headers(seen.request, f"-part-{number}-of-{len(parts)}"), parts[number - 1])
        if one is not None:
            return one
    return _html(200, csv_parts_page(seen.approver, len(parts)))


def _report_headers() -> dict[str, str]:
    return private_headers("text/html; charset=utf-8", page_csp())


def _csv_headers(request: ApprovalRequest, part: str = "") -> dict[str, str]:
    return {
        **private_headers("text/csv; charset=utf-8", page_csp()),
        "content-disposition": f'attachment; filename="approval-{request.period}{part}.csv"',
    }
