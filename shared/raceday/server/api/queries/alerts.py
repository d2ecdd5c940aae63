"""The percentage ranges that a user has set."""

from __future__ import annotations

from raceday.server.api.queries.query import Query

RANGES_OF_USER = Query(
    "alert ranges of a user",
    """
    SELECT DISTINCT ON (c.display_order) c.id, c.percentage_range_min, c.percentage_range_max, c.color, c.is_default,
        c.enabled, c.display_order, c.audible_alerts_enabled, c.created_at, c.updated_at
    FROM user_alert_configs c
    WHERE c.user_id = %s AND c.indicator_type IS NOT NULL AND c.alert_type IS NULL
        AND c.race_id IS NULL AND c.entrant_id IS NULL AND c.display_order BETWEEN 1 AND 6
    ORDER BY c.display_order, c.updated_at DESC, c.id""",
    lambda day: (day.user_id,),
)
SAVE_RANGES = "SELECT upsert_user_alert_configs(%s::jsonb, %s)"
"""Writes all rows of one save or none; those of two saves at once never mix."""
QUERIES = (RANGES_OF_USER,)
