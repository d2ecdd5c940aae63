"""The programme of one modelled racing day: meetings and races with their fixed course."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from raceday.simulator.abandonment import call_off
from raceday.simulator.card_shape import day_shape
from raceday.simulator.chance import generator, uuid_of
from raceday.simulator.invented_names import FOREIGN_TRACKS, NZ_TRACKS, TRACKS, race_name
from raceday.simulator.race_script import RaceScript, plan_script
from raceday.simulator.wire import NEW_ZEALAND

if TYPE_CHECKING:
    from datetime import date
    from random import Random

    from raceday.simulator.card_shape import CardShape

_DISTANCES_M = {
    "T": (1000, 1100, 1200, 1200, 1300, 1400, 1400, 1600, 1700, 2000, 2200, 2400),
    "H": (1609, 1730, 2040, 2090, 2138, 2180, 2400, 2600),
    "G": (297, 390, 457, 520, 595),
}
_CONDITIONS = {"T": ("Good4", "Good3", "Soft5", "Soft6", "Heavy8", "Synthetic"), "H": ("Good", "Fast"), "G": ("Good",)}
_WEATHERS = ("FINE", "Fine", "Overcast", "OCAST", "SHWRY", "showers", "")


@dataclass(frozen=True, slots=True)
class PlannedRace:
    """One race as it is printed in the programme, with what will happen to it."""

    race_id: str
    number: int
    name: str
    distance_m: int
    weather: str
    start_type: str
    script: RaceScript


@dataclass(frozen=True, slots=True)
class PlannedMeeting:
    """One meeting; the tote covers it when it has a tote meeting number."""

    meeting_id: str
    name: str
    racing_date: date
    category: str
    country: str
    state: str
    track_condition: str
    tote_meeting_number: int
    races: tuple[PlannedRace, ...]

    @property
    def is_imported(self) -> bool:
        """Whether an importer of AU/NZ thoroughbreds and harness takes this meeting."""
        return self.country in {"AUS", "NZ"} and self.category in {"T", "H"}


@dataclass(frozen=True, slots=True)
class DayProgramme:
    """A whole day; everything that the feed says follows from it and the time."""

    racing_date: date
    seed: int
    saturday: bool
    meetings: tuple[PlannedMeeting, ...]

    def imported_races(self) -> list[PlannedRace]:
        """Return the races of AU/NZ thoroughbred and harness meetings."""
        return [race for meeting in self.meetings if meeting.is_imported for race in meeting.races]

    def last_moment(self) -> datetime:
        """Return the first instant at which every imported race is Final or Abandoned."""
        return datetime.fromtimestamp(
            max(race.script.abandoned_s or race.script.final_s for race in self.imported_races()), UTC
        )


def plan_day(racing_date: date, seed: int = 1, saturday: bool = False) -> DayProgramme:
    """Plan a day: about 96 AU/NZ gallops and harness races, or about 209 with `saturday`.

    Pure: the same arguments give the same day, down to the UUIDs.
    """
    shapes = day_shape(saturday=saturday)
    names = _track_names(seed, shapes)
    starts = [_starts_s(generator(seed, racing_date, place, "starts"), shape, racing_date)
              for place, shape in enumerate(shapes)]  # fmt: skip
    cards = [_scripts(seed, _meeting_id(seed, racing_date, place), shape, starts[place])
             for place, shape in enumerate(shapes)]  # fmt: skip
    codes = [shape.category if shape.country in {"AUS", "NZ"} else "" for shape in shapes]
    scripts = call_off(seed, list(zip(codes, cards, strict=True)))
    meetings = [_meeting(seed, racing_date, place, shape, names[place], scripts[place])
                for place, shape in enumerate(shapes)]  # fmt: skip
    meetings.sort(key=lambda meeting: meeting.races[0].script.first_start_s)
    return DayProgramme(racing_date, seed, saturday, tuple(meetings))


def _meeting_id(seed: int, racing_date: date, place: int) -> str:
    return uuid_of(seed, racing_date, "meeting", place)


def _race_id(meeting_id: str, number: int) -> str:
    return uuid_of(meeting_id, "race", number)


def _starts_s(rng: Random, shape: CardShape, racing_date: date) -> list[int]:
    """Return the advertised starts of a card, whole minutes, a little irregular."""
    midnight = datetime.combine(racing_date, time(), NEW_ZEALAND).astimezone(UTC)
    start = midnight + timedelta(minutes=shape.first_start_min + rng.randint(-8, 8))
    starts = []
    for _ in range(shape.races):
        starts.append(int(start.timestamp()))
        start += timedelta(minutes=shape.gap_min + rng.randint(-3, 3))
    return starts


def _scripts(seed: int, meeting_id: str, shape: CardShape, starts_s: list[int]) -> list[RaceScript]:
    return [
        plan_script(seed, _race_id(meeting_id, number), shape.category, start_s, shape.gap_min * 60)
        for number, start_s in enumerate(starts_s, start=1)
    ]


def _track_names(seed: int, shapes: tuple[CardShape, ...]) -> list[str]:
    """Return a different invented track for every card."""
    rng = generator(seed, "tracks")
    pools = {"AUS": list(TRACKS), "NZ": list(NZ_TRACKS)} | {land: list(t) for land, t in FOREIGN_TRACKS.items()}
    for pool in pools.values():
        rng.shuffle(pool)
    return [pools[shape.country].pop() for shape in shapes]


def _meeting(
    seed: int, racing_date: date, place: int, shape: CardShape, track: str, scripts: list[RaceScript]
) -> PlannedMeeting:
    meeting_id = _meeting_id(seed, racing_date, place)
    rng = generator(seed, meeting_id, "meeting")
    return PlannedMeeting(
        meeting_id=meeting_id,
        name=f"{track} (G)" if shape.category == "G" else track,
        racing_date=racing_date,
        category=shape.category,
        country=shape.country,
        state=shape.state,
        track_condition=rng.choice(_CONDITIONS[shape.category]),
        tote_meeting_number=place + 3,
        races=tuple(_race(rng, meeting_id, number, shape, script) for number, script in enumerate(scripts, start=1)),
    )


def _race(rng: Random, meeting_id: str, number: int, shape: CardShape, script: RaceScript) -> PlannedRace:
    return PlannedRace(
        race_id=_race_id(meeting_id, number),
        number=number,
        name=race_name(rng, shape.category),
        distance_m=rng.choice(_DISTANCES_M[shape.category]),
        weather=rng.choice(_WEATHERS),
        start_type=rng.choice(("Mobile", "Mobile", "Mobile", "Standing")) if shape.category == "H" else "",
        script=script,
    )
