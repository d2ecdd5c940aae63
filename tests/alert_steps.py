"""What alert-evaluator's jobs need in tests: ports over a store, a standing clock, and executions that are noted."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from raceday.domain.entrant_update import EntrantUpdate
from raceday.errors import ExecutionRefused
from raceday.jobs.evaluate_alerts import AlertPlan, evaluate_runners_of
from raceday.jobs.ports import Deadline, JobPorts
from raceday.jobs.report import RunReport
from raceday.jobs.sweep_alerts import sweep_alerts
from raceday.store.events import RowEvent
from raceday.store.ports import RaceStore
from raceday.store.rows.updates import entrant_update, moved_runners

# Without a bound on CPU time, so that a busy machine changes nothing.
NOBODY_ELSE = AlertPlan(default_user="", cooldown_s=300, deliver=False, event_cpu_s=math.inf)
EVERYBODY = AlertPlan(default_user="Default User", cooldown_s=300, deliver=False, event_cpu_s=math.inf)


@dataclass
class StandingClock:
    """A clock that stands still until it is set."""

    at: datetime

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass
class NotedLog:
    """Keeps what a run logs."""

    lines: list[tuple[str, Mapping[str, object]]] = field(default_factory=list)

    def _note(self, action: str, **fields: object) -> None:
        self.lines.append((action, fields))

    debug = info = warning = error = _note


@dataclass
class NotedExecutions:
    """Keeps what a run starts, or refuses it."""

    refuses: bool = False
    started: list[tuple[str, Mapping[str, object]]] = field(default_factory=list)

    async def start(self, function_id: str, body: Mapping[str, object]) -> str:
        if self.refuses:
            raise ExecutionRefused("the queue is full")
        self.started.append((function_id, body))
        return f"execution-{len(self.started)}"


class CountedDeadline(Deadline):
    """A deadline that is near after it was looked at so many times."""

    looks = 0

    def allows(self, seconds: float) -> bool:
        type(self).looks -= 1
        return type(self).looks >= 0


def alert_ports(store: RaceStore, at: datetime, **changes: Any) -> JobPorts:
    """Ports of one run at an instant, with the store as seen by it."""
    clock = StandingClock(at)
    whole: dict[str, Any] = {
        "function": "alert-evaluator",
        "owner": "run",
        "feed": None,
        "store": store.session(),
        "clock": clock,
        "executions": NotedExecutions(),
        "log": NotedLog(),
        "deadline": Deadline.after(clock, 55),
        "report": RunReport(),
    }
    return JobPorts(**(whole | changes))


async def handled(store: RaceStore, event: RowEvent, at: datetime, plan: AlertPlan = EVERYBODY) -> JobPorts:
    """Evaluate one row event at an instant; return the ports with what they counted."""
    ports = alert_ports(store, at)
    await evaluate_runners_of(ports, written_runners(event), plan)
    return ports


def written_runners(event: RowEvent) -> list[EntrantUpdate]:
    """The runners that a row event is about."""
    return moved_runners(event.row) if event.table == "races" else [entrant_update(event.row)]


async def swept(store: RaceStore, at: datetime, plan: AlertPlan = EVERYBODY, **changes: Any) -> JobPorts:
    """Sweep at an instant; return the ports with what they counted."""
    ports = alert_ports(store, at, **changes)
    await sweep_alerts(ports, plan)
    return ports
