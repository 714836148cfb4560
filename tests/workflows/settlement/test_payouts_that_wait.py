"""A payout below zero is read together with the next one, from the day that the settlement began."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any, cast

import pytest

from billing.domain.settlement.policies import SettlementPolicies
from billing.workflows.settlement.read_the_stripe_object import Reading
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

    reading = Reading(NOTHING, cast(Any, Stripe()), NOTHING, NOTHING, NOTHING, policy, CALENDAR, "")
    _, plan = reading._planned(cast(Any, type("One", (), {"kind": "payout", "root": "po_1"})))
    assert asked == [("po_1", since)]
    assert plan.nothing_because
