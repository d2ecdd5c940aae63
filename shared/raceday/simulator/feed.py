"""The modelled feed: what the NZ TAB affiliates API would answer at any moment of the day.

Everything is a function of the programme and of the time, quantised to the feed's refresh of 15 s: two calls within
one refresh give the same bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from raceday.simulator.chance import key_of, unit
from raceday.simulator.envelope import (
    checked_limit,
    day_range,
    enveloped,
    meetings_params,
    page_of,
    page_token_after,
    races_params,
)
from raceday.simulator.event_body import event_data, protest_members
from raceday.simulator.meeting_body import listed_race, meeting_details, meeting_row
from raceday.simulator.multi_legs import multi_leg_pools
from raceday.simulator.race_model import race_model
from raceday.simulator.race_moment import race_moment
from raceday.simulator.racing_feed import DEFAULT_LIMIT
from raceday.simulator.wire import REFRESH_S, nano_stamp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date, datetime

    from raceday.simulator.event_options import EventOptions
    from raceday.simulator.multi_legs import MultiLegPool
    from raceday.simulator.programme import DayProgramme, PlannedMeeting, PlannedRace
    from raceday.simulator.race_model import RaceModel

_NS = 1_000_000_000


class SimulatedFeed:
    """A `RacingFeed` over a modelled day; races are built when they are first asked for and kept."""

    def __init__(self, programme: DayProgramme, now: Callable[[], datetime]) -> None:
        """Take the day and the clock that says which moment of it is shown."""
        self.programme = programme
        self.now = now
        self._meetings = {meeting.meeting_id: meeting for meeting in programme.meetings}
        self._races = {race.race_id: (meeting, race) for meeting in programme.meetings for race in meeting.races}
        self._models: dict[str, RaceModel] = {}
        self._multi_legs: dict[str, list[MultiLegPool]] = {}
        self._jitter_key = key_of(programme.seed, "generated")

    def meetings(
        self,
        date_from: str | None = None,
        date_to: str | None = None,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        category: str | None = None,
        country: str | None = None,
    ) -> bytes:
        """Return the list of meetings with the status of every race, the authority for Abandoned."""
        checked_limit(limit, offset)
        first, last = day_range(date_from, date_to, self.now())
        chosen = [
            meeting
            for meeting in self._of_days(first, last)
            if category in {None, meeting.category} and country in {None, meeting.country}
        ]
        rows = [self._meeting_row(meeting) for meeting in chosen[offset : offset + limit]]
        params = meetings_params(first, last, limit, offset, category, country)
        return self._enveloped("Race Meetings", "/meetings", params, orjson.dumps({"meetings": rows}))

    def meeting(self, meeting_id: str) -> bytes | None:
        """Return one meeting with its tote details, None if there is no such meeting."""
        meeting = self._meetings.get(meeting_id)
        if meeting is None:
            return None
        row = self._meeting_row(meeting) | meeting_details(meeting)
        params = {"enc": "json", "id": meeting_id}
        body = orjson.dumps({"meetings": [row]})
        return self._enveloped("Get meeting by id", f"/meetings/{meeting_id}", params, body)

    def event(self, event_id: str, options: EventOptions) -> bytes | None:
        """Return one race, None if there is none or the feed has taken the details of a called-off race away."""
        if event_id not in self._races:
            return None
        meeting, race = self._races[event_id]
        at_s = self._at_s()
        status = race.script.event_status(at_s)
        if status is None:
            return None
        legs = [pool for pool in self._multi_legs_of(meeting) if race.number in pool.legs]
        moment = race_moment(self.race_model(event_id), legs, status, at_s, options)
        data = event_data(moment, lambda number: self.race_model(meeting.races[number - 1].race_id))
        query = options.query()
        url = f"/events/{event_id}?{query}" if query else f"/events/{event_id}"
        return self._enveloped(f"Event Details: {event_id}", url, options.echo(event_id), data)

    def races_list(
        self,
        date_from: str | None = None,
        date_to: str | None = None,
        limit: int = DEFAULT_LIMIT,
        page_token: str = "",
    ) -> bytes:
        """Return the races by start, page by page, with an opaque token for the next page while there is one."""
        checked_limit(limit)
        first, last = day_range(date_from, date_to, self.now())
        page = page_of(page_token)
        at_s = self._at_s()
        races = [(meeting, race) for meeting in self._of_days(first, last) for race in meeting.races]
        races.sort(key=lambda pair: pair[1].script.advertised_start_s(at_s))
        rows = [listed_race(meeting, race, at_s) for meeting, race in races[(page - 1) * limit : page * limit]]
        following = page_token_after(page, limit, len(races))
        body = orjson.dumps({"races": rows, "next_page_token": following})
        return self._enveloped("List Races", "/list", races_params(first, last, limit, page_token), body)

    def race_model(self, race_id: str) -> RaceModel:
        """Return the model of a race, what is true behind what the feed shows."""
        model = self._models.get(race_id)
        if model is None:
            meeting, race = self._races[race_id]
            model = self._models[race_id] = race_model(self.programme.seed, meeting, race)
        return model

    def _at_s(self) -> int:
        """Return the latest refresh of the feed in Unix seconds."""
        return int(self.now().timestamp()) // REFRESH_S * REFRESH_S

    def _of_days(self, first: date, last: date) -> list[PlannedMeeting]:
        return [meeting for meeting in self.programme.meetings if first <= meeting.racing_date <= last]

    def _meeting_row(self, meeting: PlannedMeeting) -> dict[str, object]:
        at_s = self._at_s()
        protests = {race.race_id: self._protest(race, at_s) for race in meeting.races if race.script.protest}
        return meeting_row(meeting, at_s, protests)

    def _protest(self, race: PlannedRace, at_s: int) -> dict[str, object]:
        return protest_members(self.race_model(race.race_id), race.script.status(at_s))

    def _multi_legs_of(self, meeting: PlannedMeeting) -> list[MultiLegPool]:
        pools = self._multi_legs.get(meeting.meeting_id)
        if pools is None:
            pools = self._multi_legs[meeting.meeting_id] = multi_leg_pools(self.programme.seed, meeting)
        return pools

    def _enveloped(self, title: str, url: str, params: Mapping[str, object], data: bytes) -> bytes:
        at_s = self._at_s()
        early_ns = int(unit(self._jitter_key, at_s) * _NS)
        return enveloped(title, nano_stamp(at_s * _NS - early_ns), url, params, data)
