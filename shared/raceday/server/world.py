"""Where the server's races come from: the real feed, or a simulator in this process that models days as they come."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

from raceday.clock import Clock
from raceday.domain.racing_day import racing_date
from raceday.jobs.ports import RunLog
from raceday.nztab.budget import RequestBudget
from raceday.nztab.caller import FEED_DRIFT
from raceday.nztab.client import NzTabClient
from raceday.nztab.settings import FeedSettings
from raceday.server.connections import feed_connections
from raceday.server.settings import SERVER_CLAIM_TTL_S, FeedChoice, ServerSettings
from raceday.simulator.app import simulator_app
from raceday.simulator.event_options import EventOptions
from raceday.simulator.feed import SimulatedFeed
from raceday.simulator.programme import DayProgramme, plan_day
from raceday.simulator.racing_feed import DEFAULT_LIMIT
from raceday.transport import AsyncTransport, InProcess

CALL_MARGIN_S = 1.0
"""An answer that comes so long before the end of its race's claim is still written under it."""
_NEVER = datetime.min.replace(tzinfo=UTC)
ATTEMPTS_TOLD_EVERY = timedelta(minutes=1)
"""A feed that is down fails some attempts for each race every quarter of a minute."""


@dataclass(slots=True)
class FeedWatch:
    """Logs what the feed's clients say: of attempts that fail with the same status, one a minute.

    That one says how many others there were since the one before (`untold_before`).
    """

    clock: Clock
    _told_at: dict[tuple[object, object], datetime] = field(default_factory=dict)
    _untold: Counter[tuple[object, object]] = field(default_factory=Counter)

    def note(self, log: RunLog, action: str, fields: Mapping[str, object]) -> None:
        """Log an attempt, or a list that strayed from its shape; what went well is for those who look closely."""
        if action == FEED_DRIFT:
            log.warning(action, **fields)
            return
        if fields.get("error") is None:
            log.debug(action, **fields)
            return
        kind, now = (fields.get("endpoint"), fields.get("status")), self.clock.now()
        if now - self._told_at.get(kind, _NEVER) < ATTEMPTS_TOLD_EVERY:
            self._untold[kind] += 1
            log.debug(action, **fields)
            return
        self._told_at[kind] = now
        log.warning(action, **fields, untold_before=self._untold.pop(kind, 0))


@dataclass(frozen=True, slots=True)
class World:
    """The feed as the whole process asks it: one set of connections, one budget; a client of it for each job.

    `pictures`: silks' pictures exist, because the feed is the real one.
    """

    settings: FeedSettings
    transport: AsyncTransport
    budget: RequestBudget
    clock: Clock
    watch: FeedWatch
    pictures: bool

    def feed(self, log: RunLog) -> NzTabClient:
        """Return a client with its own count of calls."""
        note = partial(self.watch.note, log)
        return NzTabClient(self.settings, self.clock, transport=self.transport, budget=self.budget, log=note)

    async def aclose(self) -> None:
        """Close the connections."""
        await self.transport.aclose()


def open_world(settings: ServerSettings, clock: Clock, simulated: AsyncTransport | None = None) -> World:
    """Open the chosen feed, or the simulator behind `simulated`; to be called inside the running loop."""
    if settings.chosen_feed is FeedChoice.NZTAB:
        transport = feed_connections(settings.feed_parallel)
    else:
        transport = simulated or InProcess(simulator_app(EverydayFeed(clock.now), sleep=clock.sleep))
    return World(
        settings=FeedSettings(
            base_url=settings.feed_base_url,
            contact_email=settings.feed_from or None,
            partner=settings.feed_partner or None,
            partner_id=settings.feed_partner_id.get_secret_value() or None,
            attempt_timeout_s=settings.feed_timeout_s,
            call_budget_s=SERVER_CLAIM_TTL_S - CALL_MARGIN_S,
        ),
        transport=transport,
        budget=RequestBudget(settings.feed_requests_per_s, settings.feed_burst, settings.feed_parallel),
        clock=clock,
        watch=FeedWatch(clock),
        pictures=settings.chosen_feed is FeedChoice.NZTAB,
    )


class EverydayFeed:
    """A `RacingFeed` of modelled days without end: yesterday, today and tomorrow in New Zealand, as time goes on."""

    def __init__(self, now: Callable[[], datetime], seed: int = 1, *, saturday: bool = False) -> None:
        """Model days of this kind; each date is another day."""
        self.now = now
        self._seed = seed
        self._saturday = saturday
        self._feed: SimulatedFeed | None = None

    def meetings(
        self,
        date_from: str | None = None,
        date_to: str | None = None,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        category: str | None = None,
        country: str | None = None,
    ) -> bytes:
        """Return the meetings of the days asked for."""
        return self._today().meetings(date_from, date_to, limit, offset, category, country)

    def meeting(self, meeting_id: str) -> bytes | None:
        """Return one meeting."""
        return self._today().meeting(meeting_id)

    def event(self, event_id: str, options: EventOptions) -> bytes | None:
        """Return one race."""
        return self._today().event(event_id, options)

    def races_list(
        self,
        date_from: str | None = None,
        date_to: str | None = None,
        limit: int = DEFAULT_LIMIT,
        page_token: str = "",
    ) -> bytes:
        """Return the races of the days asked for."""
        return self._today().races_list(date_from, date_to, limit, page_token)

    def _today(self) -> SimulatedFeed:
        """Return the feed of the three days around now; a day is the same each time that it is modelled."""
        today = racing_date(self.now())
        if self._feed is None or self._feed.programme.racing_date != today:
            days = [
                plan_day(today + timedelta(days=ahead), self._seed, saturday=self._saturday) for ahead in (-1, 0, 1)
            ]
            meetings = tuple(meeting for day in days for meeting in day.meetings)
            self._feed = SimulatedFeed(DayProgramme(today, self._seed, self._saturday, meetings), self.now)
        return self._feed
