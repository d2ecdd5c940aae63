"""The money flow of a race page by page.

Rows come in the order of their creation and id, neither of which a later poll changes, and a cursor names the last row
of its page: rows that are added meanwhile come behind it, and none is skipped or repeated. The history is read runner
by runner, by the index that every partition has; see `entrants` for why numbers are fenced off, and instants left as
the session writes them.
"""

from __future__ import annotations

from raceday.server.api.queries.query import Query

TIMELINE = Query(
    "money-flow timeline",
    """
    WITH found AS MATERIALIZED (
        SELECT f.*
        FROM (
            SELECT %s::text AS race_id, %s::text[] AS entrant_ids, %s::timestamptz AS after_at, %s::text AS after_id,
                %s::timestamptz AS changed_after OFFSET 0
        ) AS asked
        JOIN races r ON r.race_id = asked.race_id
        JOIN entrants e
            ON e.race_id = r.race_id AND (asked.entrant_ids IS NULL OR e.entrant_id = ANY(asked.entrant_ids))
        CROSS JOIN LATERAL (
            SELECT m.id, m.race_id, m.entrant_id, m.type, m.time_interval, m.time_to_start, m.interval_type,
                m.hold_percentage, m.incremental_win_amount, m.incremental_place_amount, m.win_pool_amount,
                m.place_pool_amount, m.win_pool_amount AS "winPoolAmount", m.place_pool_amount AS "placePoolAmount",
                m.win_pool_percentage, m.place_pool_percentage, m.fixed_win_odds, m.fixed_place_odds, m.pool_win_odds,
                m.pool_place_odds, m.event_timestamp, m.polling_timestamp, m.created_at, m.updated_at
            FROM money_flow_history m
            WHERE m.entrant_id = e.entrant_id
                AND m.event_timestamp >= r.flow_from AND m.event_timestamp <= r.history_to
                AND m.time_interval > -65 AND m.time_interval < 66
                AND (asked.after_at IS NULL OR (m.created_at, m.id) > (asked.after_at, asked.after_id))
                AND (asked.changed_after IS NULL OR m.updated_at > asked.changed_after)
            OFFSET 0
        ) AS f
        ORDER BY f.created_at, f.id LIMIT (SELECT %s::bigint + 1)
    ),
    page AS (SELECT * FROM found ORDER BY created_at, id LIMIT (SELECT %s::bigint))
    SELECT
        (SELECT coalesce(json_agg(page ORDER BY created_at, id), '[]') FROM page)::text,
        (SELECT coalesce(json_agg(runner), '[]') FROM (
            SELECT entrant_id, count(*) AS rows, array_agg(DISTINCT time_interval) AS intervals
            FROM page GROUP BY entrant_id
        ) AS runner),
        ARRAY(SELECT e.entrant_id FROM entrants e WHERE e.race_id = r.race_id ORDER BY e.runner_number, e.entrant_id),
        (SELECT count(*) FROM found),
        (
            SELECT json_build_array(created_at, (extract(epoch FROM created_at) * 1000000)::bigint || '.' || id)
            FROM page ORDER BY created_at DESC, id DESC LIMIT 1
        )
    FROM races r WHERE r.race_id = %s""",
    lambda day: (day.race_id, list(day.entrant_ids), None, None, None, 200, 200, day.race_id),
)
"""Returns one row: the page as JSON, each of its runners with its buckets, all runners of the race, how many rows there
are up to one beyond the page, and the creation and cursor of the page's last."""

QUERIES = (TIMELINE,)
