"""Captured responses as plain JSON, race by race, and what a column must hold after all of them.

Written from the description of the feed alone: nothing here asks the product how it maps or derives.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

NZ = ZoneInfo("Pacific/Auckland")
STARTED = {"Closed", "Interim", "Final"}
PRICES = {
    "fixed_win": "fixedWinOdds",
    "fixed_place": "fixedPlaceOdds",
    "pool_win": "poolWinOdds",
    "pool_place": "poolPlaceOdds",
}
Json = dict[str, Any]


@dataclass(frozen=True)
class Capture:
    """One captured event: when the feed made it, and its `data`."""

    file: str
    at: datetime
    event: Json

    @property
    def race(self) -> Json:
        return self.event["race"]

    @property
    def start(self) -> datetime:
        return datetime.fromtimestamp(self.race["advertised_start"], UTC)

    @property
    def runners(self) -> list[Json]:
        return self.event["runners"]

    @property
    def minutes_to_start(self) -> int:
        return math.floor((self.start - self.at).total_seconds() / 60 + 0.5)


@dataclass
class CapturedRace:
    """Every capture of one race, oldest first, and its entry in a captured meeting list, if one has it."""

    race_id: str
    captures: list[Capture] = field(default_factory=list)
    listed: Json | None = None
    listed_in: Json | None = None

    @property
    def newest(self) -> Capture:
        return self.captures[-1]

    @property
    def times(self) -> set[str]:
        return {text_of(capture.at) for capture in self.captures}

    def statuses(self) -> list[str]:
        """The race's status after each capture: an abandoned race stays so while its event says Open."""
        known = self.listed["status"] if self.listed else ""
        after = []
        for capture in self.captures:
            said = capture.race["status"]
            known = known if (known, said) == ("Abandoned", "Open") else said
            after.append(known)
        return after

    def prices(self) -> list[dict[str, dict[str, float | None]]]:
        """Each runner's four stored prices after each capture."""
        after: list[dict[str, dict[str, float | None]]] = []
        for capture in self.captures:
            before = after[-1] if after else {}
            after.append(
                {
                    runner["entrant_id"]: {kind: _price(runner, kind, before) for kind in PRICES}
                    for runner in capture.runners
                }
            )
        return after

    def last_said(self, value: Callable[[Capture], Any]) -> Any:
        """The newest value that a capture gives; None when none of them says anything."""
        return said_last(value(capture) for capture in self.captures)


def said_last(values: Iterable[Any]) -> Any:
    """The last value that says something: neither absent, nor null, nor empty."""
    return next((value for value in reversed(list(values)) if value not in (None, "", [], {})), None)


def _price(runner: Json, kind: str, before: dict[str, dict[str, float | None]]) -> float | None:
    """Zero is no price; a missing price keeps the last one, but a scratched runner has no tote price."""
    quoted = runner["odds"].get(kind)
    if quoted is None and not (kind.startswith("pool") and runner["is_scratched"]):
        return before.get(runner["entrant_id"], {}).get(kind)
    return quoted or None


@dataclass(frozen=True)
class Captured:
    """All captured events by race, and all captured meetings by id in their newest version."""

    races: dict[str, CapturedRace]
    meetings: dict[str, Json]

    @property
    def polled(self) -> list[CapturedRace]:
        """The races of which there is an event."""
        return [race for race in self.races.values() if race.captures]


@lru_cache(maxsize=1)
def captured(corpus: Path) -> Captured:
    """Read a folder of captured responses; futures and formats of other services are none of ours."""
    races: dict[str, CapturedRace] = {}
    lists: list[tuple[str, Json]] = []
    for file in sorted(corpus.rglob("*.json")):
        answer = json.loads(file.read_bytes())
        data = answer.get("data") if isinstance(answer, dict) else None
        if isinstance(answer, list):
            lists += [("", meeting) for meeting in answer]
        elif isinstance(data, dict) and "runners" in data:
            capture = Capture(str(file.relative_to(corpus)), instant(answer["header"]["generated_time"]), data)
            race_id = data["race"]["event_id"]
            races.setdefault(race_id, CapturedRace(race_id)).captures.append(capture)
        elif isinstance(data, dict) and "meetings" in data and not answer.get("params", {}).get("futures"):
            made_at = answer.get("header", {}).get("generated_time", "")
            lists += [(made_at, meeting) for meeting in data["meetings"]]
    for race in races.values():
        race.captures.sort(key=lambda capture: capture.at)
    meetings: dict[str, Json] = {}
    for _, meeting in sorted(lists, key=lambda pair: pair[0]):
        meetings[meeting["meeting"]] = meeting
        for listed in meeting["races"]:
            race = races.setdefault(listed["id"], CapturedRace(listed["id"]))
            race.listed, race.listed_in = listed, meeting
    return Captured(races, meetings)


def instant(text: str) -> datetime:
    """RFC 3339 by hand: whatever the number of fractional digits, the first six count."""
    whole, _, fraction = text.removesuffix("Z").partition(".")
    return datetime.fromisoformat(whole).replace(tzinfo=UTC, microsecond=int(fraction[:6].ljust(6, "0")))


def text_of(at: datetime) -> str:
    """An instant as the tables write it: UTC, cut to milliseconds."""
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}+00:00"


def unix_text(seconds: int) -> str:
    return text_of(datetime.fromtimestamp(seconds, UTC))


def cents(dollars: float) -> int:
    """Whole cents; the feed never has parts of a cent."""
    exact = Decimal(str(dollars)) * 100
    assert exact == int(exact), f"{dollars} has parts of a cent"
    return int(exact)


def fluctuations(runner: Json) -> set[tuple[datetime, float]]:
    """The points of the feed's own record of the fixed win price; a point without a price is unset."""
    history = runner["flucs_with_timestamp"]
    listed = [*history["last_six"], *(history[name] for name in ("open", "high", "low", "nine_am"))]
    return {(instant(point["timestamp"]), float(point["fluc"])) for point in listed if point["fluc"]}


@dataclass
class Comparison:
    """Stored values beside expected ones: what differs, and how many of each column really said something."""

    compared: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def same(self, where: str, column: str, stored: Any, expected: Any) -> None:
        self.compared[column] += expected not in (None, "", [], {})
        if stored != expected:
            self.wrong.append(f"{where}: {column} is {stored!r}, captured was {expected!r}")

    def check(self, fewest: dict[str, int]) -> None:
        """Nothing may differ, and every column must have been compared at least as often as is said."""
        assert not self.wrong, f"{len(self.wrong)} differ, the first: " + "\n".join(self.wrong[:10])
        missed = {column: (self.compared[column], few) for column, few in fewest.items() if self.compared[column] < few}
        assert not missed, f"too few compared (compared, at least): {missed}"


def runners_of(race: CapturedRace) -> Iterator[tuple[str, Json, list[Json]]]:
    """Each runner of a race: a name for messages, its newest row, and all its rows, oldest first."""
    for runner in race.newest.runners:
        rows = [
            row for capture in race.captures for row in capture.runners if row["entrant_id"] == runner["entrant_id"]
        ]
        yield f"{race.newest.file} {runner['name']}", runner, rows
