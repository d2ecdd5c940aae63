"""A realistic day, made inside PostgreSQL: 40 meetings, 300 races, 3,500 runners, 200 rows of each history a runner."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from raceday.domain.racing_day import racing_date

if TYPE_CHECKING:
    from raceday.store.postgres.database import PostgresDatabase

MEETINGS = 40
RACES = 300
RUNNERS = 3_500
HISTORY_ROWS = 200
BIG_FIELD = 14
"""The field of the first race, of which the entrants are asked."""

_MEETINGS = """
    INSERT INTO meetings (meeting_id, meeting_name, country, race_type, category, category_name, date, status)
    SELECT 'meeting-' || n, 'Course ' || n, CASE n %% 5 WHEN 0 THEN 'NZ' ELSE 'AUS' END,
        CASE n %% 4 WHEN 0 THEN 'Harness Horse Racing' ELSE 'Thoroughbred Horse Racing' END,
        CASE n %% 4 WHEN 0 THEN 'H' ELSE 'T' END,
        CASE n %% 4 WHEN 0 THEN 'Harness Horse Racing' ELSE 'Thoroughbred Horse Racing' END,
        %(day)s::date::timestamp AT TIME ZONE 'UTC', 'active'
    FROM generate_series(1, %(meetings)s) AS n
"""
# One start after the other, half of them behind us and half ahead: the middle of an afternoon.
_RACES = """
    INSERT INTO races (
        race_id, name, race_number, start_time, status, meeting_id, race_date_nz, distance, type, last_poll_time,
        odds_from, flow_from, history_to
    )
    SELECT 'race-' || n, 'Race ' || n, 1 + (n - 1) / %(meetings)s, starts,
        CASE WHEN n <= %(races)s / 2 THEN 'Final' ELSE 'Open' END,
        'meeting-' || 1 + (n - 1) %% %(meetings)s, %(day)s, 1200 + n, 'T', starts,
        starts - interval '200 minutes', starts - interval '200 minutes', starts
    FROM (
        SELECT n, %(now)s::timestamptz + (n - %(races)s / 2) * interval '100 seconds' AS starts
        FROM generate_series(1, %(races)s) AS n
    ) AS planned
"""
_RUNNERS = """
    INSERT INTO entrants (
        entrant_id, name, runner_number, race_id, barrier, fixed_win_odds, fixed_place_odds, pool_win_odds,
        pool_place_odds, jockey, trainer_name, silk_colours, hold_percentage, bet_percentage, win_pool_amount,
        place_pool_amount
    )
    SELECT 'runner-' || race || '-' || number, 'Horse ' || race || ' ' || number, number, 'race-' || race, number,
        2 + number, 1.2 + number * 0.4, 2.1 + number, 1.3 + number * 0.4, 'Jockey ' || number, 'Trainer ' || number,
        'White, red sash and cap', 100.0 / field, 100.0 / field, 100000 * number, 40000 * number
    FROM (
        SELECT n AS race, CASE WHEN n = 1 THEN %(big_field)s
            ELSE (%(runners)s - %(big_field)s) / (%(races)s - 1)
                + CASE WHEN n - 1 <= (%(runners)s - %(big_field)s) %% (%(races)s - 1) THEN 1 ELSE 0 END END AS field
        FROM generate_series(1, %(races)s) AS n
    ) AS fields, generate_series(1, field) AS number
"""
_POOLS = """
    INSERT INTO race_pools (race_id, win_pool_total, place_pool_total, quinella_pool_total, total_race_pool, has_data)
    SELECT race_id, 5000000, 2000000, 900000, 7900000, true FROM races
"""
_RESULTS = """
    INSERT INTO race_results (race_id, results_available, result_status, result_time, results_data, dividends_data)
    SELECT race_id, true, 'final', start_time, '[{"position": 1, "runner_number": 1, "name": "Horse 1"}]', '[]'
    FROM races WHERE status = 'Final'
"""
_ODDS = """
    INSERT INTO odds_history (id, odds, event_timestamp, type, race_id, entrant_id, time_interval)
    SELECT entrant_id || '-' || step, 2 + (step %% 40) * 0.1, start_time - step * interval '1 minute',
        (ARRAY['fixed_win', 'fixed_place', 'pool_win', 'pool_place'])[1 + step %% 4], race_id, entrant_id, 5
    FROM entrants JOIN races USING (race_id), generate_series(0, %(history)s - 1) AS step
"""
_FLOW = """
    INSERT INTO money_flow_history (
        id, race_id, entrant_id, type, event_timestamp, polling_timestamp, hold_percentage, bet_percentage,
        time_to_start, time_interval, interval_type, pool_type, win_pool_amount, place_pool_amount, total_pool_amount,
        incremental_amount, incremental_win_amount, incremental_place_amount, win_pool_percentage,
        place_pool_percentage, fixed_win_odds, fixed_place_odds, pool_win_odds, pool_place_odds, data_quality_score,
        previous_interval, estimator
    )
    SELECT entrant_id || '-' || step, race_id, entrant_id, 'bucketed_aggregation',
        start_time - step * interval '1 minute',
        start_time - step * interval '1 minute', 8.5, 7.5, step, step - 5, '30s', 'combined', 100000 - 100 * step,
        40000 - 40 * step, 7000000, 140, 100, 40, 8.5, 8.5, 4.2, 1.9, 4.4, 1.8, 98, step - 4, 'hold'
    FROM entrants JOIN races USING (race_id), generate_series(0, %(history)s - 1) AS step
"""
_STATEMENTS = (_MEETINGS, _RACES, _RUNNERS, _POOLS, _RESULTS, _ODDS, _FLOW)


async def load_day(database: PostgresDatabase, now: datetime) -> None:
    """Fill an empty database with the day around an instant, 1.4 million history rows; takes about a minute."""
    figures = {
        "now": now.isoformat(),
        "day": racing_date(now).isoformat(),
        "meetings": MEETINGS,
        "races": RACES,
        "runners": RUNNERS,
        "big_field": BIG_FIELD,
        "history": HISTORY_ROWS,
    }
    async with database.transaction() as tx:
        await tx.execute("SET LOCAL statement_timeout = 0")
        for statement in _STATEMENTS:
            await tx.execute(statement, figures)
    await database.execute("ANALYZE")
