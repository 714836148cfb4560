"""The approval page: a GET shows, a POST decides. The order is vote, outcome, callback; each can be repeated.

GET and HEAD change nothing in any store: mail scanners open every link. A POST decides only with something typed that a
machine would not type: the number of invoices to approve, a reason to reject.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from billing.adapters.approvals_table import StoredRequest
from billing.adapters.signatures import Link
from billing.domain.approval_request import ApprovalRequest, RecordedOutcome, RecordedVote
from billing.domain.approvers import Answer, Outcome, Standing, approver_id, everybody, standing
from billing.domain.batch import Batch, batch_from_dict
from billing.steps.votes import as_domain_votes, verified_votes, vote_fields

LONGEST_REASON = 2000


class Requests(Protocol):
    """The approvals table."""

    def read(self, request_id: str) -> StoredRequest | None: ...
    def vote(self, request_id: str, approver: str, signed: str) -> bool: ...
    def conclude(self, request_id: str, outcome: RecordedOutcome, votes_seen: int) -> bool: ...


class Files(Protocol):
    """The run's files."""

    def read_json(self, key: str, sha256: str | None = None) -> Any: ...


@dataclass(frozen=True, slots=True)
class Seen:
    """A link that is good, and where its request stands. `approver` is the address of the person who holds the link."""

    stored: StoredRequest
    approver: str
    votes: tuple[RecordedVote, ...]
    standing: Standing
    expired: bool

    @property
    def request(self) -> ApprovalRequest:
        """The request."""
        return self.stored.request

    @property
    def own_vote(self) -> RecordedVote | None:
        """What this person has answered, if anything."""
        return next((vote for vote in self.votes if vote.approver == self.approver), None)

    @property
    def open(self) -> bool:
        """Whether this person may answer now."""
        return self.stored.outcome is None and not self.expired and self.own_vote is None


@dataclass(frozen=True, slots=True)
class Answered:
    """What a POST came to: a mistake to correct, or a vote that stands (`wake` says that the run must be woken)."""

    mistake: str = ""
    wake: bool = False


def look(
    link: str,
    requests: Requests,
    read_link: Callable[[str], Link | None],
    read_vote: Callable[[str], Mapping[str, str] | None],
    now: datetime,
) -> Seen | None:
    """Who holds the link and where the request stands. Changes nothing. None for a link that is forged, cut, of an
    unknown request, of somebody who is not asked, or for another content than the request's: all of them look alike."""
    signed = read_link(link)
    stored = requests.read(signed.request_id) if signed else None
    if signed is None or stored is None or signed.batch_sha256 != stored.request.batch_sha256:
        return None
    people = {approver_id(address): address for address in everybody(stored.request.slots)}
    approver = people.get(signed.approver)
    if approver is None:
        return None
    votes = verified_votes(stored.signed_votes, stored.request.id, read_vote)
    return Seen(
        stored,
        approver,
        votes,
        standing(stored.request.slots, as_domain_votes(votes), stored.request.batch_sha256),
        now >= datetime.fromisoformat(stored.request.expires_at) or now.timestamp() >= signed.expires_at,
    )


def answer(
    seen: Seen,
    form: Mapping[str, str],
    requests: Requests,
    sign_vote: Callable[[Mapping[str, str]], str],
    now: datetime,
) -> Answered:
    """Record this person's answer and, if it decides the request, the outcome.

    Safe to repeat: the first answer of a person stands, and so does the first outcome. A repeated POST after the
    decision asks for the run to be woken again, so that a lost callback is sent.
    """
    request = seen.request
    if seen.open:
        vote = _vote(seen, form, now)
        if isinstance(vote, str):
            return Answered(mistake=vote)
        requests.vote(request.id, approver_id(seen.approver), sign_vote(vote_fields(request.id, vote)))
    return Answered(wake=True)


def conclude(seen: Seen, requests: Requests, now: datetime) -> bool:
    """Write the outcome that the votes give, once. Answers False if the picture has changed: look again."""
    if seen.stored.outcome is not None or seen.standing.outcome is Outcome.UNDECIDED or seen.expired:
        return True
    return requests.conclude(
        seen.request.id,
        RecordedOutcome(str(seen.standing.outcome), seen.standing.reason, now.isoformat()),
        seen.stored.vote_count,
    )


def batch_of(seen: Seen, files: Files) -> Batch:
    """Exactly the content that the request asks about. Raises OurFault if it is missing or altered."""
    return batch_from_dict(files.read_json(seen.request.batch_key, seen.request.batch_sha256))


def _vote(seen: Seen, form: Mapping[str, str], now: datetime) -> RecordedVote | str:
    """The vote that the form gives, or the sentence that says what is missing."""
    asked = form.get("answer", "")
    reason = " ".join(form.get("reason", "").split())
    if asked == Answer.APPROVE:
        typed = form.get("invoices", "").strip()
        if typed != str(seen.request.invoices):
            return (
                f"To approve, type the number of invoices shown on this page. You typed {typed[:20]!r}."
                if typed
                else "To approve, type the number of invoices shown on this page."
            )
        reason = ""
    elif asked == Answer.REJECT:
        if len(reason) < 3:
            return "To reject, write why: the reason goes to the team, and stays on record."
        reason = reason[:LONGEST_REASON]
    else:
        return "Nothing was decided: choose approve or reject, and fill in its field."
    return RecordedVote(seen.approver, Answer(asked), reason, now.isoformat(), seen.request.batch_sha256)
