"""What started a run: its trigger and its body, read from the platform's context without trusting the caller."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import uuid4

import orjson
from pydantic import SecretStr

from raceday.errors import InvalidRequest

NO_KEY = SecretStr("")
ROW_ACTIONS = frozenset({"create", "update", "upsert", "delete"})


class PlatformContext(Protocol):
    """The context object that the platform hands to `main`."""

    req: Any
    res: Any

    def log(self, *messages: object) -> None:
        """Write to the execution's log."""
        ...

    def error(self, *messages: object) -> None:
        """Write to the execution's error log."""
        ...


@dataclass(frozen=True, slots=True)
class RunRequest:
    """The trigger (`http`, `schedule` or `event`), the execution's id, and the body with the query mixed in.

    Of an event, `body` is the row after the write, `row_table` its table and `row_action` what was done to it:
    `create`, `update`, `upsert` or `delete`. Only the platform can start a run with an event; a caller's own event
    header is not looked at.
    `api_key` is the key that the platform lends the run for its own API; empty where it lends none.
    """

    trigger: str
    execution_id: str
    body: Mapping[str, object]
    row_table: str = ""
    row_action: str = ""
    api_key: SecretStr = NO_KEY


def read_request(context: PlatformContext) -> RunRequest:
    """Read the trigger, the execution id and the JSON body; query parameters fill in what the body lacks.

    The body may come as text, since the platform decodes it only with the right content type.
    Raises `InvalidRequest` for a body that is not a JSON object.
    """
    headers = context.req.headers
    trigger = headers.get("x-appwrite-trigger") or "http"
    execution_id = headers.get("x-appwrite-execution-id") or uuid4().hex
    body = _json_object(context.req.body_binary)
    if trigger == "http":
        query = {name: value for name, value in (context.req.query or {}).items() if name not in body}
        body = body | query
    table, action = _row_event(headers, body) if trigger == "event" else ("", "")
    return RunRequest(trigger, execution_id, body, table, action, SecretStr(headers.get("x-appwrite-key") or ""))


def _row_event(headers: Mapping[str, str], row: Mapping[str, object]) -> tuple[str, str]:
    """Return the table and the action of a row event, by its name in either generation of the platform's API.

    Without a name the row itself says its table, and the event passes for an update.
    """
    name = headers.get("x-appwrite-event") or ""
    if not name:
        table = row.get("$tableId") or row.get("$collectionId")
        if isinstance(table, str):
            return table, "update"
    segments = name.split(".")
    if len(segments) != 7 or segments[6] not in ROW_ACTIONS:
        raise InvalidRequest("x-appwrite-event", f"is {name!r}, which is no row event")
    return segments[3], segments[6]


def _json_object(raw: bytes) -> dict[str, object]:
    if not raw.strip():
        return {}
    try:
        parsed = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise InvalidRequest("body", f"is not JSON ({error}): send an object such as {{}}") from None
    if not isinstance(parsed, dict):
        raise InvalidRequest("body", f"is a JSON {type(parsed).__name__}: send an object such as {{}}")
    return parsed


def refuse_unknown_fields(request: RunRequest, known: Collection[str]) -> None:
    """Raise `InvalidRequest` for a field that the function does not take: a misspelt name must not pass unseen.

    The body of an event is a row, whose columns are whatever the table has.
    """
    if request.trigger == "event":
        return
    for field in request.body:
        if field not in known:
            taken = ", ".join(sorted(known)) or "no fields"
            raise InvalidRequest(field, f"is not known: this function takes {taken}")
