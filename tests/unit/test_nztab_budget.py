"""Pacing, concurrency and the common pause, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest

from raceday.clock import Clock
from raceday.errors import FeedThrottled
from raceday.host.virtual_time import run_virtual
from raceday.nztab.budget import LONGEST_HOLD_OFF_S, RequestBudget

FAR_S = 1e9


def in_virtual_time(main: Callable[[], Awaitable[None]]) -> None:
    async def with_clock(_clock: Clock) -> None:
        await main()

    run_virtual(with_clock, datetime(2025, 7, 17, tzinfo=UTC))


def now_s() -> float:
    return asyncio.get_running_loop().time()


async def starts_of(budget: RequestBudget, requests: int, takes_s: float = 0.0) -> list[float]:
    starts: list[float] = []

    async def one() -> None:
        async with budget.turn(FAR_S):
            starts.append(now_s())
            await asyncio.sleep(takes_s)

    await asyncio.gather(*(one() for _ in range(requests)))
    return starts


def test_after_a_burst_requests_keep_to_the_rate() -> None:
    async def main() -> None:
        budget = RequestBudget(rate_per_s=10, burst=3, concurrency=50)
        assert await starts_of(budget, 6) == pytest.approx([0, 0, 0, 0.1, 0.2, 0.3])
        await asyncio.sleep(100)
        assert [start - now_s() for start in await starts_of(budget, 3)] == pytest.approx([0, 0, 0])

    in_virtual_time(main)


def test_no_more_than_the_bound_are_under_way() -> None:
    async def main() -> None:
        budget = RequestBudget(rate_per_s=1000, burst=1000, concurrency=2)
        assert await starts_of(budget, 5, takes_s=1.0) == pytest.approx([0, 0, 1, 1, 2])

    in_virtual_time(main)


def test_a_pause_holds_for_everyone_also_for_those_already_in_line() -> None:
    async def main() -> None:
        budget = RequestBudget(rate_per_s=10, burst=1)
        line = asyncio.create_task(starts_of(budget, 3))
        await asyncio.sleep(0.05)
        budget.hold_off(5)
        assert budget.held_off_s == pytest.approx(5)
        starts = await line
        assert starts[0] == 0
        assert min(starts[1:]) >= 5.05
        assert budget.held_off_s == 0

    in_virtual_time(main)


def test_a_pause_that_outlasts_the_caller_is_told_at_once() -> None:
    async def main() -> None:
        budget = RequestBudget()
        budget.hold_off(20)
        with pytest.raises(FeedThrottled) as throttled:
            async with budget.turn(now_s() + 15):
                pytest.fail("the feed was asked during its pause")
        assert throttled.value.retry_after_s == pytest.approx(20)
        assert now_s() == 0

    in_virtual_time(main)


def test_a_shorter_pause_never_shortens_a_longer_one_and_a_senseless_one_is_capped() -> None:
    async def main() -> None:
        budget = RequestBudget()
        budget.hold_off(20)
        budget.hold_off(1)
        assert budget.held_off_s == pytest.approx(20)
        budget.hold_off(10**9)
        assert budget.held_off_s == pytest.approx(LONGEST_HOLD_OFF_S)

    in_virtual_time(main)


def test_a_caller_that_gives_up_frees_its_place() -> None:
    async def main() -> None:
        budget = RequestBudget(concurrency=1)
        budget.hold_off(10)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1), budget.turn(FAR_S):
                pytest.fail("the feed was asked during its pause")
        assert await starts_of(budget, 1) == pytest.approx([10])

    in_virtual_time(main)


def test_a_long_day_of_uneven_use_never_stalls() -> None:
    """Regression: a leaky bucket that adds up floats can wait for a moment its clock never reaches."""

    async def main() -> None:
        budget = RequestBudget(rate_per_s=10, burst=10)
        made = 0
        for step in range(300):
            await asyncio.sleep(step * 0.7137 % 3)
            made += len(await starts_of(budget, 1 + step % 23, takes_s=0.0123))
        assert made == sum(1 + step % 23 for step in range(300))

    in_virtual_time(main)
