"""What the benchmark's feed answers: modelled races of about twelve runners, shortly before their starts."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from raceday.domain.race import Race
from raceday.domain.racing_day import NZ
from raceday.nztab.responses import parse_event
from raceday.simulator.event_options import EventOptions
from raceday.simulator.feed import SimulatedFeed
from raceday.simulator.programme import plan_day

DAY = datetime(2026, 11, 21, 20, 0, tzinfo=UTC)
STEP_S = 30
SEEDS = 10
"""Modelled days to take races from, so that there are enough of an ordinary size."""


@dataclass(frozen=True, slots=True)
class TimedRace:
    """A race, and its responses of successive moments: instant, body, gzipped body."""

    race: Race
    runners: int
    moments: tuple[tuple[datetime, bytes, bytes], ...]


@dataclass(slots=True)
class _Shown:
    """The moment of the day that the feed shows."""

    at: datetime

    def now(self) -> datetime:
        return self.at


def timed_races(races: int, moments: int) -> list[TimedRace]:
    """Return races of 11 to 13 runners, each with its responses every 30 s up to a minute before its start."""
    chosen: list[TimedRace] = []
    shown = _Shown(DAY)
    for seed in range(1, SEEDS + 1):
        feed = SimulatedFeed(plan_day(DAY.astimezone(NZ).date(), seed), shown.now)
        for meeting in feed.programme.meetings:
            for planned in meeting.races if meeting.country in {"AUS", "NZ"} else ():
                if len(chosen) == races:
                    return chosen
                shown.at = DAY
                race, runners = _ordinary(feed, planned.race_id)
                if race is None:
                    continue
                taken = []
                for step in range(moments):
                    shown.at = race.advertised_start - timedelta(seconds=60 + STEP_S * (moments - 1 - step))
                    body = feed.event(race.race_id, _ASKED_FOR) or b""
                    taken.append((shown.at, body, gzip.compress(body, 6)))
                chosen.append(TimedRace(race, runners, tuple(taken)))
    raise AssertionError(f"{SEEDS} modelled days have fewer than {races} races of an ordinary size")


_ASKED_FOR = EventOptions(money_tracker=True, tote_trends=True, will_pays=True)


def _ordinary(feed: SimulatedFeed, race_id: str) -> tuple[Race | None, int]:
    body = feed.event(race_id, _ASKED_FOR)
    event = parse_event(body, feed.now()) if body is not None else None
    if event is None or not 11 <= len(event.entrants) <= 13:
        return None, 0
    return event.race, len(event.entrants)
