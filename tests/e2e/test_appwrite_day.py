"""A race day through all functions on the stand-in Appwrite, by its REST API alone, and what must be true of it."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from pathlib import Path

from appwrite_day import AppwriteDay, file_tables, platform_tables, run_appwrite_day
from race_day import RaceDay, run_day
from raceday.domain.poll_audit import audit_polls

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


def test_a_small_day_leaves_the_same_rows_on_both_stores(tmp_path: Path) -> None:
    async def on_platform(day: AppwriteDay) -> dict[str, dict[str, dict[str, object]]]:
        await day.to_the_end()
        assert not day.bundle.host.history.failures
        return platform_tables(day, COMPARED)

    stored = run_appwrite_day(on_platform, meetings=2, races=2, environment=POLITE)
    kept = run_day(to_the_end_of_file, tmp_path, meetings=2, races=2, environment=POLITE)
    for name in COMPARED:
        assert stored[name].keys() == kept[name].keys(), name
        for row_id, row in kept[name].items():
            assert stored[name][row_id] == row, (name, row_id)
    assert all(kept[name] for name in COMPARED if name != "poll_logs")


def test_every_race_is_polled_at_its_cadence_until_it_is_over() -> None:
    async def scenario(day: AppwriteDay) -> None:
        await day.to_the_end()
        audit = audit_polls(await day.bundle.store.poll_marks())
        counts = await day.bundle.store.day_counts()
        use = day.bundle.platform.use

        assert set(counts.races_by_status) <= {"Final", "Abandoned"}
        assert counts.races == len(day.programme.imported_races())
        assert (audit.double_polls, audit.late_polls, counts.failed_polls) == (0, 0, 0)
        assert audit.lateness_p95_s < 5
        assert list(day.bundle.host.history.failures) == []
        assert counts.notifications == len(day.rows("notifications")) > 0
        assert use.busiest_minute()[1] <= 20, "one meeting is far from a Saturday"
        assert use.longest_recurring_s <= LONGEST_RECURRING_S
        assert {kind.status for kind in use.calls} <= {200, 201, 202, 204, 404, 409}
        assert_increments_add_up(day)

    run_appwrite_day(scenario, environment=POLITE)


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
