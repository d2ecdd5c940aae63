"""What the closing snapshot of a race is made from, read from PostgreSQL."""

from __future__ import annotations

from raceday.domain.closing import RaceHistory
from raceday.store.postgres.database import Statements
from raceday.store.postgres.names import selected
from raceday.store.postgres.reading import FLOW_OF_RACE, POLLS_OF_RACE, thrice
from raceday.store.rows.health import (
    FIGURE_COLUMNS,
    RUNNER_COLUMNS,
    closing_figures,
    followed_race,
    placings_of,
    runner_close,
)
from raceday.store.rows.polls import DEGRADED, MARK_COLUMNS, poll_mark
from raceday.store.rows.states import pool_totals_of
from raceday.store.tables import ENTRANTS, RACE_CLOSINGS, RACE_POLLS, RACE_POOLS, RACE_RESULTS

FOLLOWED = (
    "SELECT races.race_id, meetings.meeting_name, races.race_number, races.name, races.start_time, races.status, "
    "races.abandoned_at, race_closings.race_id IS NOT NULL "
    "FROM races LEFT JOIN meetings USING (meeting_id) LEFT JOIN race_closings USING (race_id) "
)
"""A race as `followed_race` takes it."""
_POLLS = f"SELECT {selected(RACE_POLLS, (*MARK_COLUMNS, 'degraded'))} FROM race_polls WHERE {POLLS_OF_RACE}"  # noqa: S608
_BUCKETS = f"SELECT DISTINCT time_interval FROM money_flow_history WHERE {FLOW_OF_RACE}"  # noqa: S608
_POOLS = f"SELECT {selected(RACE_POOLS)} FROM race_pools WHERE race_id = %s AND has_data"  # noqa: S608
_RUNNERS = f"SELECT {selected(ENTRANTS, RUNNER_COLUMNS)} FROM entrants WHERE race_id = %s"  # noqa: S608
_RESULT = f"SELECT {selected(RACE_RESULTS, ('resultsData', 'contentHash'))} FROM race_results WHERE race_id = %s"  # noqa: S608
_EARLIER = f"SELECT {selected(RACE_CLOSINGS, FIGURE_COLUMNS)} FROM race_closings WHERE race_id = %s"  # noqa: S608


async def race_history(tx: Statements, race_id: str) -> RaceHistory | None:
    """Return everything that the closing snapshot of a race is made from, or None for an unknown race."""
    race = await tx.tuples(FOLLOWED + "WHERE races.race_id = %s", (race_id,))
    if not race:
        return None
    [(race_date_nz,)] = await tx.tuples("SELECT race_date_nz FROM races WHERE race_id = %s", (race_id,))
    polls = await tx.rows(_POLLS, thrice(race_id))
    [(failed,)] = await tx.tuples(
        "SELECT count(*) FROM poll_logs WHERE race_id = %s AND error <> %s", (race_id, DEGRADED)
    )
    buckets = await tx.tuples(_BUCKETS, thrice(race_id))
    pools = await tx.row(_POOLS, (race_id,))
    runners = await tx.rows(_RUNNERS, (race_id,))
    result = await tx.row(_RESULT, (race_id,))
    earlier = await tx.row(_EARLIER, (race_id,))
    return RaceHistory(
        race=followed_race(*race[0]),
        race_date_nz=race_date_nz or "",
        polls=tuple(poll_mark(row) for row in polls),
        degraded_polls=sum(1 for row in polls if row["degraded"]),
        failed_polls=failed,
        buckets=frozenset(bucket for (bucket,) in buckets),
        pools=pool_totals_of(pools) if pools is not None else None,
        runners=tuple(runner_close(row) for row in runners),
        placings=placings_of(result["resultsData"]) if result is not None else {},
        result_print=(result["contentHash"] or "") if result is not None else "",
        earlier=closing_figures(earlier) if earlier is not None else None,
    )
