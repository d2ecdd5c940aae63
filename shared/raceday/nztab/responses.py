"""From the bytes of a response to the domain, for the client, for replay and for measurements alike."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from raceday.errors import FeedContractError
from raceday.nztab.drift import DriftCounter
from raceday.nztab.mapping import event_from
from raceday.nztab.mapping_meetings import ProgrammedMeeting, listed_races, programme_from
from raceday.nztab.salvage import validated
from raceday.nztab.schema import FeedEcho
from raceday.nztab.schema_event import EventResponse
from raceday.nztab.schema_meetings import MeetingsResponse, RacesResponse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from raceday.domain.race import Race
    from raceday.domain.race_poll import RaceEvent


@dataclass(frozen=True, slots=True)
class MeetingsPage:
    """One page of meetings. `rows` counts what the feed listed, also what could not be used."""

    programme: list[ProgrammedMeeting]
    rows: int
    echo: FeedEcho
    drift: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class RacesPage:
    """One page of the flat list of races; `next_page_token` is empty on the last one."""

    races: list[Race]
    next_page_token: str
    echo: FeedEcho
    drift: Mapping[str, int]


def parse_event(
    body: bytes, received_at: datetime, race_id: str | None = None, *, with_price_history: bool = True
) -> RaceEvent:
    """Return one event response as the domain sees it; `received_at` (aware) stands in for a missing time.

    Raises FeedContractError, with the payload, when it cannot be understood or is about another race than
    `race_id` (None accepts any).
    """
    drift = DriftCounter()
    response = validated(EventResponse, body, drift)
    answered = response.data.race.event_id
    if race_id is not None and answered.lower() != race_id.lower():
        raise FeedContractError(f"asked for race {race_id}, the feed answered about {answered}", body)
    try:
        return event_from(response, received_at, drift, with_price_history=with_price_history)
    except FeedContractError as error:
        raise FeedContractError(str(error), body) from None


def parse_meetings(body: bytes, received_at: datetime) -> MeetingsPage:
    """Return one page of `/meetings`, or the answer of `/meetings/{id}`; FeedContractError as above."""
    drift = DriftCounter()
    response = validated(MeetingsResponse, body, drift)
    programme = programme_from(response, received_at, drift)
    rows = len(programme) + drift.counts.get("meeting dropped", 0)
    return MeetingsPage(programme, rows, response.params or FeedEcho(), drift.counts)


def parse_races(body: bytes) -> RacesPage:
    """Return one page of `/list`; FeedContractError as above."""
    drift = DriftCounter()
    response = validated(RacesResponse, body, drift)
    races = listed_races(response.data.races)
    return RacesPage(races, response.data.next_page_token or "", response.params or FeedEcho(), drift.counts)
