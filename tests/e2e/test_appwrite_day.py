"""A race day through all functions on the stand-in Appwrite, by its REST API alone, and what must be true of it."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from appwrite_day import AppwriteDay, file_tables, platform_tables, run_appwrite_day
from race_day import RaceDay, run_day
from raceday.domain.alerts.delivery import AlertChannels
from raceday.domain.poll_audit import audit_polls
from raceday.host.appwrite_use import PlatformUse
from raceday.host.bundle import project_manifest
from raceday.runtime.functions import FUNCTIONS
from raceday.simulator.programme import plan_day
from raceday.store.appwrite.operations import update
from raceday.store.appwrite.rows import AppwriteRows
from raceday.store.tables import ENTRANTS

COMPARED = (
    "meetings",
    "races",
    "entrants",
    "race-results",
    "odds-history",
    "money-flow-history",
    "race-pools",
    "race-polls",
    "notifications",
    "race-closings",
    "poll_logs",
    "daily-stages",
)
MOST_EXECUTIONS_A_MINUTE = 60
LONGEST_RECURRING_S = 55.0
POLITE = {"RACEDAY_POLITENESS_S": "1"}


async def to_the_end_of_file(day: RaceDay) -> dict[str, dict[str, dict[str, object]]]:
    """The same day on the embedded store."""
    over = asyncio.Event()
    running = asyncio.create_task(day.bundle.host.run(over, grace_s=30))
    await day.clock.sleep(3600)
    while day.rows("SELECT count(*) FROM races WHERE status NOT IN ('Final', 'Abandoned')")[0][0]:
        await day.clock.sleep(300)
    over.set()
    await running
    return file_tables(day, COMPARED)


def test_a_small_day_is_followed_to_its_end_and_leaves_the_same_rows_on_both_stores(tmp_path: Path) -> None:
    async def on_platform(day: AppwriteDay) -> dict[str, dict[str, dict[str, object]]]:
        await day.to_the_end()
        assert list(day.bundle.host.history.failures) == []
        audit = audit_polls(await day.bundle.store.poll_marks())
        counts = await day.bundle.store.day_counts()
        assert counts.races == counts.races_by_status["Final"] + counts.races_by_status.get("Abandoned", 0)
        assert counts.races == len(day.programme.imported_races())
        assert counts.polls == audit.polls == len(day.rows("race-polls")) > 200
        assert (audit.double_polls, audit.late_polls, counts.failed_polls) == (0, 0, 0)
        assert audit.lateness_p95_s < 5
        assert counts.notifications == len(day.rows("notifications")) > 50
        use = day.bundle.platform.use
        assert use.busiest_minute()[1] <= 20, "two meetings are far from a Saturday"
        assert use.longest_recurring_s <= LONGEST_RECURRING_S
        assert {kind.status for kind in use.calls} <= {200, 201, 202, 204, 404, 409}
        assert_increments_add_up(day)
        return platform_tables(day, COMPARED)

    stored = run_appwrite_day(on_platform, meetings=2, races=2, environment=POLITE)
    kept = run_day(to_the_end_of_file, tmp_path, meetings=2, races=2, environment=POLITE)
    for name in COMPARED:
        assert stored[name].keys() == kept[name].keys(), name
        for row_id, row in kept[name].items():
            assert stored[name][row_id] == row, (name, row_id)
    assert all(kept[name] for name in COMPARED if name != "poll_logs")


def assert_increments_add_up(day: AppwriteDay) -> None:
    """A runner's displayed increments sum to its last amount."""
    buckets = defaultdict(list)
    for row in day.rows("money-flow-history"):
        if row["winPoolAmount"] is not None:
            buckets[row["entrantId"]].append(row)
    assert buckets
    for entrant_id, rows in buckets.items():
        last = min(rows, key=lambda row: int(str(row["timeInterval"])))
        assert sum(int(str(row["incrementalWinAmount"])) for row in rows) == last["winPoolAmount"], entrant_id
        assert sum(int(str(row["incrementalPlaceAmount"])) for row in rows) == last["placePoolAmount"], entrant_id


def test_every_function_needs_the_scopes_that_it_declares_and_no_other() -> None:
    """A key that lacks one is refused (401), so the day proves the rest; each scope has to be asked for by a call."""

    async def scenario(day: AppwriteDay) -> PlatformUse:
        store, project = day.bundle.store, day.bundle.platform.project
        await day.import_card()
        await store.save_alert_channels(AlertChannels("Default User", push=True), day.clock.now())
        race_id = day.races_by_start()[0]
        await day.until(day.start_of(race_id) - timedelta(minutes=6))
        over = asyncio.Event()
        running = asyncio.create_task(day.bundle.host.run(over, grace_s=60))
        await day.clock.sleep(330)
        for function_id in ("single-race-poller", "batch-race-poller"):
            body = {"raceId": race_id} if function_id == "single-race-poller" else {"raceIds": [race_id]}
            assert (await day.call(function_id, body | {"force": True}))[0] == 200
        await day.bundle.host.start("race-data-poller", {})
        assert (await day.call("jockey-silks-enricher", {"raceId": race_id}))[0] == 200
        for row in day.rows("jockey-silks"):
            # As after a run that was killed between the icon and its row: the icon is there, the row is made again.
            day.table("jockey-silks").rows.remove(str(row["$id"]))
        assert (await day.call("jockey-silks-enricher", {"raceId": race_id}))[0] == 200
        runner = next(row for row in day.rows("entrants") if row["raceId"] == race_id and not row["isScratched"])
        written = {"holdPercentage": 31.0, "winPoolAmount": 900_000, "lastUpdated": day.clock.now()}
        await store._rows.update(ENTRANTS, str(runner["$id"]), written)
        over.set()
        await running
        assert list(day.bundle.host.history.failures) == []
        assert project.messages, "a notification was pushed"
        return day.bundle.platform.use

    use = run_appwrite_day(scenario, races=1, environment={"RACEDAY_ALERT_CHANNELS": "push"})
    asked: dict[str, set[str]] = defaultdict(set)
    for kind in use.calls:
        assert kind.status != 401, kind
        asked[kind.caller].add(kind.scopes[0])
    declared = {function.function_id: set(function.scopes) for function in project_manifest().functions}
    assert set(declared) == set(FUNCTIONS)
    assert {function_id: asked[function_id] for function_id in declared} == declared


def test_the_busiest_minutes_of_a_saturday_fit_the_platforms_queue() -> None:
    """Of the whole day, 04:50 UTC is the minute with most executions; every call takes as long as on a real server."""

    async def scenario(day: AppwriteDay) -> None:
        await day.import_card()
        await day.until(datetime(2026, 11, 28, 4, 44, tzinfo=UTC))
        day.faults.latency_s = 0.03
        over = asyncio.Event()
        running = asyncio.create_task(day.bundle.host.run(over, grace_s=60))
        # Nobody polled since the import, so that the first minutes catch up with 200 races.
        await day.clock.sleep(180)
        began = day.clock.now()
        await day.clock.sleep(300)
        over.set()
        await running
        use, host = day.bundle.platform.use, day.bundle.host
        steady = [count for minute, count in use.executions_by_minute.items() if minute >= began]
        assert 10 < max(steady) <= MOST_EXECUTIONS_A_MINUTE
        assert 40 < use.longest_recurring_s <= LONGEST_RECURRING_S
        assert list(host.history.failures) == []
        assert max(result.waited_s for result in host.history.recent) < 5, "eight at a time are enough"
        audit = audit_polls(await day.bundle.store.poll_marks(began))
        assert audit.polls > 100
        assert (audit.double_polls, audit.late_polls) == (0, 0)

    run_appwrite_day(scenario, programme=plan_day(date(2026, 11, 28), saturday=True))


def columns(row: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in row.items() if not name.startswith("$")}


async def by_update(rows: AppwriteRows, row: dict[str, object]) -> None:
    await rows.update(ENTRANTS, str(row["$id"]), {name: row[name] for name in CHANGED})


async def by_upsert(rows: AppwriteRows, row: dict[str, object]) -> None:
    await rows.rest.call("PUT", f"/tablesdb/raceday-db/tables/entrants/rows/{row['$id']}", body={"data": columns(row)})


async def by_bulk(rows: AppwriteRows, row: dict[str, object]) -> None:
    await rows.rest.call(
        "PUT", "/tablesdb/raceday-db/tables/entrants/rows", body={"rows": [{"$id": row["$id"], **columns(row)}]}
    )


async def by_transaction(rows: AppwriteRows, row: dict[str, object]) -> None:
    await rows.commit([update(ENTRANTS, {"$id": row["$id"], **{name: row[name] for name in CHANGED}})])


CHANGED = ("holdPercentage", "winPoolAmount", "placePoolAmount", "lastUpdated")
WRITERS = (by_update, by_upsert, by_bulk, by_transaction)


def test_a_runner_written_by_others_in_any_way_starts_all_that_listen_to_it() -> None:
    """Each way has a name of its own: both generations, `.update` and `.upsert`, with and without a database id."""

    async def scenario(day: AppwriteDay) -> None:
        await day.import_card()
        (race_id,) = day.races_by_start()
        await day.until(day.start_of(race_id) - timedelta(minutes=4))
        await day.call("single-race-poller", {"raceId": race_id, "force": True})
        await day.bundle.host.drain()
        runners = [dict(row) for row in day.rows("entrants") if not row["isScratched"]]
        for number, write in enumerate(WRITERS):
            await day.clock.sleep(61)
            runner = runners[number]
            at = day.clock.now().isoformat(timespec="milliseconds")
            runner |= {"holdPercentage": 31.0, "winPoolAmount": 900_000, "placePoolAmount": 300_000, "lastUpdated": at}
            ran = day.bundle.host.history.count()
            await write(day.bundle.store._rows, runner)
            await day.bundle.host.drain()
            results = list(day.bundle.host.history.recent)[ran - day.bundle.host.history.count() :]
            assert sorted((result.function_id, result.trigger, result.status_code) for result in results) == [
                ("alert-evaluator", "event", 200),
                ("money-flow-tracker", "event", 200),
                ("race-pools-aggregator", "event", 200),
            ], write.__name__
            buckets = [row for row in day.rows("money-flow-history") if row["entrantId"] == runner["$id"]]
            newest = max(buckets, key=lambda row: str(row["eventTimestamp"]))
            assert (newest["winPoolAmount"], newest["eventTimestamp"]) == (900_000, at), write.__name__

    run_appwrite_day(scenario, races=1)
