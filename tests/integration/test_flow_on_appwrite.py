"""Money flow, pools and silks on the stand-in Appwrite, where another program writes the runners by the API."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from appwrite_day import AppwriteDay, run_appwrite_day
from raceday.domain.money_flow import share_of_pool_cents
from raceday.store.rows.values import instant_text
from raceday.store.tables import ENTRANTS

TRACKER, AGGREGATOR, ENRICHER = "money-flow-tracker", "race-pools-aggregator", "jockey-silks-enricher"
STANDING_CALLS, SAVING_CALLS = 3, 8
"""What an event of another program's write costs the tracker."""
PLACE_OF_WIN = 2
"""How many times the win pool is the place pool, as the other program writes it."""


async def import_and_wait(day: AppwriteDay, minutes: float) -> str:
    """Import the card and wait until some minutes before the first race."""
    await day.import_card()
    race_id = day.races_by_start()[0]
    [start] = [row["startTime"] for row in day.rows("races") if row["$id"] == race_id]
    await day.until(datetime.fromisoformat(str(start)) - timedelta(minutes=minutes))
    return race_id


def field_of(day: AppwriteDay, race_id: str) -> list[str]:
    """The live runners of a race."""
    return [str(row["$id"]) for row in day.rows("entrants") if row["raceId"] == race_id and not row["isScratched"]]


async def write_round(day: AppwriteDay, race_id: str, win_cents: int) -> list[str]:
    """Write every runner as an older poller does, row by row, and wait for the functions that listen."""
    field = field_of(day, race_id)
    seen = instant_text(day.clock.now())
    for entrant_id in field:
        hold = 100 / len(field)
        columns = {
            "holdPercentage": hold,
            "betPercentage": hold,
            "winPoolAmount": share_of_pool_cents(win_cents, hold),
            "placePoolAmount": share_of_pool_cents(win_cents // PLACE_OF_WIN, hold),
            "lastUpdated": seen,
        }
        await day.bundle.store._rows.update(ENTRANTS, entrant_id, columns)
    await day.bundle.host.drain()
    return field


def runs_of(day: AppwriteDay, function: str, trigger: str = "event") -> list[dict[str, Any]]:
    rows = [row for row in day.rows("function-runs") if row["function"] == function and row["trigger"] == trigger]
    return sorted(rows, key=lambda row: str(row["startedAt"]))


def test_what_another_program_writes_by_the_api_is_derived_by_its_events() -> None:
    async def scenario(day: AppwriteDay) -> None:
        race_id = await import_and_wait(day, 33)
        field = await write_round(day, race_id, 1_000_000)
        await day.clock.sleep(15 * 60)
        await write_round(day, race_id, 1_500_000)

        buckets = [row for row in day.rows("money-flow-history") if row["raceId"] == race_id]
        by_runner = Counter(str(row["entrantId"]) for row in buckets if row["dataQualityScore"] is None)
        assert by_runner == dict.fromkeys(field, 2)
        assert await day.bundle.store.repair_increments(race_id, day.clock.now()) == 0
        [pools] = [row for row in day.rows("race-pools") if row["$id"] == race_id]
        assert abs(int(str(pools["winPoolTotal"])) - 1_500_000) <= len(field)
        assert abs(int(str(pools["placePoolTotal"])) - 750_000) <= len(field)

        for function in (TRACKER, AGGREGATOR):
            runs = runs_of(day, function)
            assert len(runs) == 2 * len(field)
            assert {row["statusCode"] for row in runs} == {200}
            assert sum(row["failed"] for row in runs) == 0
        calls = [row["storeCalls"] for row in runs_of(day, TRACKER)]
        assert Counter(calls).most_common(1)[0][0] == STANDING_CALLS + SAVING_CALLS

    run_appwrite_day(scenario, races=1)


def test_a_sweep_makes_up_for_events_that_were_lost() -> None:
    async def scenario(day: AppwriteDay) -> None:
        race_id = await import_and_wait(day, 33)
        await day.call("single-race-poller", {"raceId": race_id, "force": True})
        await day.clock.sleep(60)
        day.bundle.host.raise_event = lambda *_: None  # type: ignore[method-assign]
        field = await write_round(day, race_id, 1_000_000)
        assert runs_of(day, TRACKER) == []
        status, swept = await day.call(TRACKER)
        assert (status, swept["derived"]) == (200, len(field))
        status, swept = await day.call(AGGREGATOR)
        assert (status, swept["derived"]) == (200, 1)
        _, again = await day.call(TRACKER)
        assert (again["derived"], again.get("repaired", 0)) == (0, 0)

    run_appwrite_day(scenario, races=1)


def test_the_silks_of_a_race_lie_in_the_bucket_once() -> None:
    async def scenario(day: AppwriteDay) -> None:
        await day.import_card()
        race_id = day.races_by_start()[0]
        status, first = await day.call(ENRICHER, {"raceId": race_id})
        assert (status, first["failed"]) == (200, 0)
        files = day.bundle.platform.project.buckets["silk-icons"].files
        kept = {silks["silkId"]: silks for silks in first["silks"]}
        assert set(files) == set(kept)
        assert len(kept) == first["processed"] > 3
        for silk_id, silks in kept.items():
            assert files[silk_id].content.decode() == silks["svgData"]
            assert f"/files/{silk_id}/download?project=raceday&" in silks["iconUrl"]
        rows = {row["$id"]: row["iconUrl"] for row in day.rows("jockey-silks")}
        assert rows == {silk_id: silks["iconUrl"] for silk_id, silks in kept.items()}
        _, again = await day.call(ENRICHER, {"raceId": race_id})
        assert (again["processed"], again["skipped"], again["silks"]) == (0, len(kept), first["silks"])

    run_appwrite_day(scenario, races=1)
