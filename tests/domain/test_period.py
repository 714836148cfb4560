"""The month that a run bills, on the firm's own calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain.errors import InputInvalid
from billing.domain.runs.period import BillingPeriod, parse_bill_from

NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("instant", "zone", "period"),
    [
        # 09:00 on the first in Sydney is the day before in UTC.
        ("2026-05-31T23:00:00+00:00", "Australia/Sydney", "2026-05"),
        ("2026-05-31T23:00:00+00:00", "UTC", "2026-04"),
        # The last minute of May in New York is June in UTC.
        ("2026-06-01T03:59:59+00:00", "America/New_York", "2026-04"),
        ("2026-06-01T04:00:00+00:00", "America/New_York", "2026-05"),
        # The furthest zones east and west.
        ("2026-05-31T10:00:00+00:00", "Pacific/Kiritimati", "2026-05"),
        ("2026-06-01T11:59:59+00:00", "Etc/GMT+12", "2026-04"),
        # The year's edge.
        ("2027-01-01T09:00:00+01:00", "Europe/Berlin", "2026-12"),
        ("2026-12-31T22:59:59+00:00", "Europe/Berlin", "2026-11"),
        # The nights of the clock change: the hour that is skipped, and both of the hour that comes twice.
        ("2026-03-08T06:59:59+00:00", "America/New_York", "2026-02"),
        ("2026-03-08T07:00:00+00:00", "America/New_York", "2026-02"),
        ("2026-11-01T05:30:00+00:00", "America/New_York", "2026-10"),
        ("2026-11-01T06:30:00+00:00", "America/New_York", "2026-10"),
        # A change of the clock on the first itself (New York, 2026-11-01): midnight is still summer time.
        ("2026-11-01T03:59:59+00:00", "America/New_York", "2026-09"),
        ("2026-11-01T04:00:00+00:00", "America/New_York", "2026-10"),
        # The instant may be written in any zone.
        ("2026-06-01T09:00:00+10:00", "Australia/Sydney", "2026-05"),
    ],
)
def test_the_month_before_is_taken_from_the_firms_calendar(instant: str, zone: str, period: str) -> None:
    assert BillingPeriod.before(datetime.fromisoformat(instant), ZoneInfo(zone)).name == period


@pytest.mark.parametrize(
    ("name", "bill_from", "listed_from", "listed_before"),
    [
        ("2026-05", date(2026, 5, 1), date(2026, 5, 1), date(2026, 6, 1)),
        ("2026-06", date(2026, 5, 1), date(2026, 5, 1), date(2026, 7, 1)),
        ("2026-12", date(2026, 5, 1), date(2026, 5, 1), date(2027, 1, 1)),
        ("2026-05", date(2026, 5, 15), date(2026, 5, 15), date(2026, 6, 1)),
        ("2026-05", date(2026, 5, 31), date(2026, 5, 31), date(2026, 6, 1)),
        ("2024-02", date(2020, 2, 29), date(2020, 2, 29), date(2024, 3, 1)),
        # By hand, for a month that ended before the start: itself, and no month that nobody asked for.
        ("2026-03", date(2026, 5, 1), date(2026, 3, 1), date(2026, 4, 1)),
        ("2026-04", date(2026, 5, 1), date(2026, 4, 1), date(2026, 5, 1)),
    ],
)
def test_a_listing_reaches_from_the_start_to_the_end_of_the_month(
    name: str, bill_from: date, listed_from: date, listed_before: date
) -> None:
    period = BillingPeriod.parse(name)
    assert (period.listed_from(bill_from), period.listed_before) == (listed_from, listed_before)
    assert period.name == name
    assert period.first_day == date.fromisoformat(f"{name}-01")


def test_the_start_is_a_day_or_nothing() -> None:
    assert parse_bill_from("") is None
    assert parse_bill_from("2026-05-15") == date(2026, 5, 15)
    for text in (
        "2026-5-1",
        "2026-02-30",
        "05/01/2026",
        "1999-12-31",
        "\uff12\uff10\uff12\uff16-05-01",
        "2026-05-01T00:00",
    ):
        with pytest.raises(InputInvalid, match="BillFrom"):
            parse_bill_from(text)


@pytest.mark.parametrize(
    "text",
    ["", "2026", "2026-5", "2026-00", "2026-13", "26-05", "2026-05-01", " 2026-05", "2026-05\n", "0000-01", "9999-12"],
)
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be a month written as"):
        BillingPeriod.parse(text)


@given(
    st.datetimes(min_value=datetime(2001, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.sampled_from(["UTC", "Australia/Sydney", "Pacific/Auckland", "America/New_York", "Asia/Kolkata"]),
)
def test_months_follow_each_other_without_gap_or_overlap(instant: datetime, zone: str) -> None:
    period = BillingPeriod.before(instant, ZoneInfo(zone))
    today = instant.astimezone(ZoneInfo(zone)).date()
    assert period.listed_before == today.replace(day=1), "the period ends where the schedule's month begins"
    month_before = BillingPeriod.parse(f"{period.first_day - timedelta(days=1):%Y-%m}")
    assert month_before.listed_before == period.first_day
