"""A platform that is slow, refuses, breaks off, is away or kills what runs: nothing is lost and nothing is doubled.

What a disturbed day leaves is held against a day on which nothing goes wrong and the same races are polled at the same
instants: then every value has to be the same. (Of a race whose start is put back its notifications may differ: what was
in a bucket that is filled again is known to who looked in between.)
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
    "race-closings",
    "notifications",
)
TIMED = {
    "lastUpdated",
    "last_poll_time",
    "lastStatusChange",
    "finalizedAt",
    "entrantsImportedAt",
    "importedAt",
    "pollingTimestamp",
    "pollingLatencyMs",
    "closedAt",
    "polls",
    "failedPolls",
    "coveragePct",
    "latenessP95S",
}
"""When a race was polled, to the second, and how many polls failed: of no meaning between two days."""
BEFORE_START = timedelta(minutes=8)
QUIET_BEFORE = timedelta(minutes=2)
SWEEPERS = ("money-flow-tracker", "race-pools-aggregator", "alert-evaluator")

Tables = dict[str, dict[str, Row]]
Disturbance = Callable[[AppwriteDay], Awaitable[None]]
"""Returns when it is over, or when it has begun and lasts as long as the race."""


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


async def disturbed(day: AppwriteDay, disturb: Disturbance, before_start: timedelta) -> Story:
    """Follow a race from shortly before its start to its end while something goes wrong."""
    await day.import_card()
    imported_at = day.clock.now()
    (race_id,) = day.races_by_start()
    await day.until(day.start_of(race_id) - before_start)
    until = asyncio.Event()
    running = asyncio.create_task(day.bundle.host.run(until, grace_s=60))
    await day.clock.sleep(QUIET_BEFORE.total_seconds())
    await disturb(day)
    ends_at = day.clock.now()
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
        status, report = await day.call(function_id)
        assert status == 200, report
    await day.bundle.host.drain()


def asked_at(poll: Row) -> datetime:
    """When the feed answered: it takes no time here, all of the latency is the platform's."""
    return datetime.fromisoformat(str(poll["polledAt"])) + timedelta(milliseconds=float(str(poll["latencyMs"])))


def story_of(disturb: Disturbance, before_start: timedelta = BEFORE_START, use: PlatformUse | None = None) -> Story:
    """Live through a disturbance, and hold what it left against a day without it."""
    story: Story = run_appwrite_day(lambda day: disturbed(day, disturb, before_start), races=1, use=use)
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
def test_a_call_in_seven_fails_before_or_after_it_had_its_effect(after_effect: bool) -> None:
    kinds = [(500, True), (503, False), (429, True), (DROPPED, True)]

    async def disturb(day: AppwriteDay) -> None:
        day.faults.faults = [Fault(status, after_effect, has_content_type) for status, has_content_type in kinds]
        day.faults.share = 0.15

    story = story_of(disturb)
    assert all(statuses(story)[status] > 10 for status, _has_content_type in kinds)
    assert story.late_polls == 0
    assert story.first_poll_after <= timedelta(seconds=60)


def test_a_call_in_five_takes_one_to_five_seconds_longer() -> None:
    async def disturb(day: AppwriteDay) -> None:
        day.faults.slow_share = 0.2

    story = story_of(disturb)
    assert story.late_polls == 0
    assert story.failures == []
    assert story.use.longest_recurring_s <= 55.0


def test_two_minutes_without_the_platform() -> None:
    async def disturb(day: AppwriteDay) -> None:
        day.faults.down_from = day.clock.now()
        day.faults.down_until = day.clock.now() + timedelta(minutes=2)
        await day.clock.sleep(120)

    story = story_of(disturb)
    assert statuses(story)[503] > 5
    assert story.first_poll_after <= timedelta(seconds=60), "the next run of the scheduler"
    assert story.late_polls == 0


def test_keys_that_end_in_mid_run_cost_what_is_left_of_the_run() -> None:
    def end_the_keys(day: AppwriteDay) -> None:
        keys = day.bundle.platform.project.keys
        for function_id in ("enhanced-race-poller", "master-race-scheduler"):
            for secret in keys.lent_to(function_id):
                keys.expire(secret, day.clock.now())

    async def disturb(day: AppwriteDay) -> None:
        for _ in range(5):
            await day.clock.sleep(60 + 13)
            end_the_keys(day)

    story = story_of(disturb)
    assert statuses(story)[401] >= 5
    assert story.first_poll_after <= timedelta(seconds=60)
    assert story.late_polls == 0


class Killer(PlatformUse):
    """Ends everything that runs of a function right after its n-th call: the call had its effect, nobody hears of it.

    A container that is gone asks nothing more: with `hard` its key is worthless from then on. Otherwise the function
    is cancelled, as at its timeout, and may still tidy up.
    """

    def __init__(self, function_id: str, *, hard: bool) -> None:
        super().__init__()
        self.function_id = function_id
        self.hard = hard
        self.remaining: list[int] = []
        self.killed: list[str] = []
        self.day: AppwriteDay | None = None

    def arm(self, day: AppwriteDay, after_calls: list[int]) -> None:
        """Kill once after each of these numbers of calls, counted from the last kill on."""
        self.day, self.remaining = day, list(after_calls)

    def add(self, call: PlatformCall) -> None:
        super().add(call)
        if call.key_id != self.function_id or not self.remaining:
            return
        self.remaining[0] -= 1
        if self.remaining[0] == 0:
            self.remaining.pop(0)
            self.killed.append(f"{call.method} {call.route}")
            self._kill(call.at)

    def _kill(self, now: datetime) -> None:
        assert self.day is not None
        keys = self.day.bundle.platform.project.keys
        for secret in keys.lent_to(self.function_id) if self.hard else ():
            keys.expire(secret, now)
        for task in asyncio.all_tasks():
            if task.get_name().startswith(f"{self.function_id} "):
                task.cancel()


@pytest.mark.parametrize(
    ("function_id", "hard"),
    [
        ("enhanced-race-poller", True),
        ("enhanced-race-poller", False),
        ("master-race-scheduler", True),
        ("alert-evaluator", True),
        ("alert-evaluator", False),
        ("money-flow-tracker", True),
    ],
)
def test_what_is_killed_between_any_two_calls_is_made_up_for(function_id: str, hard: bool) -> None:
    killer = Killer(function_id, hard=hard)

    async def disturb(day: AppwriteDay) -> None:
        day.faults.latency_s = 0.01  # so that there is something during which a call can be cancelled
        killer.arm(day, [*range(1, 10)] * (2 if function_id == "alert-evaluator" else 1))
        while killer.remaining:
            if function_id == "money-flow-tracker":  # which no poll of ours starts
                await day.bundle.host.start(function_id, {})
            await day.clock.sleep(10)

    story = story_of(disturb, before_start=timedelta(minutes=25), use=killer)
    assert len(set(killer.killed)) >= 3, "after calls of several kinds"
    assert len(story.failures) >= 8, "one that had nothing left to do may have ended well"
    assert story.late_polls == 0
    assert story.first_poll_after <= timedelta(seconds=150), "an interval, so long before the start"


STAGES = ("daily-meetings", "daily-races", "daily-entrants")


def morning(disturb: Disturbance, use: PlatformUse | None = None) -> tuple[Tables, list[str], int]:
    """Run from before the first import until the card is complete; return it, its races as asked for, the minutes."""

    async def scenario(day: AppwriteDay) -> tuple[Tables, list[str], int]:
        until = asyncio.Event()
        running = asyncio.create_task(day.bundle.host.run(until, grace_s=60))
        await disturb(day)
        minutes = 0
        while sum(bool(row["complete"]) for row in day.rows("daily-stages")) < len(STAGES):
            await day.clock.sleep(60)
            minutes += 1
            assert minutes < 60
        until.set()
        await running
        asked = [request.event_id for request in day.requests.requests if request.event_id is not None]
        return platform_tables(day, ("meetings", "races", "entrants", "race-pools", "daily-stages")), asked, minutes

    card: tuple[Tables, list[str], int] = run_appwrite_day(scenario, meetings=2, races=3, use=use)
    return card


async def nothing(_day: AppwriteDay) -> None:
    """Disturb nothing."""


@pytest.fixture(scope="module")
def quiet_morning() -> Tables:
    return morning(nothing)[0]


@pytest.mark.parametrize("function_id", STAGES)
def test_a_daily_stage_that_is_killed_between_any_two_calls_goes_on_where_it_stopped(
    function_id: str, quiet_morning: Tables
) -> None:
    killer = Killer(function_id, hard=True)

    async def disturb(day: AppwriteDay) -> None:
        day.faults.latency_s = 0.01
        killer.arm(day, [1, 2, 3, 5, 7, 9, 10, 11, 12])

    card, asked, _minutes = morning(disturb, killer)
    assert len(killer.killed) >= 5
    assert {name: rows.keys() for name, rows in card.items()} == {
        name: rows.keys() for name, rows in quiet_morning.items()
    }
    assert len(asked) <= len(card["races"]) + len(killer.killed), "a kill costs the one race that was under way"


def test_a_platform_that_is_away_when_the_crons_fire_costs_minutes(quiet_morning: Tables) -> None:
    async def disturb(day: AppwriteDay) -> None:
        day.faults.down_from = day.clock.now()
        day.faults.down_until = day.clock.now() + timedelta(minutes=3)

    card, asked, minutes = morning(disturb)
    assert {name: rows.keys() for name, rows in card.items()} == {
        name: rows.keys() for name, rows in quiet_morning.items()
    }
    assert len(asked) == len(set(asked)) == len(card["races"])
    assert minutes <= 25, "the scheduler starts what the crons could not"
