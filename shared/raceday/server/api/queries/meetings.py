"""Meetings of a day or of all days, and one of them."""

from __future__ import annotations

from raceday.server.api.queries.query import Query, instant, race_type
from raceday.store.rows.values import date_text

MOST_MEETINGS = 500
"""Some ten days of them: who asks about all days gets the latest."""

_MEETING = f"""
    m.meeting_id, m.meeting_name, m.country, m.state, {race_type("m.category")} AS race_type,
    to_char(m.date AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS date, m.status, m.category, m.category_name,
    m.track_condition, m.track_direction, m.track_surface, m.rail_position, m.weather, m.tote_status,
    {instant("m.created_at")} AS created_at, {instant("m.updated_at")} AS updated_at"""

ON_DATE = Query(
    "meetings of a date",
    f"""
    SELECT coalesce(json_agg(said), '[]')::text FROM (
        SELECT {_MEETING} FROM meetings m
        WHERE m.date = %s AND m.status = 'active' AND (%s::text IS NULL OR m.category = %s)
        ORDER BY m.meeting_name, m.meeting_id LIMIT {MOST_MEETINGS}
    ) AS said""",  # noqa: S608
    lambda day: (date_text(day.racing_date), None, None),
)
LATEST = Query(
    "latest meetings",
    f"""
    SELECT coalesce(json_agg(said ORDER BY said.date, said.meeting_name, said.meeting_id), '[]')::text FROM (
        SELECT {_MEETING} FROM meetings m
        WHERE m.status = 'active' AND (%s::text IS NULL OR m.category = %s)
        ORDER BY m.date DESC, m.meeting_name DESC LIMIT {MOST_MEETINGS}
    ) AS said""",  # noqa: S608
    lambda _: (None, None),
)
ONE = Query(
    "meeting",
    f"SELECT to_json(said)::text FROM (SELECT {_MEETING} FROM meetings m WHERE m.meeting_id = %s) AS said",  # noqa: S608
    lambda day: (day.meeting_id,),
)
QUERIES = (ON_DATE, LATEST, ONE)
