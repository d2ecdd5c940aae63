"""The host on the stand-in Appwrite: keys lent to executions, events of rows, executions asked for by the API."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from appwrite_platform import Reply, ask
from function_folders import START, bundle, declare
from raceday.clock import Clock
from raceday.deployment.platform_schema import PlatformSchema, bucket_entry, platform_schema
from raceday.host.appwrite_host import AppwriteHost
from raceday.host.appwrite_project import deployed_project
from raceday.host.bundle import project_manifest
from raceday.host.virtual_time import run_virtual
from raceday.runtime.ports import ProcessPorts
from raceday.store.tables import SWEEPS
from raceday.store.tables.buckets import SILK_ICONS

OPERATOR = "standard_operator"
ROWS = f"/tablesdb/raceday-db/tables/{SWEEPS.name}/rows"
SWEPT = {"name": "alerts", "sweptTo": "2026-11-22T00:00:00.000+00:00"}

PROBE = """
from urllib.parse import urlsplit

from raceday.runtime.ports import current_ports
from raceday.transport import exchange

PATH = "/tablesdb/raceday-db/tables/sweeps/rows"

async def main(context):
    ports = current_ports()
    headers = {
        "x-appwrite-project": ports.environment["APPWRITE_FUNCTION_PROJECT_ID"],
        "x-appwrite-key": context.req.headers["x-appwrite-key"],
    }
    url = ports.environment["APPWRITE_FUNCTION_API_ENDPOINT"] + PATH
    await ports.clock.sleep(WAIT_S)
    answer = await exchange(ports.platform, METHOD, url, headers, max_body_bytes=100_000)
    return context.res.json({"status": answer.status, "body": answer.body.decode(), "own": ports.executions is None})
"""
TELLS = """
async def main(context):
    return context.res.json({"headers": context.req.headers, "body": context.req.body})
"""


def probe(method: str = '"GET"', wait_s: int = 0) -> str:
    return PROBE.replace("METHOD", method).replace("WAIT_S", str(wait_s))


def hosted(
    tmp_path: Path, sources: dict[str, str], *functions: dict[str, Any], story: Callable[[AppwriteHost, Clock], Any]
) -> Any:
    """Tell a story on a platform with these functions."""
    manifest = bundle(tmp_path, sources, *functions)

    async def told(clock: Clock) -> Any:
        project = deployed_project(manifest, clock.now())
        project.keys.add(OPERATOR, key_id="operator")
        return await story(AppwriteHost(project, manifest, ProcessPorts(clock=clock)), clock)

    return run_virtual(told, START)


async def call(platform: AppwriteHost, method: str, path: str, body: object = None) -> Reply:
    """Ask the platform as its operator does."""
    headers = {"x-appwrite-project": "raceday", "x-appwrite-key": OPERATOR, "content-type": "application/json"}
    return await ask(platform.app, method, f"/v1{path}", headers, orjson.dumps(body or {}))


def test_the_project_is_what_setup_makes_and_every_function_is_ready_to_run() -> None:
    project = deployed_project(project_manifest(), START)
    bodies = {name: table.body(START) for name, table in project.databases["raceday-db"].tables.items()}
    wanted = platform_schema("raceday-db")
    assert {table.table_id: table.entry("raceday-db") for table in wanted.tables} == {
        name: shown_as(body, wanted_of(wanted, name)) for name, body in bodies.items()
    }
    assert {one["status"] for body in bodies.values() for one in (*body["columns"], *body["indexes"])} == {"available"}
    assert {name: shown_as(bucket.body(), bucket_entry(SILK_ICONS)) for name, bucket in project.buckets.items()} == {
        bucket.bucket_id: bucket_entry(bucket) for bucket in wanted.buckets
    }
    assert len(project.functions) == 12
    assert all(function.active(START) is not None for function in project.functions.values())
    declared = {function.function_id: set(function.scopes) for function in project_manifest().functions}
    assert {name: set(function.settings.scopes) for name, function in project.functions.items()} == declared


def wanted_of(schema: PlatformSchema, name: str) -> dict[str, Any]:
    return next(table.entry("raceday-db") for table in schema.tables if table.table_id == name)


def shown_as(body: Any, entry: Any) -> Any:
    """What the platform shows, as far as the declaration says it."""
    if isinstance(entry, dict):
        return {key: shown_as(body[key], value) for key, value in entry.items()}
    if isinstance(entry, list) and entry and isinstance(entry[0], dict):
        assert len(body) == len(entry)
        return [shown_as(one, declared) for one, declared in zip(body, entry, strict=True)]
    return body


@pytest.mark.parametrize(("scopes", "status"), [(["rows.read"], 200), (["rows.write"], 401), ([], 401)])
def test_an_execution_reaches_the_api_as_far_as_its_scopes(tmp_path: Path, scopes: list[str], status: int) -> None:
    async def story(platform: AppwriteHost, _clock: Clock) -> None:
        await call(platform, "POST", ROWS, {"rowId": "s1", "data": SWEPT})
        answer = json.loads((await platform.host.execute("f", {})).body)
        assert answer["status"] == status
        assert answer["own"] is True, "a function on the platform starts others by the API alone"
        if status == 200:
            assert [row["$id"] for row in json.loads(answer["body"])["rows"]] == ["s1"]
        else:
            assert json.loads(answer["body"])["type"] == "general_unauthorized_scope"

    hosted(tmp_path, {"f": probe()}, declare("f", scopes=scopes), story=story)


def test_the_key_is_lent_when_the_execution_begins_and_ends_a_minute_after_its_timeout(tmp_path: Path) -> None:
    async def story(platform: AppwriteHost, clock: Clock) -> None:
        for _ in range(9):
            await platform.host.start("slow", {})
        await platform.host.drain()
        answers = [json.loads(result.body)["status"] for result in platform.host.history.recent]
        assert answers == [200] * 9, "the ninth waited 70 s for a slot, and its key was lent after that"
        ended = [key for key in platform.project.keys._by_secret.values() if key.key_id == "slow"]
        assert len({key.secret for key in ended}) == 9
        assert {round((key.expires_at - START).total_seconds()) for key in ended} == {140, 210}

    hosted(tmp_path, {"slow": probe(wait_s=70)}, declare("slow", timeout=80, scopes=["rows.read"]), story=story)


def test_a_row_event_comes_with_the_platforms_name_and_body_of_it(tmp_path: Path) -> None:
    """Both generations of names, whichever of them the function subscribes to, and the three shapes of a body."""

    async def story(platform: AppwriteHost, _clock: Clock) -> list[tuple[str, set[str]]]:
        await call(platform, "POST", ROWS, {"rowId": "s1", "data": SWEPT})
        await call(platform, "PATCH", f"{ROWS}/s1", {"data": SWEPT | {"name": "pools"}})
        await call(platform, "PUT", ROWS, {"rows": [{"$id": "s2", **SWEPT}]})
        begun = (await call(platform, "POST", "/tablesdb/transactions", {})).body["$id"]
        staged = {"databaseId": "raceday-db", "tableId": "sweeps", "data": SWEPT | {"name": "flow"}}
        operations = [
            staged | {"action": "update", "rowId": "s1"},
            staged | {"action": "bulkUpsert", "data": [{"$id": "s2", **SWEPT, "name": "flow"}]},
        ]
        transaction = f"/tablesdb/transactions/{begun}"
        await call(platform, "POST", f"{transaction}/operations", {"operations": operations})
        assert (await call(platform, "PATCH", transaction, {"commit": True})).status == 200
        await platform.host.drain()
        told = [json.loads(result.body) for result in platform.host.history.recent]
        assert {one["headers"]["x-appwrite-trigger"] for one in told} == {"event"}
        assert {one["headers"]["content-type"] for one in told} == {"application/json"}
        assert all(one["headers"]["x-appwrite-key"].startswith("ephemeral_") for one in told)
        assert platform.use.row_events == 4, "the bulk of the transaction raised none"
        assert platform.use.executions_by_trigger == {"event": 4}
        places = {"$tableId", "$databaseId", "$collectionId", "$collection"}
        return [(one["headers"]["x-appwrite-event"], places & set(one["body"])) for one in told]

    older, newer = (
        f"databases.raceday-db.{kinds}." for kinds in ("collections.sweeps.documents", "tables.sweeps.rows")
    )
    subscribed = declare("f", events=["databases.*.tables.sweeps.rows.*"])
    assert hosted(tmp_path, {"f": TELLS}, subscribed, story=story) == [
        (f"{older}s1.create", {"$tableId", "$databaseId"}),
        (f"{newer}s1.update", {"$tableId", "$databaseId"}),
        (f"{older}s2.upsert", {"$tableId", "$databaseId", "$collection"}),
        (f"{newer}s1.update", {"$tableId", "$collectionId", "$collection"}),
    ]


def test_an_execution_asked_for_by_the_api_waits_in_the_same_queue(tmp_path: Path) -> None:
    async def story(platform: AppwriteHost, clock: Clock) -> None:
        body = {"async": True, "body": '{"sleep_s": 5}', "headers": {"content-type": "application/json"}}
        asked = [(await call(platform, "POST", "/functions/f/executions", body)) for _ in range(12)]
        assert {reply.status for reply in asked} == {202}
        await clock.sleep(6)
        ids = [reply.body["$id"] for reply in asked]
        assert {result.execution_id for result in platform.host.history.recent} == set(ids[:8])
        await clock.sleep(5)
        assert {result.execution_id for result in platform.host.history.recent} == set(ids)
        shown = (await call(platform, "GET", f"/functions/f/executions/{ids[0]}")).body
        assert (shown["status"], shown["responseStatusCode"], shown["responseBody"]) == ("completed", 200, "")

    source = """
        import asyncio
        async def main(context):
            await asyncio.sleep(context.req.body["sleep_s"])
            return context.res.json({"slept": True})
    """
    hosted(tmp_path, {"f": source}, declare("f", timeout=20), story=story)


def test_without_a_content_type_the_body_is_text_as_on_the_platform(tmp_path: Path) -> None:
    async def story(platform: AppwriteHost, _clock: Clock) -> None:
        reply = await call(platform, "POST", "/functions/f/executions", {"body": '{"raceId": "r1"}'})
        answer = json.loads(reply.body["responseBody"])
        assert answer["body"] == '{"raceId": "r1"}'
        assert answer["headers"]["x-appwrite-execution-id"] == reply.body["$id"]
        assert answer["headers"]["x-appwrite-trigger"] == "http"

    hosted(tmp_path, {"f": TELLS}, story=story)


def test_what_is_used_of_the_platform_is_counted_by_caller_and_kind(tmp_path: Path) -> None:
    sources = {"daily-meetings": probe(), "master-race-scheduler": probe('"DELETE"', wait_s=3)}
    scopes = {"scopes": ["rows.read", "rows.write"], "schedule": "* * * * *"}

    async def story(platform: AppwriteHost, _clock: Clock) -> None:
        await call(platform, "POST", ROWS, {"rowId": "s1", "data": SWEPT})
        await platform.host.run(lambda: platform.host.history.count() == 4)
        figures = platform.use.as_json()
        assert figures["platform_calls"] == 4, "the operator's own call is not the functions'"
        assert figures["calls_by_kind"] == {"list rows": 2, "delete rows": 2}
        assert figures["calls_by_function"] == {"daily-meetings": 2, "master-race-scheduler": 2}
        assert figures["executions_by_trigger"] == {"schedule": 4}
        assert (figures["busiest_minute"], figures["busiest_minute_executions"]) == ("2026-11-21T17:00:00+00:00", 2)
        assert figures["longest_recurring_s"] == 3.0
        assert figures["row_events"] == 2, "one created, one deleted"

    hosted(tmp_path, sources, *(declare(name, **scopes) for name in sources), story=story)
