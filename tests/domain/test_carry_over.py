"""An order that was listed and not drafted comes back; one that was drafted, or is gone, does not."""

from __future__ import annotations

import pytest

from billing.domain.orders.outstanding import Carried
from billing.domain.runs.carry_over import carry_over
from billing.domain.runs.report import LineOutcome, ReportLine


def seen(order_id: str, fate: LineOutcome, reason: str = "") -> ReportLine:
    return ReportLine(
        key=f"order-{order_id}",
        orders=(f"SO-{order_id}",),
        order_ids=(order_id,),
        client="Zephyrine",
        fate=fate,
        reason=reason,
        currency="usd",
        total=100,
        invoice_id=None,
        invoice_hash=None,
        stripe_customer=None,
        new_customer=False,
    )


@pytest.mark.parametrize("fate", [LineOutcome.HELD, LineOutcome.FAILED, LineOutcome.PROBLEM])
def test_what_was_not_drafted_comes_back_with_its_reason_and_its_month(fate: LineOutcome) -> None:
    keep, drop = carry_over([seen("1", fate, "because")], "2026-05", {}, (), {})
    assert keep == (Carried("1", "SO-1", "2026-05", "because"),)
    assert drop == ()


def test_what_comes_back_again_keeps_the_month_in_which_it_was_listed_first() -> None:
    before = {"1": Carried("1", "SO-1", "2026-03", "old")}
    keep, _ = carry_over([seen("1", LineOutcome.HELD, "new")], "2026-05", before, (), {})
    assert keep == (Carried("1", "SO-1", "2026-03", "new"),)


@pytest.mark.parametrize("fate", [LineOutcome.DRAFTED, LineOutcome.SKIPPED])
def test_what_is_drafted_leaves_the_list(fate: LineOutcome) -> None:
    before = {"1": Carried("1", "SO-1", "2026-03", "old")}
    assert carry_over([seen("1", fate)], "2026-05", before, (), {}) == ((), ("1",))


def test_what_netsuite_no_longer_lists_leaves_the_list() -> None:
    before = {"1": Carried("1", "SO-1", "2026-03", "old")}
    assert carry_over([], "2026-05", before, ("1",), {}) == ((), ("1",))


def test_what_a_trial_did_not_list_stays_on_the_list() -> None:
    before = {"1": Carried("1", "SO-1", "2026-03", "old")}
    assert carry_over([seen("2", LineOutcome.DRAFTED)], "2026-05", before, (), {}) == ((), ("2",))


def test_an_order_of_which_one_part_failed_comes_back() -> None:
    lines = [seen("1", LineOutcome.DRAFTED), seen("1", LineOutcome.FAILED, "limit")]
    keep, drop = carry_over(lines, "2026-05", {}, (), {})
    assert [one.order_id for one in keep] == ["1"]
    assert drop == ()
