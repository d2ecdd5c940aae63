"""The bodies of the modelled feed: every trap of the real one is there."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

import orjson
import pytest

from raceday.simulator.event_options import EventOptions
from raceday.simulator.feed import SimulatedFeed
from raceday.simulator.programme import DayProgramme, PlannedMeeting, PlannedRace, plan_day
from raceday.simulator.racing_feed import BadQuery
from raceday.simulator.wire import instant

DAY = date(2026, 3, 12)
MOMENT = [0.0]
ALL = EventOptions(True, True, True, True, True, True)


@cache
def feed() -> SimulatedFeed:
    return SimulatedFeed(plan_day(DAY), lambda: instant(MOMENT[0]))


def programme() -> DayProgramme:
    return feed().programme


def event(race: PlannedRace, at_s: float, options: EventOptions | None = None) -> dict[str, Any]:
    MOMENT[0] = at_s
    body = feed().event(race.race_id, options or EventOptions())
    assert body is not None
    return orjson.loads(body)


def meetings(at_s: float, **query: Any) -> list[dict[str, Any]]:
    MOMENT[0] = at_s
    return orjson.loads(feed().meetings(**query))["data"]["meetings"]


def pick(country: str, category: str, number: int = 1) -> tuple[PlannedMeeting, PlannedRace]:
    meeting = next(
        meeting for meeting in programme().meetings
        if (meeting.country, meeting.category) == (country, category)
        and all(race.script.abandoned_s is None for race in meeting.races)
    )  # fmt: skip
    return meeting, meeting.races[number - 1]


def test_an_event_has_the_envelope_and_the_members_of_the_real_feed() -> None:
    _, race = pick("AUS", "T")
    body = event(race, race.script.first_start_s - 3600)

    assert list(body) == ["header", "params", "data"]
    assert body["header"]["title"] == f"Event Details: {race.race_id}"
    assert body["header"]["url"] == f"/affiliates/v1/racing/events/{race.race_id}"
    assert set(body["data"]) == {
        "race", "favourite", "runners", "derivatives", "mover", "big_bets", "live_bets", "biggest_bet",
        "money_tracker", "tote_pools", "error",
    }  # fmt: skip
    assert body["data"]["money_tracker"] is None
    assert body["data"]["error"] == ""
    assert "entrants" not in body["data"]


def test_the_options_are_echoed_and_answered() -> None:
    _, race = pick("NZ", "T", 5)
    body = event(race, race.script.first_start_s - 120, ALL)

    assert body["params"]["with_money_tracker"] is body["params"]["will_pays"] is True
    assert body["header"]["url"].endswith(
        "?with_big_bets=true&with_biggest_bet=true&with_live_bets=true&with_money_tracker=true"
        "&with_tote_trends_data=true&with_will_pays=true"
    )
    assert body["data"]["money_tracker"]["entrants"]
    assert len(body["data"]["live_bets"]) == 10
    assert isinstance(body["data"]["biggest_bet"]["stake"], int)
    pools = {pool["product_type"]: pool for pool in body["data"]["tote_pools"]}
    grid = pools["Quinella"]["qla_odds"]
    assert len(grid) == len(body["data"]["runners"])
    assert grid[0]["oddsString"].startswith("-|")
    assert "\r\n" in pools["Trifecta"]["tote_trends"]["tote_trends_data"]
    assert "tote_trends" not in pools["Win"]


def test_unknown_options_are_ignored() -> None:
    assert EventOptions.from_query({"will_pays": "true", "with_results": "true"}) == EventOptions()
    assert EventOptions.from_query({"with_will_pays": "true"}) == EventOptions(will_pays=True)


def test_stamps_have_nanoseconds_and_never_lie_in_the_future() -> None:
    _, race = pick("AUS", "H")
    lengths = set()
    for step in range(40):
        at_s = race.script.first_start_s - 15 * step + 3
        stamp = event(race, at_s)["header"]["generated_time"]
        lengths.add(len(stamp))
        age = instant(at_s) - datetime.fromisoformat(stamp[:19]).replace(tzinfo=UTC)
        assert timedelta(0) <= age <= timedelta(seconds=16)
    assert max(lengths) == len("2025-07-17T11:16:59.189042980Z")
    assert len(lengths) > 1


def test_whole_numbers_are_integers() -> None:
    _, race = pick("AUS", "T")
    MOMENT[0] = race.script.final_s + 60
    body = feed().event(race.race_id, ALL) or b""
    assert not re.search(rb"\d\.0[,}\]]", body)


def test_results_and_dividends_come_with_the_interim_and_double_at_the_final() -> None:
    _, race = pick("AUS", "T")
    script = race.script
    closed = event(race, (script.closed_s // 15 + 1) * 15)["data"]
    interim = event(race, script.interim_s + 20)["data"]
    final = event(race, script.final_s + 20)["data"]

    assert closed["race"]["status"] == "Closed"
    assert "results" not in closed
    assert "dividends" not in closed
    assert interim["race"]["status"] == "Interim"
    assert {row["status"] for row in interim["dividends"]} == {"Interim"}
    assert max(row["position"] for row in interim["results"]) <= 4
    assert final["race"]["status"] == "Final"
    assert len(final["results"]) >= len(interim["results"])

    def without_status(status: str) -> Counter[tuple[Any, ...]]:
        return Counter(
            (row["product_name"], row["description"], row["dividend"], row["pool_size"])
            for row in final["dividends"]
            if row["status"] == status
        )

    assert without_status("Interim") == without_status("Final")
    products = {row["product_name"] for row in final["dividends"]}
    assert {"Pool Win", "Pool Place", "Pool Quinella", "Pool Trifecta", "Pool First4"} <= products
    winner = next(row for row in final["results"] if row["position"] == 1)
    win = next(row for row in final["dividends"] if row["product_name"] == "Pool Win")
    runner = next(row for row in final["runners"] if row["entrant_id"] == winner["entrant_id"])
    assert win["description"] == str(winner["runner_number"])
    assert win["dividend"] == runner["odds"]["pool_win"]


def test_the_actual_start_is_known_only_after_the_jump() -> None:
    _, race = pick("AUS", "T")
    before = event(race, race.script.first_start_s - 600)["data"]["race"]
    after = event(race, race.script.closed_s + 30)["data"]["race"]
    assert before["actual_start"] == before["advertised_start"]
    assert after["actual_start"] == race.script.jump_s > after["advertised_start"]
    assert before["advertised_start_string"].endswith(" +0000 UTC")


def test_new_zealand_names_are_only_on_new_zealand_races() -> None:
    for country, wanted in (("NZ", True), ("AUS", False)):
        _, race = pick(country, "T")
        data = event(race, race.script.first_start_s - 600)["data"]
        assert ("track_surface" in data["race"]) is wanted
        assert ("is_late_scratched" in data["runners"][0]) is wanted
        assert ("last_starts" in data["runners"][0]) is wanted
        assert data["race"]["country"] == country


def test_harness_has_text_barriers_and_start_types_and_dogs_have_no_jockey() -> None:
    _, harness = pick("AUS", "H")
    data = event(harness, harness.script.first_start_s - 600)["data"]
    assert data["race"]["start_type"] in {"Mobile", "Standing"}
    assert all(re.fullmatch(r"(Fr|Sr)\d", row["barrier_position"]) for row in data["runners"])
    assert all(isinstance(row["barrier"], int) for row in data["runners"])
    _, dogs = pick("AUS", "G")
    row = event(dogs, dogs.script.first_start_s - 600)["data"]["runners"][0]
    assert row["jockey"] == row["silk_url_64x64"] == ""


def test_an_australian_night_race_runs_on_the_next_day_in_new_zealand() -> None:
    race = max(programme().imported_races(), key=lambda race: race.script.first_start_s)
    detail = event(race, race.script.first_start_s - 600)["data"]["race"]
    listed = next(
        row for meeting in meetings(race.script.first_start_s - 600) for row in meeting["races"]
        if row["id"] == race.race_id
    )  # fmt: skip
    assert detail["race_date_nz"] == "2026-03-13"
    assert detail["start_time_nz"].startswith("00:")
    assert detail["start_time_nz"].endswith(" NZDT")
    assert listed["tote_start_time"].startswith("24:")


def test_before_the_market_opens_there_is_no_price() -> None:
    _, race = pick("AUS", "H", 9)
    data = event(race, race.script.market_open_s - 60)["data"]
    assert {row["odds"]["fixed_win"] for row in data["runners"]} == {0}
    assert not any(row["favourite"] for row in data["runners"])
    assert data["runners"][0]["flucs_with_timestamp"]["open"] == {"timestamp": "0001-01-01T00:00:00Z", "fluc": 0}


def test_flucs_tell_the_history_of_the_fixed_price() -> None:
    _, race = pick("AUS", "T")
    for row in event(race, race.script.closed_s + 30)["data"]["runners"]:
        stamped = row["flucs_with_timestamp"]
        assert row["flucs"] == [fluc["fluc"] for fluc in stamped["last_six"]]
        assert len(row["flucs"]) <= 6
        assert stamped["low"]["fluc"] <= min(row["flucs"]) <= max(row["flucs"]) <= stamped["high"]["fluc"]
        if not row["is_scratched"]:
            assert row["odds"]["fixed_win"] == row["flucs"][-1]


def test_tote_odds_are_absent_while_there_is_no_money() -> None:
    early = [
        row
        for race in programme().imported_races()
        for row in event(race, race.script.first_start_s - 12 * 3600)["data"]["runners"]
        if not row["is_scratched"]
    ]
    absent = sum("pool_win" not in row["odds"] for row in early) / len(early)
    assert 0.02 <= absent <= 0.35
    assert all(row["odds"].get("pool_win") is not None for row in early if "pool_win" in row["odds"])


def test_pools_have_the_names_and_states_of_the_real_feed() -> None:
    seen: dict[str, set[str]] = {}
    for race in programme().imported_races():
        script = race.script
        for at_s in (script.first_start_s - 300, script.final_s + 30):
            MOMENT[0] = at_s
            body = feed().event(race.race_id, EventOptions())
            for pool in orjson.loads(body)["data"]["tote_pools"] if body else ():
                seen.setdefault(pool["product_type"], set()).add(pool["status"])
                single = pool["product_type"] in {"Win", "Place", "Quinella", "Trifecta", "FirstFour"}
                assert ("is_final" in pool) is single
                assert round(pool["total"], 2) == pool["total"]
    assert set(seen) == {
        "Win", "Place", "Quinella", "Trifecta", "FirstFour", "Quadrella", "EarlyQuadrella", "RunningDouble", "Treble",
    }  # fmt: skip
    assert seen["Win"] >= {"OPEN", "CLOSED"}
    assert "ABANDONED" in seen["Place"] | seen["Quadrella"]


def test_pools_over_several_races_pay_on_their_last_leg() -> None:
    products, no_winner = set(), 0
    for race in programme().imported_races():
        MOMENT[0] = race.script.final_s + 30
        body = feed().event(race.race_id, EventOptions())
        for row in orjson.loads(body)["data"].get("dividends", ()) if body else ():
            products.add(row["product_name"])
            if row["description"] == "NOWINNER":
                no_winner += 1
                assert row["dividend"] == 0
                assert row["positions"] is None
    assert products >= {"Pool Quadrella", "Pool Early Quadrella", "Pool Double", "Pool Treble"}
    assert no_winner % 2 == 0


def test_the_list_says_abandoned_whatever_the_event_says() -> None:
    manners = set()
    for seed in range(1, 12):
        day = plan_day(DAY, seed)
        late_s = day.last_moment().timestamp() + 3600
        other = SimulatedFeed(day, lambda late_s=late_s: instant(late_s))
        listed = {
            row["id"]: row["status"]
            for meeting in orjson.loads(other.meetings("2026-03-12"))["data"]["meetings"]
            for row in meeting["races"]
        }
        for race in day.imported_races():
            assert listed[race.race_id] == ("Abandoned" if race.script.abandoned_s else "Final")
            if race.script.abandoned_s:
                body = other.event(race.race_id, EventOptions())
                manners.add(orjson.loads(body)["data"]["race"]["status"] if body else None)
    assert manners == {"Abandoned", "Open", None}


def test_a_late_scratching_brings_a_deduction_and_closes_the_gap() -> None:
    for race in programme().imported_races():
        for model in feed().race_model(race.race_id).runners:
            scratching = model.runner.scratching
            is_late = scratching is not None and scratching.moment_s > race.script.first_start_s - 3600
            if scratching is None or not is_late or race.script.abandoned_s is not None:
                continue
            before = event(race, scratching.moment_s - 15)["data"]
            after = event(race, scratching.moment_s + 15)["data"]
            row = next(row for row in after["runners"] if row["entrant_id"] == model.runner.entrant_id)
            assert row["scratch_time"] == scratching.moment_s
            assert 0 < row["deduction"]["win"] <= 0.39
            assert after["race"]["field_size"] == before["race"]["field_size"] - 1
            return
    pytest.fail("the default day has no late scratching")


def test_meetings_have_no_status_and_their_date_is_a_day() -> None:
    rows = meetings(programme().imported_races()[0].script.first_start_s)
    assert len(rows) == len(programme().meetings)
    assert all("status" not in row and row["date"] == "2026-03-12T00:00:00Z" for row in rows)
    assert {row["country"] for row in rows} >= {"AUS", "NZ"}
    assert {row["category_name"] for row in rows if row["category"] == "H"} == {"Harness Horse Racing"}
    assert all("race_date_nz" not in race for row in rows for race in row["races"])
    assert all(("tote_treble" in row) == (row["country"] == "NZ" and row["category"] != "G") for row in rows)


def test_meetings_are_filtered_and_paged() -> None:
    at_s = programme().imported_races()[0].script.first_start_s
    everything = [row["meeting"] for row in meetings(at_s)]
    paged = [row["meeting"] for page in range(0, 40, 5) for row in meetings(at_s, limit=5, offset=page)]
    assert paged == everything
    assert {row["category"] for row in meetings(at_s, category="H")} == {"H"}
    assert {row["country"] for row in meetings(at_s, country="AUS")} == {"AUS"}
    assert meetings(at_s, country="AU") == []
    assert meetings(at_s, date_from="2026-03-13") == []
    assert len(meetings(at_s, date_from="2026-03-11", date_to="2026-03-12")) == len(everything)
    assert len(meetings(at_s, date_from="today", date_to="today")) == len(everything)


@pytest.mark.parametrize(
    "query",
    [{"date_from": "2026-03-12T00:00:00Z"}, {"date_to": "tomorrow"}, {"limit": 201}, {"limit": 0}, {"offset": -1}],
)
def test_a_query_it_cannot_read_is_refused_by_name(query: dict[str, Any]) -> None:
    with pytest.raises(BadQuery, match=next(iter(query))):
        feed().meetings(**query)


def test_a_single_meeting_has_the_details_of_the_tote() -> None:
    meeting, race = pick("AUS", "T")
    MOMENT[0] = race.script.first_start_s
    body = orjson.loads(feed().meeting(meeting.meeting_id) or b"")
    assert body["data"]["meetings"][0]["meeting_date"] == "2026-03-12"
    assert body["data"]["meetings"][0]["is_fob_meeting"] is False
    assert feed().meeting("nobody") is None
    assert feed().event("nobody", EventOptions()) is None


def test_the_list_of_races_is_paged_by_token_and_has_no_status() -> None:
    MOMENT[0] = programme().imported_races()[0].script.first_start_s
    token, ids = "", []
    while True:
        page = orjson.loads(feed().races_list(limit=50, page_token=token))["data"]
        ids += [row["id"] for row in page["races"]]
        assert all("status" not in row for row in page["races"])
        token = page["next_page_token"]
        if not token:
            break
    assert len(ids) == len(set(ids)) == sum(len(meeting.races) for meeting in programme().meetings)


def test_bodies_have_the_size_of_real_ones() -> None:
    sizes = []
    for race in programme().imported_races():
        MOMENT[0] = race.script.first_start_s - 60
        body = feed().event(race.race_id, EventOptions())
        runners = len(feed().race_model(race.race_id).runners)
        if body and orjson.loads(body)["data"]["race"]["country"] == "AUS":
            sizes.append(12 * len(body) / runners)
    assert 25_000 <= sum(sizes) / len(sizes) <= 52_000
