"""No query of the Appwrite adapter makes the platform read a whole table (the counts excepted): each has an index."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from contract.appwrite_store import open_appwrite_store
from contract.store_steps import run
from contract.test_sqlite_query_plans import a_day, every_operation
from raceday.store.tables import CATALOGUE, POLL_CLAIMS, Table

OF_THE_PLATFORM = frozenset({"$id", "$createdAt", "$updatedAt"})
"""Columns of every table that the platform itself keeps an index of."""
LOOKS_THROUGH = ("pendingRows",)
"""Of claims, one small row a race: what waits in them can only be found by looking at each."""
TABLES = {table.name: table for table in CATALOGUE}
Query = Mapping[str, Any]


def queries_of(query: Sequence[tuple[str, str]]) -> list[Query]:
    """The queries of a listing."""
    return [json.loads(text) for name, text in query if name == "queries[]"]


def bounded(query: Query) -> Iterator[str]:
    """The columns that a filter bounds so that an index helps; of several alternatives all have to."""
    if query["method"] in {"equal", "greaterThan", "greaterThanEqual", "lessThan", "lessThanEqual", "isNull"}:
        yield query["attribute"]
    elif query["method"] == "and":
        for one in query["values"]:
            yield from bounded(one)


def is_served(table: Table, queries: Sequence[Query]) -> bool:
    """Whether an index or the ids lead to the rows, or to the first of them in the order asked for."""
    leading = OF_THE_PLATFORM | {index.columns[0] for index in table.indexes}
    filters = [query for query in queries if query["method"] not in {"select", "limit", "cursorAfter"}]
    if any(set(bounded(query)) & leading for query in filters):
        return True
    either = [query["values"] for query in filters if query["method"] == "or"]
    if any(all(is_served(table, [one]) for one in alternatives) for alternatives in either):
        return True
    if table is POLL_CLAIMS and [query["attribute"] for query in filters] == list(LOOKS_THROUGH):
        return True
    return bool(filters) and all(query.get("attribute") in leading for query in filters)


def test_every_query_is_served_by_an_index(monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_appwrite_store()
    run(a_day(store))
    asked: list[tuple[str, Sequence[Query]]] = []
    ask = store._rest.call

    async def call(method: str, path: str, **more: Any) -> Any:
        if method == "GET" and path.endswith("/rows"):
            asked.append((path.split("/")[-2], queries_of(more["query"])))
        staged = (more.get("body") or {}).get("operations", ())
        asked.extend(
            (operation["tableId"], [json.loads(text) for text in operation["data"]["queries"]])
            for operation in staged
            if operation["action"] in {"bulkUpdate", "bulkDelete"}
        )
        return await ask(method, path, **more)

    monkeypatch.setattr(store._rest, "call", call)
    run(every_operation(store))
    assert len({json.dumps(one) for one in asked}) > 60
    unserved = [f"{name}: {queries}" for name, queries in asked if not is_served(TABLES[name], queries)]
    assert unserved == []


@pytest.mark.parametrize(
    ("table", "queries", "served"),
    [
        ("races", [{"method": "equal", "attribute": "status", "values": ["Open"]}], False),
        ("races", [{"method": "equal", "attribute": "$id", "values": ["r1"]}], True),
        ("races", [{"method": "orderAsc", "attribute": "startTime"}, {"method": "limit", "values": [1]}], True),
        ("races", [{"method": "limit", "values": [1000]}], False),
        ("poll-claims", [{"method": "greaterThan", "attribute": "startTime", "values": ["2026"]}], False),
        ("poll-claims", [{"method": "isNotNull", "attribute": "pendingRows"}], True),
        ("poll-claims", [{"method": "isNotNull", "attribute": "owner"}], False),
    ],
)
def test_what_counts_as_served(table: str, queries: Sequence[Query], served: bool) -> None:
    assert is_served(TABLES[table], queries) is served
