"""Virtual time: hours pass in no time, in order, and nothing that is at work is overtaken."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raceday.host import virtual_time
from raceday.host.virtual_time import VirtualClock, VirtualDeadlockError, run_virtual

START = datetime(2026, 11, 21, 17, tzinfo=UTC)


def test_a_day_of_half_minute_sleeps_passes_without_waiting():
    async def main(clock):
        for _ in range(2880):
            await clock.sleep(30)
        return clock.now()

    assert run_virtual(main, START) == START + timedelta(days=1)


def test_a_sleep_longer_than_the_selector_takes_at_once_ends_exactly():
    async def main(clock):
        await clock.sleep(3 * 86_400 + 0.25)
        return clock.now()

    assert run_virtual(main, START) == START + timedelta(days=3, milliseconds=250)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(min_value=1, max_value=200_000), min_size=1, max_size=20))
def test_sleepers_wake_in_the_order_of_their_instants_and_exactly_then(waits_ms):
    async def main(clock):
        woken = []

        async def sleeper(wait_ms):
            await clock.sleep(wait_ms / 1000)
            woken.append((wait_ms, clock.now()))

        await asyncio.gather(*(sleeper(wait_ms) for wait_ms in waits_ms))
        return woken

    woken = run_virtual(main, START)
    assert [wait_ms for wait_ms, _ in woken] == sorted(waits_ms)
    assert all(at == START + timedelta(milliseconds=wait_ms) for wait_ms, at in woken)


def test_sleeping_until_an_instant_never_ends_before_it():
    async def main(clock):
        for millisecond in range(1, 400):
            target = START + timedelta(seconds=millisecond * 7.3331)
            await clock.sleep((target - clock.now()).total_seconds())
            assert clock.now() >= target

    run_virtual(main, START)


def test_timeouts_fire_in_virtual_time():
    async def main(clock):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(90):
                await asyncio.sleep(91)
        assert clock.now() == START + timedelta(seconds=90)
        async with asyncio.timeout(90):
            await asyncio.sleep(89)

    run_virtual(main, START)


def test_work_in_a_thread_takes_no_virtual_time_and_is_not_timed_out():
    async def main(clock):
        async with asyncio.timeout(0.01):
            await asyncio.to_thread(time.sleep, 0.1)
        return clock.now()

    assert run_virtual(main, START) == START


def test_a_thread_that_the_loop_did_not_start_can_still_wake_it():
    async def main(clock):
        woken = asyncio.Event()
        loop = asyncio.get_running_loop()
        threading.Timer(0.05, lambda: loop.call_soon_threadsafe(woken.set)).start()
        await woken.wait()
        return clock.now()

    assert run_virtual(main, START) == START


def test_waiting_for_nothing_is_an_error_not_a_hang(monkeypatch):
    monkeypatch.setattr(virtual_time, "FOREIGN_WAKEUP_WAIT_S", 0.02)

    async def main(_clock):
        await asyncio.Event().wait()

    with pytest.raises(VirtualDeadlockError, match="no timer is set"):
        run_virtual(main, START)


def test_two_runs_are_the_same_run():
    async def main(clock):
        seen = []

        async def ticker(name, every_s):
            for _ in range(50):
                await clock.sleep(every_s)
                seen.append((name, clock.now()))

        await asyncio.gather(*(ticker(name, 15) for name in "abc"), ticker("d", 7.5))
        return seen

    assert run_virtual(main, START) == run_virtual(main, START)


def test_the_result_and_the_error_of_the_main_come_out():
    async def fails(_clock):
        raise LookupError("as planned")

    with pytest.raises(LookupError, match="as planned"):
        run_virtual(fails, START)


def test_a_clock_needs_a_time_zone_and_speaks_utc():
    async def naive(_clock):
        VirtualClock(datetime(2026, 1, 1))

    with pytest.raises(ValueError, match="time zone"):
        run_virtual(naive, START)

    async def now(clock):
        return clock.now()

    elsewhere = START.astimezone(timezone(timedelta(hours=13)))
    assert run_virtual(now, elsewhere) == START
    assert run_virtual(now, elsewhere).tzinfo is UTC


def test_a_year_passes_without_losing_a_timer_to_rounding() -> None:
    """Seconds as floats get coarse: a jump that ended a hair before its timer once hung for ever."""

    async def main(clock):
        for day in range(400):
            await clock.sleep(86_400 + day / 7)
            async with asyncio.timeout(0.1 + day / 3):
                await clock.sleep(0.000_3)
        return (clock.now() - START).total_seconds()

    assert run_virtual(main, START) == pytest.approx(400 * 86_400 + sum(range(400)) / 7 + 0.12, abs=0.01)


def test_time_stands_still_for_whoever_awaits_an_answer_from_outside():
    def answer_late(end):
        time.sleep(0.05)
        end.send(b"!")

    async def main(clock):
        loop = asyncio.get_running_loop()
        here, there = socket.socketpair()
        here.setblocking(False)
        with here, there:
            answering = threading.Thread(target=answer_late, args=(there,))
            ticks = []

            async def tick():
                while True:
                    await clock.sleep(1)
                    ticks.append(clock.now())

            ticking = asyncio.create_task(tick())
            await clock.sleep(2.5)
            answering.start()
            with loop.standing_still():
                answer = await loop.sock_recv(here, 1)
            asked_at = clock.now()
            ticking.cancel()
            answering.join()
            return answer, asked_at, len(ticks)

    assert run_virtual(main, START) == (b"!", START + timedelta(seconds=2.5), 2)


def test_an_answer_that_never_comes_does_not_hold_up_time_for_ever(monkeypatch):
    monkeypatch.setattr(virtual_time, "STANDSTILL_S", 0.05)

    async def main(clock):
        loop = asyncio.get_running_loop()
        here, there = socket.socketpair()
        here.setblocking(False)
        with here, there, loop.standing_still():
            try:
                async with asyncio.timeout(2):
                    await loop.sock_recv(here, 1)
            except TimeoutError:
                return clock.now()

    monkeypatch.setattr(virtual_time.selectors, "DefaultSelector", _hurried(virtual_time.selectors.DefaultSelector))
    assert run_virtual(main, START) == START + timedelta(seconds=2)


def _hurried(selector):
    class Hurried(selector):
        def select(self, timeout=None):
            return super().select(timeout if timeout is None else min(timeout, 0.05))

    return Hurried
