"""The nightly proof, through the deployed template: a settled month agrees to the cent, and what is changed in secret
is found the next night. Truth: NetSuite's own ledger, and amounts added up by hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.played.story import decided, deployed
from tests.sandbox import Sandbox
from tests.sandbox.settlement import equations_of

DAY = "2026-05-31"
EQUATIONS = ("receivables", "undeposited_funds", "bank", "fees", "revenue", "orders")
AGREES = {"USD": dict.fromkeys(EQUATIONS, "0.00")}


@dataclass(frozen=True)
class Month:
    """A settled month with its first proof."""

    sandbox: Sandbox
    drafts: dict[str, str]
    proof: dict[str, Any]


@pytest.fixture(scope="module")
def month() -> Iterator[Month]:
    with deployed("tiny", parameters={"Settlement": "on"}) as sandbox:
        assert decided(sandbox, sandbox.fire_schedule()).status == "SUCCEEDED"
        drafts = {one["metadata"]["netsuite_so_number"]: one["id"] for one in sandbox.drafts()}
        for draft in drafts.values():
            sandbox.stripe.finalise(draft)
        sandbox.settle()
        sandbox.stripe.pay(drafts["SO-1001"])
        sandbox.stripe.pay(drafts["SO-1003"], 100_000)
        sandbox.settle()
        sandbox.stripe.payout("usd")
        sandbox.settle()
        proof = sandbox.settlement.prove(DAY)
        yield Month(sandbox, drafts, proof)


def test_a_settled_month_agrees_to_the_cent(month: Month) -> None:
    assert equations_of(month.proof) == AGREES
    assert month.proof["differences"] == []
    assert month.sandbox.denials == []


def test_a_controller_gets_a_page_and_the_channel_one_line(month: Month) -> None:
    page = month.sandbox.objects()[f"settlement/proofs/{DAY}.html"].decode()
    assert "Stripe and NetSuite agree for 31 May 2026" in page
    assert "<script" not in page
    (line,) = [one for one in month.sandbox.posts() if "NetSuite" in one["text"]]
    assert line["text"] == "Stripe and NetSuite agree for 31 May 2026"


def test_repeated_the_same_night_it_is_the_same_file_and_no_second_line(month: Month) -> None:
    key = f"settlement/proofs/{DAY}.json"
    before, posts = month.sandbox.objects()[key], len(month.sandbox.posts())
    assert month.sandbox.prove(DAY) == AGREES
    assert month.sandbox.objects()[key] == before
    assert len(month.sandbox.posts()) == posts
