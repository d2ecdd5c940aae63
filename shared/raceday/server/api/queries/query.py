"""A named statement of the API, and how its values are written as JSON."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from raceday.domain.racing_day import racing_date


@dataclass(frozen=True, slots=True)
class ExampleDay:
    """A loaded day as the plan test knows it, to ask every query about something that is there."""

    meeting_id: str
    race_id: str
    entrant_ids: tuple[str, ...]
    now: datetime
    user_id: str = "Default User"

    @property
    def racing_date(self) -> date:
        """The New Zealand date of `now`."""
        return racing_date(self.now)


@dataclass(frozen=True, slots=True)
class Query:
    """One statement: its name in logs, its text, and parameters that ask it about an example day.

    The statements of answers return one row that begins with a text, the JSON that is sent; no row where the race or
    meeting asked about is not stored, and NULL where it is but has nothing of the kind.
    """

    name: str
    sql: str
    example: Callable[[ExampleDay], tuple[object, ...]]


def instant(column: str) -> str:
    """Return the SQL that writes an instant as the client reads it, `2026-11-22T04:00:00.000Z`."""
    return f"""to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')"""


def json_value(column: str) -> str:
    """Return the SQL that makes of a column's JSON text a JSON value, NULL of a text that is none."""
    return f"CASE WHEN {column} IS JSON THEN {column}::json END"


def race_type(category: str) -> str:
    """Return the SQL that names a code of racing, NULL where it is not known."""
    return f"CASE {category} WHEN 'T' THEN 'thoroughbred' WHEN 'H' THEN 'harness' WHEN 'G' THEN 'greyhound' END"
