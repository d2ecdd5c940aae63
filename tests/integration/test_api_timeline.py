"""The money-flow timeline: pages that neither skip nor repeat, increments, coverage."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from api_day import FIRST, POLLS_AT, SECOND, ServedDay, names, on_day
from contract.store_examples import START, event, uid
from contract.store_steps import polled

PATH = f"/api/money-flow-timeline?raceId={FIRST.race_id}"
FINE = datetime(2026, 11, 22, 4, 0, 0, 789, tzinfo=UTC)
RUNNERS = [uid("runner", FIRST.race_id, number) for number in (1, 2, 3)]


async def pages(day: ServedDay, path: str) -> list[dict]:
    """Follow the cursor to the end."""
    rows: list[dict] = []
    cursor = ""
    while True:
        page = (await day.get(f"{path}{cursor}")).json()
        rows += page["documents"]
        if page["next_cursor"] is None:
            return rows
        cursor = f"&cursorAfter={page['next_cursor']}"


def test_a_whole_race_on_one_page(postgres_url):
    async def steps(day: ServedDay) -> None:
        page = (await day.get(PATH)).json()
        assert (page["success"], page["total"], page["limit"], page["pool_type"]) == (True, 15, 200, "win")
        assert (page["next_cursor"], page["message"]) == (None, None)
        assert page["next_created_at"] == page["documents"][-1]["created_at"]
        assert page["entrant_ids"] == RUNNERS
        one = [row for row in page["documents"] if row["entrant_id"] == RUNNERS[0]]
        assert names(one, "time_interval") == [60, 40, 20, 3, -6]
        assert sum(names(one, "incremental_win_amount")) == one[-1]["win_pool_amount"] == one[-1]["winPoolAmount"]
        assert names(one, "placePoolAmount") == names(one, "place_pool_amount")
        assert names(one, "fixed_win_odds") == [3] * 5
        covered = page["interval_coverage"]
        assert covered["summary"]["intervals_covered"] == [60, 40, 20, 3, -6]
        assert covered["entrants"][0]["critical_period_coverage"] == [60, 40, 20, 3]
        assert covered["summary"]["critical_period_gaps"][0]["missing_intervals"] == [5, 4, 2, 1, 0]

    on_day(postgres_url, steps)


def test_pages_of_any_size_give_every_row_once(postgres_url):
    async def steps(day: ServedDay) -> None:
        whole = (await day.get(PATH)).json()["documents"]
        for limit in (1, 2, 4, 15, 16):
            assert await pages(day, f"{PATH}&limit={limit}") == whole

    on_day(postgres_url, steps)


def test_rows_that_come_meanwhile_are_behind_the_cursor(postgres_url):
    async def steps(day: ServedDay) -> None:
        first = (await day.get(f"{PATH}&limit=10")).json()
        at = START + timedelta(minutes=9)
        await polled(day.store, event(FIRST, at, win_cents=2_600_000))
        rest = await pages(day, f"{PATH}&limit=10&cursor_after={first['next_cursor']}")
        ids = names([*first["documents"], *rest], "id")
        assert len(ids) == len(set(ids)) == 18

    on_day(postgres_url, steps)


def test_runners_are_chosen_comma_separated_or_repeated(postgres_url):
    async def steps(day: ServedDay) -> None:
        asked = [
            (await day.get(f"{PATH}&entrants={RUNNERS[0]},{RUNNERS[2]}&poolType=odds")).json(),
            (await day.get(f"{PATH}&entrants={RUNNERS[0]}&entrants={RUNNERS[2]}&pool_type=odds")).json(),
        ]
        assert asked[0] == asked[1]
        assert set(names(asked[0]["documents"], "entrant_id")) == {RUNNERS[0], RUNNERS[2]}
        nobody = (await day.get(f"{PATH}&entrants=nobody")).json()
        assert (nobody["documents"], nobody["total"]) == ([], 0)
        assert nobody["interval_coverage"]["entrants"][0]["document_count"] == 0
        assert "no money flow" in nobody["message"]

    on_day(postgres_url, steps)


def test_only_what_was_made_after_an_instant(postgres_url):
    async def steps(day: ServedDay) -> None:
        at = POLLS_AT[2].strftime("%Y-%m-%dT%H:%M:%SZ")
        later = (await day.get(f"{PATH}&createdAfter={at}")).json()
        assert set(names(later["documents"], "time_interval")) == {3, -6}
        assert later["created_after"] == POLLS_AT[2].strftime("%Y-%m-%dT%H:%M:%S.000000Z")
        unencoded = (await day.get(f"{PATH}&created_after={at.replace('Z', '+00:00')}")).json()
        assert unencoded == later

    on_day(postgres_url, steps)


def test_what_is_new_is_asked_for_by_the_last_answer(postgres_url):
    """A bucket that was made, and one that another poll changed; nothing else, and nothing when nothing happened."""

    async def steps(day: ServedDay) -> None:
        seen = (await day.get(PATH)).json()
        nothing = (await day.get(f"{PATH}&createdAfter={seen['next_created_at']}")).json()
        assert nothing["documents"] == []
        again_from = nothing["next_created_at"]
        for minutes, cents in ((9.0, 2_600_000), (9.5, 2_700_000)):
            await polled(day.store, event(FIRST, START + timedelta(minutes=minutes), win_cents=cents))
            fresh = (await day.get(f"{PATH}&createdAfter={again_from}")).json()
            assert names(fresh["documents"], "time_interval") == [-9] * 3
            again_from = fresh["next_created_at"]
        ids = names((await day.get(PATH)).json()["documents"], "id")
        assert names(fresh["documents"], "id") == ids[-3:]

    on_day(postgres_url, steps)


def test_rows_made_within_one_millisecond_are_on_one_page_each(postgres_url):
    async def steps(day: ServedDay) -> None:
        await day.state.database.execute(
            "UPDATE money_flow_history SET created_at = %s, updated_at = %s", (FINE, FINE + timedelta(seconds=1))
        )
        whole = (await day.get(PATH)).json()["documents"]
        assert await pages(day, f"{PATH}&limit=4") == whole
        assert len(set(names(whole, "id"))) == 15
        assert whole[0]["created_at"] == "2026-11-22T04:00:00.000789Z"

    on_day(postgres_url, steps)


def test_a_race_without_money_has_an_empty_timeline(postgres_url):
    async def steps(day: ServedDay) -> None:
        page = (await day.get(f"/api/money-flow-timeline?race_id={SECOND.race_id}")).json()
        assert (page["documents"], page["entrant_ids"], page["next_cursor"]) == ([], [], None)

    on_day(postgres_url, steps)
