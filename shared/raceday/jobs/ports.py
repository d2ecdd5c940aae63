"""What a job works with: the feed, the store, the clock, other functions, the log and its deadline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from raceday.clock import Clock
    from raceday.domain.meeting import Meeting
    from raceday.domain.race import Race
    from raceday.domain.race_poll import RaceEvent
    from raceday.jobs.report import RunReport
    from raceday.store.ports import RaceStore


class Feed(Protocol):
    """The feed as the jobs see it. Errors: see `raceday.errors.FeedError` and below."""

    @property
    def calls(self) -> int:
        """Requests made so far, retries included."""
        ...

    async def meetings(self, date_from: date, date_to: date) -> Sequence[tuple[Meeting, Sequence[Race]]]:
        """Return all meetings of the days, each with its races."""
        ...

    async def meeting(self, meeting_id: str) -> tuple[Meeting, Sequence[Race]]:
        """Return one meeting with its races."""
        ...

    async def event(self, race_id: str, *, with_price_history: bool) -> RaceEvent:
        """Return everything about one race; the runners' price history only when asked for."""
        ...


class Executions(Protocol):
    """Starts other functions of the bundle."""

    async def start(self, function_id: str, body: Mapping[str, object]) -> str:
        """Start a function and do not wait for it; return the execution's id.

        Raises `ExecutionRefused` when the platform does not take it.
        """
        ...


class RunLog(Protocol):
    """Writes one line per happening: a greppable action and its fields."""

    def debug(self, action: str, **fields: object) -> None:
        """Write what is only of interest when something is being looked into."""
        ...

    def info(self, action: str, **fields: object) -> None:
        """Write what happened."""
        ...

    def warning(self, action: str, **fields: object) -> None:
        """Write what went wrong and was coped with."""
        ...

    def error(self, action: str, **fields: object) -> None:
        """Write what went wrong."""
        ...


@dataclass(frozen=True, slots=True)
class Deadline:
    """The instant by which a run has to be done, some way before the platform would end it."""

    at: datetime
    clock: Clock

    @classmethod
    def after(cls, clock: Clock, seconds: float) -> Deadline:
        """Return the deadline that lies so many seconds ahead."""
        return cls(clock.now() + timedelta(seconds=seconds), clock)

    def remaining_s(self) -> float:
        """Return the seconds left; zero when the time is up."""
        return max(0.0, (self.at - self.clock.now()).total_seconds())

    def allows(self, seconds: float) -> bool:
        """Whether something that may take so long still fits."""
        return self.remaining_s() >= seconds


@dataclass(frozen=True, slots=True)
class JobPorts:
    """Everything one run of one job works with; `owner` names the run in claims, `function` in logs.

    A job counts in `report` what it does, so that a run cut off by its deadline still says what it did.
    """

    function: str
    owner: str
    feed: Feed
    store: RaceStore
    clock: Clock
    executions: Executions
    log: RunLog
    deadline: Deadline
    report: RunReport
