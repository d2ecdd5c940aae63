"""The host: one machine that stands in for the platform, in real time or on a virtual clock."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from raceday.clock import SystemClock
from raceday.errors import ExecutionRefused
from raceday.host.cron import LATEST_FIRING, next_firing
from raceday.host.event_names import header_name, matches
from raceday.host.executions import (
    BODY_LIMIT_CHARS,
    JSON_TYPE,
    ExecutionHistory,
    ExecutionRequest,
    ExecutionResult,
    Trigger,
)
from raceday.host.native_output import execution_streams
from raceday.host.pool import ExecutionPool
from raceday.host.row_body import event_body
from raceday.host.worker import FunctionWorker

if TYPE_CHECKING:
    from raceday.host.manifest import FunctionManifest, Manifest
    from raceday.runtime.ports import ProcessPorts
    from raceday.store.events import RowEvent

_log = logging.getLogger(__name__)

STOP_GRACE_S = 30.0
CLOCK_CHECK_S = 60.0
"""How long the cron sleeps at most before it looks at the clock again: a machine's clock may be set while it waits."""


def _ignore(_result: ExecutionResult) -> None:
    """Observe nothing."""


def _no_key(_function: FunctionManifest) -> str:
    """Lend nothing."""
    return ""


class Host:
    """Runs a manifest's functions: their crons, executions between them, and the events of the rows they write.

    It is the `Executions` port of the jobs and the event sink of the store, unless there is a platform that its
    functions reach by its API: then that is both, and hands on what it is asked for. To be made inside the running
    loop.
    """

    def __init__(
        self,
        manifest: Manifest,
        ports: ProcessPorts,
        *,
        lend_key: Callable[[FunctionManifest], str] = _no_key,
        on_execution: Callable[[ExecutionResult], None] = _ignore,
    ) -> None:
        """Prepare the functions; nothing is imported or run yet.

        `ports` is what the functions find in their process; without a `platform` in it, its `executions` becomes this
        host. `lend_key` returns the key to the platform's API of an execution that begins now. `on_execution` sees
        every execution when it has ended.
        """
        self.history = ExecutionHistory()
        self._manifest = manifest
        self._clock = ports.clock or SystemClock()
        self._on_execution = on_execution
        self._loop = asyncio.get_running_loop()
        self._function_ids = [function.function_id for function in manifest.functions]
        executions = self if ports.platform is None else None
        ports = dataclasses.replace(ports, clock=self._clock, executions=executions)
        workers = {
            function.function_id: FunctionWorker(function, manifest.entrypoint(function), ports, lend_key)
            for function in manifest.functions
        }
        self._pool = ExecutionPool(workers, self._clock, self._ended)
        self._accepted = 0
        self._stopping = False
        self._progress = asyncio.Event()

    async def run(self, until: asyncio.Event | Callable[[], bool], *, grace_s: float = STOP_GRACE_S) -> None:
        """Fire the crons and run what follows from them until the event is set or the condition holds; then stop.

        A condition is looked at after every execution and every firing.
        """
        with execution_streams():
            try:
                async with asyncio.TaskGroup() as tasks:
                    crons = tasks.create_task(self._fire_crons())
                    await self._until(until)
                    crons.cancel()
            finally:
                await self.stop(grace_s)

    async def start(self, function_id: str, body: Mapping[str, object]) -> str:
        """Queue an asynchronous execution and return its id; raises ExecutionRefused."""
        request = self._called(function_id, body)
        self._pool.submit(request)
        return request.execution_id

    async def execute(self, function_id: str, body: Mapping[str, object]) -> ExecutionResult:
        """Run a function synchronously, outside the queue; its answer comes back, or 408 after 30 s.

        Raises ExecutionRefused.
        """
        return await self._pool.execute(self._called(function_id, body))

    async def carry_out(self, function_id: str, body: str, headers: Mapping[str, str]) -> tuple[int, str]:
        """Queue an execution that the platform was asked for by its API; return its status code and response body.

        `headers` are those of the execution; its id and the content type are taken from them, the key is lent when it
        begins. Raises ExecutionRefused once the host is stopping.
        """
        if self._stopping:
            raise ExecutionRefused(f"{function_id} was not started: the host is stopping")
        request = ExecutionRequest(
            headers["x-appwrite-execution-id"], function_id, "http", body, content_type=headers.get("content-type", "")
        )
        result = await asyncio.shield(self._pool.submit(request))
        return result.status_code, result.body

    def publish(self, event: RowEvent) -> None:
        """Queue an execution of every function that subscribes to the event; may be called from any thread."""
        try:
            here = asyncio.get_running_loop()
        except RuntimeError:
            here = None
        if here is self._loop:
            self._publish(event)
        else:
            self._loop.call_soon_threadsafe(self._publish, event)

    async def drain(self) -> None:
        """Wait until every accepted execution has ended."""
        await self._pool.drain()

    async def stop(self, grace_s: float = STOP_GRACE_S) -> None:
        """Refuse new executions, let the accepted ones end within `grace_s` seconds, cancel the rest.

        The row events of those still running are served too: they belong to work that was accepted.
        """
        self._stopping = True
        await self._pool.stop(grace_s)

    def raise_event(self, event: RowEvent, name: str, body: str) -> None:
        """Queue an execution of every function that subscribes to the event, with this name and body of it."""
        # `enabled: false` keeps users out and nothing else: crons and events of the platform ignore it, so do we.
        for function in self._manifest.functions:
            if any(matches(pattern, self._manifest.database_id, event) for pattern in function.events):
                self._pool.submit(self._request(function.function_id, "event", body, name))

    def _publish(self, event: RowEvent) -> None:
        database_id = self._manifest.database_id
        name = header_name(database_id, event)
        self.raise_event(event, name, event_body(event, database_id, self._clock.now()))

    async def _fire_crons(self) -> None:
        schedules = {function.function_id: function.schedule for function in self._manifest.functions}
        while (firing := next_firing(schedules, self._clock.now())) is not None:
            while (remaining_s := (firing.at - self._clock.now()).total_seconds()) > 0:
                await self._clock.sleep(min(remaining_s, CLOCK_CHECK_S))
            if self._clock.now() - firing.at > LATEST_FIRING:
                _log.warning("missed the firing of %s at %s", ", ".join(firing.function_ids), firing.at)
                continue
            for function_id in firing.function_ids:
                self._pool.submit(self._request(function_id, "schedule"))
            self._progress.set()

    async def _until(self, until: asyncio.Event | Callable[[], bool]) -> None:
        if isinstance(until, asyncio.Event):
            await until.wait()
            return
        while not until():
            self._progress.clear()
            await self._progress.wait()

    def _called(self, function_id: str, body: Mapping[str, object]) -> ExecutionRequest:
        if self._stopping:
            raise ExecutionRefused(f"{function_id} was not started: the host is stopping")
        return self._request(function_id, "http", json.dumps(body))

    def _request(self, function_id: str, trigger: Trigger, body: str = "", event: str = "") -> ExecutionRequest:
        if function_id not in self._function_ids:
            known = ", ".join(self._function_ids)
            raise ExecutionRefused(f"there is no function {function_id!r}; the manifest declares {known}")
        if len(body) > BODY_LIMIT_CHARS:
            raise ExecutionRefused(
                f"the body for {function_id} has {len(body)} characters; the platform takes {BODY_LIMIT_CHARS}"
            )
        content_type = "" if trigger == "schedule" else JSON_TYPE
        return ExecutionRequest(self._next_id(), function_id, trigger, body, event, content_type)

    def _next_id(self) -> str:
        """Return an id of the platform's length that is the same in every run of the same virtual day."""
        self._accepted += 1
        return f"{int(self._clock.now().timestamp() * 1_000_000):013x}{self._accepted:07x}"

    def _ended(self, result: ExecutionResult) -> None:
        self.history.add(result)
        try:
            self._on_execution(result)
        except Exception:  # noqa: BLE001 - whoever watches must not be able to stop the house
            _log.exception("the observer of executions failed on %s", result.execution_id)
        self._progress.set()
