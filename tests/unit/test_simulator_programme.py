"""The modelled day: its size and shape, its timing, and that it can be made again."""

from __future__ import annotations

import statistics
from collections import Counter
from datetime import date
from zoneinfo import ZoneInfo

from raceday.simulator.programme import DayProgramme, plan_day
from raceday.simulator.wire import instant

THURSDAY = date(2026, 3, 12)
NEW_ZEALAND = ZoneInfo("Pacific/Auckland")


def days(count: int) -> list[DayProgramme]:
    return [plan_day(THURSDAY, seed) for seed in range(1, count + 1)]


def test_the_default_day_has_the_size_and_mix_of_a_real_thursday() -> None:
    imported = [meeting for meeting in plan_day(THURSDAY).meetings if meeting.is_imported]
    mix = Counter((meeting.country, meeting.category) for meeting in imported)

    assert len(imported) == 12
    assert sum(len(meeting.races) for meeting in imported) == 96
    assert mix == {("NZ", "T"): 1, ("NZ", "H"): 2, ("AUS", "T"): 5, ("AUS", "H"): 4}


def test_the_saturday_has_26_meetings_and_209_races() -> None:
    imported = [meeting for meeting in plan_day(THURSDAY, saturday=True).meetings if meeting.is_imported]

    assert len(imported) == 26
    assert sum(len(meeting.races) for meeting in imported) == 209


def test_the_day_starts_before_noon_and_ends_after_midnight_in_new_zealand() -> None:
    starts = sorted(race.script.first_start_s for race in plan_day(THURSDAY).imported_races())
    first, last = (instant(start_s).astimezone(NEW_ZEALAND) for start_s in (starts[0], starts[-1]))

    assert first.date() == THURSDAY
    assert first.hour == 11
    assert last.date() > THURSDAY
    assert 11 <= (starts[-1] - starts[0]) / 3600 <= 14
    assert max(sum(1 for other in starts if start <= other < start + 65 * 60) for start in starts) <= 25


def test_there_are_meetings_that_an_importer_must_leave_out() -> None:
    left_out = [meeting for meeting in plan_day(THURSDAY).meetings if not meeting.is_imported]

    assert {(meeting.country, meeting.category) for meeting in left_out} >= {
        ("AUS", "G"), ("NZ", "G"), ("UK", "T"), ("FR", "T"), ("USA", "T"), ("HK", "T"),
    }  # fmt: skip
    assert all(meeting.races for meeting in left_out)


def test_the_same_seed_gives_the_same_day_and_another_seed_another() -> None:
    assert plan_day(THURSDAY, 7) == plan_day(THURSDAY, 7)
    ids = {race.race_id for seed in (7, 8) for race in plan_day(THURSDAY, seed).imported_races()}
    assert len(ids) == 2 * 96
    assert plan_day(date(2026, 3, 13), 7).meetings[0].meeting_id != plan_day(THURSDAY, 7).meetings[0].meeting_id


def test_tracks_are_not_used_twice_in_a_day() -> None:
    names = [meeting.name for meeting in plan_day(THURSDAY, saturday=True).meetings]
    assert len(names) == len(set(names))


def test_start_delays_follow_the_captures() -> None:
    delays = {"T": [], "H": []}
    for day in days(12):
        for meeting in day.meetings:
            if meeting.is_imported:
                delays[meeting.category] += [
                    race.script.jump_s - race.script.last_start_s
                    for race in meeting.races
                    if race.script.reopen_s is None
                ]
    thoroughbred, harness = (statistics.quantiles(delays[code], n=20) for code in "TH")
    assert 45 <= thoroughbred[9] <= 75
    assert 180 <= thoroughbred[18] <= 290
    assert 70 <= harness[9] <= 90
    assert min(min(seconds) for seconds in delays.values()) > 0


def test_the_phases_of_every_race_follow_each_other_at_the_captured_pace() -> None:
    for day in days(4):
        for race in day.imported_races():
            script = race.script
            assert script.market_open_s < script.first_start_s <= script.last_start_s < script.jump_s
            assert 0 <= script.closed_s - script.jump_s <= 90
            assert script.closed_s < script.interim_s < script.final_s
            assert 280 <= script.final_s - script.jump_s <= 1300


def test_late_starts_false_starts_and_protests_happen_now_and_then() -> None:
    scripts = [race.script for day in days(10) for race in day.imported_races()]
    put_back = [script for script in scripts if script.put_back_at_s is not None]

    assert 0.03 <= len(put_back) / len(scripts) <= 0.10
    for script in put_back:
        assert script.put_back_at_s is not None
        assert script.put_back_at_s < script.first_start_s
        assert 120 <= script.last_start_s - script.first_start_s <= 1200
        assert script.advertised_start_s(script.put_back_at_s - 1) == script.first_start_s
        assert script.advertised_start_s(script.put_back_at_s) == script.last_start_s
    assert 0.01 <= sum(1 for script in scripts if script.reopen_s is not None) / len(scripts) <= 0.06
    assert {script.protest for script in scripts} == {None, "upheld", "dismissed"}


def test_a_false_start_closes_the_race_and_opens_it_again() -> None:
    script = next(
        race.script for day in days(5) for race in day.imported_races()
        if race.script.reopen_s is not None and race.script.abandoned_s is None
    )  # fmt: skip
    assert script.false_close_s is not None
    assert script.reopen_s is not None
    assert script.status(script.false_close_s - 1) == "Open"
    assert script.status(script.false_close_s) == "Closed"
    assert script.status(script.reopen_s) == "Open"
    assert script.status(script.closed_s) == "Closed"


def test_abandonments_have_the_captured_share_and_every_manner_of_it() -> None:
    races, abandoned, manners, washed_out = Counter(), Counter(), Counter(), 0
    for day in days(60):
        for meeting in day.meetings:
            if not meeting.is_imported:
                continue
            lost = [race for race in meeting.races if race.script.abandoned_s is not None]
            races[meeting.category] += len(meeting.races)
            abandoned[meeting.category] += len(lost)
            manners.update(race.script.abandoned_event for race in lost)
            washed_out += len(lost) == len(meeting.races)
    assert 0.03 <= abandoned["T"] / races["T"] <= 0.06
    assert 0.001 <= abandoned["H"] / races["H"] <= 0.012
    assert set(manners) == {"abandoned", "open", "missing"}
    assert washed_out >= 1


def test_an_abandoned_race_is_never_run() -> None:
    for day in days(20):
        for race in day.imported_races():
            script = race.script
            if script.abandoned_s is None:
                continue
            assert script.abandoned_s < script.jump_s
            assert script.status(script.abandoned_s) == script.status(script.final_s + 9999) == "Abandoned"
            assert script.actual_start_s(script.final_s) == script.advertised_start_s(script.final_s)
            assert script.event_status(script.final_s) in {"Abandoned", "Open", None}


def test_every_race_ends_by_the_last_moment() -> None:
    day = plan_day(THURSDAY)
    end_s = int(day.last_moment().timestamp())
    assert {race.script.status(end_s) for race in day.imported_races()} <= {"Final", "Abandoned"}
    assert any(race.script.status(end_s - 1) not in {"Final", "Abandoned"} for race in day.imported_races())
