"""What one bad value costs: itself, at most its runner, never the others; and it is counted."""

from __future__ import annotations

import json

import pytest

from nztab_samples import RACE_ID, RECEIVED, START, encoded, event, meeting, meetings, pool, runner, runner_id
from raceday.domain.derive import derive_poll
from raceday.domain.odds import Odds
from raceday.domain.race_poll import PollTiming, RaceEvent, RaceState
from raceday.domain.status import RaceStatus
from raceday.errors import FeedContractError
from raceday.nztab.responses import parse_event, parse_meetings


def parsed(response: object) -> RaceEvent:
    return parse_event(encoded(response), RECEIVED, RACE_ID)


def test_a_good_response_has_no_drift() -> None:
    assert parsed(event()).drift == {}


@pytest.mark.parametrize(
    ("changed", "name", "expected"),
    [
        ({"age": "four"}, "runner.age unusable", None),
        ({"age": ""}, "runner.age unusable", None),
        ({"favourite": "perhaps"}, "runner.favourite unusable", None),
        ({"barrier": [3]}, "runner.barrier unusable", None),
        ({"odds": "none"}, "runner.odds unusable", None),
        ({"weight": 57}, "runner.weight unusable", None),
    ],
)
def test_an_unusable_value_costs_only_itself(changed: dict[str, object], name: str, expected: object) -> None:
    mapped = parsed(event([runner(1), runner(2, **changed), runner(3)]))

    assert [entrant.runner_number for entrant in mapped.entrants] == [1, 2, 3]
    assert mapped.drift == {name: 1}
    field = {"weight": "weight_total"}.get(next(iter(changed)), next(iter(changed)))
    assert getattr(mapped.entrants[1], field) is expected
    assert mapped.entrants[1].jockey == "A Rider"


def test_an_unusable_price_leaves_the_other_prices() -> None:
    odds = {"fixed_win": "", "fixed_place": 1.9, "pool_win": None}
    entrant = parsed(event([runner(1, odds=odds)])).entrants[0]

    assert entrant.odds is not None
    assert (entrant.odds.fixed_win, entrant.odds.fixed_place, entrant.odds.pool_win) == (None, 1.9, None)


@pytest.mark.parametrize("broken", [{"entrant_id": ...}, {"entrant_id": None}, {"entrant_id": {}}])
def test_only_an_unusable_id_drops_a_runner(broken: dict[str, object]) -> None:
    mapped = parsed(event([runner(1), runner(2, **broken), runner(3)]))

    assert [entrant.entrant_id for entrant in mapped.entrants] == [runner_id(1), runner_id(3)]
    assert mapped.drift["runner dropped"] == 1


def test_rows_that_are_no_objects_are_dropped_one_by_one() -> None:
    mapped = parsed(event([None, runner(1), "Runner 2", runner(3)], tote_pools=[7, pool("Win", 12.5)]))

    assert [entrant.runner_number for entrant in mapped.entrants] == [1, 3]
    assert mapped.drift["runner dropped"] == 2
    assert mapped.pools is not None
    assert mapped.pools.win_cents == 1250


def test_text_where_a_barrier_number_belongs_is_kept_as_its_text() -> None:
    entrant = parsed(event([runner(1, barrier="Fr1")])).entrants[0]

    assert (entrant.barrier, entrant.barrier_position) == (None, "Fr1")


def test_numbers_may_come_as_text_and_text_as_numbers() -> None:
    mapped = parsed(
        event([runner(1, runner_number="1", weight={"total": 57.5, "allocated": 58}, emergency_position=2)])
    )

    entrant = mapped.entrants[0]
    assert (entrant.runner_number, entrant.weight_total, entrant.weight_allocated) == (1, "57.5", "58")
    assert entrant.emergency_position == "2"
    assert mapped.drift == {}


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"1e999"])
def test_not_a_number_is_no_price(number: bytes) -> None:
    body = encoded(event([runner(1, odds={"fixed_win": 987654, "fixed_place": 2})])).replace(b"987654", number)
    mapped = parse_event(body, RECEIVED)

    assert mapped.entrants[0].odds == Odds(None, 2.0)
    assert mapped.drift == {"runner.odds.fixed_win unusable": 1}


HUGE = 10**30


@pytest.mark.parametrize(
    ("path", "value", "name"),
    [
        (("runners", 0, "age"), HUGE, "runner.age"),
        (("runners", 0, "runner_number"), -HUGE, "runner.runner_number"),
        (("runners", 0, "scratch_time"), 2**53, "runner.scratch_time"),
        (("runners", 0, "odds", "fixed_win"), 1e300, "runner.odds.fixed_win"),
        (("race", "distance"), HUGE, "race.distance"),
        (("race", "prize_monies", "total_value"), 1e300, "race.prize_monies.total_value"),
        (("tote_pools", 0, "total"), 1e300, "pool.total"),
        (("money_tracker", "entrants", 0, "hold_percentage"), 1e9, "money_tracker.runner.hold_percentage"),
        (("money_tracker", "entrants", 0, "bet_percentage"), -1, "money_tracker.runner.bet_percentage"),
    ],
)
def test_an_absurd_number_is_unusable_and_the_poll_goes_on(
    path: tuple[str | int, ...], value: float, name: str
) -> None:
    tracker = [{"entrant_id": runner_id(1), "hold_percentage": 100, "bet_percentage": 100}]
    response = event(money_tracker={"entrants": tracker})
    place = response["data"]
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value

    body = json.dumps(response).encode()
    mapped = parse_event(body, RECEIVED, RACE_ID)
    derived = derive_poll(
        mapped, RaceState(RACE_ID, RaceStatus.OPEN, START), PollTiming(RECEIVED, RECEIVED, 30, latency_ms=40)
    )

    assert mapped.drift[f"{name} unusable"] == 1
    assert len(derived.entrants) == 3


def test_numbers_beyond_64_bits_inside_a_runners_change_are_kept_as_text() -> None:
    body = json.dumps(event([runner(1, runner_change={"to": HUGE})])).encode()
    assert parse_event(body, RECEIVED).entrants[0].runner_change == f'{{"to":{HUGE}}}'


@pytest.mark.parametrize("start", [253_402_300_799, HUGE])
def test_a_race_at_the_end_of_the_calendar_is_refused_by_name(start: int) -> None:
    body = json.dumps(event(race_changes={"advertised_start": start})).encode()
    with pytest.raises(FeedContractError, match="advertised_start"):
        parse_event(body, RECEIVED)


@pytest.mark.parametrize("start", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"])
def test_a_listed_race_at_either_end_of_the_calendar_is_dropped(start: str) -> None:
    listed = meeting(1)
    listed["races"][0]["start_time"] = start
    page = parse_meetings(encoded(meetings([listed])), RECEIVED)

    assert len(page.programme[0].races) == 1
    assert page.drift["meeting.race dropped"] == 1


def test_unknown_values_and_missing_fields_are_counted_by_name() -> None:
    mapped = parsed(
        event(
            [runner(1, odds=...), runner(2, odds=..., jockey=...)],
            race_changes={"status": "Postponed", "type": "X", "distance": ...},
            tote_pools=[pool("Win", 1, status="SUSPENDED"), pool("Swinger", 2)],
            dividends=[{"id": "d", "status": "Provisional", "dividend": 2}],
        )
    )

    assert mapped.drift == {
        "race.status=Postponed": 1,
        "race.type=X": 1,
        "race.distance missing": 1,
        "runner.odds missing": 2,
        "runner.jockey missing": 1,
        "pool.status=SUSPENDED": 1,
        "pool.product=Swinger": 1,
        "dividend.status=Provisional": 1,
    }
    assert mapped.race.status is RaceStatus.OPEN
    assert mapped.entrants[0].odds is None


def test_drift_stays_bounded_and_short_whatever_comes() -> None:
    pools = [pool(f"{number} {'x' * 1000}", 1) for number in range(500)]
    drift = parsed(event(tote_pools=pools)).drift

    assert sum(drift.values()) == 500
    assert len(drift) <= 101
    assert max(map(len, drift)) < 80


@pytest.mark.parametrize(
    ("response", "says"),
    [
        ([], "the response"),
        ({"data": None}, "data"),
        ({"header": {}}, "data"),
        (event(race=...), "data.race"),
        (event(race_changes={"event_id": ...}), "event_id"),
        (event(race_changes={"advertised_start": "soon"}), "advertised_start"),
        (event(race_changes={"advertised_start": 0}), "advertised_start"),
        (event(runners=[], race_changes={"meeting_id": None}), "meeting_id"),
    ],
)
def test_without_the_indispensable_the_response_is_refused_with_its_payload(response: object, says: str) -> None:
    with pytest.raises(FeedContractError, match=says) as refused:
        parsed(response)
    assert refused.value.payload == encoded(response)[:2000]


def test_an_event_without_a_list_of_runners_is_refused_unless_abandoned() -> None:
    response = event(race_changes={"status": "Open"})
    del response["data"]["runners"]
    with pytest.raises(FeedContractError, match="no list of runners"):
        parsed(response)

    response["data"]["race"]["status"] = "Abandoned"
    assert parsed(response).entrants == ()


def test_runners_are_read_under_the_older_name_too() -> None:
    response = event()
    response["data"]["entrants"] = response["data"].pop("runners")
    assert len(parsed(response).entrants) == 3


def test_an_answer_about_another_race_is_refused() -> None:
    with pytest.raises(FeedContractError, match="answered about"):
        parsed(event(race_changes={"event_id": runner_id(9)}))


@pytest.mark.parametrize("body", [b"", b"<html><title>502</title></html>", encoded(event())[:-20], b'{"data":'])
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(FeedContractError, match="JSON") as refused:
        parse_event(body, RECEIVED)
    assert refused.value.payload == body[:2000]


def test_a_senselessly_long_list_is_refused_without_looking_at_all_of_it() -> None:
    with pytest.raises(FeedContractError, match="no list of runners"):
        parsed(event(runners=[0] * 100_000))


def test_a_meeting_or_race_that_cannot_be_used_costs_only_itself() -> None:
    no_id, no_start, no_day = meeting(2), meeting(3, races=3), meeting(4, races=0)
    del no_id["meeting"]
    no_start["races"][1]["start_time"] = "later"
    no_day["date"] = "someday"

    page = parse_meetings(encoded(meetings([meeting(1), no_id, no_start, no_day])), RECEIVED)

    assert [(listed.meeting.name, len(listed.races)) for listed in page.programme] == [("Course 1", 2), ("Course 3", 2)]
    assert page.rows == 4
    assert page.drift == {"meeting.race.start_time unusable": 1, "meeting.race dropped": 1, "meeting dropped": 2}
