"""Votes and outcomes are written once; exactly one outcome stands, made from every vote there was."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from billing.adapters.dynamodb.approvals import ApprovalsTable
from billing.domain.approval.approval_request import ApprovalRequest, RecordedOutcome
from billing.domain.approval.approvers import Answer, Outcome, Slot, Vote, count_votes
from billing.domain.errors import PassingError
from tests.adapters.aws_world import APPROVALS, AwsWorld

ANN, BOB, CY = "ann@firm.example", "bob@firm.example", "cy@firm.example"
REQUEST = ApprovalRequest(
    id="run-1.1",
    run_id="run-1",
    execution_arn="arn:1",
    cycle="main",
    period="2026-05",
    batch_key="runs/2026-05/run-1/batch.json",
    request_hash="h" * 64,
    slots=(Slot("Finance", 1, (ANN, BOB)),),
    opened_at="2026-06-01T10:00:00+00:00",
    expires_at="2026-06-04T10:00:00+00:00",
    invoices=3,
)
APPROVED = RecordedOutcome("approved", "Every slot has signed.", "2026-06-01T11:00:00+00:00")


@pytest.fixture
def table(aws: AwsWorld) -> ApprovalsTable:
    return ApprovalsTable(aws.dynamodb, APPROVALS)


def test_a_request_is_kept_whole_and_opened_once(table: ApprovalsTable) -> None:
    assert table.read(REQUEST.id) is None
    assert table.open(REQUEST, "signed") is True
    assert table.open(replace(REQUEST, invoices=99), "signed") is False
    stored = table.read(REQUEST.id)
    assert stored is not None
    assert stored.request == REQUEST
    assert (stored.sealed_token, stored.signed_votes, stored.changes, stored.outcome) == (b"", (), 0, None)


def test_the_newest_request_is_the_one_that_the_run_points_at(table: ApprovalsTable) -> None:
    assert (table.current_number("run-1"), table.newest("run-1")) == (0, None)
    table.open(REQUEST, "signed")
    table.open(replace(REQUEST, id="run-1.2"), "signed")
    table.make_current("run-1", 2)
    newest = table.newest("run-1")
    assert newest is not None
    assert newest.request.id == "run-1.2"
    assert table.newest("run-2") is None


def test_only_the_newest_token_is_kept_and_none_for_a_request_that_is_not_there(table: ApprovalsTable) -> None:
    table.open(REQUEST, "signed")
    table.seal(REQUEST.id, b"first")
    table.seal(REQUEST.id, b"second")
    stored = table.read(REQUEST.id)
    assert stored is not None
    assert stored.sealed_token == b"second"
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        table.seal("run-1.9", b"x")


def test_the_first_answer_of_a_person_stands(table: ApprovalsTable) -> None:
    table.open(REQUEST, "signed")
    assert table.vote(REQUEST.id, "ann", "signed approve", "h" * 64) is True
    assert table.vote(REQUEST.id, "ann", "signed reject", "h" * 64) is False
    stored = table.read(REQUEST.id)
    assert stored is not None
    assert (stored.signed_votes, stored.changes) == (("signed approve",), 1)


def test_no_vote_for_a_request_that_was_never_opened(aws: AwsWorld, table: ApprovalsTable) -> None:
    assert table.vote("run-9.1", "ann", "signed", "h" * 64) is False
    assert aws.rows(APPROVALS) == []


def test_no_vote_after_the_outcome(table: ApprovalsTable) -> None:
    table.open(REQUEST, "signed")
    table.vote(REQUEST.id, "ann", "signed", "h" * 64)
    assert table.conclude(REQUEST.id, APPROVED, 1) is True
    assert table.vote(REQUEST.id, "bob", "signed", "h" * 64) is False
    stored = table.read(REQUEST.id)
    assert stored is not None
    assert (stored.changes, stored.outcome) == (1, APPROVED)


@pytest.mark.parametrize(("votes", "seen"), [(0, 1), (1, 0), (2, 1), (1, 2)])
def test_no_outcome_from_an_old_picture(table: ApprovalsTable, votes: int, seen: int) -> None:
    table.open(REQUEST, "signed")
    for number in range(votes):
        table.vote(REQUEST.id, f"person-{number}", "signed", "h" * 64)
    assert table.conclude(REQUEST.id, APPROVED, seen) is False
    assert table.conclude(REQUEST.id, APPROVED, votes) is True


def test_the_first_outcome_stands(table: ApprovalsTable) -> None:
    table.open(REQUEST, "signed")
    assert table.conclude(REQUEST.id, RecordedOutcome("expired", "late", "t"), 0) is True
    assert table.conclude(REQUEST.id, APPROVED, 0) is False
    stored = table.read(REQUEST.id)
    assert stored is not None
    assert stored.outcome == RecordedOutcome("expired", "late", "t")


def test_no_outcome_for_a_request_that_was_never_opened(aws: AwsWorld, table: ApprovalsTable) -> None:
    assert table.conclude("run-9.1", APPROVED, 0) is False
    assert aws.rows(APPROVALS) == []


def test_a_request_of_many_messages_and_votes_is_read_whole(aws: AwsWorld, table: ApprovalsTable) -> None:
    """DynamoDB answers a query in pages of a megabyte."""
    table.open(REQUEST, "signed")
    for number in range(12):
        table.vote(REQUEST.id, f"person-{number:02}", f"{number:02}" + "x" * 200_000, "h" * 64)
    stored = table.read(REQUEST.id)
    assert stored is not None
    assert [signed[:2] for signed in stored.signed_votes] == [f"{number:02}" for number in range(12)]


# Two people with opposite answers ------------------------------------------------------------------------


def as_vote(signed: str) -> Vote:
    person, answer = signed.split("/")
    return Vote(person, Answer(answer), REQUEST.request_hash, "t", "no" if answer == "reject" else "")


class Person:
    """Answers as the page does, one write or read at a time: vote, look, conclude, and again if it was too late."""

    def __init__(self, table: ApprovalsTable, request_id: str, name: str, answer: Answer) -> None:
        self.table, self.request_id, self.name, self.answer = table, request_id, name, answer
        self.counted: bool | None = None
        self.done = False
        self._seen: Any = None

    def step(self) -> None:
        if self.counted is None:
            self.counted = self.table.vote(self.request_id, self.name, f"{self.name}/{self.answer}", "h" * 64)
        elif self._seen is None:
            self._seen = self.table.read(self.request_id)
        else:
            tally = count_votes(REQUEST.slots, map(as_vote, self._seen.signed_votes), REQUEST.request_hash)
            if self._seen.outcome is not None or tally.outcome is Outcome.UNDECIDED:
                self.done = True
                return
            outcome = RecordedOutcome(str(tally.outcome), tally.reason, self.name)
            self.done = self.table.conclude(self.request_id, outcome, self._seen.changes)
            self._seen = None


def check(table: ApprovalsTable, request_id: str, people: list[Person]) -> None:
    """Exactly one outcome, made from all votes that were counted; a reject that was counted has won."""
    stored = table.read(request_id)
    assert stored is not None
    assert stored.outcome is not None, "everybody is done and nobody has decided"
    counted = {f"{one.name}/{one.answer}" for one in people if one.counted}
    assert set(stored.signed_votes) == counted, "a vote was missed, or one appeared from nowhere"
    assert stored.changes == len(counted)
    tally = count_votes(REQUEST.slots, map(as_vote, stored.signed_votes), REQUEST.request_hash)
    assert stored.outcome.outcome == str(tally.outcome), "the outcome is not what the votes give"
    if any(one.counted and one.answer is Answer.REJECT for one in people):
        assert stored.outcome.outcome == "rejected"


INTERLEAVINGS = [turns for turns in itertools.product((0, 1), repeat=6) if turns.count(0) == 3]
"""Every order of two people's first three steps: vote, look, conclude. Who was too late looks again after that."""


def test_one_outcome_stands_in_every_interleaving_of_two_opposite_answers(aws: AwsWorld) -> None:
    table = ApprovalsTable(aws.dynamodb, APPROVALS)
    assert len(INTERLEAVINGS) == 20
    for number, turns in enumerate(INTERLEAVINGS):
        request = replace(REQUEST, id=f"run-{number}.1")
        table.open(request, "signed")
        people = [
            Person(table, request.id, name, answer) for name, answer in ((ANN, Answer.APPROVE), (BOB, Answer.REJECT))
        ]
        for turn in [*turns, *([0, 1] * 20)]:
            if not people[turn].done:
                people[turn].step()
        assert all(one.done for one in people)
        check(table, request.id, people)


def test_one_outcome_stands_when_people_answer_at_the_same_instant(aws: AwsWorld) -> None:
    table = ApprovalsTable(aws.dynamodb, APPROVALS)
    for number in range(25):
        request_id = f"race-{number}.1"
        table.open(replace(REQUEST, id=request_id), "signed")
        start = threading.Barrier(2)
        outcomes: dict[str, bool] = {}

        def answer(name: str, given: str, request_id: str = request_id, start: threading.Barrier = start,
                   outcomes: dict[str, bool] = outcomes) -> None:  # fmt: skip
            start.wait()
            outcomes[name] = table.vote(request_id, name, f"{name}/{given}", "h" * 64)
            for _ in range(10):
                seen = table.read(request_id)
                assert seen is not None
                tally = count_votes(REQUEST.slots, map(as_vote, seen.signed_votes), REQUEST.request_hash)
                if seen.outcome is not None or tally.outcome is Outcome.UNDECIDED:
                    return
                if table.conclude(request_id, RecordedOutcome(str(tally.outcome), tally.reason, name), seen.changes):
                    return

        threads = [threading.Thread(target=answer, args=pair) for pair in ((ANN, "approve"), (BOB, "reject"))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        stored = table.read(request_id)
        assert stored is not None
        assert stored.outcome is not None
        if outcomes[BOB]:
            assert stored.outcome.outcome == "rejected"
        else:
            assert (outcomes[ANN], stored.outcome.outcome) == (True, "approved"), "too late, and told so"
        assert stored.changes == len(stored.signed_votes) == sum(outcomes.values())


# What DynamoDB says under load ---------------------------------------------------------------------------


class Contended:
    """Refuses the first transactions because others write the same rows."""

    def __init__(self, real: Any, times: int) -> None:
        self._real, self._left = real, times

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name == "transact_write_items" and self._left > 0:
            self._left -= 1

            def refuse(**_: Any) -> None:
                reasons = [{"Code": "TransactionConflict"}, {"Code": "None"}]
                raise ClientError(
                    {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons},
                    name,  # type: ignore[typeddict-item]
                )

            return refuse
        return getattr(self._real, name)  # type: ignore[no-any-return]


def test_a_conflict_is_tried_again_and_never_taken_for_an_answer(aws: AwsWorld) -> None:
    table = ApprovalsTable(Contended(aws.dynamodb, 4), APPROVALS)  # type: ignore[arg-type]
    table.open(REQUEST, "signed")
    assert table.vote(REQUEST.id, "ann", "signed", "h" * 64) is True


def test_a_conflict_that_stays_is_a_passing_error(aws: AwsWorld) -> None:
    table = ApprovalsTable(Contended(aws.dynamodb, 10**6), APPROVALS)  # type: ignore[arg-type]
    table.open(REQUEST, "signed")
    with pytest.raises(PassingError):
        table.vote(REQUEST.id, "ann", "signed", "h" * 64)
