"""A payout below zero is read together with the next one, from the day that the settlement began."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any, cast

import pytest

from billing.domain.settlement.policies import SettlementPolicies
from billing.workflows.settlement.planning import Planner
from tests.domain.settlement.facts import CALENDAR, at, policies

NOTHING = cast(Any, None)


@pytest.mark.parametrize(
    ("policy", "since"),
    [
        (policies(), None),
        (policies(negative_payout="group"), 0),
        (replace(policies(negative_payout="group"), start_date=date(2026, 6, 1)), at("2026-06-01", "00:00:00")),
    ],
)
def test_payouts_are_grouped_by_the_policy_since_the_start_date(policy: SettlementPolicies, since: int | None) -> None:
    asked = []

    class Stripe:
        def payout(self, payout_id: str, grouped_since: int | None = None) -> None:
            asked.append((payout_id, grouped_since))

    _, plan = Planner(cast(Any, Stripe()), NOTHING, NOTHING, policy, CALENDAR).planned("po_1", "payout")
    assert asked == [("po_1", since)]
    assert plan.nothing_because
