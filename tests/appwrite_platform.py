"""Talking to the stand-in Appwrite from tests: one call, one answer, on a clock that the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import orjson

from raceday.simulator.appwrite.app import appwrite_app
from raceday.simulator.appwrite.call_log import CallLog
from raceday.simulator.appwrite.faults import FaultPlan
from raceday.simulator.appwrite.project import Project
from raceday.simulator.appwrite.row_events import RowNotice

START = datetime(2026, 3, 12, 3, 0, tzinfo=UTC)
SECRET = "standard_0123"
JSON_BODY = "application/json"
ROWS = "/tablesdb/raceday/tables/entrants/rows"


class MovedClock:
    """Stands still until the test moves it; sleeping moves it too."""

    def __init__(self, start: datetime = START) -> None:
        self.instant = start

    def now(self) -> datetime:
        return self.instant

    def move(self, seconds: float) -> None:
        self.instant += timedelta(seconds=seconds)

    async def sleep(self, seconds: float) -> None:
        self.move(seconds)
        await asyncio.sleep(0)


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def body(self) -> Any:
        return orjson.loads(self.content)

    @property
    def kind(self) -> str:
        """The platform's type of an error."""
        return self.body["type"]


async def ask(
    app: Any, method: str, path: str, headers: Mapping[str, str], content: bytes = b"", query: bytes = b""
) -> Reply:
    """Send one request to an ASGI application."""
    parts: dict[str, Any] = {"body": b""}
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query,
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": content, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            parts.update(status=message["status"], headers=message["headers"])
        else:
            parts["body"] += message.get("body", b"")

    await app(scope, receive, send)
    answered = {name.decode(): value.decode() for name, value in parts["headers"]}
    return Reply(parts["status"], answered, parts["body"])


@dataclass
class Platform:
    """A project with one key that may do everything, its events as they were raised, and its log."""

    project: Project = field(default_factory=lambda: Project("raceday"))
    clock: MovedClock = field(default_factory=MovedClock)
    faults: FaultPlan = field(default_factory=FaultPlan)
    log: CallLog = field(default_factory=CallLog)
    events: list[RowNotice] = field(default_factory=list)
    on_execution: Any = None
    secret: str = SECRET

    def __post_init__(self) -> None:
        self.project.keys.add(SECRET, key_id="everything")
        self.app = appwrite_app(
            self.project,
            self.clock,
            on_row_event=self.events.append,
            on_execution=self.on_execution,
            requests=self.log,
            faults=self.faults,
        )

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        query: Sequence[tuple[str, str]] = (),
        **headers: str,
    ) -> Reply:
        return asyncio.run(self.acall(method, path, body, query, **headers))

    async def acall(
        self,
        method: str,
        path: str,
        body: object = None,
        query: Sequence[tuple[str, str]] = (),
        **headers: str,
    ) -> Reply:
        sent = {"x-appwrite-project": "raceday", "x-appwrite-key": self.secret, "content-type": JSON_BODY}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        content = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
        sent = {name: value for name, value in sent.items() if value}
        return await ask(self.app, method, f"/v1{path}", sent, content, urlencode(query).encode())

    def list(self, *queries: Mapping[str, object], path: str = ROWS, **more: str) -> Any:
        """The answer of a listing."""
        listed = [("queries[]", orjson.dumps(query).decode()) for query in queries]
        return self.call("GET", path, query=[*listed, *more.items()]).body

    def ids(self, *queries: Mapping[str, object], **more: str) -> list[str]:
        return [row["$id"] for row in self.list(*queries, **more)["rows"]]

    def row(self, row_id: str) -> Any:
        """The row as it is stored, or None."""
        reply = self.call("GET", f"{ROWS}/{row_id}")
        return reply.body if reply.status == 200 else None

    def told(self) -> list[tuple[str, str]]:
        """What was raised since the last question: id and action."""
        told = [(event.row_id, event.action) for event in self.events]
        self.events.clear()
        return told


COLUMNS: tuple[tuple[str, dict[str, object]], ...] = (
    ("varchar", {"key": "raceId", "size": 36, "required": True}),
    ("varchar", {"key": "name", "size": 40, "required": False}),
    ("integer", {"key": "number", "required": False, "min": 0, "max": 99}),
    ("integer", {"key": "winPoolCents", "required": False}),
    ("float", {"key": "odds", "required": False}),
    ("boolean", {"key": "isScratched", "required": False}),
    ("datetime", {"key": "lastUpdated", "required": False}),
)


def entrants(columns: Sequence[tuple[str, dict[str, object]]] = COLUMNS, **settings: Any) -> Platform:
    """A platform with a table of entrants, an index on their race, all of it available."""
    platform = Platform(**settings)
    platform.call("POST", "/tablesdb", {"databaseId": "raceday", "name": "RaceDay"})
    platform.call("POST", "/tablesdb/raceday/tables", {"tableId": "entrants", "name": "Entrants"})
    for kind, column in columns:
        made = platform.call("POST", f"/tablesdb/raceday/tables/entrants/columns/{kind}", column)
        assert made.status == 202, made.body
    platform.clock.move(1)
    if any(column["key"] == "raceId" for _kind, column in columns):
        index = {"key": "race", "type": "key", "columns": ["raceId"]}
        assert platform.call("POST", "/tablesdb/raceday/tables/entrants/indexes", index).status == 202
    platform.clock.move(1)
    platform.log.calls.clear()
    return platform


def where(method: str, attribute: str = "", *values: object) -> dict[str, object]:
    """One query."""
    query: dict[str, object] = {"method": method}
    if attribute:
        query["attribute"] = attribute
    return query | ({"values": list(values)} if values else {})
