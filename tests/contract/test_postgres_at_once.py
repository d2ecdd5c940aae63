"""What several servers write to one PostgreSQL at the same moment: each thing once, and the right one stays."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

import pytest

from contract.postgres_store import OneLoopStore, postgres_rows
from contract.store_examples import DAY, IMPORTED, event, race, runner
from contract.store_steps import LATER, SOON, imported, polled
from contract.suite_alerts import RACE, RUNNER, told
from contract.suite_silks import TEXT, kept_silks
from raceday.domain.alerts.notification import Notification
from raceday.domain.racing_day import DailyStage, StageProgress
from raceday.domain.silks.silk import silk_id
from raceday.store.alert_ports import AlertBacklog
from raceday.store.postgres.store import PostgresStore

SERVERS = 6
T = TypeVar("T")
run = asyncio.run


@pytest.fixture
def store(postgres_url: str) -> Iterator[OneLoopStore]:
    store = OneLoopStore(postgres_url)
    yield store
    run(store.close())


def at_once(store: OneLoopStore, *each: Callable[[PostgresStore], Awaitable[T]]) -> list[T]:
    """Do several things at once, each on a connection of its own."""

    async def all_of_them() -> list[T]:
        return await asyncio.gather(*(one(store.inner) for one in each))

    return list(store.wait_for(all_of_them()))


def test_a_delivery_is_taken_by_one(store: OneLoopStore) -> None:
    run(store.save_notifications([told(slot=str(slot)) for slot in range(60)], SOON, deliver=True))
    until = LATER + timedelta(minutes=2)
    taken = at_once(store, *[lambda server: server.take_deliveries(LATER, until, 10)] * SERVERS)
    ids = [delivery.notification.notification_id for some in taken for delivery in some]
    assert len(ids) == len(set(ids))
    rest = run(store.take_deliveries(LATER, until, 60))
    assert len(ids) + len(rest) == 60


def test_of_notifications_within_one_cool_down_one_is_told(store: OneLoopStore) -> None:
    apart = [replace(told(slot=str(slot), minutes=slot / 10), cooldown_s=120) for slot in range(SERVERS)]
    new = at_once(store, *(_told_by(notification) for notification in apart))
    assert sum(map(len, new)) == 1
    assert len(postgres_rows(store, "notifications")) == 1


def test_the_backlog_that_goes_furthest_back_stays(store: OneLoopStore) -> None:
    users = ["dan", "ben", "eve", "cat", "ann", "fay"]
    at_once(store, *(_noted_by(AlertBacklog(RACE, RUNNER, user, SOON)) for user in users))
    assert [note.from_user for note in run(store.alert_backlog(10))] == ["ann"]


def test_a_stage_that_one_completed_stays_complete(store: OneLoopStore) -> None:
    started = StageProgress(DAY, DailyStage.RACES, complete=False, started_at=IMPORTED)
    done = replace(started, complete=True, finished_at=SOON, done=7)
    at_once(store, *(_reached_by(progress) for progress in (started, done, started, started)))
    kept = run(store.stage(DAY, DailyStage.RACES))
    assert (kept.complete, kept.done, kept.finished_at) == (True, 7, SOON)


def test_new_silks_keep_the_jockey_of_whoever_came_first(store: OneLoopStore) -> None:
    jockeys = [f"Jockey {number}" for number in range(SERVERS)]
    at_once(store, *(_dressed_by(jockey) for jockey in jockeys))
    [first] = run(store.silks([silk_id(TEXT)])).values()
    run(store.save_silks([kept_silks(jockey="Somebody else")], LATER))
    assert run(store.silks([silk_id(TEXT)]))[silk_id(TEXT)].jockey_name == first.jockey_name
    assert first.jockey_name in jockeys


def test_several_that_drop_the_same_history_drop_each_row_once(store: OneLoopStore) -> None:
    run(imported(store))
    run(polled(store, event(race(), SOON)))
    ticks = len(postgres_rows(store, "odds-history"))
    dropped = at_once(store, *[lambda server: server.drop_history(RACE, 1000)] * SERVERS)
    assert sum(rows.get("odds-history", 0) for rows in dropped) == ticks > 0
    assert runner(1, race()).entrant_id in {row["$id"] for row in postgres_rows(store, "entrants")}


def _told_by(notification: Notification) -> Callable[[PostgresStore], Awaitable[list[str]]]:
    return lambda server: server.save_notifications([notification], LATER, deliver=False)


def _noted_by(note: AlertBacklog) -> Callable[[PostgresStore], Awaitable[None]]:
    return lambda server: server.save_alert_backlog(note)


def _reached_by(progress: StageProgress) -> Callable[[PostgresStore], Awaitable[None]]:
    return lambda server: server.save_stage(progress)


def _dressed_by(jockey: str) -> Callable[[PostgresStore], Awaitable[None]]:
    return lambda server: server.save_silks([kept_silks(jockey=jockey)], SOON)
