"""A replay loses nothing: what the tables hold afterwards, beside the captured JSON, field by field."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from contract.captured_races import (
    NZ,
    STARTED,
    Capture,
    Captured,
    CapturedRace,
    Comparison,
    Json,
    captured,
    instant,
    runners_of,
    said_last,
    text_of,
    unix_text,
)
from contract.replayed_tables import Tables, by_id, parsed, replayed_tables

pytestmark = pytest.mark.corpus


@pytest.fixture(scope="module")
def tables(corpus: Path) -> Tables:
    return replayed_tables(corpus)


@pytest.fixture(scope="module")
def feed(corpus: Path) -> Captured:
    return captured(corpus)


def test_every_captured_race_runner_and_meeting_has_its_row(tables, feed):
    assert len(feed.polled) > 200
    assert set(by_id(tables, "races")) == set(feed.races)
    assert set(by_id(tables, "meetings")) == set(feed.meetings) | {
        race.newest.race["meeting_id"] for race in feed.polled
    }
    runners = {runner["entrant_id"] for race in feed.polled for capture in race.captures for runner in capture.runners}
    assert len(runners) > 2000
    assert set(by_id(tables, "entrants")) == runners
    assert set(by_id(tables, "race_pools")) == set(feed.races)
    assert set(by_id(tables, "race_results")) == {race.race_id for race in feed.polled if settled(race)}


SAME_OF_RACE = {
    "name": "description",
    "raceNumber": "race_number",
    "distance": "distance",
    "trackCondition": "track_condition",
    "trackSurface": "track_surface",
    "trackDirection": "track_direction",
    "railPosition": "rail_position",
    "weather": "weather",
    "type": "type",
    "startType": "start_type",
    "raceGroup": "group",
    "raceClass": "class",
    "comment": "comment",
    "entrantCount": "entrant_count",
    "fieldSize": "field_size",
    "positionsPaid": "positions_paid",
    "silkUrl": "silk_url",
    "silkBaseUrl": "silk_base_url",
    "protestLodged": "protest",
    "protestReason": "protest_reason",
    "meeting": "meeting_id",
    "meetingId": "meeting_id",
    "raceId": "event_id",
}
LISTED_AS = {"description": "name", "type": None, "meeting_id": None, "event_id": "id"}


def test_polled_races(tables, feed):
    rows, seen = by_id(tables, "races"), Comparison()
    for race in feed.polled:
        row, where = rows[race.race_id], race.newest.file
        listed = race.listed or {}
        for column, field in SAME_OF_RACE.items():
            in_list = listed.get(LISTED_AS.get(field, field) or "")
            seen.same(
                where, column, row[column], said_last([in_list, race.last_said(lambda c, f=field: c.race.get(f))])
            )
        seen.same(where, "startTime", row["startTime"], unix_text(race.newest.race["advertised_start"]))
        seen.same(where, "actualStart", row["actualStart"], race.last_said(jumped_at))
        local = race.newest.start.astimezone(NZ)
        day, clock = local.date().isoformat(), f"{local:%H:%M:%S} {local.tzname()}"
        seen.same(where, "raceDateNz", row["raceDateNz"], race.newest.race.get("race_date_nz", day))
        seen.same(where, "startTimeNz", row["startTimeNz"], race.newest.race.get("start_time_nz", clock))
        prize = race.last_said(lambda c: (c.race["prize_monies"] or {}).get("total_value"))
        seen.same(where, "totalPrizeMoney", row["totalPrizeMoney"], prize)
        channels = race.last_said(lambda c: c.race.get("video_channels"))
        seen.same(where, "videoChannels", parsed(row["videoChannels"]), channels)
        seen.same(where, "toteStartTime", *tote_start(row, listed))
        seen.same(where, "status", row["status"], race.statuses()[-1])
        assert row["apiGeneratedTime"] in race.times, where
    seen.check(dict.fromkeys(set(SAME_OF_RACE) - {"trackSurface", "startType", "raceGroup", "raceClass", "fieldSize",
                                                  "protestLodged", "protestReason", "railPosition"}, 200)
               | {"railPosition": 100, "fieldSize": 100, "trackSurface": 5, "startType": 10, "raceGroup": 5,
                  "raceClass": 5, "protestLodged": 1, "protestReason": 1, "startTime": 200, "actualStart": 150,
                  "raceDateNz": 200, "startTimeNz": 200, "totalPrizeMoney": 200, "videoChannels": 150,
                  "status": 200})  # fmt: skip


def jumped_at(capture: Capture) -> str | None:
    """Until a race jumps, the feed repeats the advertised start."""
    race = capture.race
    started = race["status"] in STARTED or race["actual_start"] != race["advertised_start"]
    return unix_text(race["actual_start"]) if started else None


def tote_start(row: Json, listed: Json) -> tuple[Any, Any]:
    """Only a captured list says it; for other races there is nothing to compare with."""
    return (row["toteStartTime"], listed.get("tote_start_time")) if listed else (None, None)


def test_a_change_of_status_is_dated_by_the_response_that_told_it(tables, feed):
    rows, seen = by_id(tables, "races"), Comparison()
    for race in feed.polled:
        row, statuses = rows[race.race_id], race.statuses()
        changes = [i for i in range(1, len(statuses)) if statuses[i] != statuses[i - 1]]
        if not changes:
            continue
        at = text_of(race.captures[changes[-1]].at)
        seen.same(race.newest.file, "lastStatusChange", row["lastStatusChange"], at)
        if statuses[-1] == "Final":
            seen.same(race.newest.file, "finalizedAt", row["finalizedAt"], at)
        if statuses[-1] == "Abandoned":
            seen.same(race.newest.file, "abandonedAt", row["abandonedAt"], at)
    seen.check({"lastStatusChange": 15, "finalizedAt": 10})


def test_listed_meetings(tables, feed):
    rows, seen = by_id(tables, "meetings"), Comparison()
    same = {"meetingId": "meeting", "meetingName": "name", "country": "country", "state": "state",
            "raceType": "category_name", "category": "category", "categoryName": "category_name",
            "trackCondition": "track_condition", "toteStatus": "tote_status",
            "toteMeetingNumber": "tote_meeting_number"}  # fmt: skip
    lists = {"videoChannels": "video_channels", "quaddie": "quaddie", "earlyQuaddie": "early_quaddie",
             "toteRunningDoubles": "tote_running_double", "toteTrebles": "tote_treble"}  # fmt: skip
    for meeting_id, listed in feed.meetings.items():
        row = rows[meeting_id]
        for column, field in same.items():
            seen.same(listed["name"], column, row[column], said_last([listed.get(field)]))
        for column, field in lists.items():
            seen.same(listed["name"], column, parsed(row[column]), said_last([listed.get(field)]))
        seen.same(listed["name"], "date", row["date"], f"{listed['date'][:10]}T00:00:00.000+00:00")
    seen.check(dict.fromkeys(same, 20) | dict.fromkeys(lists, 3) | {"date": 100})


def test_listed_races_without_an_event(tables, feed):
    rows, seen = by_id(tables, "races"), Comparison()
    same = {"name": "name", "raceNumber": "race_number", "distance": "distance", "trackCondition": "track_condition",
            "weather": "weather", "status": "status", "toteStartTime": "tote_start_time", "protestLodged": "protest",
            "protestReason": "protest_reason"}  # fmt: skip
    for race in feed.races.values():
        if race.captures or race.listed is None or race.listed_in is None:
            continue
        row, start = rows[race.race_id], instant(race.listed["start_time"])
        where = f"{race.listed_in['name']} R{race.listed['race_number']}"
        for column, field in same.items():
            seen.same(where, column, row[column], said_last([race.listed.get(field)]))
        local = start.astimezone(NZ)
        seen.same(where, "startTime", row["startTime"], text_of(start))
        seen.same(where, "raceDateNz", row["raceDateNz"], local.date().isoformat())
        seen.same(where, "startTimeNz", row["startTimeNz"], f"{local:%H:%M:%S} {local.tzname()}")
        seen.same(where, "meeting", row["meeting"], race.listed_in["meeting"])
        seen.same(where, "type", row["type"], race.listed_in["category"])
    seen.check(dict.fromkeys(["name", "raceNumber", "distance", "status", "startTime", "meeting", "type"], 1000)
               | {"weather": 500, "toteStartTime": 200, "protestLodged": 5, "protestReason": 5})  # fmt: skip


def test_meetings_known_from_events_alone(tables, feed):
    rows, seen = by_id(tables, "meetings"), Comparison()
    for race in feed.polled:
        said = race.newest.race
        if said["meeting_id"] in feed.meetings:
            continue
        row = rows[said["meeting_id"]]
        for column, field in {"meetingName": "meeting_name", "country": "country", "category": "type"}.items():
            seen.same(race.newest.file, column, row[column], said[field])
    seen.check({"meetingName": 100, "country": 100, "category": 100})


SAME_OF_RUNNER = {
    "entrantId": "entrant_id",
    "name": "name",
    "runnerNumber": "runner_number",
    "barrier": "barrier",
    "barrierPosition": "barrier_position",
    "favourite": "favourite",
    "mover": "mover",
    "isScratched": "is_scratched",
    "isEmergency": "is_emergency",
    "emergencyPosition": "emergency_position",
    "jockey": "jockey",
    "trainerName": "trainer_name",
    "trainerLocation": "trainer_location",
    "age": "age",
    "sex": "sex",
    "colour": "colour",
    "gear": "gear",
    "lastTwentyStarts": "last_twenty_starts",
    "apprenticeIndicator": "apprentice_indicator",
    "silkColours": "silk_colours",
    "silkUrl64": "silk_url_64x64",
    "silkUrl128": "silk_url_128x128",
}


def test_runners(tables, feed):
    rows, seen = by_id(tables, "entrants"), Comparison()
    for race in feed.polled:
        for where, runner, all_rows in runners_of(race):
            row = rows[runner["entrant_id"]]
            for column, field in SAME_OF_RUNNER.items():
                seen.same(where, column, row[column], said_last(said.get(field) for said in all_rows))
            seen.same(where, "raceId", row["raceId"], race.race_id)
            for column, weight in {"weightTotal": "total", "weightAllocated": "allocated"}.items():
                seen.same(where, column, row[column], said_last(said["weight"][weight] for said in all_rows))
            change = said_last(said.get("runner_change") for said in all_rows)
            seen.same(where, "runnerChange", parsed(row["runnerChange"]), change)
            opening = said_last(
                said["flucs_with_timestamp"]["open"]
                for said in all_rows
                if said["flucs_with_timestamp"]["open"]["fluc"]
            )
            seen.same(where, "openingFixedWinOdds", row["openingFixedWinOdds"], opening and opening["fluc"])
            seen.same(where, "openingAt", row["openingAt"], opening and text_of(instant(opening["timestamp"])))
            for column, value in scratching(runner, race.newest).items():
                seen.same(where, column, row[column], value)
    rare = {"barrierPosition": 50, "isEmergency": 50, "emergencyPosition": 3, "apprenticeIndicator": 100, "gear": 500,
            "runnerChange": 20, "scratchTime": 200, "winDeduction": 100, "placeDeduction": 100,
            "weightTotal": 1000, "weightAllocated": 1000}  # fmt: skip
    seen.check(dict.fromkeys([*SAME_OF_RUNNER, "openingFixedWinOdds", "openingAt", "isLateScratched"], 1500) | rare)


def scratching(runner: Json, capture: Capture) -> Json:
    """A runner withdrawn in the last hour is a late scratching; details go with the scratching itself."""
    if not runner["is_scratched"]:
        return {"isLateScratched": False, "scratchTime": None, "winDeduction": None, "placeDeduction": None}
    at, deduction = instant(runner["scr_time"]), runner.get("deduction") or {}
    late = bool(runner.get("is_late_scratched")) or capture.start - at <= timedelta(hours=1)
    return {
        "isLateScratched": late,
        "scratchTime": runner["scratch_time"],
        "winDeduction": deduction.get("win"),
        "placeDeduction": deduction.get("place"),
    }


def settled(race: CapturedRace) -> tuple[Capture, Json] | None:
    """The capture whose result counts, with every runner's prices then; a result never says less than before."""
    kept: tuple[Capture, Json] | None = None
    for capture, prices in zip(race.captures, race.prices(), strict=True):
        placings, dividends = capture.event.get("results") or [], capture.event.get("dividends") or []
        if not placings and not dividends:
            continue
        before = kept[0].event if kept else {}
        shrunk = len(placings) < len(before.get("results") or []) or (before.get("dividends") and not dividends)
        if not shrunk and (kept is None or outcome(capture) != outcome(kept[0])):
            kept = (capture, prices)
    return kept


def outcome(capture: Capture) -> list[Any]:
    fields = ("results", "dividends", "substitutions")
    return [capture.race["status"], capture.race.get("protest"), *(capture.event.get(name) or [] for name in fields)]


def shown_once(dividends: list[Json]) -> list[Json]:
    """A Final race lists every dividend as Interim and as Final: the Final row counts."""
    chosen: dict[str, Json] = {}
    for row in sorted(dividends, key=lambda row: row["status"] == "Final"):
        bet = json.dumps([row["tote"], row["product_name"], row["description"], row["positions"]])
        chosen[bet] = row | {"positions": row["positions"] or []}
    return sorted(chosen.values(), key=lambda row: row["id"])


def test_results(tables, feed):
    rows, seen, dead_heats = by_id(tables, "race_results"), Comparison(), 0
    for race in feed.polled:
        found = settled(race)
        if found is None:
            continue
        capture, prices = found
        row, where = rows[race.race_id], capture.file
        placings, dividends = capture.event.get("results") or [], capture.event.get("dividends") or []
        captured_placings = [
            {"winning_time": placing.pop("time_ran", None), "positional_margin": None} | placing
            for placing in map(dict, placings)
        ]
        seen.same(where, "resultsData", parsed(row["resultsData"]), captured_placings)
        stored_dividends = sorted(parsed(row["dividendsData"]), key=lambda dividend: dividend["id"])
        seen.same(where, "dividendsData", stored_dividends, shown_once(dividends))
        protest, status = bool(capture.race.get("protest")), capture.race["status"]
        firm = "final" if status == "Final" else "protest" if protest and status == "Interim" else "interim"
        seen.same(where, "resultStatus", row["resultStatus"], firm)
        seen.same(where, "resultTime", row["resultTime"], text_of(capture.at))
        seen.same(where, "protestLodged", bool(row["protestLodged"]), protest)
        seen.same(where, "protestReason", row["protestReason"], capture.race.get("protest_reason"))
        subs = list(dict.fromkeys(sub["entrant_id"] for sub in capture.event.get("substitutions") or []))
        seen.same(where, "substitutes", parsed(row["substitutes"]), subs)
        counts = (row["resultsAvailable"], row["placingCount"], row["dividendCount"])
        seen.same(where, "counts", counts, (int(bool(placings)), len(placings), len(shown_once(dividends))))
        fixed = {
            str(runner["runner_number"]): {
                "fixed_win": prices[runner["entrant_id"]]["fixed_win"],
                "fixed_place": prices[runner["entrant_id"]]["fixed_place"],
                "runner_name": runner["name"],
                "entrant_id": runner["entrant_id"],
            }
            for runner in capture.runners
        }
        seen.same(where, "fixedOddsData", parsed(row["fixedOddsData"]), fixed)
        dead_heats += len({placing["position"] for placing in placings}) < len(placings)
    seen.check({"resultsData": 130, "dividendsData": 80, "fixedOddsData": 130, "substitutes": 80, "resultStatus": 130})
    assert dead_heats >= 1
