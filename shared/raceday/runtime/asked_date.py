"""Which racing day a run of the daily imports is about."""

from __future__ import annotations

from datetime import date

from raceday.domain.racing_day import racing_date
from raceday.errors import InvalidRequest
from raceday.runtime.handler import Run


def asked_racing_date(run: Run) -> date:
    """Return the `date` of the request, or the racing date of now; raises `InvalidRequest` for anything else."""
    asked = run.request.body.get("date")
    if asked is None:
        return racing_date(run.ports.clock.now())
    try:
        return date.fromisoformat(str(asked))
    except ValueError:
        raise InvalidRequest("date", "is not a date: write it as YYYY-MM-DD") from None
