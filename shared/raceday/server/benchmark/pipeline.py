"""Polls from end to end: fetched over a socket, derived, written; so many races at once, so far away a feed."""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from raceday.domain.cadence import PollTarget
from raceday.domain.derive import DeriveSettings
from raceday.domain.meeting import Meeting
from raceday.domain.race import Race
from raceday.domain.race_poll import PollTiming
from raceday.errors import ExecutionRefused
from raceday.jobs.poll_race import PollOutcome, poll_race
from raceday.jobs.ports import Deadline, JobPorts
from raceday.jobs.report import RunReport
from raceday.jobs.stage_meter import StageMeter
from raceday.nztab.budget import RequestBudget
from raceday.nztab.client import NzTabClient
from raceday.nztab.settings import FeedSettings
from raceday.runtime.log import JsonLog
from raceday.server.benchmark.children import cpu_s
from raceday.server.benchmark.responses import DAY, TimedRace
from raceday.store.postgres.store import PostgresStore
from raceday.transport import AsyncTransport

SIZES = (1, 5, 10, 50)
LATENCIES_MS = (0, 200)
UNPACED = 1_000_000
"""What the feed allows is the operator's matter; here it is asked as fast as it answers."""
STAGES = ("fetch", "transform", "write")


@dataclass(frozen=True, slots=True)
class Moment:
    """A clock that stands still at the moment whose response is polled."""

    at: datetime

    def now(self) -> datetime:
        """Return the moment."""
        return self.at

    async def sleep(self, seconds: float) -> None:
        """Wait in real time."""
        await asyncio.sleep(max(0.0, seconds))


def _tell(line: str) -> None:
    sys.stderr.write(line + "\n")


class _NobodyElse:
    """A poll starts no other functions."""

    async def start(self, function_id: str, body: object) -> str:
        raise ExecutionRefused(f"the benchmark does not start {function_id} with {body}")


async def measure_pipeline(
    store: PostgresStore, transport: AsyncTransport, feed_url: str, races: Sequence[TimedRace], postgres_pid: int | None
) -> list[dict[str, float | int | None]]:
    """Poll the races for every size and latency, each combination at all their moments; return its figures.

    The first moment of each combination warms connections and plans up and is not counted.
    """
    figures = []
    for latency_ms in LATENCIES_MS:
        for size in SIZES:
            # Every combination polls the same responses anew: races of its own make the work the same each time.
            mine = await stored_anew(store, races[:size])
            figures.append(await _measure(store, transport, feed_url, mine, latency_ms, postgres_pid))
    return figures


async def stored_anew(store: PostgresStore, races: Sequence[TimedRace]) -> list[TimedRace]:
    """Empty the database of races and store these as never polled."""
    await store.database.execute("TRUNCATE meetings, odds_history, money_flow_history, race_polls CASCADE")
    meetings = {timed.race.meeting_id: timed.race for timed in races}
    await store.save_meetings([_meeting_of(race) for race in meetings.values()], DAY)
    await store.save_races([timed.race for timed in races], DAY)
    return list(races)


def _meeting_of(race: Race) -> Meeting:
    return Meeting(race.meeting_id, race.name, "AUS", race.category or "T", "Thoroughbred", race.race_date_nz)


async def _measure(
    store: PostgresStore,
    transport: AsyncTransport,
    feed_url: str,
    races: Sequence[TimedRace],
    latency_ms: int,
    postgres_pid: int | None,
) -> dict[str, float | int | None]:
    walls_ms: list[float] = []
    meters: list[StageMeter] = []
    own_s = postgres_s = 0.0
    for step in range(len(races[0].moments)):
        # The scheduler knows its targets from its last look and from their last polls.
        targets = await store.poll_targets([timed.race.race_id for timed in races])
        own_before, postgres_before, began = time.process_time(), cpu_s(postgres_pid), time.perf_counter()
        made = await asyncio.gather(
            *(
                _poll(store, transport, f"{feed_url}/{latency_ms}/{step}", target, timed.moments[step][0])
                for timed, target in zip(races, targets, strict=True)
            )
        )
        wall_ms = (time.perf_counter() - began) * 1000
        if step == 0:
            continue
        walls_ms.append(wall_ms)
        meters += made
        own_s += time.process_time() - own_before
        if postgres_before is not None:
            postgres_s += (cpu_s(postgres_pid) or 0.0) - postgres_before
    wall_ms = statistics.median(walls_ms)
    return {
        "races": len(races),
        "latency_ms": latency_ms,
        "batches": len(walls_ms),
        "wall_ms": round(wall_ms, 1),
        "ms_per_race": round(wall_ms / len(races), 2),
        **{f"{stage}_ms": round(statistics.median(m.stages_s[stage] for m in meters) * 1000, 2) for stage in STAGES},
        "own_cpu_ms_per_race": round(own_s * 1000 / len(meters), 2),
        "postgres_cpu_ms_per_race": round(postgres_s * 1000 / len(meters), 2) if postgres_pid is not None else None,
    }


async def _poll(
    store: PostgresStore, transport: AsyncTransport, feed_url: str, target: PollTarget, at: datetime
) -> StageMeter:
    """Poll one race once as the server does; raises what a poll that fails met."""
    clock = Moment(at)
    settings = FeedSettings(base_url=feed_url)
    budget = RequestBudget(UNPACED, UNPACED, UNPACED)
    ports = JobPorts(
        function="bench",
        owner=f"bench-{uuid4()}",
        feed=NzTabClient(settings, clock, transport=transport, budget=budget),
        store=store,
        clock=clock,
        executions=_NobodyElse(),
        log=JsonLog(_tell, _tell, "WARNING", []),
        deadline=Deadline.after(clock, 60),
        report=RunReport(),
    )
    timing = PollTiming(clock.now(), clock.now(), interval_s=30, latency_ms=0)
    meter = StageMeter(time.perf_counter)
    attempt = await poll_race(ports, target, timing, DeriveSettings(), meter=meter)
    if attempt.outcome is not PollOutcome.POLLED:
        raise attempt.error or RuntimeError(f"race {target.race_id} was {attempt.outcome}")
    return meter
