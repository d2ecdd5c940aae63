"""A served racing day for the tests of the API: a loaded database, the application over it, and answers as checked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, TypeVar

import httpx
from jsonschema import Draft202012Validator

from contract.store_examples import START, event, race, result
from contract.store_steps import imported, polled
from raceday.domain.status import RaceStatus
from raceday.runtime.log import JsonLog
from raceday.server.api.app import create_app
from raceday.server.api.settings import ApiSettings
from raceday.server.state import ServerState
from raceday.store.ports import RaceStore
from raceday.store.postgres.database import PostgresDatabase
from raceday.store.postgres.store import PostgresStore

T = TypeVar("T")
POLLS_AT = [START - timedelta(minutes=minutes) for minutes in (62, 40, 20, 3)]
NOW = START - timedelta(minutes=2)
FIRST, SECOND, TWIN = race(1), race(2), race(3, advertised_start=START + timedelta(minutes=30))
"""The first race is polled and ended, the others are open; the second and its twin start at the same instant."""


class StillClock:
    """Stands still."""

    def __init__(self, at: datetime = NOW) -> None:
        self.at = at

    def now(self) -> datetime:
        """Return the instant it stands at."""
        return self.at

    async def sleep(self, seconds: float) -> None:
        """Wait for no time at all."""
        await asyncio.sleep(0)


async def load_day(store: RaceStore) -> None:
    """Store a meeting of three races; the first has polls, history, pools and a result."""
    await imported(store, FIRST, SECOND, TWIN)
    for number, at in enumerate(POLLS_AT):
        await polled(store, event(FIRST, at, win_cents=1_000_000 + 300_000 * number))
    over = race(1, status=RaceStatus.FINAL)
    at = START + timedelta(minutes=6)
    await polled(store, event(over, at, win_cents=2_500_000, result=result(FIRST, at)))


class ServedDay:
    """The application over a database, asked in this process; every answer is checked against its document."""

    def __init__(self, database: PostgresDatabase, store: RaceStore, settings: ApiSettings, client: str) -> None:
        self.lines: list[str] = []
        self.store = store
        self.state = ServerState(
            database=database,
            store=store,
            clock=StillClock(),
            log=JsonLog(self.lines.append, self.lines.append, "DEBUG"),
            started_at=NOW - timedelta(minutes=1),
        )
        self.state.scheduler_seen_at = NOW
        self.app = create_app(self.state, settings)
        self.document = self.app.openapi()
        transport = httpx.ASGITransport(app=self.app, client=(client, 40000))
        self._http = httpx.AsyncClient(transport=transport, base_url="http://server")

    async def get(self, path: str, **sent: Any) -> httpx.Response:
        """Ask with GET; the answer must be documented and of its documented shape."""
        return self.checked("get", await self._http.get(path, **sent))

    async def post(self, path: str, **sent: Any) -> httpx.Response:
        """Send with POST; the answer must be documented and of its documented shape."""
        return self.checked("post", await self._http.post(path, **sent))

    async def ask(self, method: str, path: str, **sent: Any) -> httpx.Response:
        """Ask with any method, unchecked."""
        return await self._http.request(method, path, **sent)

    def checked(self, method: str, answer: httpx.Response) -> httpx.Response:
        """Return an answer that the document foresees; `AssertionError` for any other."""
        template = self._template(answer.request.url.path)
        if template is None or answer.status_code in {204, 304}:
            return answer
        said = self.document["paths"][template][method]["responses"]
        assert str(answer.status_code) in said, f"{answer.status_code} of {template} is not documented"
        media = answer.headers["content-type"].partition(";")[0]
        shape = said[str(answer.status_code)]["content"][media]["schema"]
        if media == "application/json":
            whole = {**shape, "components": self.document["components"]}
            Draft202012Validator(whole).validate(answer.json())
        return answer

    def _template(self, path: str) -> str | None:
        paths = self.document["paths"]
        if path in paths:
            return path
        for template in paths:
            start = template.partition("{")[0]
            if "{" in template and path.startswith(start) and "/" not in path[len(start) :]:
                return template
        return None

    async def close(self) -> None:
        """Close the client."""
        await self._http.aclose()


@asynccontextmanager
async def served(
    url: str, settings: ApiSettings | None = None, *, loaded: bool = True, client: str = "127.0.0.1"
) -> AsyncIterator[ServedDay]:
    """Serve a day from a fresh database."""
    store = await PostgresStore.open(url)
    database = await PostgresDatabase.open(url)
    day = ServedDay(database, store, settings or ApiSettings(development=True), client)
    try:
        if loaded:
            await load_day(store)
        yield day
    finally:
        await day.close()
        await database.close()
        await store.close()


def on_day(
    url: str, steps: Callable[[ServedDay], Awaitable[T]], settings: ApiSettings | None = None, *, loaded: bool = True
) -> T:
    """Run the steps of a test on a served day."""

    async def run() -> T:
        async with served(url, settings, loaded=loaded) as day:
            return await steps(day)

    return asyncio.run(run())


def names(rows: Sequence[dict[str, Any]], field: str) -> list[Any]:
    """Return one field of each row."""
    return [row[field] for row in rows]
