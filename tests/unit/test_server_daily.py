"""When the day is imported: 06:00 and 21:00 by New Zealand's clock, whatever the season."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from raceday.domain.racing_day import NZ
from raceday.server.daily import imports_wanted, latest_due

# New Zealand's clocks go forward on 27 September 2026 and back on 5 April 2026, between two and three in the morning.
FORWARD, BACK = date(2026, 9, 27), date(2026, 4, 5)


def nz(day, hour, minute=0):
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=NZ).astimezone(UTC)


@pytest.mark.parametrize("day", [FORWARD, BACK, date(2026, 1, 15), date(2026, 7, 15)])
def test_the_imports_fall_due_at_six_and_at_nine_in_the_evening(day):
    before, at = latest_due(nz(day, 5, 59)), latest_due(nz(day, 6))
    assert (before.day, before.mark) == (day - timedelta(days=1), "daily-back-fill")
    assert (at.day, at.mark, at.at) == (day, "daily-initialisation", nz(day, 6))
    assert latest_due(nz(day, 20, 59)) == at
    evening = latest_due(nz(day, 21))
    assert (evening.day, evening.mark, evening.at) == (day, "daily-back-fill", nz(day, 21))


@pytest.mark.parametrize(("day", "utc_hour"), [(FORWARD, 17), (FORWARD - timedelta(days=1), 18)])
def test_six_o_clock_is_another_hour_of_the_world_in_summer(day, utc_hour):
    assert latest_due(nz(day, 12)).at.hour == utc_hour


def test_after_midnight_the_old_day_is_wanted_and_the_new_one_as_well():
    old, new = imports_wanted(nz(FORWARD, 1))
    assert (old.day, new.day) == (FORWARD - timedelta(days=1), FORWARD)
    assert new.at == nz(FORWARD, 0)
    assert [wanted.day for wanted in imports_wanted(nz(FORWARD, 6))] == [FORWARD]


def test_something_is_due_at_every_hour_of_a_year_and_never_in_the_future():
    at = datetime(2026, 1, 1, tzinfo=UTC)
    seen = set()
    for hours in range(24 * 365):
        now = at + timedelta(hours=hours)
        due = latest_due(now)
        assert timedelta(0) <= now - due.at <= timedelta(hours=16)
        seen.add((due.day, due.mark))
    assert len(seen) == 2 * 365 + 1
