"""Cron firings: a quarter of a second past the minute, in UTC, the same on days when clocks change elsewhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raceday.host.cron import next_firing

QUARTER = timedelta(milliseconds=250)
DAILY = {
    "daily-meetings": "0 17 * * *",
    "daily-races": "10 17 * * *",
    "master-race-scheduler": "",
}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("after", "fires"),
    [
        ("2026-11-21T16:59:59", "2026-11-21T17:00:00"),
        ("2026-11-21T17:00:00", "2026-11-21T17:00:00"),
        ("2026-11-21T17:00:00.249999", "2026-11-21T17:00:00"),
        ("2026-11-21T17:00:00.250000", "2026-11-21T17:01:00"),
        ("2026-11-21T17:00:59.999999", "2026-11-21T17:01:00"),
    ],
)
def test_every_minute_fires_once_a_quarter_second_past(after, fires):
    firing = next_firing({"master-race-scheduler": "* * * * *"}, at(after))
    assert firing.at == at(fires) + QUARTER


def test_functions_due_together_fire_together_in_the_manifests_order():
    schedules = {"b": "0 17 * * *", "a": "* * * * *", "c": "30 17 * * *"}
    assert next_firing(schedules, at("2026-11-21T16:59:30")).function_ids == ("b", "a")
    assert next_firing(schedules, at("2026-11-21T17:00:30")).function_ids == ("a",)


def test_nothing_scheduled_never_fires():
    assert next_firing({"single-race-poller": ""}, at("2026-11-21T17:00:00")) is None


@pytest.mark.parametrize("day", ["2026-04-04", "2026-04-05", "2026-09-26", "2026-09-27", "2026-12-31", "2028-02-28"])
def test_the_daily_crons_fire_at_the_same_utc_time_around_every_clock_change(day):
    begin = at(f"{day}T00:00:00")
    first = next_firing(DAILY, begin)
    second = next_firing(DAILY, first.at)
    third = next_firing(DAILY, second.at)
    assert (first.function_ids, second.function_ids) == (("daily-meetings",), ("daily-races",))
    assert second.at - first.at == timedelta(minutes=10)
    assert third.at - first.at == timedelta(days=1)


@given(
    st.datetimes(min_value=datetime(2025, 1, 1), max_value=datetime(2030, 1, 1)),
    st.integers(min_value=-12, max_value=14),
)
def test_the_next_minute_is_always_ahead_and_at_most_a_minute_away(moment, hours):
    after = moment.replace(tzinfo=timezone(timedelta(hours=hours)))
    firing = next_firing({"master-race-scheduler": "* * * * *"}, after)
    assert timedelta(0) < firing.at - after <= timedelta(seconds=60)
    assert (firing.at.second, firing.at.microsecond) == (0, 250_000)
