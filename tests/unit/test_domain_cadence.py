"""The three cadence tables, their boundaries, late starts and spreading."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID

import pytest

from raceday.domain.cadence import CLASSIC, ENHANCED, HIGH_FREQUENCY, PollTarget, next_due, phase_of
from raceday.domain.status import RaceStatus

START = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
MINUTE = 60


@pytest.mark.parametrize(
    ("policy", "to_start_s", "interval_s"),
    [
        (ENHANCED, 8 * 3600, 1800),
        (ENHANCED, 65 * MINUTE + 1, 1800),
        (ENHANCED, 65 * MINUTE, 150),
        (ENHANCED, 5 * MINUTE + 1, 150),
        (ENHANCED, 5 * MINUTE, 30),
        (ENHANCED, -20 * MINUTE, 30),
        (CLASSIC, 60 * MINUTE + 1, None),
        (CLASSIC, 60 * MINUTE, 300),
        (CLASSIC, 20 * MINUTE + 1, 300),
        (CLASSIC, 20 * MINUTE, 120),
        (CLASSIC, 10 * MINUTE, 60),
        (CLASSIC, 5 * MINUTE + 1, 60),
        (CLASSIC, 5 * MINUTE, 15),
        (CLASSIC, -1, 15),
        (HIGH_FREQUENCY, 15 * MINUTE + 1, 60),
        (HIGH_FREQUENCY, 15 * MINUTE, 30),
        (HIGH_FREQUENCY, 5 * MINUTE, 15),
    ],
)
def test_the_faster_band_owns_its_boundary(policy, to_start_s, interval_s):
    assert policy.interval_s(to_start_s, RaceStatus.OPEN) == interval_s


@pytest.mark.parametrize(("policy", "interval_s"), [(ENHANCED, 30), (CLASSIC, 300), (HIGH_FREQUENCY, 15)])
def test_after_the_jump_the_race_is_polled_until_it_is_over(policy, interval_s):
    assert policy.interval_s(-60, RaceStatus.CLOSED) == interval_s
    assert policy.interval_s(-60, RaceStatus.INTERIM) == interval_s


def test_a_late_race_stays_in_its_fastest_band_until_it_really_starts():
    assert CLASSIC.interval_s(-600, RaceStatus.OPEN) == 15
    assert CLASSIC.interval_s(-600, RaceStatus.CLOSED) == 300


def due(policy, last_before_start_s, status=RaceStatus.OPEN, race_id="r"):
    last = START - timedelta(seconds=last_before_start_s)
    return START - next_due(policy, PollTarget(race_id, "m", START, status, last), last)


def test_the_next_poll_comes_one_interval_later_or_when_a_faster_band_begins():
    assert due(CLASSIC, 30 * MINUTE) == timedelta(minutes=25)
    assert due(CLASSIC, 21 * MINUTE) == timedelta(minutes=19), "the two-minute band counts from the last poll"
    assert due(CLASSIC, 24 * MINUTE) == timedelta(minutes=20), "the band boundary itself belongs to the faster band"
    assert due(CLASSIC, 5 * 3600) == timedelta(minutes=60), "nothing before an hour out"
    assert due(ENHANCED, 66 * MINUTE) == timedelta(minutes=63.5)
    assert due(HIGH_FREQUENCY, 0, RaceStatus.CLOSED) == timedelta(seconds=-15)


def test_a_failed_poll_is_tried_again_when_its_pause_is_over():
    last = START - timedelta(minutes=3)
    target = PollTarget("r", "m", START, RaceStatus.OPEN, last, not_before=last + timedelta(seconds=45))
    assert next_due(ENHANCED, target, last) == last + timedelta(seconds=45)


def test_far_out_polls_of_a_whole_card_are_spread_over_the_half_hour():
    now = START - timedelta(hours=6)
    races = [str(UUID(int=n)) for n in range(300)]
    last = now - timedelta(minutes=40)
    dues = [next_due(ENHANCED, PollTarget(race, "m", START, RaceStatus.OPEN, last), now) for race in races]

    minutes = [int((moment - now).total_seconds() // 60) for moment in dues]
    busiest = max(minutes.count(minute) for minute in set(minutes))
    assert busiest <= 30, "300 races over 30 minutes: about ten a minute, never a burst"


def test_a_spread_race_keeps_its_own_minute_from_poll_to_poll():
    target = PollTarget("race", "m", START, RaceStatus.OPEN, START - timedelta(hours=9))
    moments = []
    for _ in range(6):
        moment = next_due(ENHANCED, target, target.last_poll_at)
        moments.append(moment)
        target = PollTarget("race", "m", START, RaceStatus.OPEN, moment + timedelta(seconds=2))
    gaps = {(later - earlier).total_seconds() for earlier, later in pairwise(moments)}
    assert gaps == {1800.0}


@pytest.mark.parametrize(
    ("to_start_s", "phase"),
    [(70 * 60, "baseline"), (65 * 60, "active"), (301, "active"), (300, "critical"), (-90, "critical")],
)
def test_phases_name_what_a_poll_is_for(to_start_s, phase):
    assert phase_of(to_start_s) == phase
