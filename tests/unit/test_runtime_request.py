"""Reading a request: its trigger, its body, and row events under every name and body that the platform gives them."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from raceday.errors import InvalidRequest
from raceday.host.context import Request
from raceday.runtime.request import RunRequest, read_request, refuse_unknown_fields

OLDER = "databases.raceday-db.collections.entrants.documents.e1"
NEWER = "databases.raceday-db.tables.entrants.rows.e1"
ROW = {"$id": "e1", "raceId": "r1"}
PLACES = [
    {"$tableId": "entrants", "$databaseId": "raceday-db"},
    {"$collectionId": "entrants", "$databaseId": "raceday-db"},
    {"$tableId": "entrants", "$collectionId": "entrants", "$collection": "database_1_collection_3"},
    {"$tableId": "entrants", "$databaseId": "raceday-db", "$collection": "database_1_collection_3"},
]
"""Of a single write by either API, of a commit (which names no database), and of a bulk."""


def read(body: bytes | object = b"", trigger: str = "", query: dict[str, str] | None = None, **headers: str) -> Any:
    sent = {f"x-appwrite-{name.replace('_', '-')}": value for name, value in headers.items()}
    if trigger:
        sent["x-appwrite-trigger"] = trigger
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_request(SimpleNamespace(req=Request(raw, sent, query=query or {}), res=None))


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", [OLDER, NEWER])
@pytest.mark.parametrize("action", ["create", "update", "upsert", "delete"])
def test_an_event_is_read_from_its_name_in_either_generation(name: str, action: str, place: dict[str, str]) -> None:
    request = read(ROW | place, "event", event=f"{name}.{action}")
    assert (request.trigger, request.row_table, request.row_action) == ("event", "entrants", action)
    assert request.body["raceId"] == "r1"


@pytest.mark.parametrize("place", PLACES)
def test_without_a_name_the_row_says_its_table_and_it_passes_for_an_update(place: dict[str, str]) -> None:
    request = read(ROW | place, "event")
    assert (request.row_table, request.row_action) == ("entrants", "update")


@pytest.mark.parametrize("trigger", ["", "http", "schedule"])
def test_a_callers_own_event_header_is_not_looked_at(trigger: str) -> None:
    """Anybody with the right to execute can send one; only the platform sets the trigger."""
    request = read(ROW | PLACES[0], trigger, event=f"{NEWER}.update")
    assert (request.row_table, request.row_action) == ("", "")
    assert request.trigger == (trigger or "http")


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (ROW, ""),
        (ROW | {"$tableId": 7}, ""),
        (ROW | PLACES[0], "databases.raceday-db.tables.entrants.create"),
        (ROW | PLACES[0], f"{NEWER}.rename"),
        (ROW | PLACES[0], f"{NEWER}.update.twice"),
        (ROW | PLACES[0], "functions.f.executions.x.create"),
    ],
)
def test_what_is_no_row_event_is_refused_by_name(body: object, name: str) -> None:
    with pytest.raises(InvalidRequest, match="x-appwrite-event") as refused:
        read(body, "event", event=name)
    assert refused.value.field == "x-appwrite-event"


def test_the_query_fills_in_what_the_body_lacks_for_a_person_and_for_nobody_else() -> None:
    query = {"raceId": "from the query", "force": "true"}
    assert read({"raceId": "r1"}, "http", query).body == {"raceId": "r1", "force": "true"}
    assert read(b"", "schedule", query).body == {}
    assert read(ROW | PLACES[0], "event", query, event=f"{NEWER}.update").body == ROW | PLACES[0]


@pytest.mark.parametrize(
    ("body", "why"), [(b"{raceId", "is not JSON"), (b"[1]", "is a JSON list"), (b'"r1"', "is a JSON str")]
)
def test_a_body_that_is_no_object_is_refused(body: bytes, why: str) -> None:
    with pytest.raises(InvalidRequest, match=why) as refused:
        read(body)
    assert refused.value.field == "body"


@pytest.mark.parametrize("body", [b"", b"  \n"])
def test_an_empty_body_is_an_empty_object(body: bytes) -> None:
    assert read(body).body == {}


def test_the_key_and_the_executions_id_come_from_the_headers_and_the_key_never_shows() -> None:
    request = read(key="ephemeral_abc", execution_id="run1")
    assert (request.api_key.get_secret_value(), request.execution_id) == ("ephemeral_abc", "run1")
    assert "ephemeral_abc" not in repr(request)
    other = read()
    assert other.api_key.get_secret_value() == ""
    assert len(other.execution_id) == 32, "one of its own where the platform gives none"


def test_a_misspelt_field_is_refused_except_in_a_row() -> None:
    with pytest.raises(InvalidRequest, match=r"raceID: is not known: this function takes force, raceId"):
        refuse_unknown_fields(RunRequest("http", "e", {"raceID": "r1"}), {"raceId", "force"})
    with pytest.raises(InvalidRequest, match="takes no fields"):
        refuse_unknown_fields(RunRequest("schedule", "e", {"raceId": "r1"}), set())
    refuse_unknown_fields(RunRequest("event", "e", {"anyColumn": 1}, "entrants", "update"), set())
