"""What a replay does when: the captures of a folder as steps in the order of time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from raceday.jobs.refresh_meetings import REFRESH_MINUTES
from raceday.simulator.captured_meetings import BEFORE_ALL
from raceday.simulator.replay import Capture, CapturedFeed


@dataclass(frozen=True, slots=True)
class Step:
    """Something to do at one time: import a day, read its list again, or poll the race of a capture."""

    at: datetime
    day: date | None = None
    again: bool = False
    event_id: str = ""
    path: Path = Path()


def steps_of(feed: CapturedFeed) -> list[Step]:
    """Return what to do, in the order of time; at the same time days come before the races in them.

    What has no time of its own comes at the beginning.
    """
    first_captured = feed.first_captured()
    captures = captures_of(feed)
    moments = [*(at for at, _ in feed.book.captured_at()), *(made.generated_at for _, made in captures)]
    begins = min((at for at in moments if at > BEFORE_ALL), default=feed.now())
    steps = [Step(max(at, begins), day) for day, at in first_captured.items()]
    steps += [Step(at, day, again=True) for at, day in _list_readings(feed) if at > max(first_captured[day], begins)]
    steps += [Step(max(made.generated_at, begins), None, False, event_id, made.path) for event_id, made in captures]
    return sorted(steps, key=lambda step: step.at)


def captures_of(feed: CapturedFeed) -> list[tuple[str, Capture]]:
    """Return every capture with the id of its event."""
    return [(event_id, capture) for event_id in feed.event_ids() for capture in feed.captures(event_id)]


def _list_readings(feed: CapturedFeed) -> list[tuple[datetime, date]]:
    """Return when to read a day's meetings again: as on a live day, at most once in ten minutes.

    The list alone knows of every abandonment, also of races that were captured before it.
    """
    newest = {
        (day, int(made_at.timestamp()) // (60 * REFRESH_MINUTES)): made_at
        for made_at, day in feed.book.captured_at()
        if made_at > BEFORE_ALL
    }
    return sorted((made_at, day) for (day, _), made_at in newest.items())
