"""A platform that is slow, refuses, breaks off, is away or kills what runs: nothing is lost and nothing is doubled.

What a disturbed day leaves is held against a day on which nothing goes wrong and the same races are polled at the same
instants: then every value has to be the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from appwrite_day import OVER, AppwriteDay, platform_tables, run_appwrite_day
from raceday.domain.poll_audit import audit_polls
from raceday.host.appwrite_use import PlatformUse
from raceday.simulator.appwrite.call_log import PlatformCall
from raceday.simulator.appwrite.faults import DROPPED, Fault
from raceday.simulator.appwrite.row_store import Row

VALUES = (
    "races",
    "entrants",
    "race-results",
    "odds-history",
    "money-flow-history",
    "race-pools",
    "notifications",
)
TIMED = {
    "lastUpdated",
    "last_poll_time",
    "lastStatusChange",
    "finalizedAt",
    "entrantsImportedAt",
    "pollingTimestamp",
    "pollingLatencyMs",
}
"""When a race was polled, to the second: of no meaning between two days."""
BEFORE_START = timedelta(minutes=8)
QUIET_BEFORE = timedelta(minutes=2)
SWEEPERS = ("money-flow-tracker", "race-pools-aggregator", "alert-evaluator")

Tables = dict[str, dict[str, Row]]
Disturbance = Callable[[AppwriteDay], Awaitable[None] | None]


@dataclass(slots=True)
class Story:
    """What a day left behind."""

    tables: Tables
    polls: list[tuple[str, datetime]]
    """Each race and when the feed was asked about it, in that order."""
    double_polls: int
    late_polls: int
    """Later than an interval, from the moment on at which the disturbance was over."""
    first_poll_after: timedelta
    """How long after that moment the race was polled for the first time."""
    use: PlatformUse
    failures: list[tuple[str, int]] = field(default_factory=list)


async def disturbed(day: AppwriteDay, disturb: Disturbance, over_after: timedelta) -> Story:
    """Follow a race from shortly before its start to its end while something goes wrong."""
    await day.import_card()
    imported_at = day.clock.now()
    (race_id,) = day.races_by_start()
    await day.until(day.start_of(race_id) - BEFORE_START)
    until = asyncio.Event()
    running = asyncio.create_task(day.bundle.host.run(until, grace_s=60))
    await day.clock.sleep(QUIET_BEFORE.total_seconds())
    ends_at = day.clock.now() + over_after
    awaited = disturb(day)
    if awaited is not None:
        await awaited
    while {row["status"] for row in day.rows("races")} - OVER:
        await day.clock.sleep(60)
    # What runs now runs to its end, and the scheduler finds nothing left to poll.
    day.faults.share = day.faults.slow_share = 0.0
    await day.clock.sleep(60)
    await sweep(day)
    until.set()
    await running
    rows = sorted(day.rows("race-polls"), key=lambda row: str(row["polledAt"]))
    asked = [(str(row["raceId"]), asked_at(row)) for row in rows]
    marks = await day.bundle.store.poll_marks(imported_at)
    after = [at for _race_id, at in asked if at >= ends_at]
    return Story(
        platform_tables(day, VALUES),
        [(polled, at) for polled, at in asked if at > imported_at],
        audit_polls(marks).double_polls,
        audit_polls([mark for mark in marks if mark.due_at is not None and mark.due_at >= ends_at]).late_polls,
        min(after) - ends_at,
        day.bundle.platform.use,
        [(failure.function_id, failure.status_code) for failure in day.bundle.host.history.failures],
    )


async def undisturbed(day: AppwriteDay, polls: list[tuple[str, datetime]]) -> Tables:
    """Poll the same races at the same instants while nothing goes wrong."""
    await day.import_card()
    for race_id, at in polls:
        await day.until(at)
        assert (await day.call("single-race-poller", {"raceId": race_id, "force": True}))[0] == 200
        await day.bundle.host.drain()
    await day.clock.sleep(60)
    await sweep(day)
    return platform_tables(day, VALUES)


async def sweep(day: AppwriteDay) -> None:
    """Repair what lost events left out, as the scheduler has it done every few minutes."""
    for function_id in SWEEPERS:
        assert (await day.call(function_id))[0] == 200
    await day.bundle.host.drain()


def asked_at(poll: Row) -> datetime:
    """When the feed answered: it takes no time here, all of the latency is the platform's."""
    return datetime.fromisoformat(str(poll["polledAt"])) + timedelta(milliseconds=float(str(poll["latencyMs"])))


def story_of(disturb: Disturbance, over_after: timedelta = timedelta(), use: PlatformUse | None = None) -> Story:
    """Live through a disturbance, and hold what it left against a day without it."""
    story: Story = run_appwrite_day(lambda day: disturbed(day, disturb, over_after), races=1, use=use)
    expected: Tables = run_appwrite_day(lambda day: undisturbed(day, story.polls), races=1)
    for name in VALUES:
        assert story.tables[name].keys() == expected[name].keys(), name
        assert differences(story.tables[name], expected[name]) == [], name
    assert len(story.tables["odds-history"]) > 300
    assert len(story.tables["money-flow-history"]) > 100
    assert len(story.tables["notifications"]) > 10
    assert story.double_polls == 0
    return story


def differences(left: dict[str, Row], wanted: dict[str, Row]) -> list[tuple[str, str, object, object]]:
    return [
        (row_id, column, left[row_id][column], value)
        for row_id, row in wanted.items()
        for column, value in row.items()
        if column not in TIMED and left[row_id][column] != value
    ]


def statuses(story: Story) -> dict[int, int]:
    counted: dict[int, int] = {}
    for kind, count in story.use.calls.items():
        counted[kind.status] = counted.get(kind.status, 0) + count
    return counted


@pytest.mark.parametrize("after_effect", [False, True])
@pytest.mark.parametrize(("status", "has_content_type"), [(500, True), (503, False), (429, True), (DROPPED, True)])
def test_a_call_in_seven_fails_with_or_without_effect(status: int, has_content_type: bool, after_effect: bool) -> None:
    def disturb(day: AppwriteDay) -> None:
        day.faults.faults = [Fault(status, after_effect, has_content_type)]
        day.faults.share = 0.15

    story = story_of(disturb)
    assert statuses(story)[status] > 50
    assert story.late_polls == 0
    assert story.first_poll_after <= timedelta(seconds=60)


def test_a_call_in_five_takes_one_to_five_seconds_longer() -> None:
    def disturb(day: AppwriteDay) -> None:
        day.faults.slow_share = 0.2

    story = story_of(disturb)
    assert story.late_polls == 0
    assert story.failures == []
    assert story.use.longest_recurring_s <= 55.0


def test_two_minutes_without_the_platform() -> None:
    def disturb(day: AppwriteDay) -> None:
        day.faults.down_from = day.clock.now()
        day.faults.down_until = day.clock.now() + timedelta(minutes=2)

    story = story_of(disturb, over_after=timedelta(minutes=2))
    assert statuses(story)[503] > 5
    assert story.first_poll_after <= timedelta(seconds=60), "the next run of the scheduler"
    assert story.late_polls == 0
