"""Votes that were really given: each is read from its signature, not from the table's own fields."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from billing.domain.approval.approvers import Answer, Vote


def verified_votes(
    signed_votes: Iterable[str], request_id: str, read_vote: Callable[[str], Mapping[str, str] | None]
) -> tuple[Vote, ...]:
    """The votes of this request that one of our keys has signed, oldest first."""
    votes = []
    for signed in signed_votes:
        fields = read_vote(signed)
        if fields is None or fields.get("request") != request_id or fields.get("answer") not in tuple(Answer):
            continue
        votes.append(
            Vote(
                approver=fields["approver"],
                answer=Answer(fields["answer"]),
                reason=fields["reason"],
                at=fields["at"],
                request_hash=fields["batch_sha256"],
                shown=fields.get("shown", ""),
                address=fields.get("address", ""),
                agent=fields.get("agent", ""),
                confirmed=fields.get("confirmed", ""),
                slots=tuple(fields["slots"].split("\n")) if fields.get("slots") else None,
            )
        )
    return tuple(sorted(votes, key=lambda vote: (vote.at, vote.approver)))


def vote_fields(request_id: str, vote: Vote) -> dict[str, str]:
    """What a vote's signature covers."""
    return {
        "request": request_id,
        "approver": vote.approver,
        "answer": str(vote.answer),
        "reason": vote.reason,
        "at": vote.at,
        "batch_sha256": vote.request_hash,
        "shown": vote.shown,
        "address": vote.address,
        "agent": vote.agent,
        "confirmed": vote.confirmed,
        # A slot's name is one line.
        "slots": "\n".join(vote.slots or ()),
    }
