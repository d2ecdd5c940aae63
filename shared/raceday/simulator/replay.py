"""A feed out of captured responses: any folder of JSON bodies, answered as they were captured."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from raceday.clock import SystemClock
from raceday.simulator.captured_meetings import MeetingBook, moment_of, racing_day
from raceday.simulator.envelope import (
    checked_limit,
    day_range,
    enveloped,
    meetings_params,
    page_of,
    page_token_after,
    races_params,
)
from raceday.simulator.racing_feed import DEFAULT_LIMIT
from raceday.simulator.recognition import BrokenCapture, CapturedEvent, NotReplayed, recognised
from raceday.simulator.wire import nano_stamp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date, datetime
    from pathlib import Path

    from raceday.simulator.event_options import EventOptions
    from raceday.simulator.recognition import Json


_GZIP_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Capture:
    """One captured event, its body untouched."""

    path: Path
    generated_at: datetime
    body: bytes


class CapturedFeed:
    """A `RacingFeed` over captured responses, as of a moment that may be set: `feed.now = …`.

    `not_replayed` names every file that was left out, with the reason; `book` the meetings and races that no captured
    list has and that were made up from events. At first `now` is the machine's clock, so the newest captures answer.
    No event is shown before it was captured; meetings are, in their oldest version, because the day begins with them.
    """

    def __init__(self) -> None:
        """Start without any capture; use `load`."""
        self.now: Callable[[], datetime] = SystemClock().now
        self.book = MeetingBook()
        self.not_replayed: list[tuple[Path, NotReplayed]] = []
        self.responses = 0
        self._events: dict[str, list[Capture]] = {}

    @classmethod
    def load(cls, directory: Path) -> CapturedFeed:
        """Read every file below a directory, plain or gzip, at any depth and under any name.

        Raises NotADirectoryError if there is no such directory. A file that cannot be replayed stops nothing.
        """
        if not directory.is_dir():
            raise NotADirectoryError(f"{directory} is not a folder of captured responses")
        feed = cls()
        events: list[CapturedEvent] = []
        for path in sorted(path for path in directory.rglob("*") if path.is_file()):
            try:
                events += feed._take(path)
            except NotReplayed as refused:
                feed.not_replayed.append((path, refused))
        feed.book.complete(events)
        for captures in feed._events.values():
            captures.sort(key=lambda capture: capture.generated_at)
        return feed

    def racing_days(self) -> list[date]:
        """Return the days of all meetings, in order."""
        return sorted({racing_day(meeting) for meeting in self.book.as_of(self.now())})

    def first_captured(self) -> dict[date, datetime]:
        """Return when anything of each day was first captured; BEFORE_ALL when a capture of it has no time."""
        first: dict[date, datetime] = {}
        for made_at, meeting in self.book.every_version():
            races = [self._events.get(race.get("id"), ()) for race in meeting["races"]]
            moments = [made_at, *(captures[0].generated_at for captures in races if captures)]
            day = racing_day(meeting)
            first[day] = min(moments if day not in first else [first[day], *moments])
        return first

    def event_ids(self) -> list[str]:
        """Return the ids of all captured events."""
        return list(self._events)

    def captures(self, event_id: str) -> list[Capture]:
        """Return the captures of an event, oldest first; none for an unknown id."""
        return list(self._events.get(event_id, ()))

    def meetings(
        self,
        date_from: str | None = None,
        date_to: str | None = None,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        category: str | None = None,
        country: str | None = None,
    ) -> bytes:
        """Return the union of all captured meetings of the days asked for."""
        checked_limit(limit, offset)
        first, last = day_range(date_from, date_to, self.now())
        chosen = [
            meeting
            for meeting in self._of_days(first, last)
            if category in {None, meeting.get("category")} and country in {None, meeting.get("country")}
        ]
        body = orjson.dumps({"meetings": chosen[offset : offset + limit]})
        params = meetings_params(first, last, limit, offset, category, country)
        return self._enveloped("Race Meetings", "/meetings", params, body)

    def meeting(self, meeting_id: str) -> bytes | None:
        """Return one meeting as captured, None if no capture has it."""
        meeting = self.book.meeting_as_of(meeting_id, self.now())
        if meeting is None:
            return None
        body = orjson.dumps({"meetings": [meeting]})
        params = {"enc": "json", "id": meeting_id}
        return self._enveloped("Get meeting by id", f"/meetings/{meeting_id}", params, body)

    def event(self, event_id: str, options: EventOptions) -> bytes | None:  # noqa: ARG002 - as it was captured
        """Return the newest capture not newer than now, None when there is none yet.

        A capture without a readable time was always there.
        """
        moment = self.now()
        reached = [capture.body for capture in self._events.get(event_id, ()) if capture.generated_at <= moment]
        return reached[-1] if reached else None

    def races_list(
        self,
        date_from: str | None = None,
        date_to: str | None = None,
        limit: int = DEFAULT_LIMIT,
        page_token: str = "",
    ) -> bytes:
        """Return the races of all captured meetings by start, page by page."""
        checked_limit(limit)
        first, last = day_range(date_from, date_to, self.now())
        page = page_of(page_token)
        rows = [_listed(meeting, race) for meeting in self._of_days(first, last) for race in meeting["races"]]
        rows.sort(key=lambda row: str(row["advertised_start"]))
        shown = rows[(page - 1) * limit : page * limit]
        body = orjson.dumps({"races": shown, "next_page_token": page_token_after(page, limit, len(rows))})
        return self._enveloped("List Races", "/list", races_params(first, last, limit, page_token), body)

    def _take(self, path: Path) -> list[CapturedEvent]:
        """Read one file; return the event in it, if it is one."""
        body = _body(path)
        captured = recognised(body)
        self.responses += 1
        if isinstance(captured, CapturedEvent):
            capture = Capture(path, moment_of(captured.generated_time), body)
            self._events.setdefault(captured.event_id, []).append(capture)
            return [captured]
        self.book.add(captured)
        return []

    def _of_days(self, first: date, last: date) -> list[Mapping[str, Json]]:
        return [meeting for meeting in self.book.as_of(self.now()) if first <= racing_day(meeting) <= last]

    def _enveloped(self, title: str, url: str, params: Mapping[str, object], data: bytes) -> bytes:
        stamp = nano_stamp(int(self.now().timestamp() * 1_000_000) * 1000)
        return enveloped(title, stamp, url, params, data)


def _body(path: Path) -> bytes:
    """Return the text of a file, unpacked when it is gzip; raise NotReplayed if it cannot be a response."""
    body = path.read_bytes()
    if body.startswith(_GZIP_MAGIC):
        try:
            body = gzip.decompress(body)
        except (OSError, EOFError, zlib.error) as error:
            raise BrokenCapture(f"not a whole gzip file: {error}") from error
    if not body.lstrip().startswith((b"{", b"[")) and ".json" not in path.suffixes:
        raise NotReplayed("no JSON: neither an object nor a list")
    return body


def _listed(meeting: Mapping[str, Json], race: Mapping[str, Json]) -> dict[str, Json]:
    return {
        "id": race.get("id"),
        "name": race.get("name"),
        "number": race.get("race_number"),
        "meeting_id": meeting["meeting"],
        "advertised_start": race.get("start_time"),
        "actual_start": race.get("start_time"),
    }
