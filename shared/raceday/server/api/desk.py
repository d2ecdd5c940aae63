"""Where the API's answers are made: one query, its text passed on as it is, or a word about what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

from fastapi import Request, Response
from pydantic import TypeAdapter, ValidationError

if TYPE_CHECKING:
    from raceday.jobs.ports import RunLog
    from raceday.server.api.queries import Query
    from raceday.server.api.settings import ApiSettings
    from raceday.server.state import ServerState

SLOW_QUERY_MS = 100
REVALIDATE = {"Cache-Control": "private, no-cache"}
"""Whatever moves with every poll may be kept, but is asked about again each time: an ETag makes that cheap."""


class AnswerMismatch(Exception):
    """An answer is not of the documented shape; only looked for in development."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What every route works with."""

    state: ServerState
    settings: ApiSettings

    @property
    def log(self) -> RunLog:
        """The server's log."""
        return self.state.log

    async def tuples(self, query: Query, parameters: Sequence[object]) -> list[tuple[Any, ...]]:
        """Run one query and return its rows; one that takes long is named in the log."""
        began = perf_counter()
        try:
            return await self.state.database.tuples(query.sql, parameters)
        finally:
            took_ms = (perf_counter() - began) * 1000
            if took_ms > SLOW_QUERY_MS:
                self.log.warning("slow query", query=query.name, took_ms=round(took_ms, 1))

    async def json(self, query: Query, parameters: Sequence[object]) -> tuple[bool, str | None]:
        """Return whether what a query is about is stored, and the JSON text of the answer, None where it has none."""
        rows = await self.tuples(query, parameters)
        return (True, rows[0][0]) if rows else (False, None)

    def answer(self, body: str | bytes, shape: TypeAdapter[Any], headers: dict[str, str] | None = None) -> Response:
        """Return a JSON body as the answer, in development only when it has the documented shape."""
        if self.settings.development:
            try:
                shape.validate_json(body, strict=True)
            except ValidationError as error:
                raise AnswerMismatch(str(error)) from error
        return Response(body, headers=headers or REVALIDATE, media_type="application/json")


def desk_of(request: Request) -> Desk:
    """Return the desk of the application that a request came to."""
    desk: Desk = request.app.state.desk
    return desk
