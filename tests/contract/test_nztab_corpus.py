"""Every captured response, mapped and compared field by field with its own JSON."""

from __future__ import annotations

import functools
import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from raceday.domain.race_poll import RaceEvent
from raceday.nztab.responses import parse_event, parse_meetings, parse_races

pytestmark = pytest.mark.corpus

RECEIVED = datetime(2030, 1, 1, tzinfo=UTC)
Pair = tuple[str, dict[str, Any], RaceEvent]


@functools.lru_cache(maxsize=1)
def mapped_events(corpus: Path) -> tuple[Pair, ...]:
    """Every captured event: its file, its JSON as it came, and what it was mapped to."""
    pairs = []
    for file in sorted(corpus.rglob("*.json")):
        body = file.read_bytes()
        raw = json.loads(body, parse_float=Decimal)
        if isinstance(raw, dict) and "race" in (raw.get("data") or {}):
            pairs.append((str(file.relative_to(corpus)), raw, parse_event(body, RECEIVED)))
    return tuple(pairs)


@pytest.fixture(scope="module")
def events(corpus: Path) -> tuple[Pair, ...]:
    return mapped_events(corpus)


def rows(raw: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return raw["data"].get(name) or []


def instant(text: str) -> datetime:
    """RFC 3339 by hand: the first six digits of the fraction."""
    whole, _, fraction = text.removesuffix("Z").partition(".")
    return datetime.fromisoformat(whole).replace(tzinfo=UTC, microsecond=int(fraction[:6].ljust(6, "0")))


def runner_pairs(events: tuple[Pair, ...]) -> Iterator[tuple[str, dict[str, Any], Any]]:
    for file, raw, event in events:
        listed = rows(raw, "runners")
        assert len(listed) == len(event.entrants), file
        for runner, entrant in zip(listed, event.entrants, strict=True):
            yield f"{file} {runner['name']}", runner, entrant


def test_every_event_maps_without_drift(events: tuple[Pair, ...]) -> None:
    assert len(events) >= 300
    assert {file: dict(event.drift) for file, _, event in events if event.drift} == {}
    assert [file for file, _, event in events if event.duplicates] == []


def test_the_race(events: tuple[Pair, ...]) -> None:
    same = {
        "race_id": "event_id",
        "meeting_id": "meeting_id",
        "race_number": "race_number",
        "name": "description",
        "distance_m": "distance",
        "track_condition": "track_condition",
        "track_surface": "track_surface",
        "track_direction": "track_direction",
        "rail_position": "rail_position",
        "weather": "weather",
        "category": "type",
        "start_type": "start_type",
        "race_group": "group",
        "race_class": "class",
        "comment": "comment",
        "entrant_count": "entrant_count",
        "field_size": "field_size",
        "positions_paid": "positions_paid",
        "silk_url": "silk_url",
        "silk_base_url": "silk_base_url",
        "protest_lodged": "protest",
        "protest_reason": "protest_reason",
    }
    for file, raw, event in events:
        race = raw["data"]["race"]
        for attribute, field in same.items():
            stored, captured = getattr(event.race, attribute), race.get(field)
            assert stored == (None if captured == "" else captured), f"{file}: {field}"
        assert event.race.status is not None
        assert event.race.status.value == race["status"], file
        assert list(event.race.video_channels) == (race.get("video_channels") or []), file
        assert event.race.prize_money_dollars == (race["prize_monies"] or {}).get("total_value"), file


def test_the_times(events: tuple[Pair, ...]) -> None:
    nz = ZoneInfo("Pacific/Auckland")
    for file, raw, event in events:
        race = raw["data"]["race"]
        advertised = datetime.fromisoformat(race["advertised_start_string"].removesuffix(" UTC"))
        actual = datetime.fromisoformat(race["actual_start_string"].removesuffix(" UTC"))
        assert event.race.advertised_start == advertised, file
        jumped = race["status"] in {"Closed", "Interim", "Final"} or actual != advertised
        assert event.race.actual_start == (actual if jumped else None), file
        local = advertised.astimezone(nz)
        assert event.race.race_date_nz.isoformat() == race.get("race_date_nz", local.date().isoformat()), file
        assert event.race.start_time_nz == race.get("start_time_nz", f"{local:%H:%M:%S} {local.tzname()}"), file
        assert event.generated_at == instant(raw["header"]["generated_time"]), file
        assert event.generated_at.tzinfo is UTC


def test_the_nz_date_and_clock_that_we_compute_are_those_the_feed_sends(events: tuple[Pair, ...]) -> None:
    """The computed fallback agrees with every captured response that carries the fields."""
    checked = 0
    for file, raw, event in events:
        race = raw["data"]["race"]
        if "start_time_nz" not in race:
            continue
        stripped = {**race, "race_date_nz": None, "start_time_nz": ""}
        body = json.dumps({**raw, "data": {**raw["data"], "race": stripped}}, default=float).encode()
        again = parse_event(body, RECEIVED).race
        assert (again.race_date_nz, again.start_time_nz) == (event.race.race_date_nz, event.race.start_time_nz), file
        checked += 1
    assert checked >= 30


def test_the_runners(events: tuple[Pair, ...]) -> None:
    same = {
        "entrant_id": "entrant_id",
        "name": "name",
        "runner_number": "runner_number",
        "barrier": "barrier",
        "barrier_position": "barrier_position",
        "is_scratched": "is_scratched",
        "favourite": "favourite",
        "mover": "mover",
        "is_emergency": "is_emergency",
        "emergency_position": "emergency_position",
        "jockey": "jockey",
        "trainer_name": "trainer_name",
        "trainer_location": "trainer_location",
        "age": "age",
        "sex": "sex",
        "colour": "colour",
        "gear": "gear",
        "last_twenty_starts": "last_twenty_starts",
        "apprentice_indicator": "apprentice_indicator",
        "silk_colours": "silk_colours",
        "silk_url_64": "silk_url_64x64",
        "silk_url_128": "silk_url_128x128",
    }
    compared = 0
    for where, runner, entrant in runner_pairs(events):
        for attribute, field in same.items():
            captured = runner.get(field)
            assert getattr(entrant, attribute) == (None if captured == "" else captured), f"{where}: {field}"
        assert entrant.weight_total == (runner["weight"]["total"] or None), where
        assert entrant.weight_allocated == (runner["weight"]["allocated"] or None), where
        change = runner.get("runner_change")
        assert (json.loads(entrant.runner_change) if entrant.runner_change else None) == (change or None), where
        compared += 1
    assert compared > 3000


def test_the_odds(events: tuple[Pair, ...]) -> None:
    for where, runner, entrant in runner_pairs(events):
        for kind in ("fixed_win", "fixed_place", "pool_win", "pool_place"):
            quoted = runner["odds"].get(kind, 0)
            assert getattr(entrant.odds, kind) == (float(quoted) if quoted else None), f"{where}: {kind}"


def test_the_price_histories(events: tuple[Pair, ...]) -> None:
    with_opening = 0
    for where, runner, entrant in runner_pairs(events):
        history = runner["flucs_with_timestamp"]
        listed = [*history["last_six"], *(history[name] for name in ("open", "high", "low", "nine_am"))]
        known = {(instant(point["timestamp"]), float(point["fluc"])) for point in listed if point["fluc"]}
        assert [(point.at, point.odds) for point in entrant.price_history] == sorted(known), where
        opening = (entrant.opening.at, entrant.opening.odds) if entrant.opening else None
        first = history["open"]
        assert opening == ((instant(first["timestamp"]), float(first["fluc"])) if first["fluc"] else None), where
        with_opening += opening is not None
    assert with_opening > 2500


def test_the_scratchings(events: tuple[Pair, ...]) -> None:
    scratched = 0
    for file, raw, event in events:
        start = datetime.fromtimestamp(raw["data"]["race"]["advertised_start"], UTC)
        for runner, entrant in zip(rows(raw, "runners"), event.entrants, strict=True):
            where = f"{file} {runner['name']}"
            assert (entrant.scratching is not None) is runner["is_scratched"], where
            if entrant.scratching is None:
                continue
            scratched += 1
            at = instant(runner["scr_time"])
            assert entrant.scratching.at == at, where
            late = bool(runner.get("is_late_scratched")) or start - at <= timedelta(hours=1)
            assert entrant.scratching.late is late, where
            deduction = {name: float(cut) for name, cut in (runner.get("deduction") or {}).items()}
            assert entrant.scratching.win_deduction == deduction.get("win"), where
            assert entrant.scratching.place_deduction == deduction.get("place"), where
    assert scratched > 300


OWN_POOLS = {
    "Win": "win_cents",
    "Place": "place_cents",
    "Quinella": "quinella_cents",
    "Trifecta": "trifecta_cents",
    "FirstFour": "first4_cents",
}


def test_the_pools_in_cents(events: tuple[Pair, ...]) -> None:
    with_pools = 0
    for file, raw, event in events:
        listed = rows(raw, "tote_pools")
        assert (event.pools is not None) is bool(listed), file
        if event.pools is None:
            continue
        with_pools += 1
        own, others = 0, []
        for pool in listed:
            exact = Decimal(pool["total"]) * 100
            assert exact == int(exact), f"{file}: {pool['product_type']} has parts of a cent"
            if pool["product_type"] in OWN_POOLS:
                assert getattr(event.pools, OWN_POOLS[pool["product_type"]]) == int(exact), file
                own += int(exact)
            else:
                others.append((pool["product_type"], int(exact), pool["status"]))
        assert event.pools.race_total_cents == own, file
        assert [(pool.product, pool.total_cents, pool.status) for pool in event.pools.multi_leg] == others, file
        assert event.pools.unknown == (), file
    assert with_pools >= 30


def test_the_money_tracker(events: tuple[Pair, ...]) -> None:
    tracked = 0
    for file, raw, event in events:
        tracker = raw["data"].get("money_tracker")
        assert (event.holds is not None) is bool(tracker), file
        if event.holds is None:
            continue
        tracked += 1
        ours = {runner["entrant_id"] for runner in rows(raw, "runners")}
        sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        for row in tracker["entrants"]:
            sums[row["entrant_id"]][0] += row["hold_percentage"]
            sums[row["entrant_id"]][1] += row["bet_percentage"]
        kept = {id_: [hold.hold_pct, hold.bet_pct] for id_, hold in event.holds.items()}
        assert kept == {id_: shares for id_, shares in sums.items() if id_ in ours}, file
        assert event.foreign_tracker_ids == len(sums.keys() - ours), file
    assert tracked >= 1


def test_the_results(events: tuple[Pair, ...]) -> None:
    with_placings = 0
    for file, raw, event in events:
        placings, dividends = rows(raw, "results"), rows(raw, "dividends")
        assert (event.result is not None) is bool(placings or dividends), file
        if event.result is None:
            continue
        with_placings += bool(placings)
        kept = [
            (
                placing.position,
                placing.runner_number,
                placing.entrant_id,
                placing.name,
                placing.barrier,
                placing.margin_lengths,
                placing.positional_margin,
                placing.winning_time_s,
            )
            for placing in event.result.placings
        ]
        captured = [
            (
                row["position"],
                row["runner_number"],
                row["entrant_id"],
                row["name"],
                row["barrier"],
                float(row["margin_length"]),
                row.get("positional_margin"),
                float(row["winning_time"]) if "winning_time" in row else None,
            )
            for row in placings
        ]
        assert kept == captured, file
        protest = bool(raw["data"]["race"].get("protest"))
        status = raw["data"]["race"]["status"]
        firm = "final" if status == "Final" else "protest" if protest and status == "Interim" else "interim"
        assert (event.result.status.value, event.result.protest_lodged) == (firm, protest), file
        substitutes = [row["entrant_id"] for row in rows(raw, "substitutions")]
        assert list(event.result.substitutes) == sorted(set(substitutes), key=substitutes.index), file
    assert with_placings > 100


def test_the_dividends(events: tuple[Pair, ...]) -> None:
    compared = 0
    for file, raw, event in events:
        kept = [
            (
                row.dividend_id,
                row.tote,
                row.product_name,
                row.status,
                row.dividend,
                row.pool_size,
                row.jackpot_size,
                row.description,
                list(row.positions),
            )
            for row in (event.result.dividends if event.result else ())
        ]
        captured = [
            (
                row["id"],
                row["tote"],
                row["product_name"],
                row["status"],
                float(row["dividend"]),
                float(row["pool_size"]),
                float(row["jackpot_size"]),
                row["description"],
                [(place["runner_number"], place["position"]) for place in row["positions"] or []],
            )
            for row in rows(raw, "dividends")
        ]
        assert kept == captured, file
        compared += len(kept)
    assert compared > 2000


@pytest.mark.parametrize("file", ["meetings_list_2025-07-17_half_A", "meeting_by_id_grafton_2025-07-17"])
def test_the_meetings(corpus: Path, file: str) -> None:
    body = (corpus / "nztab" / f"{file}.json").read_bytes()
    raw = json.loads(body)
    page = parse_meetings(body, RECEIVED)

    assert page.drift == {}
    assert page.rows == len(raw["data"]["meetings"]) == len(page.programme)
    for listed, (meeting, races) in zip(raw["data"]["meetings"], page.programme, strict=True):
        same = {"meeting_id": "meeting", "name": "name", "country": "country", "category": "category",
                "category_name": "category_name", "state": "state", "track_condition": "track_condition",
                "tote_status": "tote_status", "tote_meeting_number": "tote_meeting_number"}  # fmt: skip
        for attribute, field in same.items():
            captured = listed.get(field)
            assert getattr(meeting, attribute) == (None if captured == "" else captured), f"{listed['name']}: {field}"
        assert f"{meeting.meeting_date}T00:00:00Z" == listed["date"]
        assert meeting.generated_at == instant(raw["header"]["generated_time"])
        lists = {"video_channels": "video_channels", "quaddie": "quaddie", "early_quaddie": "early_quaddie",
                 "tote_running_doubles": "tote_running_double", "tote_trebles": "tote_treble"}  # fmt: skip
        for attribute, field in lists.items():
            assert json.loads(json.dumps(getattr(meeting, attribute))) == listed.get(field, []), listed["name"]
        assert_races(listed, races)


def assert_races(listed: dict[str, Any], races: list[Any]) -> None:
    nz = ZoneInfo("Pacific/Auckland")
    for raw, race in zip(listed["races"], races, strict=True):
        same = {"race_id": "id", "race_number": "race_number", "name": "name", "status": "status",
                "distance_m": "distance", "track_condition": "track_condition", "weather": "weather",
                "tote_start_time": "tote_start_time", "protest_lodged": "protest",
                "protest_reason": "protest_reason"}  # fmt: skip
        for attribute, field in same.items():
            captured = raw.get(field)
            assert getattr(race, attribute) == (None if captured == "" else captured), f"{listed['name']}: {field}"
        assert race.meeting_id == listed["meeting"]
        assert race.category == listed["category"]
        assert race.advertised_start == instant(raw["start_time"])
        local = race.advertised_start.astimezone(nz)
        assert (race.race_date_nz, race.start_time_nz) == (local.date(), f"{local:%H:%M:%S} {local.tzname()}")


def test_the_flat_list_of_races(corpus: Path) -> None:
    body = (corpus / "nztab" / "races_list_2025-07-17_page1.json").read_bytes()
    raw = json.loads(body)["data"]
    page = parse_races(body)

    assert page.next_page_token == raw["next_page_token"]
    for listed, race in zip(raw["races"], page.races, strict=True):
        assert (race.race_id, race.meeting_id) == (listed["id"], listed["meeting_id"])
        assert (race.name, race.race_number) == (listed["name"], listed.get("number", 0))
        assert race.advertised_start == instant(listed["advertised_start"])
        actual = instant(listed["actual_start"])
        assert race.actual_start == (actual if actual != race.advertised_start else None)
