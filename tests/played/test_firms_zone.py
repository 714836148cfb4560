"""09:00 on the first in Sydney is the last day of the month before in UTC: the firm's calendar decides."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from tests.played.firm import firm, order
from tests.played.story import SECONDS, decided, deployed, live
from tests.sandbox import Sandbox

SYDNEY = ZoneInfo("Australia/Sydney")
FIRST_OF_JUNE = datetime(2026, 6, 1, 9, 0, tzinfo=SYDNEY)


def test_the_schedule_in_sydney_bills_may_although_it_is_still_may_in_utc() -> None:
    orders = [order(1, date="2026-05-31"), order(2, date="2026-04-30"), order(3, date="2026-06-01")]
    options = {"parameters": {"FirmTimeZone": "Australia/Sydney"}, "now": FIRST_OF_JUNE + timedelta(seconds=20)}
    with Sandbox(firm(orders), retry_delay_scale=0.02, **options) as sandbox:  # type: ignore[arg-type]
        run = sandbox.fire_schedule()
        assert decided(sandbox, run).status == "SUCCEEDED"
        opened = sandbox.report(run)["run"]
        assert FIRST_OF_JUNE.astimezone(UTC).month == 5
        assert (opened["period"], opened["invoice_date"]) == ("2026-05", "2026-06-01")
        assert [invoice["metadata"]["netsuite_so_number"] for invoice in live(sandbox)] == ["SO-1"]
        due = datetime.fromtimestamp(live(sandbox)[0]["due_date"], SYDNEY)
        assert (due.date().isoformat(), due.hour) == ("2026-07-01", 23)
        assert sandbox.next_occurrence() == datetime(2026, 7, 1, 9, 0, tzinfo=SYDNEY)


def test_the_schedule_keeps_nine_oclock_on_both_sides_of_a_clock_change() -> None:
    with deployed(firm([order(1)]), parameters={"FirmTimeZone": "Australia/Sydney"}) as sandbox:
        for now in (
            datetime(2026, 9, 20, tzinfo=UTC),
            datetime(2026, 10, 20, tzinfo=UTC),
            datetime(2026, 3, 20, tzinfo=UTC),
        ):
            sandbox.clock.move_to(now)
            local = sandbox.next_occurrence().astimezone(SYDNEY)
            assert (local.day, local.hour, local.minute) == (1, 9, 0)
        run = sandbox.fire_schedule(at=datetime(2026, 9, 30, 23, 0, tzinfo=UTC))
        ended = sandbox.wait_for_end(run, SECONDS)
        assert ended.output["run"]["period"] == "2026-09"
