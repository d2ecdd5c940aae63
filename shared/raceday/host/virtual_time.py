"""An event loop whose time jumps: a race day passes in the time its work takes.

When every task waits for a timer, the loop moves its own time to the next timer instead of waiting for it.
Everything that uses asyncio timers follows: `asyncio.sleep`, `asyncio.timeout`, rate limiters, retry pauses,
connection-pool waits. Nothing here reads the machine's clock, so a run with the same inputs is the same run.

What does not follow: code that reads `time.monotonic` itself, and real sockets. A socket is polled, never
waited for, except by whoever is inside `standing_still`: a database elsewhere is asked in no virtual time. Time stands
still while a thread works, so such a thread must not itself wait for a timer of the loop.
"""

from __future__ import annotations

import asyncio
import selectors
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar, TypeVarTuple, Unpack

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping
    from concurrent.futures import Executor
    from selectors import SelectorKey

    from _typeshed import FileDescriptorLike

    from raceday.clock import Clock

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

FOREIGN_WAKEUP_WAIT_S = 2.0
"""How long a loop with nothing to do waits, in real seconds, for a thread it did not start itself."""
STANDSTILL_S = 5.0
"""So long, in real seconds, an answer from outside is waited for before a timer may fire all the same."""

RESOLUTION_S = 1e-6


class VirtualDeadlockError(RuntimeError):
    """Every task waits for something that nothing in this process will ever bring."""


class _JumpingSelector(selectors.BaseSelector):
    """A selector that moves virtual time where a real one would wait."""

    def __init__(self) -> None:
        self._sockets = selectors.DefaultSelector()
        self.now_s = 0.0
        self.busy_threads = 0
        self.standing_still = 0

    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        """Return what is ready now; otherwise spend `timeout` virtual seconds in no time.

        Raises VirtualDeadlockError when there is no timer to jump to and nobody left who could wake the loop.
        """
        ready = self._sockets.select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        if self.busy_threads:
            # Work in a thread takes no virtual time: a jump would fire timeouts before the work could end.
            return self._sockets.select(None)
        if self.standing_still:
            ready = self._sockets.select(None if timeout is None else max(timeout, STANDSTILL_S))
            # No answer: pauses between attempts and time limits must be able to end.
            self.now_s += 0.0 if ready or timeout is None else max(timeout, RESOLUTION_S)
            return ready
        if timeout is not None:
            # At least the loop's resolution: a wait too short to show in the sum would otherwise never end.
            self.now_s += max(timeout, RESOLUTION_S)
            return []
        ready = self._sockets.select(FOREIGN_WAKEUP_WAIT_S)
        if not ready:
            raise VirtualDeadlockError(
                "every task waits, no timer is set and no thread is at work: nothing would ever happen again"
            )
        return ready

    def register(self, fileobj: FileDescriptorLike, events: int, data: object = None) -> SelectorKey:
        """Watch a socket."""
        return self._sockets.register(fileobj, events, data)

    def unregister(self, fileobj: FileDescriptorLike) -> SelectorKey:
        """Stop watching a socket."""
        return self._sockets.unregister(fileobj)

    def modify(self, fileobj: FileDescriptorLike, events: int, data: object = None) -> SelectorKey:
        """Change what a socket is watched for."""
        return self._sockets.modify(fileobj, events, data)

    def close(self) -> None:
        """Release the underlying selector."""
        self._sockets.close()

    def get_map(self) -> Mapping[FileDescriptorLike, SelectorKey]:
        """Return the watched sockets."""
        return self._sockets.get_map()


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop that lives in virtual seconds, starting at 0."""

    def __init__(self) -> None:
        """Start at virtual second 0."""
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)
        # A timer is due within the loop's resolution. After months of virtual time, seconds as floats are coarser
        # than the machine's nanosecond, and a jump could end a hair before its timer for ever.
        self._clock_resolution = RESOLUTION_S

    def time(self) -> float:
        """Return the virtual seconds since the loop was made."""
        return self._jumping.now_s

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[Ts]], T], *args: *Ts
    ) -> asyncio.Future[T]:
        """Run in a thread; virtual time stands still until it is done."""
        future = super().run_in_executor(executor, func, *args)
        self._jumping.busy_threads += 1
        future.add_done_callback(self._thread_done)
        return future

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """Let virtual time stand still while something outside this process is awaited over a socket."""
        self._jumping.standing_still += 1
        try:
            yield
        finally:
            self._jumping.standing_still -= 1

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ARG002, ASYNC109
        """Wait for the threads to end, in real time; a virtual `timeout` would be over at once."""
        self._jumping.busy_threads += 1
        try:
            await super().shutdown_default_executor()
        finally:
            self._jumping.busy_threads -= 1

    def _thread_done(self, _future: asyncio.Future[T]) -> None:
        self._jumping.busy_threads -= 1


class VirtualClock:
    """The Clock of a virtual loop: the start plus the virtual seconds that passed."""

    def __init__(self, start: datetime) -> None:
        """Begin at `start` (aware); to be made inside the running loop."""
        if start.tzinfo is None:
            raise ValueError("a virtual clock starts at an aware instant; the one given has no time zone")
        self._loop = asyncio.get_running_loop()
        self._start = start.astimezone(UTC) - timedelta(seconds=self._loop.time())

    def now(self) -> datetime:
        """Return the current instant, aware, in UTC."""
        return self._start + timedelta(seconds=self._loop.time())

    async def sleep(self, seconds: float) -> None:
        """Wait in virtual time; zero or less only yields to other tasks."""
        await asyncio.sleep(max(0.0, seconds))


def run_virtual(main: Callable[[Clock], Awaitable[T]], start: datetime) -> T:
    """Run `main(clock)` to its end in virtual time from `start` (aware) and return its result.

    Raises VirtualDeadlockError when the run can never end, and whatever `main` raises.
    """

    async def with_clock() -> T:
        return await main(VirtualClock(start))

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(with_clock())
