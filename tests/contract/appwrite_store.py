"""The store over a stand-in Appwrite that has the whole catalogue, for tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson

from raceday.clock import Clock
from raceday.host.appwrite_project import deployed_project
from raceday.host.manifest import Manifest, load_manifest
from raceday.simulator.appwrite.app import appwrite_app
from raceday.simulator.appwrite.call_log import CallLog
from raceday.simulator.appwrite.faults import FaultPlan
from raceday.simulator.appwrite.project import Project
from raceday.simulator.appwrite.row_events import RowNotice
from raceday.store.appwrite.pending import pending_rows
from raceday.store.appwrite.rest import AppwriteRest
from raceday.store.appwrite.settings import AppwriteSettings
from raceday.store.appwrite.store import AppwriteStore
from raceday.store.ports import RaceStore
from raceday.store.tables import CATALOGUE
from raceday.transport import InProcess

SECRET = "standard_0123"
OPENED_AT = datetime(2026, 3, 12, 3, 0, tzinfo=UTC)
_ROOT = Path(__file__).resolve().parents[2]


class StillClock:
    """Stands still: the stand-in counts a millisecond for every writing call by itself."""

    def __init__(self) -> None:
        self.instant = OPENED_AT

    def now(self) -> datetime:
        return self.instant

    async def sleep(self, seconds: float) -> None:
        self.instant += timedelta(seconds=seconds)


class StandInStore(AppwriteStore):
    """The store with the project that it writes to, the calls that it made, and what can go wrong with them."""

    project: Project
    log: CallLog
    faults: FaultPlan
    events: list[RowNotice]

    def beside(self) -> StandInStore:
        """The store as another run sees it: the same project, nothing remembered."""
        other = StandInStore(self._rest.again())
        other.project, other.log, other.faults, other.events = self.project, self.log, self.faults, self.events
        return other


@lru_cache(maxsize=1)
def _manifest() -> Manifest:
    return load_manifest(_ROOT / "appwrite.json")


def open_appwrite_store(clock: Clock | None = None) -> StandInStore:
    """A store over a project of its own; rows are stamped by a clock that stands still unless another is given."""
    project = deployed_project(_manifest(), OPENED_AT)
    project.keys.add(SECRET, key_id="everything")
    log, faults, events = CallLog(), FaultPlan(), []
    app = appwrite_app(project, clock or StillClock(), on_row_event=events.append, requests=log, faults=faults)
    settings = AppwriteSettings("http://appwrite.test/v1", project.project_id, SECRET, first_retry_wait_s=0.001)
    store = StandInStore(AppwriteRest(settings, InProcess(app)))
    store.project, store.log, store.faults, store.events = project, log, faults, events
    return store


def appwrite_rows(store: RaceStore, name: str) -> list[dict[str, Any]]:
    """All rows of a table as its readers see them, by id: with what waits in the claims."""
    assert isinstance(store, StandInStore)
    tables = store.project.databases["raceday-db"].tables
    table = next(table for table in CATALOGUE if table.name == name)
    rows = [_read(row) for row in tables[name].rows.all_rows()]
    for claim in tables["poll-claims"].rows.all_rows():
        rows += [dict.fromkeys(column.name for column in table.columns) | row for row in pending_rows(claim, table)]
    return sorted(rows, key=lambda row: row["$id"])


def _read(row: Any) -> dict[str, Any]:
    return {**row, "$permissions": orjson.dumps(row["$permissions"]).decode()}
