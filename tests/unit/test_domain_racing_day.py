"""The New Zealand racing day, both changes of daylight saving, statuses, results, quality."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from raceday.domain.ids import derived_id, is_uuid
from raceday.domain.meeting import Meeting, MeetingFilter, RaceCode, parse_code
from raceday.domain.quality import QualityInputs, consistent, poll_quality
from raceday.domain.racing_day import DailyStage, current_card, nz_clock, nz_midnight, racing_date, stage_due_at
from raceday.domain.result import (
    KnownResult,
    Placing,
    RaceResult,
    ResultStatus,
    ToteDividend,
    settled_dividends,
    supersedes,
)
from raceday.domain.status import RaceStatus, is_backward


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        (utc(2026, 11, 22, 10, 59), date(2026, 11, 22)),  # 23:59 NZDT
        (utc(2026, 11, 22, 11, 0), date(2026, 11, 23)),  # midnight NZDT
        (utc(2026, 7, 17, 11, 59), date(2026, 7, 17)),  # 23:59 NZST
        (utc(2026, 7, 17, 12, 30), date(2026, 7, 18)),  # 00:30 NZST
        (utc(2026, 4, 4, 13, 59), date(2026, 4, 5)),  # 02:59 NZDT, one minute before the clocks go back
        (utc(2026, 9, 26, 14, 0), date(2026, 9, 27)),  # 03:00 NZDT, just after they went forward
    ],
)
def test_the_racing_day_is_the_new_zealand_date(instant, day):
    assert racing_date(instant) == day


def test_days_of_a_change_of_clocks_have_25_and_23_hours():
    assert (nz_midnight(date(2026, 4, 6)) - nz_midnight(date(2026, 4, 5))).total_seconds() == 25 * 3600
    assert (nz_midnight(date(2026, 9, 28)) - nz_midnight(date(2026, 9, 27))).total_seconds() == 23 * 3600


def test_the_feeds_own_clock_text_is_reproduced_in_both_seasons():
    assert nz_clock(utc(2025, 7, 17, 0, 50)) == "12:50:00 NZST"
    assert nz_clock(utc(2026, 2, 28, 0, 50)) == "13:50:00 NZDT"


def test_stages_are_due_in_the_evening_of_the_utc_day_before():
    day = date(2026, 11, 22)
    assert stage_due_at(day, DailyStage.MEETINGS) == utc(2026, 11, 21, 17, 0)
    assert stage_due_at(day, DailyStage.ENTRANTS) == utc(2026, 11, 21, 17, 20)
    assert DailyStage.RACES.prerequisite is DailyStage.MEETINGS
    assert DailyStage.MEETINGS.prerequisite is None


def test_australian_night_races_belong_to_yesterdays_card_until_the_next_import():
    assert current_card(utc(2026, 11, 22, 12, 30)) == date(2026, 11, 22), "00:30 on the 23rd"
    assert current_card(utc(2026, 11, 22, 16, 59)) == date(2026, 11, 22)
    assert current_card(utc(2026, 11, 22, 17, 0)) == date(2026, 11, 23)


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("Open", RaceStatus.OPEN), ("OPEN", RaceStatus.OPEN), (" interim ", RaceStatus.INTERIM),
        ("finalized", RaceStatus.FINAL), ("Finalised", RaceStatus.FINAL), ("in_progress", RaceStatus.CLOSED),
        ("In Progress", RaceStatus.CLOSED), ("scheduled", RaceStatus.OPEN), ("cancelled", RaceStatus.ABANDONED),
        ("", None), ("Suspended", None),
    ],
)  # fmt: skip
def test_statuses_are_read_in_any_case_and_in_older_words(text, status):
    assert RaceStatus.parse(text) is status


def test_only_final_and_abandoned_end_a_race():
    assert [status for status in RaceStatus if status.terminal] == [RaceStatus.FINAL, RaceStatus.ABANDONED]


@pytest.mark.parametrize(
    ("before", "after", "backward"),
    [
        ("Open", "Closed", False),
        ("Closed", "Open", True),
        ("Interim", "Abandoned", False),
        ("Abandoned", "Open", True),
        ("Final", "Interim", True),
    ],
)
def test_backward_moves_are_noticed(before, after, backward):
    assert is_backward(RaceStatus(before), RaceStatus(after)) is backward


@pytest.mark.parametrize(
    ("country", "category", "followed"),
    [
        ("AUS", "T", True),
        ("AU", "H", True),
        ("NZ", "T", True),
        ("NZ", "G", False),
        ("HK", "T", False),
        ("aus", "t", True),
    ],
)
def test_australian_and_new_zealand_horses_are_followed(country, category, followed):
    meeting = Meeting("id", "Somewhere", country, category, "", date(2026, 11, 22))
    assert MeetingFilter().follows(meeting) is followed
    assert MeetingFilter(codes=frozenset(RaceCode)).follows(replace(meeting, category="G", country="NZ"))


def test_codes_are_known_by_letter_word_and_long_name():
    assert parse_code("Harness Horse Racing") is parse_code("h") is parse_code("harness") is RaceCode.HARNESS
    assert parse_code("camel") is None


def dividend(status: str, amount: float = 2.5, description: str = "4") -> ToteDividend:
    return ToteDividend("id", "NZ", "Pool Win", status, amount, 100.0, 0.0, description, ((4, 1),))


def test_a_dividend_listed_as_interim_and_final_counts_once_as_final():
    assert settled_dividends((dividend("Interim"), dividend("Final"))) == (dividend("Final"),)
    assert settled_dividends((dividend("Final"), dividend("Interim"))) == (dividend("Final"),)
    assert len(settled_dividends((dividend("Interim"), dividend("Interim", description="3")))) == 2


def result(status: ResultStatus, placings: int, dividends: int) -> RaceResult:
    return RaceResult(
        "race",
        status,
        tuple(Placing(n + 1, n + 1, f"e{n}", f"Runner {n}") for n in range(placings)),
        tuple(dividend("Final", description=str(n)) for n in range(dividends)),
        utc(2026, 1, 1),
    )


def test_a_result_never_gives_way_to_one_that_says_less():
    final = KnownResult(ResultStatus.FINAL, placings=9, dividends=10, fingerprint="f")
    assert supersedes(result(ResultStatus.INTERIM, 4, 5), None)
    assert not supersedes(result(ResultStatus.INTERIM, 4, 5), final)
    assert not supersedes(result(ResultStatus.FINAL, 9, 0), final), "cut short: its dividends are gone"
    assert supersedes(result(ResultStatus.FINAL, 9, 10), final)
    assert not supersedes(result(ResultStatus.FINAL, 9, 9), final), "one dividend is gone"
    assert not supersedes(result(ResultStatus.FINAL, 8, 10), final), "one placing is gone"
    assert supersedes(result(ResultStatus.FINAL, 9, 10), KnownResult(ResultStatus.INTERIM, 4, 5, "i"))
    assert supersedes(result(ResultStatus.FINAL, 4, 5), KnownResult(ResultStatus.INTERIM, 4, 5, "i"))


def test_dividends_are_compared_once_each_however_often_they_are_listed():
    twice = replace(result(ResultStatus.FINAL, 4, 0), dividends=(dividend("Interim"), dividend("Final")))

    assert supersedes(twice, KnownResult(ResultStatus.FINAL, 4, 1, "f"))
    assert not supersedes(twice, KnownResult(ResultStatus.FINAL, 4, 2, "f"))


def test_ids_are_short_and_follow_from_what_they_describe():
    assert derived_id("odds", "race", "entrant", 3) == derived_id("odds", "race", "entrant", 3)
    assert derived_id("a", "bc") != derived_id("ab", "c")
    assert len(derived_id("x")) == 32
    assert is_uuid("0f57e087-00d9-4c61-9549-835abe2ae2ed")
    assert not is_uuid("0f57e087-00d9-4c61-9549-835abe2ae2e")


PERFECT = QualityInputs(
    live_runners=12,
    runners_with_price=12,
    hold_sum_pct=101.0,
    hold_against_implied_pp=0.0,
    pools_present=5,
    shrunk_pools=0,
    payload_age_s=3.0,
    duplicates=0,
    tracker_expected=True,
)


def test_a_perfect_poll_scores_100_and_each_flaw_costs_points():
    assert poll_quality(PERFECT).score == 100
    flaws = {
        "runners_with_price": 6,
        "hold_sum_pct": 80.0,
        "hold_against_implied_pp": 6.0,
        "pools_present": 2,
        "shrunk_pools": 1,
        "payload_age_s": 200.0,
        "duplicates": 1,
    }
    for flaw, measured in flaws.items():
        assert poll_quality(replace(PERFECT, **{flaw: measured})).score < 100, flaw


def test_holds_of_exactly_105_percent_are_within_the_feeds_own_rounding():
    # Cambridge race 5, 20 August 2025: floating point made 5.000000000000008 of it elsewhere.
    assert consistent(replace(PERFECT, hold_sum_pct=105.0))
    assert consistent(replace(PERFECT, hold_sum_pct=sum([11.0, 6, 24, 42, 6, 12, 3, 1.0])))
    assert not consistent(replace(PERFECT, hold_sum_pct=106.0))
    assert not consistent(replace(PERFECT, shrunk_pools=1))
