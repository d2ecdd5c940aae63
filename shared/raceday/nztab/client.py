"""The endpoints of the NZ TAB feed that RaceDay uses, as operations of racing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING
from urllib.parse import quote

from raceday.errors import FeedContractError, FeedNotFound
from raceday.nztab.budget import RequestBudget
from raceday.nztab.caller import FEED_DRIFT, FeedCall, FeedCaller, FeedLog
from raceday.nztab.responses import parse_event, parse_meetings, parse_races

if TYPE_CHECKING:
    from raceday.clock import Clock
    from raceday.domain.race import Race
    from raceday.domain.race_poll import RaceEvent
    from raceday.nztab.mapping_meetings import ProgrammedMeeting
    from raceday.nztab.schema import FeedEcho
    from raceday.nztab.settings import FeedSettings
    from raceday.transport import AsyncTransport

PAGE_LIMIT = 200
"""The most meetings or races that the feed gives at once."""


def silent(_action: str, _fields: Mapping[str, object]) -> None:
    """Log nothing."""


class NzTabClient:
    """Asks the feed and maps its answers to the domain. One per run, over connections and a budget that the process
    shares; any number of concurrent callers.

    Every operation raises FeedUnavailable (retry later), FeedThrottled (after `retry_after_s`), FeedNotFound or
    FeedContractError (with the payload), and takes at most `call_budget_s` per request it makes.
    """

    def __init__(
        self,
        settings: FeedSettings,
        clock: Clock,
        *,
        transport: AsyncTransport | None = None,
        budget: RequestBudget | None = None,
        log: FeedLog = silent,
    ) -> None:
        """Ask through `transport`, or over connections of its own; share `budget` with other clients of the process."""
        self._settings = settings
        self._clock = clock
        self._log = log
        self._caller = FeedCaller(settings, clock, budget or RequestBudget(), log, transport)

    @property
    def calls(self) -> int:
        """How many requests were made, retries included."""
        return self._caller.attempts_made

    async def meetings(
        self,
        date_from: date,
        date_to: date | None = None,
        *,
        country: str | None = None,
        category: str | None = None,
    ) -> list[ProgrammedMeeting]:
        """Return the meetings of the dates, each with its races, from as many pages as there are.

        `country` is one code of the feed (`AUS`, `NZ`), `category` one of T, H and G. Raises FeedContractError
        when the feed answers about other dates: it ignores a query that it cannot read.
        """
        dates = _dates(date_from, date_to)
        wanted = {"country": country, "category": category}
        query = dates | {name: value for name, value in wanted.items() if value}
        meetings: dict[str, ProgrammedMeeting] = {}
        rows = 0
        while True:
            body = await self._get("meetings", "meetings", query | {"limit": PAGE_LIMIT, "offset": rows}, dates)
            with self._understanding():
                page = parse_meetings(body, self._clock.now())
                _require_dates(dates, page.echo, body)
            self._log_drift("meetings", dates, page.drift)
            new = [programmed for programmed in page.programme if programmed.meeting.meeting_id not in meetings]
            meetings.update((programmed.meeting.meeting_id, programmed) for programmed in new)
            rows += page.rows
            # Without a new meeting on a full page, the feed does not page: it would go on for ever.
            if page.rows < _limit(page.echo) or not new:
                return list(meetings.values())

    async def meeting(self, meeting_id: str) -> ProgrammedMeeting:
        """Return one meeting with its races; the authority for what was abandoned."""
        about = {"meeting_id": meeting_id}
        body = await self._get("meeting", f"meetings/{quote(meeting_id, safe='')}", {}, about)
        with self._understanding():
            page = parse_meetings(body, self._clock.now())
        self._log_drift("meeting", about, page.drift)
        if not page.programme:
            raise FeedNotFound(f"the feed does not have meeting {meeting_id}: its answer lists none")
        programmed = page.programme[0]
        if programmed.meeting.meeting_id.lower() != meeting_id.lower():
            answered = programmed.meeting.meeting_id
            with self._understanding():
                raise FeedContractError(f"asked for meeting {meeting_id}, the feed answered about {answered}", body)
        return programmed

    async def event(self, race_id: str, *, with_price_history: bool = True) -> RaceEvent:
        """Return one race with its runners, money tracker, pools and result.

        Without `with_price_history` the runners come without the feed's own record of their prices so far.
        """
        query: dict[str, str | int] = {"with_money_tracker": "true", "with_will_pays": "true"}
        if self._settings.with_tote_trends:
            query["with_tote_trends_data"] = "true"
        about = {"race_id": race_id}
        body = await self._get("event", f"events/{quote(race_id, safe='')}", query, about)
        with self._understanding():
            return parse_event(body, self._clock.now(), race_id, with_price_history=with_price_history)

    async def races_list(self, date_from: date, date_to: date | None = None) -> list[Race]:
        """Return all races of the dates from the flat list, without status, from as many pages as there are."""
        dates = _dates(date_from, date_to)
        races: dict[str, Race] = {}
        token = ""
        seen: set[str] = set()
        while token not in seen:
            seen.add(token)
            query: dict[str, str | int] = {**dates, "limit": PAGE_LIMIT}
            body = await self._get("list", "list", query | ({"page_token": token} if token else {}), dates)
            with self._understanding():
                page = parse_races(body)
                _require_dates(dates, page.echo, body)
            self._log_drift("list", dates, page.drift)
            races.update((race.race_id, race) for race in page.races)
            token = page.next_page_token
            if not token:
                break
        return list(races.values())

    async def aclose(self) -> None:
        """Close the connections that are its own; a transport that was given stays open."""
        await self._caller.aclose()

    async def _get(self, endpoint: str, path: str, query: Mapping[str, str | int], about: Mapping[str, str]) -> bytes:
        return await self._caller.get(FeedCall(endpoint, f"racing/{path}", query, about))

    @contextmanager
    def _understanding(self) -> Iterator[None]:
        """Read an answer; when it cannot be understood, its payload goes on without the partner's secret."""
        try:
            yield
        except FeedContractError as error:
            self._caller.redaction.error(error)
            raise

    def _log_drift(self, endpoint: str, about: Mapping[str, str], drift: Mapping[str, int]) -> None:
        """Log what a list strayed; a race's event carries its own drift."""
        if drift:
            self._log(FEED_DRIFT, {"endpoint": endpoint, **about, "drift": dict(drift)})


def _dates(date_from: date, date_to: date | None) -> dict[str, str]:
    return {"date_from": date_from.isoformat(), "date_to": (date_to or date_from).isoformat()}


def _limit(echo: FeedEcho) -> int:
    """Return how long a full page is: the feed may allow less than we ask for."""
    return PAGE_LIMIT if echo.limit is None else min(PAGE_LIMIT, echo.limit)


def _require_dates(asked: Mapping[str, str], echo: FeedEcho, body: bytes) -> None:
    for name, day in asked.items():
        answered = getattr(echo, name)
        if answered is not None and not answered.startswith(day):
            raise FeedContractError(f"asked for {name} {day}, the feed answered about {answered}", body)
