"""Whether the database answers, and when any server last polled a race that is due."""

from __future__ import annotations

from datetime import timedelta

from raceday.server.api.queries.query import Query

DUE_RACES = Query(
    "races due",
    """
    SELECT count(*), max(r.last_poll_time) FROM races r
    WHERE r.status IN ('Open', 'Closed', 'Interim') AND r.start_time >= %s AND r.start_time <= %s""",
    lambda day: (day.now - timedelta(hours=2), day.now + timedelta(minutes=15)),
)
QUERIES = (DUE_RACES,)
