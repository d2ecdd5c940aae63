"""Races of a meeting, races soon, and one race."""

from __future__ import annotations

from datetime import timedelta

from raceday.server.api.queries.query import Query, instant, json_value, race_type

MOST_RACES = 100
"""Of a meeting: three times the longest card."""
NOT_OVER = "r.status IN ('Open', 'Closed', 'Interim')"

_RACE = f"""
    r.race_id, r.meeting_id, r.name, r.race_number, {instant("r.start_time")} AS start_time, lower(r.status) AS status,
    {instant("r.actual_start")} AS actual_start, r.distance, r.track_condition, r.weather, r.type, r.race_date_nz,
    r.start_time_nz, r.entrant_count, r.field_size, {instant("r.last_poll_time")} AS last_poll_time,
    {instant("r.created_at")} AS created_at, {instant("r.updated_at")} AS updated_at"""

OF_MEETING = Query(
    "races of a meeting",
    f"""
    SELECT (
        SELECT coalesce(json_agg(said), '[]') FROM (
            SELECT {_RACE} FROM races r WHERE r.meeting_id = m.meeting_id
            ORDER BY r.race_number, r.race_id LIMIT {MOST_RACES}
        ) AS said
    )::text FROM meetings m WHERE m.meeting_id = %s""",  # noqa: S608
    lambda day: (day.meeting_id,),
)
UPCOMING = Query(
    "upcoming races",
    f"""
    SELECT coalesce(json_agg(said), '[]')::text, count(*) FROM (
        SELECT {_RACE} FROM races r
        WHERE {NOT_OVER} AND r.start_time >= %s AND r.start_time <= %s ORDER BY r.start_time, r.race_id LIMIT %s
    ) AS said""",  # noqa: S608
    lambda day: (day.now - timedelta(minutes=5), day.now + timedelta(hours=2), 50),
)
NEXT_SCHEDULED = Query(
    "next race",
    f"""
    SELECT to_json(said)::text FROM (
        SELECT {_RACE} FROM races r WHERE {NOT_OVER} AND r.start_time >= %s ORDER BY r.start_time, r.race_id LIMIT 1
    ) AS said""",  # noqa: S608
    lambda day: (day.now,),
)
ONE = Query(
    "race",
    f"""
    SELECT to_json(said)::text FROM (
        SELECT {_RACE}, m.meeting_name, m.country, {race_type("m.category")} AS race_type, m.category,
            to_char(m.date AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS meeting_date,
            r.track_direction, r.track_surface, r.rail_position, r.tote_start_time, r.total_prize_money,
            r.positions_paid, r.race_group, r.race_class, r.start_type, r.comment, r.silk_url,
            {json_value("r.video_channels")} AS video_channels, r.protest_lodged, r.protest_reason,
            {instant("r.last_status_change")} AS last_status_change, {instant("r.finalized_at")} AS finalized_at,
            {instant("r.abandoned_at")} AS abandoned_at
        FROM races r LEFT JOIN meetings m ON m.meeting_id = r.meeting_id WHERE r.race_id = %s
    ) AS said""",  # noqa: S608
    lambda day: (day.race_id,),
)
QUERIES = (OF_MEETING, UPCOMING, NEXT_SCHEDULED, ONE)
