"""Days that were signed are days that are kept. Every expected day is counted by hand on a calendar."""

from __future__ import annotations

from datetime import date

import pytest

from billing.domain.invoices.invoice_days import InvoiceDays, SignedDays, days_by_terms, still_hold
from billing.domain.ledger.ledger import Decision, Disposition, dated
from billing.domain.orders.due_date import DayOfMonth, Due, NetDays

FINISH = Decision(Disposition.FINISH, "Approved in an earlier run and not drafted yet.")
IN_MAY = SignedDays(InvoiceDays("2026-06-01", "2026-07-01"), "2026-05")


def test_terms_count_from_the_date_on_the_invoice() -> None:
    assert days_by_terms(NetDays(30), "2026-06-01") == InvoiceDays("2026-06-01", "2026-07-01")
    assert days_by_terms(NetDays(0), "2026-06-01") == InvoiceDays("2026-06-01", "2026-06-01")
    assert days_by_terms(DayOfMonth(20), "2026-06-01") == InvoiceDays("2026-06-01", "2026-06-20")


def test_a_due_day_that_has_passed_moves_to_the_day_of_drafting_and_no_other_does() -> None:
    days = InvoiceDays("2026-06-01", "2026-06-01")
    assert [days.due_if_drafted(date(2026, 6, day)) for day in (1, 6)] == ["2026-06-01", "2026-06-06"]
    assert [days.passed(date(2026, 6, day)) for day in (1, 6)] == [False, True]


@pytest.mark.parametrize(
    ("due", "period", "today", "kept"),
    [
        (NetDays(30), "2026-05", date(2026, 6, 14), True),
        (NetDays(30), "2026-05", date(2026, 6, 30), True),
        # On its due day it would arrive due at once.
        (NetDays(30), "2026-05", date(2026, 7, 1), False),
        (NetDays(30), "2026-05", date(2026, 8, 1), False),
        # A later month's run dates it anew, even if the terms have not run out.
        (NetDays(60), "2026-06", date(2026, 7, 1), False),
        (DayOfMonth(1), "2026-05", date(2026, 7, 2), False),
    ],
)
def test_signed_days_hold_in_their_own_period_while_the_due_day_lies_ahead(
    due: Due, period: str, today: date, kept: bool
) -> None:
    signed = SignedDays(days_by_terms(due, "2026-06-01"), "2026-05")
    assert still_hold(signed, due, period, today) is kept


def test_an_invoice_that_is_due_on_its_own_date_has_no_terms_to_run_out() -> None:
    signed = SignedDays(InvoiceDays("2026-06-01", "2026-06-01"), "2026-05")
    assert still_hold(signed, NetDays(0), "2026-05", date(2026, 6, 14))
    assert not still_hold(signed, NetDays(0), "2026-06", date(2026, 7, 1))


def test_what_was_signed_in_this_period_is_finished_with_the_days_that_were_signed() -> None:
    """A run by hand two weeks later has another invoice date of its own."""
    decision, days = dated(FINISH, NetDays(30), "2026-06-14", IN_MAY, "2026-05", date(2026, 6, 14))
    assert (decision, days) == (FINISH, IN_MAY.days)


def test_what_is_finished_a_month_late_is_dated_anew_and_asked_about_with_both_dates() -> None:
    decision, days = dated(FINISH, NetDays(30), "2026-07-01", IN_MAY, "2026-06", date(2026, 7, 1))
    assert days == InvoiceDays("2026-07-01", "2026-07-31")
    assert decision.disposition is Disposition.ASK
    for day in ("1 June 2026", "1 July 2026", "31 July 2026"):
        assert day in decision.reason


def test_a_redrive_after_the_due_day_is_dated_on_its_own_day_and_not_on_the_schedules() -> None:
    """The run was scheduled on 1 June with net 10 and is redriven on the 14th: 14 + 10 is the 24th."""
    signed = SignedDays(InvoiceDays("2026-06-01", "2026-06-11"), "2026-05")
    decision, days = dated(FINISH, NetDays(10), "2026-06-01", signed, "2026-05", date(2026, 6, 14))
    assert decision.disposition is Disposition.ASK
    assert days == InvoiceDays("2026-06-14", "2026-06-24")


def test_an_approval_whose_days_were_not_kept_is_asked_about_again() -> None:
    decision, days = dated(FINISH, NetDays(30), "2026-06-14", None, "2026-05", date(2026, 6, 14))
    assert decision.disposition is Disposition.ASK
    assert days == InvoiceDays("2026-06-14", "2026-07-14")


@pytest.mark.parametrize("disposition", [Disposition.SKIP, Disposition.HOLD])
def test_what_is_not_drafted_has_no_days_to_sign(disposition: Disposition) -> None:
    decision = Decision(disposition, "Why.")
    assert dated(decision, NetDays(30), "2026-06-01", IN_MAY, "2026-05", date(2026, 6, 1)) == (decision, None)
