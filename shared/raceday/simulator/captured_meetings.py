"""The meetings of a replay: the union of all captured lists, completed from the events where no list has them."""

from __future__ import annotations

from bisect import insort
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from dateutil.parser import isoparse

from raceday.simulator.meeting_body import CATEGORY_NAMES, notional_time
from raceday.simulator.wire import SYDNEY, instant, second_stamp

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from raceday.simulator.recognition import CapturedEvent, CapturedMeetings, Json

BEFORE_ALL = datetime.min.replace(tzinfo=UTC)
"""The moment of a capture that does not say when it was made."""
Version = TypeVar("Version")
Versions = list[tuple[datetime, Mapping[str, Any]]]
"""What was captured of one thing, oldest first."""


def moment_of(stamp: str) -> datetime:
    """Return a `generated_time` (up to nine digits of fraction) to the microsecond, BEFORE_ALL if it is unreadable."""
    try:
        return isoparse(stamp).astimezone(UTC)
    except ValueError:
        return BEFORE_ALL


@dataclass(slots=True)
class MeetingBook:
    """Every captured version of every meeting, and the races that only events know."""

    versions: dict[str, Versions] = field(default_factory=dict)
    races_of_events: dict[str, dict[str, Versions]] = field(default_factory=dict)
    synthesised_meetings: list[str] = field(default_factory=list)
    synthesised_races: list[str] = field(default_factory=list)

    def add(self, captured: CapturedMeetings) -> None:
        """Take in a captured list or single meeting."""
        made_at = moment_of(captured.generated_time)
        for meeting in captured.meetings:
            insort(self.versions.setdefault(meeting["meeting"], []), (made_at, meeting), key=_made_at)

    def complete(self, events: Sequence[CapturedEvent]) -> None:
        """Make up a meeting or a race for every event that no list knows, noting which were made up."""
        listed = {race.get("id") for versions in self.versions.values() for _, m in versions for race in m["races"]}
        for event in events:
            meeting_id = event.race.get("meeting_id")
            if event.event_id in listed or not isinstance(meeting_id, str):
                continue
            if meeting_id not in self.versions:
                self.versions[meeting_id] = [(moment_of(event.generated_time), _meeting_from(event.race))]
                self.synthesised_meetings.append(meeting_id)
            of_meeting = self.races_of_events.setdefault(meeting_id, {})
            if event.event_id not in of_meeting:
                self.synthesised_races.append(event.event_id)
            captures = of_meeting.setdefault(event.event_id, [])
            insort(captures, (moment_of(event.generated_time), event.race), key=_made_at)

    def as_of(self, moment: datetime) -> list[Mapping[str, Json]]:
        """Return every meeting as it was at a moment.

        One captured later is there in its oldest version, because a day begins with its programme; but what became
        of its races is not told before its time: they have no status.
        """
        return [self._meeting_as_of(meeting_id, moment) for meeting_id in self.versions]

    def meeting_as_of(self, meeting_id: str, moment: datetime) -> Mapping[str, Json] | None:
        """Return one meeting as it was at a moment, None for an unknown one."""
        return self._meeting_as_of(meeting_id, moment) if meeting_id in self.versions else None

    def every_version(self) -> Iterator[tuple[datetime, Mapping[str, Json]]]:
        """Yield every version of every meeting, with when it was made and with the races that only events know."""
        for meeting_id, versions in self.versions.items():
            made_up = [{"id": race_id} for race_id in self.races_of_events.get(meeting_id, {})]
            for made_at, meeting in versions:
                yield made_at, {**meeting, "races": [*meeting["races"], *made_up]}

    def captured_at(self) -> list[tuple[datetime, date]]:
        """Return when a meeting was captured, and of which racing day it is, oldest first."""
        return sorted({(made_at, racing_day(meeting)) for made_at, meeting in self.every_version()})

    def _meeting_as_of(self, meeting_id: str, moment: datetime) -> Mapping[str, Json]:
        versions = self.versions[meeting_id]
        meeting = newest(versions, moment)
        if moment < versions[0][0]:
            meeting = {**meeting, "races": [_without_status(race) for race in meeting["races"]]}
        made_up = self.races_of_events.get(meeting_id)
        if not made_up:
            return meeting
        day = racing_day(meeting)
        races = [*meeting["races"], *(_race_as_of(captures, moment, day) for captures in made_up.values())]
        return {**meeting, "races": sorted(races, key=lambda race: race.get("race_number") or 0)}


def _made_at(version: tuple[datetime, Mapping[str, Json]]) -> datetime:
    return version[0]


def newest(versions: Sequence[tuple[datetime, Version]], moment: datetime) -> Version:
    """Return the newest of ascending versions that is not newer than the moment, else the oldest."""
    reached = [version for made_at, version in versions if made_at <= moment]
    return reached[-1] if reached else versions[0][1]


def _race_as_of(captures: Versions, moment: datetime, day: date) -> dict[str, Json]:
    """Return the entry of a race that no list has, without its status until its event was captured."""
    entry = _race_from(newest(captures, moment), day)
    return _without_status(entry) if moment < captures[0][0] else entry


def _without_status(race: Mapping[str, Json]) -> dict[str, Json]:
    return {name: said for name, said in race.items() if name != "status"}


def racing_day(meeting: Mapping[str, Json]) -> date:
    """Return the day in `date`; the time behind it means nothing."""
    return date.fromisoformat(str(meeting.get("date", ""))[:10])


def _meeting_from(race: Mapping[str, Json]) -> dict[str, Json]:
    """Return the least that a list says about a meeting, out of `data.race` of one of its events."""
    category = str(race.get("type", ""))
    day = instant(int(race.get("advertised_start", 0))).astimezone(SYDNEY).date()
    return {
        "meeting": race["meeting_id"],
        "name": race.get("meeting_name", ""),
        "date": f"{day}T00:00:00Z",
        "track_condition": race.get("track_condition", ""),
        "category": category,
        "category_name": CATEGORY_NAMES.get(category, ""),
        "country": race.get("country", ""),
        "state": race.get("state", ""),
        "races": [],
    }


def _race_from(race: Mapping[str, Json], day: date) -> dict[str, Json]:
    """Return the entry of a race in a list, out of its `data.race`."""
    start_s = int(race.get("advertised_start", 0))
    return {
        "id": race["event_id"],
        "race_number": race.get("race_number", 0),
        "name": race.get("description", ""),
        "start_time": second_stamp(start_s),
        "tote_start_time": notional_time(start_s, day),
        "track_condition": race.get("track_condition", ""),
        "distance": race.get("distance", 0),
        "weather": race.get("weather", ""),
        "country": race.get("country", ""),
        "state": race.get("state", ""),
        "status": race.get("status", ""),
    }
