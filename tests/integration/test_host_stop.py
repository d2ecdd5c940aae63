"""The stop of the host: in order, in time, and every accepted execution accounted for."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from function_folders import ANSWER, SLEEPS, bundle, declare, module, run_host
from raceday.errors import ExecutionRefused
from raceday.store.events import RowEvent


def test_a_graceful_stop_loses_no_accepted_execution(tmp_path):
    manifest = bundle(
        tmp_path,
        {"sleeps": SLEEPS, "on-row": ANSWER},
        declare("sleeps", timeout=60),
        declare("on-row", events=["databases.*.tables.races.rows.*"]),
    )

    async def story(host, clock):
        for _ in range(20):
            await host.start("sleeps", {"sleep_s": 5})
        stopping = asyncio.create_task(host.stop(grace_s=30))
        await clock.sleep(1)
        with pytest.raises(ExecutionRefused):
            await host.start("sleeps", {"sleep_s": 5})
        host.publish(RowEvent("races", "r1", "update", {}))
        await stopping
        return host.history

    history = run_host(manifest, story)
    assert (history.count("sleeps", "completed"), history.count("on-row", "completed")) == (20, 1)
    assert history.count(status="failed") == 0


def test_a_stop_out_of_patience_cancels_and_still_accounts_for_every_execution(tmp_path):
    manifest = bundle(tmp_path, {"sleeps": SLEEPS}, declare("sleeps", timeout=600))

    async def story(host, clock):
        for _ in range(12):
            await host.start("sleeps", {"sleep_s": 500})
        began = clock.now()
        await host.stop(grace_s=10)
        host.publish(RowEvent("races", "r1", "update", {}))
        return (clock.now() - began).total_seconds(), list(host.history.recent)

    waited_s, ended = run_host(manifest, story)
    assert waited_s == 10.0
    assert Counter((result.status, result.status_code) for result in ended) == {("failed", 500): 8, ("failed", 0): 4}
    assert {result.errors for result in ended if result.status_code == 0} == {
        "The host stopped before this execution began."
    }
    assert module("sleeps").running == 0


def test_events_of_a_cancelled_execution_are_accounted_for_but_not_run(tmp_path):
    manifest = bundle(
        tmp_path,
        {
            "writes": """
                import asyncio
                from raceday.runtime.ports import current_ports
                from raceday.store.events import RowEvent
                async def main(context):
                    try:
                        await asyncio.sleep(500)
                    finally:
                        current_ports().executions.publish(RowEvent("races", "r1", "update", {}))
            """,
            "on-row": ANSWER,
        },
        declare("writes", timeout=600),
        declare("on-row", events=["databases.*.tables.races.rows.*"]),
    )

    async def story(host, _clock):
        await host.start("writes", {})
        await host.stop(grace_s=10)
        host.publish(RowEvent("races", "r2", "update", {}))
        await host.drain()
        return [(result.function_id, result.status_code) for result in host.history.recent]

    assert sorted(run_host(manifest, story)) == [("on-row", 0), ("on-row", 0), ("writes", 500)]


def test_an_execution_accepted_in_the_last_instant_is_accounted_for(tmp_path):
    manifest = bundle(
        tmp_path,
        {"sleeps": SLEEPS, "on-row": ANSWER},
        declare("sleeps", timeout=60),
        declare("on-row", events=["databases.*.tables.races.rows.*"]),
    )

    async def story(host, _clock):
        event = RowEvent("races", "r1", "update", {})
        for _ in range(8):
            await host.start("sleeps", {"sleep_s": 50})
        stopping = asyncio.create_task(host.stop(grace_s=10))
        loop = asyncio.get_running_loop()
        for instant_s in (9.999, 10.0, 10.0, 10.001):
            loop.call_later(instant_s, host.publish, event)
        await stopping
        await asyncio.sleep(1)
        await host.drain()
        return host.history.count("on-row", "failed"), host.history.count("sleeps", "failed")

    assert run_host(manifest, story) == (4, 8)
