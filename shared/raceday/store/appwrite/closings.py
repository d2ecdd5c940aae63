"""Closing snapshots on Appwrite: which races lack theirs, what it is made from, and the snapshot itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from raceday.domain.closing import RaceClosing, RaceHistory
from raceday.domain.coverage import FollowedRace
from raceday.domain.result import ResultStatus
from raceday.domain.status import RaceStatus
from raceday.store.appwrite.pending import pending_rows
from raceday.store.appwrite.queries import at_least, below, equal, not_equal
from raceday.store.appwrite.rows import AppwriteRows
from raceday.store.appwrite.waiting import with_waiting
from raceday.store.rows.health import (
    RUNNER_COLUMNS,
    closing_figures,
    closing_row,
    followed_race,
    is_closed,
    placings_of,
    runner_close,
)
from raceday.store.rows.polls import DEGRADED, MARK_COLUMNS, poll_mark
from raceday.store.rows.states import pool_totals_of
from raceday.store.rows.values import StoredRow, instant_text
from raceday.store.tables import (
    ENTRANTS,
    MEETINGS,
    MONEY_FLOW_HISTORY,
    POLL_CLAIMS,
    POLL_LOGS,
    RACE_CLOSINGS,
    RACE_POLLS,
    RACE_POOLS,
    RACE_RESULTS,
    RACES,
)

FOLLOWED_COLUMNS = ("meetingId", "raceNumber", "name", "startTime", "status", "abandonedAt")
_OVER = (RaceStatus.ABANDONED.value, RaceStatus.FINAL.value)


class AppwriteClosings:
    """Reads what closing snapshots are made from, and writes them."""

    _rows: AppwriteRows

    async def races_to_close(self, starts_from: datetime, starts_before: datetime, final_before: datetime) -> list[str]:
        """Return the races of the span that are over and lack their closing snapshot, by start.

        One call when none is over, else two more for every 80 of them.
        """
        races = await self._rows.find(
            RACES,
            at_least("startTime", starts_from),
            below("startTime", starts_before),
            equal("status", *_OVER),
            columns=("status", "startTime", "finalizedAt"),
        )
        ids = [row["$id"] for row in races]
        results = await self._rows.of_ids(RACE_RESULTS, "$id", ids, columns=("resultStatus", "contentHash"))
        closings = await self._rows.of_ids(RACE_CLOSINGS, "$id", ids, columns=("status", "resultHash"))
        result_of, closing_of = ({row["$id"]: row for row in rows} for rows in (results, closings))
        lacking = [
            (row["startTime"], row["$id"])
            for row in races
            if _is_over(row, result_of.get(row["$id"]), instant_text(final_before))
            and not is_closed(row, result_of.get(row["$id"]), closing_of.get(row["$id"]))
        ]
        return [race_id for _, race_id in sorted(lacking)]

    async def race_history(self, race_id: str) -> RaceHistory | None:
        """Return everything that the closing snapshot of a race is made from, or None for an unknown race. Ten
        calls, and one more to make a snapshot anew.

        The platform shows no consistent state over several reads. How the race ended is read first: when that changes
        before the snapshot is written, the snapshot does not match the race and is made anew.
        """
        race = await self._rows.get(RACES, race_id)
        if race is None or race["$id"] != race_id:
            return None
        result = await self._rows.get(RACE_RESULTS, race_id)
        [followed] = await followed_races(self._rows, [race])
        polls = await _polls_of(self._rows, race_id)
        failed = await self._rows.count(POLL_LOGS, equal("raceId", race_id), not_equal("error", DEGRADED))
        buckets = await self._rows.find(MONEY_FLOW_HISTORY, equal("raceId", race_id), columns=("timeInterval",))
        pools = await self._rows.get(RACE_POOLS, race_id)
        runners = await self._rows.find(ENTRANTS, equal("raceId", race_id), columns=RUNNER_COLUMNS)
        earlier = await self._rows.get(RACE_CLOSINGS, race_id) if followed.closed else None
        return RaceHistory(
            race=followed,
            race_date_nz=race["raceDateNz"] or "",
            polls=tuple(poll_mark(row) for row in polls),
            degraded_polls=sum(1 for row in polls if row["degraded"]),
            failed_polls=failed,
            buckets=frozenset(row["timeInterval"] for row in buckets),
            pools=pool_totals_of(pools) if pools is not None and pools["hasData"] else None,
            runners=tuple(runner_close(row) for row in runners),
            placings=placings_of(result["resultsData"]) if result is not None else {},
            result_print=(result["contentHash"] or "") if result is not None else "",
            earlier=closing_figures(earlier) if earlier is not None else None,
        )

    async def save_closing(self, closing: RaceClosing) -> None:
        """Write the closing snapshot of a race, in place of an earlier one. One call."""
        await self._rows.upsert(RACE_CLOSINGS, [closing_row(closing)])


async def followed_races(rows: AppwriteRows, races: Sequence[StoredRow]) -> list[FollowedRace]:
    """Return races, from rows with `FOLLOWED_COLUMNS`, in their order: two calls for up to 80, none for none."""
    meeting_ids = [str(row["meetingId"]) for row in races if row["meetingId"]]
    meetings = await rows.of_ids(MEETINGS, "$id", meeting_ids, columns=("meetingName",))
    closings = await rows.of_ids(RACE_CLOSINGS, "$id", [row["$id"] for row in races], columns=("raceId",))
    names = {row["$id"]: row["meetingName"] for row in meetings}
    closed = {row["$id"] for row in closings}
    return [
        followed_race(
            row["$id"],
            names.get(row["meetingId"]),
            row["raceNumber"],
            row["name"],
            row["startTime"],
            row["status"],
            row["abandonedAt"],
            row["$id"] in closed,
        )
        for row in races
    ]


async def _polls_of(rows: AppwriteRows, race_id: str) -> list[StoredRow]:
    """Return the polls of a race, with those that still wait to be written."""
    claims = await rows.of_ids(POLL_CLAIMS, "$id", [race_id], columns=("pendingRows",))
    waiting = [row for claim in claims for row in pending_rows(claim, RACE_POLLS)]
    columns = (*MARK_COLUMNS, "degraded")
    return with_waiting(await rows.find(RACE_POLLS, equal("raceId", race_id), columns=columns), waiting)


def _is_over(race: StoredRow, result: StoredRow | None, final_before: str) -> bool:
    """Whether a race is Abandoned, or Final with a final result, or Final since `final_before` whatever its result."""
    if race["status"] == RaceStatus.ABANDONED.value:
        return True
    if race["status"] != RaceStatus.FINAL.value:
        return False
    is_final = result is not None and result["resultStatus"] == ResultStatus.FINAL.value
    return is_final or str(race["finalizedAt"] or race["startTime"]) <= final_before
