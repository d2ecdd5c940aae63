"""Runs jobs in the server: each with ports, a deadline, a row in the run ledger and a line in the log, as a function's.

The names in ledger and log are those of the functions that do the same on a platform, so that whoever looks at runs
finds the same words everywhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from uuid import uuid4

from raceday.errors import RaceDayError
from raceday.jobs.ports import Deadline, Executions, JobPorts
from raceday.jobs.report import RunReport, failure_status
from raceday.runtime.handler import peak_rss_mb
from raceday.server.settings import ServerSettings
from raceday.server.state import ServerState
from raceday.server.world import World
from raceday.store.values import RunEntry

Job = Callable[[JobPorts], Awaitable[object]]
_ALWAYS = datetime.max.replace(tzinfo=UTC)


@dataclass(slots=True)
class Wakes:
    """Stands where functions start other functions: what alerts ask for is done by the server's own next turn."""

    alerts_wanted: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self, function_id: str, body: Mapping[str, object]) -> str:  # noqa: ARG002 (the port's shape)
        """Note that there is something to go on with."""
        self.alerts_wanted.set()
        return f"soon-{function_id}"


def new_owner() -> str:
    """Return the name under which one server process claims races and holds leases."""
    return f"server-{uuid4().hex[:12]}"


@dataclass(slots=True)
class ServerJobs:
    """Gives jobs what they work with, and runs them; `runs` and `failed_runs` count what was run."""

    owner: str
    state: ServerState
    world: World
    settings: ServerSettings
    executions: Executions
    runs: int = 0
    failed_runs: int = 0
    _numbers: count[int] = field(default_factory=lambda: count(1))

    def ports(self, function: str, deadline_s: float | None = None) -> JobPorts:
        """Return the ports of one run, or with no deadline those of what goes on as long as the server."""
        clock = self.state.clock
        owner = self.owner if deadline_s is None else f"{self.owner}-{next(self._numbers)}"
        return JobPorts(
            function=function,
            owner=owner,
            feed=self.world.feed(self.state.log),
            store=self.state.store.session(),
            clock=clock,
            executions=self.executions,
            log=self.state.log,
            deadline=Deadline(_ALWAYS, clock) if deadline_s is None else Deadline.after(clock, deadline_s),
            report=RunReport(),
        )

    async def run(self, function: str, job: Job, deadline_s: float) -> RunReport:
        """Run a job to its end and return its report; whatever fails is in it, and nothing is raised."""
        ports = self.ports(function, deadline_s)
        began = ports.clock.now()
        try:
            async with asyncio.timeout(deadline_s):
                await job(ports)
        except TimeoutError:
            ports.report.refuse(504, f"stopped after {deadline_s:.0f} s")
        except RaceDayError as error:
            ports.report.refuse(failure_status(error), f"{type(error).__name__}: {error}")
        except Exception as error:  # noqa: BLE001 (the last door: one chore that nobody foresaw must not stop the others)
            self.state.log.error("unexpected_error", function=function, error=repr(error))
            ports.report.refuse(500, f"unexpected {type(error).__name__}")
        await self._note(ports, began)
        return ports.report

    async def _note(self, ports: JobPorts, began: datetime) -> None:
        entry = _ledger_entry(ports, began)
        self.runs += 1
        self.failed_runs += entry.status_code >= 400
        write = ports.log.info if entry.status_code < 400 else ports.log.warning
        write(
            "run_ended",
            function=entry.function,
            status=entry.status_code,
            duration_ms=entry.duration_ms,
            processed=entry.processed,
            failed=entry.failed,
            skipped=entry.skipped,
            remaining=entry.remaining,
            feed_calls=entry.feed_calls,
            store_calls=entry.store_calls,
            message=entry.message,
        )
        try:
            await self.state.store.log_run(entry)
        except RaceDayError as error:
            ports.log.warning("run_not_logged", function=entry.function, message=str(error))


def _ledger_entry(ports: JobPorts, began: datetime) -> RunEntry:
    report = ports.report
    return RunEntry(
        execution_id=ports.owner,
        function=ports.function,
        trigger="schedule",
        started_at=began,
        duration_ms=round((ports.clock.now() - began).total_seconds() * 1000),
        status_code=report.status_code,
        processed=report.processed,
        failed=report.failed,
        skipped=report.skipped,
        remaining=report.remaining,
        feed_calls=ports.feed.calls,
        store_calls=ports.store.calls,
        peak_rss_mb=peak_rss_mb(),
        message=report.message or report.first_failure,
    )
