"""Feed responses for tests, written here: small, invented, in the feed's shape."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson

START_UNIX_S = 1_752_723_000
START = datetime.fromtimestamp(START_UNIX_S, UTC)
GENERATED = datetime(2025, 7, 17, 3, 20, 5, 123456, tzinfo=UTC)
RECEIVED = datetime(2025, 7, 17, 3, 20, 6, tzinfo=UTC)
RACE_ID = "0a000000-0000-4000-8000-000000000001"
MEETING_ID = "0b000000-0000-4000-8000-000000000001"


def runner_id(number: int) -> str:
    return f"0c000000-0000-4000-8000-{number:012d}"


def runner(number: int, **changed: Any) -> dict[str, Any]:
    """A runner of the feed; a keyword set to `...` takes the field away."""
    plain: dict[str, Any] = {
        "entrant_id": runner_id(number),
        "name": f"Runner {number}",
        "runner_number": number,
        "barrier": number,
        "is_scratched": False,
        "scratch_time": 0,
        "scr_time": None,
        "odds": {"fixed_win": 5, "fixed_place": 1.8, "pool_win": 5.2, "pool_place": 2},
        "flucs_with_timestamp": {
            "last_six": [],
            **{name: {"timestamp": "0001-01-01T00:00:00Z", "fluc": 0} for name in ("open", "high", "low", "nine_am")},
        },
        "favourite": False,
        "mover": False,
        "jockey": "A Rider",
        "apprentice_indicator": "",
        "trainer_name": "A Trainer",
        "trainer_location": "Somewhere",
        "weight": {"allocated": "57", "total": "57"},
        "age": 4,
        "sex": "G",
        "colour": "b",
        "gear": "",
        "last_twenty_starts": "12x34",
        "silk_colours": "Red, white cap",
        "silk_url_64x64": "https://silks.example/64.png",
        "silk_url_128x128": "https://silks.example/128.png",
    }
    return _changed(plain, changed)


def race(**changed: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "event_id": RACE_ID,
        "meeting_id": MEETING_ID,
        "description": "A HANDICAP",
        "status": "Open",
        "advertised_start": START_UNIX_S,
        "actual_start": START_UNIX_S,
        "race_date_nz": "2025-07-17",
        "start_time_nz": "15:30:00 NZST",
        "race_number": 3,
        "type": "T",
        "start_type": "",
        "distance": 1400,
        "weather": "FINE",
        "comment": "",
        "track_condition": "Good4",
        "track_direction": "Left",
        "rail_position": "True",
        "group": "",
        "prize_monies": {"1st": 9000, "total_value": 15000},
        "entrant_count": 3,
        "field_size": 3,
        "positions_paid": 2,
        "silk_url": "https://silks.example/sheet.png",
        "silk_base_url": "silks.example",
        "video_channels": ["Trackside1"],
    }
    return _changed(plain, changed)


def event(
    runners: int | list[Any] = 3, *, race_changes: dict[str, Any] | None = None, **changed: Any
) -> dict[str, Any]:
    """A whole event response; keywords replace parts of `data`."""
    listed = [runner(number) for number in range(1, runners + 1)] if isinstance(runners, int) else runners
    data = {
        "race": race(**(race_changes or {})),
        "runners": listed,
        "money_tracker": None,
        "tote_pools": [pool("Win", 1000.5), pool("Place", 300)],
        "error": "",
    }
    return {"header": {"generated_time": "2025-07-17T03:20:05.123456789Z"}, "data": _changed(data, changed)}


def pool(product: str, total: float, **changed: Any) -> dict[str, Any]:
    return _changed({"product_type": product, "total": total, "status": "OPEN", "jackpot": 0, "guarantee": 0}, changed)


def meeting(number: int, races: int = 2) -> dict[str, Any]:
    return {
        "meeting": f"0d000000-0000-4000-8000-{number:012d}",
        "name": f"Course {number}",
        "date": "2025-07-17T00:00:00Z",
        "category": "T",
        "category_name": "Thoroughbred Horse Racing",
        "country": "AUS",
        "state": "NSW",
        "track_condition": "Good",
        "races": [
            {
                "id": f"0e000000-0000-4000-8000-{number:06d}{race_number:06d}",
                "race_number": race_number,
                "name": f"Race {race_number}",
                "start_time": "2025-07-17T03:30:00Z",
                "distance": 1200,
                "status": "Open",
            }
            for race_number in range(1, races + 1)
        ],
    }


def meetings(listed: list[dict[str, Any]], **echo: Any) -> dict[str, Any]:
    return {"header": {"generated_time": "2025-07-17T03:20:05Z"}, "params": echo, "data": {"meetings": listed}}


def encoded(response: Any) -> bytes:
    return orjson.dumps(response)


def _changed(plain: dict[str, Any], changed: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in (plain | changed).items() if value is not ...}
