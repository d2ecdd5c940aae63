from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from nztab_samples import (
    GENERATED,
    MEETING_ID,
    RACE_ID,
    RECEIVED,
    START,
    START_UNIX_S,
    encoded,
    event,
    meeting,
    meetings,
    pool,
    runner,
    runner_id,
)
from raceday.domain.derive import derive_poll
from raceday.domain.entrant import PricePoint
from raceday.domain.money_flow import HoldShare
from raceday.domain.odds import Odds, OddsKind
from raceday.domain.race_poll import PollTiming, RaceEvent, RaceState
from raceday.domain.result import ResultStatus
from raceday.domain.status import RaceStatus
from raceday.nztab.responses import parse_event, parse_meetings, parse_races


def parsed(response: object) -> RaceEvent:
    return parse_event(encoded(response), RECEIVED, RACE_ID)


def test_the_race() -> None:
    race = parsed(event(race_changes={"class": "MDN", "group": "Listed", "start_type": "Mobile"})).race

    assert (race.race_id, race.meeting_id, race.race_number, race.name) == (RACE_ID, MEETING_ID, 3, "A HANDICAP")
    assert (race.advertised_start, race.actual_start, race.status) == (START, None, RaceStatus.OPEN)
    assert (race.race_date_nz, race.start_time_nz) == (date(2025, 7, 17), "15:30:00 NZST")
    assert (race.race_class, race.race_group, race.start_type) == ("MDN", "Listed", "Mobile")
    assert (race.prize_money_dollars, race.distance_m, race.video_channels) == (15000, 1400, ("Trackside1",))
    assert race.comment is None


def test_the_new_zealand_date_and_clock_follow_from_the_start_where_the_feed_is_silent() -> None:
    # 03:30 UTC on 17 July is 15:30 in New Zealand; a race at 13:30 UTC runs after midnight there.
    after_midnight = {"advertised_start": START_UNIX_S + 36_000, "race_date_nz": ..., "start_time_nz": ...}
    race = parsed(event(race_changes=after_midnight)).race

    assert (race.race_date_nz, race.start_time_nz) == (date(2025, 7, 18), "01:30:00 NZST")
    assert parsed(event(race_changes={"race_date_nz": "17/07/2025"})).race.race_date_nz == date(2025, 7, 17)


@pytest.mark.parametrize(
    ("status", "delay_s", "known"),
    [("Open", 0, False), ("Open", 40, True), ("Closed", 0, True), ("Final", 95, True), ("Abandoned", 0, False)],
)
def test_the_actual_start_is_known_once_the_race_has_jumped(status: str, delay_s: int, known: bool) -> None:
    race = parsed(event(race_changes={"status": status, "actual_start": START_UNIX_S + delay_s})).race

    assert race.actual_start == (START + timedelta(seconds=delay_s) if known else None)


def test_prices_of_zero_and_absent_prices_are_no_price() -> None:
    odds = {"fixed_win": 0, "fixed_place": 0.0, "pool_win": 7}
    assert parsed(event([runner(1, odds=odds)])).entrants[0].odds == Odds(None, None, 7.0, None)


@pytest.mark.parametrize(
    ("odds", "unsaid"),
    [
        ({"fixed_win": 0, "fixed_place": 0, "pool_win": 0, "pool_place": 0}, ()),
        ({"fixed_place": 0, "pool_win": 7, "pool_place": 0}, (OddsKind.FIXED_WIN,)),
        ({"fixed_win": 5, "fixed_place": None, "pool_win": ""}, tuple(OddsKind)[1:]),
    ],
)
def test_a_price_of_zero_is_withdrawn_and_one_that_is_absent_or_unusable_is_not_said(
    odds: dict[str, object], unsaid: tuple[OddsKind, ...]
) -> None:
    assert parsed(event([runner(1, odds=odds)])).entrants[0].odds_unsaid == unsaid


def test_names_and_numbers_that_are_not_there_are_none() -> None:
    mapped = parsed(
        event([runner(1, name=..., runner_number=...)], race_changes={"description": ..., "race_number": ...})
    )
    nameless = meeting(1)
    del nameless["name"], nameless["country"], nameless["category"], nameless["races"][0]["name"]
    listed = parse_meetings(encoded(meetings([nameless])), RECEIVED).programme[0]

    assert (mapped.entrants[0].name, mapped.entrants[0].runner_number) == (None, None)
    assert (mapped.race.name, mapped.race.race_number) == (None, None)
    assert (listed.meeting.name, listed.meeting.country, listed.meeting.category) == (None, None, None)
    assert listed.races[0].name is None


@pytest.mark.parametrize(
    ("stamp", "generated_at", "drift"),
    [
        ("2025-07-17T03:21:06Z", RECEIVED + timedelta(seconds=60), {}),
        ("2025-07-17T03:21:07Z", RECEIVED, {"header.generated_time ahead of the clock": 1}),
        ("2027-01-01T00:00:00Z", RECEIVED, {"header.generated_time ahead of the clock": 1}),
    ],
)
def test_a_response_from_the_future_is_as_old_as_its_arrival(
    stamp: str, generated_at: datetime, drift: dict[str, int]
) -> None:
    header = {"header": {"generated_time": stamp}}
    mapped = parsed(event() | header)
    page = parse_meetings(encoded(meetings([meeting(1)]) | header), RECEIVED)

    assert (mapped.generated_at, mapped.drift) == (generated_at, drift)
    assert (page.programme[0].meeting.generated_at, page.drift) == (generated_at, drift)


def test_one_response_from_the_future_does_not_freeze_its_race() -> None:
    state = RaceState(RACE_ID, RaceStatus.OPEN, START)
    ahead = parsed(event() | {"header": {"generated_time": "2027-01-01T00:00:00Z"}})
    first = derive_poll(ahead, state, PollTiming(RECEIVED, RECEIVED, 30, 40))
    later = parse_event(encoded(event() | {"header": {"generated_time": "2025-07-17T03:20:36Z"}}), RECEIVED)
    second = derive_poll(later, replace(state, generated_at=first.generated_at), PollTiming(RECEIVED, RECEIVED, 30, 40))

    assert second.changed
    assert {bucket.minutes_to_start for bucket in first.buckets} == {10}


def test_text_that_says_nothing_is_none() -> None:
    entrant = parsed(event([runner(1, jockey="", gear="", silk_url_64x64="", weight={"total": ""})])).entrants[0]

    assert entrant.jockey is entrant.gear is entrant.silk_url_64 is entrant.weight_total is None


@pytest.mark.parametrize(
    ("minutes_before", "flag", "late"), [(61, None, False), (60, None, True), (5, False, True), (600, True, True)]
)
def test_a_scratching_is_late_by_flag_or_within_the_last_hour(minutes_before: int, flag: object, late: bool) -> None:
    scratched = runner(
        1,
        is_scratched=True,
        scratch_time=START_UNIX_S - 60 * minutes_before,
        is_late_scratched=flag,
        deduction={"win": 0.13, "place": 0},
    )
    scratching = parsed(event([scratched])).entrants[0].scratching

    assert scratching is not None
    assert scratching.at == START - timedelta(minutes=minutes_before)
    assert scratching.late is late
    assert (scratching.win_deduction, scratching.place_deduction) == (0.13, 0)


def test_a_scratching_without_unix_time_takes_the_written_one() -> None:
    scratched = runner(1, is_scratched=True, scr_time="2025-07-16T20:13:23Z")
    scratching = parsed(event([scratched])).entrants[0].scratching

    assert scratching is not None
    assert scratching.at == datetime(2025, 7, 16, 20, 13, 23, tzinfo=UTC)
    assert parsed(event([runner(1)])).entrants[0].scratching is None


def test_the_price_history_is_sorted_unique_and_without_unset_points() -> None:
    early = {"timestamp": "2025-07-15T04:30:44.920959249Z", "fluc": 4}
    late = {"timestamp": "2025-07-17T01:00:00Z", "fluc": 3.5}
    unset = {"timestamp": "0001-01-01T00:00:00Z", "fluc": 0}
    history = {"last_six": [late, early], "open": early, "high": early, "low": late, "nine_am": unset}
    entrant = parsed(event([runner(1, flucs_with_timestamp=history)])).entrants[0]

    opening = PricePoint(datetime(2025, 7, 15, 4, 30, 44, 920959, tzinfo=UTC), 4.0)
    assert entrant.opening == opening
    assert entrant.price_history == (opening, PricePoint(datetime(2025, 7, 17, 1, tzinfo=UTC), 3.5))


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (None, None),
        ({}, None),
        ("Gelded", "Gelded"),
        ({"03/03/2022": "Gelding"}, '{"03/03/2022":"Gelding"}'),
        (["Gelded"], '["Gelded"]'),
    ],
)
def test_a_change_of_the_runner_becomes_text(change: object, text: str | None) -> None:
    assert parsed(event([runner(1, runner_change=change)])).entrants[0].runner_change == text


def test_tracker_rows_are_summed_per_runner_and_strangers_dropped() -> None:
    rows = [(1, 20, 5), (2, 30, 40), (1, 3, 5), (77, 8, 9), (1, 0, 1), (77, 1, 1), (78, 2, 2)]
    tracker = {
        "entrants": [
            {"entrant_id": runner_id(number), "hold_percentage": hold, "bet_percentage": bet}
            for number, hold, bet in rows
        ]
    }
    mapped = parsed(event(2, money_tracker=tracker))

    assert mapped.holds == {runner_id(1): HoldShare(23.0, 11.0), runner_id(2): HoldShare(30.0, 40.0)}
    assert mapped.foreign_tracker_ids == 2


@pytest.mark.parametrize("tracker", [None, ..., {}, {"entrants": None}, {"entrants": []}])
def test_no_tracker_means_no_holds(tracker: object) -> None:
    assert parsed(event(money_tracker=tracker)).holds is None


def test_pools_are_cents_with_multi_leg_pools_apart_and_repeats_counted() -> None:
    pools = [pool("Win", 9182.21), pool("FirstFour", 7614.33), pool("Quadrella", 25806.17), pool("Win", 9182.21)]
    mapped = parsed(event(tote_pools=pools))

    assert mapped.pools is not None
    assert (mapped.pools.win_cents, mapped.pools.first4_cents) == (918_221, 761_433)
    assert mapped.pools.race_total_cents == 918_221 + 761_433
    assert mapped.pools.multi_leg_cents == 2_580_617
    assert mapped.duplicates == 1


def test_a_pool_without_a_total_is_not_listed_and_a_total_of_nothing_is_nothing() -> None:
    without_total = {"product_type": "Quinella", "status": "OPEN"}
    mapped = parsed(event(tote_pools=[pool("Win", 10), pool("Place", 0), without_total]))

    assert mapped.pools is not None
    assert mapped.pools.unlisted == ("quinella_cents", "trifecta_cents", "exacta_cents", "first4_cents")
    assert mapped.drift == {"pool.total missing": 1}


@pytest.mark.parametrize("pools", [None, ..., []])
def test_no_pools_at_all_are_none(pools: object) -> None:
    assert parsed(event(tote_pools=pools)).pools is None


def test_of_a_runner_listed_twice_the_first_counts() -> None:
    mapped = parsed(event([runner(1), runner(1, name="Copy"), runner(2)]))

    assert [entrant.name for entrant in mapped.entrants] == ["Runner 1", "Runner 2"]
    assert mapped.duplicates == 1


def result_event(status: str, **race_changes: object) -> object:
    placing = {"position": 1, "runner_number": 2, "entrant_id": runner_id(2), "name": "Runner 2", "margin_length": 0}
    rows = [
        {
            "id": f"dividend-{status}",
            "tote": "NZ",
            "product_name": "Pool Win",
            "status": status,
            "dividend": 4,
            "pool_size": 1000.5,
            "jackpot_size": 0,
            "positions": [{"runner_number": 2, "position": 1}],
            "description": "2",
        }
        for status in ("Interim", "Final")
    ]
    return event(
        race_changes={"status": status, **race_changes},
        results=[placing | {"winning_time": 93.68, "barrier": 4}],
        dividends=rows,
        substitutions=[{"entrant_id": runner_id(1), "tote": "NZ"}, {"entrant_id": runner_id(1), "tote": "VIC"}],
    )


@pytest.mark.parametrize(
    ("status", "protest", "expected"),
    [
        ("Interim", ..., ResultStatus.INTERIM),
        ("Interim", True, ResultStatus.PROTEST),
        ("Final", ..., ResultStatus.FINAL),
        ("Final", True, ResultStatus.FINAL),
        ("Abandoned", ..., ResultStatus.INTERIM),
    ],
)
def test_a_result_is_as_firm_as_its_race(status: str, protest: object, expected: ResultStatus) -> None:
    result = parsed(result_event(status, protest=protest)).result

    assert result is not None
    assert result.status is expected
    assert result.protest_lodged is (protest is True)


def test_a_result_keeps_placings_and_both_rows_of_every_dividend() -> None:
    result = parsed(result_event("Final")).result

    assert result is not None
    assert result.seen_at == GENERATED
    placing = result.placings[0]
    assert (placing.position, placing.entrant_id, placing.barrier, placing.winning_time_s) == (
        1,
        runner_id(2),
        4,
        93.68,
    )
    assert [(row.status, row.dividend, row.positions) for row in result.dividends] == [
        ("Interim", 4.0, ((2, 1),)),
        ("Final", 4.0, ((2, 1),)),
    ]
    assert result.substitutes == (runner_id(1),)


def test_a_response_without_a_time_takes_the_time_it_was_received() -> None:
    response = event()
    assert parsed(response).generated_at == GENERATED
    del response["header"]
    assert parsed(response).generated_at == RECEIVED


def test_the_feeds_own_complaint_is_kept() -> None:
    assert parsed(event(error="Failed fetching")).feed_error == "Failed fetching"


def test_a_meeting_and_its_programme() -> None:
    listed = meeting(1) | {
        "tote_meeting_number": 7,
        "tote_status": "Open",
        "video_channels": ["Trackside1"],
        "quaddie": [7, 8, 9, 10],
        "early_quaddie": [2, 3, 4, 5],
        "tote_running_double": [[1, 2], [3, 4]],
        "tote_treble": [[1, 2, 3]],
    }
    listed["races"][1] |= {"tote_start_time": "26:30:00", "protest": True, "protest_reason": "2nd v 1st"}
    ((mapped, races),) = parse_meetings(encoded(meetings([listed])), RECEIVED).programme

    assert (mapped.meeting_date, mapped.category, mapped.country) == (date(2025, 7, 17), "T", "AUS")
    assert (mapped.quaddie, mapped.early_quaddie) == ((7, 8, 9, 10), (2, 3, 4, 5))
    assert (mapped.tote_running_doubles, mapped.tote_trebles) == (((1, 2), (3, 4)), ((1, 2, 3),))
    assert (mapped.tote_meeting_number, mapped.tote_status, mapped.video_channels) == (7, "Open", ("Trackside1",))
    assert races[1].meeting_id == mapped.meeting_id
    assert (races[1].advertised_start, races[1].start_time_nz) == (START, "15:30:00 NZST")
    assert (races[1].tote_start_time, races[1].protest_lodged) == ("26:30:00", True)
    assert races[1].category == "T"
    assert races[1].actual_start is None


def test_the_flat_list_knows_no_status_and_leaves_out_number_zero() -> None:
    listed = {
        "id": RACE_ID,
        "meeting_id": MEETING_ID,
        "name": "A HANDICAP",
        "advertised_start": "2025-07-17T03:30:00Z",
        "actual_start": "2025-07-17T03:30:40Z",
    }
    page = parse_races(encoded({"data": {"races": [listed], "next_page_token": "more"}}))

    assert page.next_page_token == "more"
    race = page.races[0]
    assert (race.status, race.race_number, race.race_date_nz) == (None, 0, date(2025, 7, 17))
    assert race.actual_start == START + timedelta(seconds=40)
