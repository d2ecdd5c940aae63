"""Which runners a row event is about."""

from __future__ import annotations

from raceday.domain.entrant_update import EntrantUpdate
from raceday.runtime.request import RunRequest
from raceday.store.rows.updates import entrant_update, moved_runners
from raceday.store.tables import RACES


def written_runners(request: RunRequest) -> list[EntrantUpdate]:
    """Return the runners that a poll of ours moved, the one that somebody else wrote, or none when a row is gone.

    Raises `InvalidRequest` for a row that does not say whose it is or when it was written.
    """
    if request.row_action == "delete":
        return []
    return moved_runners(request.body) if request.row_table == RACES.name else [entrant_update(request.body)]
