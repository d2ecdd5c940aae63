"""Rows: how values are written, and the mapping's own decisions."""

from __future__ import annotations

import json
import re
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.store_examples import (
    IMPORTED,
    START,
    dividend,
    event,
    meeting,
    poll,
    pools,
    race,
    result,
    runner,
    timing,
    uid,
)
from raceday.domain.derive import DeriveSettings, derive_poll
from raceday.domain.meeting import Meeting
from raceday.domain.money_flow import Estimator
from raceday.domain.odds import OddsKind, OddsTick
from raceday.domain.race import Race
from raceday.domain.race_poll import RaceState
from raceday.domain.status import RaceStatus
from raceday.store.rows.entrants import entrant_rows
from raceday.store.rows.history import bucket_id, bucket_row, odds_tick_id, odds_tick_row, pools_row
from raceday.store.rows.programme import meeting_of, meeting_row, race_row, status_after_import
from raceday.store.rows.results import result_row
from raceday.store.rows.states import pool_totals_of
from raceday.store.rows.values import date_text, fitted, instant_text, json_text, parse_instant
from raceday.store.tables import CATALOGUE, ENTRANTS, MEETINGS, RACES

instants = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))
statuses = st.sampled_from(RaceStatus)
EMPTY = RaceState(race().race_id, RaceStatus.OPEN, START)


def test_an_instant_is_written_as_appwrite_gives_it_back() -> None:
    assert instant_text(datetime(2026, 11, 22, 4, tzinfo=UTC)) == "2026-11-22T04:00:00.000+00:00"
    summer = timezone(timedelta(hours=13))
    assert instant_text(datetime(2026, 11, 22, 17, 0, 0, 123456, tzinfo=summer)) == "2026-11-22T04:00:00.123+00:00"


@given(instants)
def test_an_instant_comes_back_to_the_millisecond(instant: datetime) -> None:
    back = parse_instant(instant_text(instant))
    assert timedelta(0) <= instant - back < timedelta(milliseconds=1)
    assert instant_text(back) == instant_text(instant)


@given(instants, instants)
def test_texts_of_instants_sort_like_the_instants(one: datetime, other: datetime) -> None:
    assert (instant_text(one) < instant_text(other)) == (parse_instant(instant_text(one)) < parse_instant(
        instant_text(other)))  # fmt: skip


def test_a_date_keeps_its_day() -> None:
    assert date_text(race().race_date_nz) == "2026-11-22T00:00:00.000+00:00"


@given(st.lists(st.text(max_size=30)), st.integers(2, 80))
def test_json_that_does_not_fit_loses_whole_elements_at_the_end(texts: list[str], size: int) -> None:
    kept = json.loads(json_text(texts, size))
    assert kept == texts[: len(kept)]
    assert len(json_text(texts, size)) <= size
    if len(kept) < len(texts):
        assert len(json_text(texts[: len(kept) + 1], 10_000)) > size


def test_only_texts_that_are_too_long_are_cut() -> None:
    assert fitted(ENTRANTS, {"name": "x" * 300, "jockey": "Ann", "age": 10**6}) == {
        "name": "x" * 255,
        "jockey": "Ann",
        "age": 10**6,
    }


@given(st.none() | statuses, st.none() | statuses, st.booleans(), st.booleans())
def test_an_import_never_ends_or_reopens_a_race_that_is_polled(
    before: RaceStatus | None, said: RaceStatus | None, polled: bool, by_list: bool
) -> None:
    after = status_after_import(before, said, polled=polled, abandoned_by_list=by_list)
    if before is None or said is None:
        assert after is (before or said or RaceStatus.OPEN)
    elif before is RaceStatus.ABANDONED and by_list:
        assert after is said
    elif before.terminal:
        assert after is before
    elif polled:
        assert after is (said if said is RaceStatus.ABANDONED else before)
    else:
        assert after is said


def test_a_meeting_row_comes_back_whole() -> None:
    row = meeting_row(meeting(), IMPORTED)
    assert meeting_of(row) == meeting()
    assert all(getattr(meeting(), field.name) not in (None, ()) for field in fields(Meeting))
    own = {"racesImportedAt", "racesAttempts"}
    assert set(row) - {"$id"} == {column.name for column in MEETINGS.columns} - own


def test_everything_that_a_race_says_has_a_column() -> None:
    said = race(actual_start=START, protest_lodged=True, protest_reason="Interference", race_group="G1")
    assert all(getattr(said, field.name) not in (None, ()) for field in fields(Race))
    row = race_row(said, IMPORTED)
    # One column per attribute, less the status, plus $id, a second meeting id and the time of the write.
    assert len(row) == len(fields(Race)) - 1 + 3
    assert set(row) - {"$id"} <= {column.name for column in RACES.columns}


def test_every_row_of_a_poll_names_columns_of_its_table() -> None:
    made = poll(event(race(), START, result=result(race(), START)), EMPTY)
    names = {table.name: {column.name for column in table.columns} | {"$id"} for table in CATALOGUE}
    assert set(entrant_rows(made)[0]) <= names["entrants"]
    assert set(odds_tick_row(made.odds_ticks[0])) <= names["odds-history"]
    assert set(bucket_row(made.buckets[0], made)) <= names["money-flow-history"]
    assert set(pools_row(race().race_id, pools(), START)) <= names["race-pools"]
    assert made.result is not None
    assert set(result_row(made.result, [])) <= names["race-results"]


def test_ticks_of_one_kind_share_a_row_within_fifteen_seconds_only() -> None:
    at = datetime(2026, 11, 22, 4, 0, 0, tzinfo=UTC)
    tick = OddsTick("r", "e", OddsKind.FIXED_WIN, 2.5, at)
    assert odds_tick_id(tick) == odds_tick_id(replace(tick, odds=2.6, at=at + timedelta(seconds=14.999)))
    others = [
        replace(tick, at=at + timedelta(seconds=15)),
        replace(tick, kind=OddsKind.POOL_WIN),
        replace(tick, entrant_id="f"),
        replace(tick, race_id="s"),
    ]
    assert len({odds_tick_id(other) for other in [tick, *others]}) == 5


def test_points_of_the_feeds_own_price_history_never_share_a_row() -> None:
    """Three moves within a second are three prices; the same point read again is the same row."""
    at = datetime(2026, 11, 22, 4, 0, 0, tzinfo=UTC)
    point = OddsTick("r", "e", OddsKind.FIXED_WIN, 7.0, at, from_history=True)
    others = [
        replace(point, odds=8.0),
        replace(point, at=at + timedelta(milliseconds=300)),
        replace(point, from_history=False),
    ]
    assert len({odds_tick_id(other) for other in [point, *others]}) == 4
    assert odds_tick_id(replace(point, opening=True)) == odds_tick_id(point)


@given(instants | st.just(datetime(1, 1, 1, tzinfo=UTC)))
def test_tick_ids_are_allowed_and_begin_with_their_time(at: datetime) -> None:
    tick = OddsTick(race().race_id, uid("runner"), OddsKind.FIXED_WIN, 2.5, at)
    assert re.fullmatch(r"[0-9a-f]{32}", odds_tick_id(tick))
    other = replace(tick, entrant_id=uid("another runner"))
    assert odds_tick_id(other)[:8] == odds_tick_id(tick)[:8]
    assert odds_tick_id(other) != odds_tick_id(tick)


@given(st.integers(-600, 60))
def test_a_bucket_id_fits_and_is_its_own(bucket: int) -> None:
    row_id = bucket_id(race().race_id, uid("runner"), bucket)
    assert len(row_id) <= 36
    assert row_id != bucket_id(race().race_id, uid("runner"), bucket + 1)


def test_a_bucket_row_shows_the_share_that_its_amounts_come_from() -> None:
    said = event(race(), START - timedelta(minutes=20))
    by_hold = poll(said, EMPTY)
    row = bucket_row(by_hold.buckets[0], by_hold)
    assert row["winPoolPercentage"] == row["placePoolPercentage"] == pytest.approx(100 / 3)
    implied = derive_poll(said, EMPTY, timing(said.generated_at), DeriveSettings(Estimator.TOTE_IMPLIED))
    row = bucket_row(implied.buckets[0], implied)
    assert row["winPoolPercentage"] == row["impliedPercentage"] != row["holdPercentage"]
    assert (row["timeInterval"], row["timeToStart"], row["intervalType"]) == (20, 20, "2m")
    without = poll(replace(said, pools=None), EMPTY)
    row = bucket_row(without.buckets[0], without)
    assert (row["winPoolPercentage"], row["winPoolAmount"], row["incrementalAmount"]) == (None, None, None)


def test_pools_come_back_whole() -> None:
    assert pool_totals_of(pools_row("r", pools(), START)) == pools()


def test_a_dividend_is_shown_once_and_as_final_where_it_is() -> None:
    said = replace(
        result(race(), START),
        dividends=(
            dividend("Pool Win", "Interim", 4.1, 2),
            dividend("Pool Place", "Interim", 1.6, 2),
            dividend("Pool Win", "Final", 4.2, 2),
        ),
    )
    shown = json.loads(str(result_row(said, [])["dividendsData"]))
    assert [(paid["product_name"], paid["status"], paid["dividend"]) for paid in shown] == [
        ("Pool Win", "Final", 4.2),
        ("Pool Place", "Interim", 1.6),
    ]
    assert shown[0]["positions"] == [{"runner_number": 2, "position": 1}]


def test_a_runner_that_is_scratched_without_details_keeps_what_is_known_of_it() -> None:
    out = runner(1, race(), is_scratched=True, scratching=None)
    [row] = entrant_rows(poll(replace(event(race(), START), entrants=(out,)), EMPTY))
    assert row["isScratched"] is True
    assert "scratchTime" not in row
