"""The traps of the real feed, each on a response that was really captured."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from raceday.domain.meeting import MeetingFilter, RaceCode
from raceday.domain.race_poll import RaceEvent
from raceday.domain.result import ResultStatus, settled_dividends
from raceday.domain.status import RaceStatus
from raceday.nztab.responses import parse_event, parse_meetings

pytestmark = pytest.mark.corpus

RECEIVED = datetime(2030, 1, 1, tzinfo=UTC)
CAMBRIDGE = "nztab/event_cambridge_R5_2025-08-20_Final_all_options.json"
HALF_A_DAY = "nztab/meetings_list_2025-07-17_half_A.json"


def captured(corpus: Path, file: str) -> tuple[dict[str, Any], RaceEvent]:
    body = (corpus / file).read_bytes()
    return json.loads(body)["data"], parse_event(body, RECEIVED)


def all_captured(corpus: Path, folder: str, pattern: str) -> list[tuple[dict[str, Any], RaceEvent]]:
    files = sorted((corpus / folder).rglob(pattern))
    assert files, f"no capture in {folder} is named {pattern}"
    return [captured(corpus, str(file.relative_to(corpus))) for file in files]


def test_australia_is_aus(corpus: Path) -> None:
    page = parse_meetings((corpus / HALF_A_DAY).read_bytes(), RECEIVED)
    countries = {meeting.country for meeting, _ in page.programme}
    followed = MeetingFilter(codes=frozenset(RaceCode)).select([meeting for meeting, _ in page.programme])

    assert "AUS" in countries
    assert "AU" not in countries
    assert {meeting.country for meeting in followed} == {"AUS", "NZ"}


def test_runners_stand_under_runners(corpus: Path) -> None:
    raw, event = captured(corpus, CAMBRIDGE)

    assert "entrants" not in raw
    assert len(event.entrants) == len(raw["runners"]) == 7


def test_tracker_rows_are_cells_of_one_distribution(corpus: Path) -> None:
    raw, event = captured(corpus, CAMBRIDGE)
    listed = raw["money_tracker"]["entrants"]

    assert event.holds is not None
    assert len(listed) > 7 * len(event.holds)
    assert event.foreign_tracker_ids == len({row["entrant_id"] for row in listed}) - len(event.holds) > 0
    dropped = sum(row["hold_percentage"] for row in listed if row["entrant_id"] not in event.holds)
    everything = sum(row["hold_percentage"] for row in listed)
    assert sum(hold.hold_pct for hold in event.holds.values()) == everything - dropped
    assert 95 <= everything <= 105


def test_pools_are_dollars_and_the_first_four_is_one_word(corpus: Path) -> None:
    raw, event = captured(corpus, CAMBRIDGE)
    totals = {pool["product_type"]: pool["total"] for pool in raw["tote_pools"]}

    assert event.pools is not None
    assert event.pools.win_cents == 918_221 == round(totals["Win"] * 100)
    assert event.pools.first4_cents == 761_433 == round(totals["FirstFour"] * 100)


def test_multi_leg_pools_are_not_the_races_money(corpus: Path) -> None:
    _, event = captured(corpus, CAMBRIDGE)

    assert event.pools is not None
    assert {pool.product: pool.total_cents for pool in event.pools.multi_leg} == {
        "RunningDouble": 258_700,
        "Treble": 1_145_220,
        "Quadrella": 2_580_617,
    }
    assert event.pools.race_total_cents == 3_237_607


def test_a_fixed_price_of_zero_is_no_price(corpus: Path) -> None:
    priceless = [
        entrant
        for raw, event in all_captured(corpus, "nztab_betman", "*.json")
        for runner, entrant in zip(raw["runners"], event.entrants, strict=True)
        if runner["odds"]["fixed_win"] == 0
    ]
    assert len(priceless) > 5
    assert all(entrant.odds is not None and entrant.odds.fixed_win is None for entrant in priceless)


def test_a_tote_price_that_is_not_there_is_none(corpus: Path) -> None:
    without = [
        entrant
        for raw, event in all_captured(corpus, "nztab_betman", "*.json")
        for runner, entrant in zip(raw["runners"], event.entrants, strict=True)
        if "pool_win" not in runner["odds"]
    ]
    assert len(without) > 20
    assert all(entrant.odds is not None and entrant.odds.pool_win is None for entrant in without)


def test_every_final_dividend_stands_there_twice(corpus: Path) -> None:
    raw, event = captured(corpus, CAMBRIDGE)
    assert event.result is not None
    rows = event.result.dividends
    settled = settled_dividends(rows)

    assert len(rows) == len(raw["dividends"]) == 2 * len(settled)
    assert {row.status for row in settled} == {"Final"}
    assert {row.status for row in rows} == {"Interim", "Final"}


def test_nanoseconds_are_cut_to_microseconds(corpus: Path) -> None:
    raw, event = captured(corpus, CAMBRIDGE)
    opening = next(runner for runner in raw["runners"] if runner["name"] == "Don Pauly")["flucs_with_timestamp"]["open"]
    assert opening["timestamp"] == "2025-08-18T04:25:23.163212537Z"

    entrant = next(entrant for entrant in event.entrants if entrant.name == "Don Pauly")
    assert entrant.opening is not None
    assert entrant.opening.at == datetime(2025, 8, 18, 4, 25, 23, 163212, tzinfo=UTC)


def test_harness_barriers_are_text_beside_the_number(corpus: Path) -> None:
    harness = [
        entrant
        for _, event in all_captured(corpus, "nztab_betman", "*_H_*.json")
        for entrant in event.entrants
        if entrant.barrier_position
    ]
    assert {entrant.barrier_position[:2] for entrant in harness if entrant.barrier_position} >= {"Fr", "Sr"}
    assert all(isinstance(entrant.barrier, int) for entrant in harness)


def test_results_are_there_at_interim_and_dividends_with_them(corpus: Path) -> None:
    interim = all_captured(corpus, ".", "*Interim.json")
    assert len(interim) > 20
    assert all(event.result is not None and event.result.placings for _, event in interim)
    assert {event.result.status for _, event in interim if event.result} == {ResultStatus.INTERIM}
    assert any(event.result.dividends for _, event in interim if event.result)


def test_an_abandoned_race_has_no_firm_result(corpus: Path) -> None:
    abandoned = [event for _, event in all_captured(corpus, "ladbrokes", "*Abandoned*.json")]

    assert {event.race.status for event in abandoned} == {RaceStatus.ABANDONED}
    assert all(event.entrants for event in abandoned)
    assert all(event.result is None or event.result.status is ResultStatus.INTERIM for event in abandoned)


def test_the_meetings_list_tells_what_was_abandoned(corpus: Path) -> None:
    page = parse_meetings((corpus / HALF_A_DAY).read_bytes(), RECEIVED)
    raw = json.loads((corpus / HALF_A_DAY).read_bytes())["data"]["meetings"]
    ids = {race["id"] for meeting in raw for race in meeting["races"] if race["status"] == "Abandoned"}

    assert ids
    assert {race.race_id for _, races in page.programme for race in races if race.status is RaceStatus.ABANDONED} == ids


def test_tote_times_run_past_twenty_four_and_the_nz_date_follows_the_start(corpus: Path) -> None:
    page = parse_meetings((corpus / HALF_A_DAY).read_bytes(), RECEIVED)
    late = [race for _, races in page.programme for race in races if (race.tote_start_time or "") >= "24"]

    assert late
    for race in late:
        hour, minute, _ = (race.tote_start_time or "").split(":")
        assert race.start_time_nz.startswith(f"{int(hour) - 24:02}:{minute}:")
        assert race.race_date_nz == date(2025, 7, 18)


def test_the_feeds_own_complaint_does_not_spoil_the_rest(corpus: Path) -> None:
    _, event = captured(corpus, "ladbrokes/event_with_error_field.json")

    assert event.feed_error == "Failed fetching data from PK"
    assert event.entrants


def test_a_dead_heat_repeats_the_position(corpus: Path) -> None:
    repeated = [
        event
        for _, event in all_captured(corpus, "ladbrokes", "*Final.json")
        if event.result and len({placing.position for placing in event.result.placings}) < len(event.result.placings)
    ]
    assert repeated
