"""One call as the handlers see it, and the answers they give."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

import orjson
from starlette.responses import Response

from raceday.simulator.appwrite.errors import PlatformError
from raceday.simulator.appwrite.uploads import form_of

if TYPE_CHECKING:
    from datetime import datetime

    from raceday.simulator.appwrite.instants import PlatformClock
    from raceday.simulator.appwrite.keys import ApiKey
    from raceday.simulator.appwrite.project import Project
    from raceday.simulator.appwrite.row_events import RowNotice
    from raceday.simulator.appwrite.tables import Table
    from raceday.simulator.appwrite.uploads import FilePart

JSON_TYPE = "application/json; charset=UTF-8"

ExecutionStarter = Callable[[str, str, Mapping[str, str]], Awaitable[tuple[int, str]]]
"""Runs a function: its id, the body and the request headers in; status code and response body out."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a handler needs beside the call: the project, its clock, and who hears of events and executions."""

    project: Project
    clock: PlatformClock
    sleep: Callable[[float], Awaitable[None]]
    on_row_event: Callable[[RowNotice], None] | None
    on_execution: ExecutionStarter | None
    running: set[asyncio.Task[None]] = field(default_factory=set)
    """The executions under way."""


@dataclass(slots=True)
class Call:
    """A request that has passed the gate. `at` is its instant; `key` is None for a caller without a key."""

    around: Surroundings
    at: datetime
    path: Mapping[str, str]
    query: Mapping[str, object]
    headers: Mapping[str, str]
    key: ApiKey | None = None
    body: Mapping[str, object] = field(default_factory=dict)
    files: Mapping[str, FilePart] = field(default_factory=dict)

    @property
    def project(self) -> Project:
        """The project that is asked."""
        return self.around.project

    def table(self) -> Table:
        """Return the table that the path names; raises database_not_found or table_not_found."""
        return self.project.table(self.path["databaseId"], self.path["tableId"])

    def tell(self, *notices: RowNotice) -> None:
        """Raise row events."""
        if self.around.on_row_event is not None:
            for notice in notices:
                self.around.on_row_event(notice)


Handler = Callable[[Call], Response | Awaitable[Response]]


def answer(body: object, status: int = 200) -> Response:
    """Return a JSON answer."""
    return Response(orjson.dumps(body), status, {"content-type": JSON_TYPE})


def no_content() -> Response:
    """Return what a deletion answers."""
    return Response(b"", 204, {"content-type": "text/html"})


def refusal(error: PlatformError) -> Response:
    """Return the answer of a refusal."""
    return answer(error.body(), error.status)


def query_of(query_string: bytes) -> dict[str, object]:
    """Read a query string: `queries[]` and `queries[0]` make a list, any other name holds its last value."""
    read: dict[str, object] = {}
    for name, value in parse_qsl(query_string.decode(), keep_blank_values=True):
        listed = re.fullmatch(r"(.+?)\[\d*\]", name)
        if listed is None:
            read[name] = value
            continue
        values = read.setdefault(listed[1], [])
        if isinstance(values, list):
            values.append(value)
    return read


def body_of(content_type: str, raw: bytes) -> tuple[Mapping[str, object], Mapping[str, FilePart]]:
    """Read a body; one that is not the JSON it says it is counts as no parameters at all (recorded exchange)."""
    if content_type.startswith("multipart/form-data"):
        return form_of(content_type, raw)
    if not raw:
        return {}, {}
    try:
        read = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return {}, {}
    return (read if isinstance(read, dict) else {}), {}
