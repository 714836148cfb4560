"""Killed at an outgoing call, before it left: one invoice, and everybody told.

Seen from outside, a kill before call k + 1 is a kill after the answer of call k, and those are all played in
test_killed_after_a_call. Here stand the first call, which has none before it, and a few that check the equation."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.runs.firm import ANN, BOB, OWNER, firm, order, work
from tests.runs.killed import FUNCTIONS, is_billed_once, play
from tests.runs.story import deployed
from tests.sandbox import Sandbox

BEFORE = (1, 4, 9)
STRUCK: set[str] = set()
"""Which functions were killed at least once."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    lines = (work("2", "150.00", "First week"), work("1", "45.50", "Second week"))
    with deployed(firm(order(place, *lines) for place in BEFORE)) as opened:
        yield opened


@pytest.mark.parametrize("k", BEFORE)
def test_every_function_killed_before_its_kth_call_still_leaves_one_whole_invoice(sandbox: Sandbox, k: int) -> None:
    posts = len(sandbox.posts())
    killed = play(sandbox, k, k, "before")
    assert killed.result.status == "SUCCEEDED", (killed.result, {name: killed.struck(name) for name in FUNCTIONS})
    is_billed_once(sandbox, k)
    STRUCK.update(name for name in FUNCTIONS if killed.struck(name))
    assert [post for post in sandbox.posts()[posts:] if killed.run.name in json.dumps(post)] != []
    assert len(sandbox.posts()) == posts + 2, "Slack can be asked what it has: it hears each thing once"
    told = [mail.to[0] for mail in killed.mails]
    for who, teller in (
        (ANN, "AskForApprovalFunction"),
        (BOB, "AskForApprovalFunction"),
        (OWNER, "TellTheTeamFunction"),
    ):
        # SES cannot be asked what it sent: killed around a sending, it sends again rather than never.
        most = 2 if killed.struck(teller) in ("sesv2", "dynamodb") else 1
        assert 1 <= told.count(who) <= most, (who, killed.struck(teller))
    assert len([mail for mail in killed.mails if mail.to != (OWNER,)]) <= 3, "one kill repeats one mail at most"


def test_no_function_was_spared(sandbox: Sandbox) -> None:
    assert set(FUNCTIONS) == STRUCK
