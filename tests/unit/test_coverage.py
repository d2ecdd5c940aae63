"""Coverage: which time buckets a race should have by an instant, and which of them it lacks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from raceday.cli.coverage_table import card_coverage_table, coverage_table
from raceday.domain.coverage import LADDER, FollowedRace, coverage_of, coverage_pct, expected_buckets, worst_first
from raceday.domain.money_flow import bucket_of, minutes_to_start
from raceday.domain.status import RaceStatus

START = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


def followed(**changes) -> FollowedRace:
    made = {
        "race_id": "r1",
        "meeting_name": "Ellerslie",
        "race_number": 3,
        "name": "Maiden",
        "advertised_start": START,
        "status": RaceStatus.OPEN,
    }
    return FollowedRace(**(made | changes))


def before(minutes: float) -> datetime:
    return START - timedelta(minutes=minutes)


def test_the_ladder_is_the_clients():
    assert LADDER == (60, 55, 50, 45, 40, 35, 30, 25, 20, 15, 10, 5, 4, 3, 2, 1, 0)


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        (24 * 60, ()),
        (59.5, ()),  # rounds to 60 minutes: the first bucket is still running
        (59.4, (60,)),
        (35, (60, 55, 50, 45, 40)),
        (1, LADDER[:15]),
        (-0.5, LADDER[:16]),  # rounds to 0: the last bucket is still running
        (-0.6, LADDER),
        (-600, LADDER),
    ],
)
def test_a_bucket_is_expected_as_soon_as_its_time_is_over(minutes: float, expected: tuple[int, ...]):
    assert expected_buckets(followed(), before(minutes)) == expected


def test_an_abandoned_race_is_expected_up_to_its_abandonment():
    called_off = followed(status=RaceStatus.ABANDONED, abandoned_at=before(33))
    assert expected_buckets(called_off, before(-60)) == (60, 55, 50, 45, 40, 35)
    assert expected_buckets(called_off, before(48)) == (60, 55, 50), "looked at earlier, it was not abandoned yet"
    assert expected_buckets(followed(status=RaceStatus.ABANDONED), before(-60)) == ()


def test_a_race_that_was_imported_late_has_gaps():
    late = coverage_of(followed(), {20, 15, 10, 5, 4, 3, 2, 1, 0, -1, -2}, before(-5))
    assert late.missing == (60, 55, 50, 45, 40, 35, 30, 25)
    assert (late.present, len(late.expected), late.pct) == (9, 17, 52.9)


def test_a_start_put_back_leaves_no_gap_and_one_brought_forward_does():
    polled_until_then = {60, 55, 50, 45, 40, 35, 30, 25, 20, 15, 10, 5, 4}
    put_back = followed(advertised_start=START + timedelta(minutes=20))
    assert coverage_of(put_back, polled_until_then, before(3)).missing == ()
    forward = followed(advertised_start=START - timedelta(minutes=20))
    assert coverage_of(forward, {60, 55, 50, 45, 40, 15}, before(35)).missing == (35, 30, 25, 20)


def test_buckets_after_the_start_and_those_still_running_do_not_count():
    assert coverage_of(followed(), {60, 55, 50, -1, -2}, before(52)).pct == 100.0


def test_the_coverage_of_many_races_weighs_buckets():
    whole, half = coverage_of(followed(), set(LADDER), before(-9)), coverage_of(followed(), {60}, before(50))
    nothing_yet = coverage_of(followed(), set(), before(90))
    assert (whole.pct, half.pct, nothing_yet.pct) == (100.0, 50.0, None)
    assert coverage_pct([whole, half, nothing_yet]) == round(100 * 18 / 19, 1)
    assert coverage_pct([nothing_yet]) is None
    assert worst_first([nothing_yet, whole, half]) == [half, whole, nothing_yet]


@given(
    st.sets(st.integers(-5, 60)),
    st.floats(-200, 200),
    st.floats(0, 100),
    st.sampled_from([RaceStatus.OPEN, RaceStatus.FINAL]),
)
def test_coverage_only_counts_what_is_over_and_expectations_only_grow(buckets, minutes, later, status):
    race = followed(status=status)
    coverage = coverage_of(race, buckets, before(minutes))
    assert coverage.present == len(set(coverage.expected) & buckets)
    assert set(coverage.missing).isdisjoint(buckets)
    running = bucket_of(minutes_to_start(START, before(minutes)))
    assert all(bucket > running for bucket in coverage.expected)
    assert all(bucket <= running for bucket in LADDER if bucket not in coverage.expected)
    assert set(coverage.expected) <= set(expected_buckets(race, before(minutes) + timedelta(minutes=later)))


def rendered(table) -> str:
    console = Console(width=100, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    console.print(table)
    console.file.close()
    return console.export_text()


def test_the_tables_show_gaps_first_and_never_round_up_to_complete():
    whole = coverage_of(followed(race_id="w", race_number=1, status=RaceStatus.FINAL), set(LADDER), before(-9))
    gap = coverage_of(followed(race_id="g", race_number=2, status=RaceStatus.FINAL), set(LADDER[1:]), before(-9))
    off = coverage_of(followed(race_id="a", race_number=3, status=RaceStatus.ABANDONED), set(), before(-9))
    shown = rendered(coverage_table([whole, gap, off]))
    assert "97.1 % of 34 time buckets of 2 races" in shown
    assert "Ellerslie R2" in shown
    assert "16 of 17" in shown
    assert "and 1 more, no worse" in shown
    assert "Ellerslie R1" not in shown
    everything = rendered(coverage_table([whole, gap, off], limit=None))
    assert everything.index("Ellerslie R2") < everything.index("Ellerslie R1")
    assert "Ellerslie R3" not in everything, "nothing was expected of it"
    [row] = [line for line in rendered(card_coverage_table([whole, gap, off])).splitlines() if "Ellerslie" in line]
    assert row.split() == ["Ellerslie", "100", "94", "-", "A"]
