"""The platform's one queue: crons, events and asynchronous executions share eight slots.

Every accepted execution ends in exactly one ExecutionResult, also when the host stops.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
from typing import TYPE_CHECKING

from raceday.host.executions import ExecutionRequest, ExecutionResult
from raceday.host.worker import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping
    from datetime import datetime

    from raceday.clock import Clock
    from raceday.host.worker import FunctionWorker

SLOTS = 8
"""Executions at a time for the whole installation (observed on 1.9.6)."""

SYNCHRONOUS_LIMIT_S = 30.0
"""How long the caller of a synchronous execution waits at most; the function itself runs on."""

SLOT_RELEASE_MARGIN_S = 5.0
"""How long after its timeout a function that ignores its cancellation still holds its slot."""


class ExecutionPool:
    """Runs executions, at most eight queued ones at a time, and reports each when it has ended."""

    def __init__(
        self,
        workers: Mapping[str, FunctionWorker],
        clock: Clock,
        on_result: Callable[[ExecutionResult], None],
    ) -> None:
        """Take the workers by function id, and whom to tell."""
        self._workers = workers
        self._clock = clock
        self._on_result = on_result
        self._slots = asyncio.Semaphore(SLOTS)
        # Executions inherit what was set around the host, never what their starter's context happens to hold.
        self._context = contextvars.copy_context()
        self._closed = False
        self._executions: set[asyncio.Task[ExecutionResult]] = set()
        self._invocations: set[asyncio.Task[Outcome]] = set()

    def submit(self, request: ExecutionRequest) -> asyncio.Task[ExecutionResult]:
        """Queue an execution, which runs when a slot is free; return what ends with its result."""
        return self._track(self._queued(request))

    async def execute(self, request: ExecutionRequest) -> ExecutionResult:
        """Run an execution at once, outside the queue, and wait for it for 30 s at most."""
        return await asyncio.shield(self._track(self._synchronous(request)))

    async def drain(self) -> None:
        """Wait until nothing waits or runs any more."""
        while self._executions:
            await asyncio.wait(self._executions)

    async def stop(self, grace_s: float) -> None:
        """Let what was accepted finish for `grace_s` seconds, then cancel the rest; every one gets its result."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace_s):
                await self.drain()
        self._closed = True
        accepted = list(self._executions)
        await asyncio.sleep(0)  # a task cancelled before its first step would end without a result
        for execution in accepted:
            execution.cancel()
        await self.drain()
        for invocation in self._invocations:
            invocation.cancel()
        if self._invocations:
            await asyncio.wait(self._invocations, timeout=SLOT_RELEASE_MARGIN_S)

    def _track(self, execution: Coroutine[None, None, ExecutionResult]) -> asyncio.Task[ExecutionResult]:
        task = asyncio.create_task(execution, context=self._context.copy())
        self._executions.add(task)
        task.add_done_callback(self._executions.discard)
        return task

    async def _queued(self, request: ExecutionRequest) -> ExecutionResult:
        accepted_at = self._clock.now()
        limit_s = self._workers[request.function_id].timeout_s + SLOT_RELEASE_MARGIN_S
        abandoned = Outcome(500, ended=False, errors="The function ignored its cancellation and runs on.")
        try:
            async with self._slots:
                if not self._closed:
                    return await self._supervise(request, accepted_at, limit_s, abandoned)
        except asyncio.CancelledError:
            pass  # only `stop` cancels, and what it cancels still gets its result
        never_began = Outcome(0, ended=False, errors="The host stopped before this execution began.")
        return self._finish(request, accepted_at, self._clock.now(), never_began)

    async def _synchronous(self, request: ExecutionRequest) -> ExecutionResult:
        no_answer = "function_synchronous_timeout: no answer within 30 s; the function runs on."
        abandoned = Outcome(408, ended=False, errors=no_answer)
        return await self._supervise(request, self._clock.now(), SYNCHRONOUS_LIMIT_S, abandoned)

    async def _supervise(
        self, request: ExecutionRequest, accepted_at: datetime, limit_s: float, abandoned: Outcome
    ) -> ExecutionResult:
        """Invoke the function in a task of its own, so that one that will not end can be left behind."""
        started_at = self._clock.now()
        worker = self._workers[request.function_id]
        name = f"{request.function_id} {request.execution_id}"
        invocation = asyncio.create_task(worker.invoke(request), name=name)
        self._invocations.add(invocation)
        invocation.add_done_callback(self._invocations.discard)
        try:
            await asyncio.wait({invocation}, timeout=limit_s)
        except asyncio.CancelledError:
            invocation.cancel()
            await asyncio.wait({invocation}, timeout=SLOT_RELEASE_MARGIN_S)
        outcome = invocation.result() if invocation.done() else abandoned
        return self._finish(request, accepted_at, started_at, outcome)

    def _finish(
        self, request: ExecutionRequest, accepted_at: datetime, started_at: datetime, outcome: Outcome
    ) -> ExecutionResult:
        failed = outcome.status_code >= 500 or not outcome.ended
        result = ExecutionResult(
            execution_id=request.execution_id,
            function_id=request.function_id,
            trigger=request.trigger,
            status="failed" if failed else "completed",
            status_code=outcome.status_code,
            body=outcome.body,
            headers=outcome.headers,
            logs=outcome.logs,
            errors=outcome.errors,
            started_at=started_at,
            waited_s=(started_at - accepted_at).total_seconds(),
            duration_s=(self._clock.now() - started_at).total_seconds(),
        )
        self._on_result(result)
        return result
