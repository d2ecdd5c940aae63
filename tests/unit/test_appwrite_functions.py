"""The stand-in Appwrite's functions: what it checks, how a deployment comes to life, and how executions are told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import pytest

from appwrite_platform import START, MovedClock, Platform, Reply, where
from raceday.clock import Clock
from raceday.host.virtual_time import run_virtual

POLLER = {
    "functionId": "batch-race-poller",
    "name": "Batch race poller",
    "runtime": "python-3.12",
    "entrypoint": "main.py",
    "commands": "pip install -r requirements.txt",
    "timeout": 60,
    "scopes": ["rows.read", "rows.write"],
}
FUNCTION = "/functions/batch-race-poller"
BOUNDARY = "end-of-part"


def part(name: str, value: bytes, file_name: str = "") -> bytes:
    file = f'; filename="{file_name}"\r\nContent-Type: application/gzip' if file_name else ""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'
    return head.encode() + value + b"\r\n"


def upload(platform: Platform, code: bytes, *, name: str = "code.tar.gz", **headers: str) -> Reply:
    body = part("activate", b"true") + part("code", code, name) + f"--{BOUNDARY}--\r\n".encode()
    kind = f"multipart/form-data; boundary={BOUNDARY}"
    return platform.call("POST", f"{FUNCTION}/deployments", body, content_type=kind, **headers)


def created(**settings: object) -> Platform:
    platform = Platform(**settings)
    assert platform.call("POST", "/functions", POLLER).status == 201
    return platform


def deployed(**settings: object) -> Platform:
    platform = created(**settings)
    assert upload(platform, b"\x1f\x8bcode").status == 202
    platform.clock.move(13)
    return platform


@pytest.mark.parametrize(
    ("asked", "refused"),
    [
        ({"schedule": "*/15 * * * * *"}, "schedule"),
        ({"schedule": "0 0 30 2 *"}, "schedule"),
        ({"schedule": "@every 5m"}, "schedule"),
        ({"timeout": 0}, "timeout"),
        ({"timeout": 901}, "timeout"),
        ({"runtime": "python-3.99"}, "runtime"),
        ({"runtimeSpecification": "s-1vcpu-2gb"}, "runtimeSpecification"),
        ({"scopes": ["rows.read", "rows.all"]}, "scopes"),
        ({"events": ["databases.*.tables.entrants.rows.*.upsert"]}, "events"),
        ({"events": ["tablesdb.*.tables.entrants.rows.*.update"]}, "events"),
        ({"events": ["functions.*.executions.*.create"]}, "events"),
        ({"events": ["databases.*.tables.entrants.documents.*"]}, "events"),
        ({"events": ["databases.*"] * 101}, "events"),
        ({"functionId": "a/b"}, "functionId"),
        ({"name": "x" * 129}, "name"),
    ],
)
def test_what_a_function_may_not_be(asked: dict[str, object], refused: str) -> None:
    reply = Platform().call("POST", "/functions", POLLER | asked)
    assert (reply.status, reply.kind) == (400, "general_argument_invalid")
    assert reply.body["message"].startswith(f"{refused}: ")


@pytest.mark.parametrize(
    "asked",
    [
        {"schedule": "*/1 * * * *"},
        {"schedule": "@hourly"},
        {"schedule": ""},
        {"timeout": 900},
        {"runtimeSpecification": "s-2vcpu-2gb"},
        {"specification": "s-1vcpu-2gb"},
        {"events": ["databases.*.collections.entrants.documents.*.update", "databases.*.tables.entrants.rows.*"]},
        {"events": ["databases.raceday.tables.entrants.rows.e1.delete", "databases.raceday.tables.*", "databases.*"]},
    ],
)
def test_what_a_function_may_be(asked: dict[str, object]) -> None:
    assert Platform().call("POST", "/functions", POLLER | asked).status == 201


def test_one_specification_counts_only_for_an_older_client() -> None:
    platform = Platform()
    asked = POLLER | {"specification": "s-1vcpu-512mb"}
    newer = platform.call("POST", "/functions", asked | {"functionId": "newer"})
    older = platform.call("POST", "/functions", asked | {"functionId": "older"}, x_appwrite_response_format="1.8.0")
    assert newer.body["runtimeSpecification"] == "s-2vcpu-4gb"
    assert older.body["runtimeSpecification"] == older.body["buildSpecification"] == "s-1vcpu-512mb"
    unknown = asked | {"functionId": "third", "specification": "s-1vcpu-2gb"}
    assert platform.call("POST", "/functions", unknown, x_appwrite_response_format="1.8.0").status == 400


def test_functions_are_found_listed_changed_and_deleted() -> None:
    platform = created()
    assert platform.call("POST", "/functions", POLLER).kind == "function_already_exists"
    assert [one["$id"] for one in platform.list(path="/functions")["functions"]] == ["batch-race-poller"]
    changed = platform.call("PUT", FUNCTION, {"name": "Poller", "schedule": "0 * * * *"}).body
    assert (changed["name"], changed["schedule"], changed["runtime"]) == ("Poller", "0 * * * *", "python-3.12")
    # What an update does not name falls back to its default.
    assert (changed["timeout"], changed["scopes"]) == (15, [])
    assert platform.call("DELETE", FUNCTION).status == 204
    assert platform.call("GET", FUNCTION).kind == "function_not_found"


def test_a_deployment_is_built_for_a_while_and_then_runs() -> None:
    platform = created()
    deployment = upload(platform, b"\x1f\x8bcode").body
    path = f"{FUNCTION}/deployments/{deployment['$id']}"
    seen = []
    for seconds in (0, 0.7, 1, 10, 3):
        platform.clock.move(seconds)
        seen.append(platform.call("GET", path).body["status"])
    assert seen == ["waiting", "processing", "building", "building", "ready"]
    function = platform.call("GET", FUNCTION).body
    assert function["deploymentId"] == function["latestDeploymentId"] == deployment["$id"]
    assert deployment["sourceSize"] == 6
    assert platform.call("GET", path).body["activate"] is True


def test_a_failed_build_shows_its_log_and_leaves_the_old_one_running() -> None:
    platform = deployed()
    running = platform.call("GET", FUNCTION).body["deploymentId"]
    platform.project.build_failures.append("ERROR: no matching distribution\n")
    failed = upload(platform, b"\x1f\x8bworse").body["$id"]
    platform.clock.move(13)
    body = platform.call("GET", f"{FUNCTION}/deployments/{failed}").body
    assert (body["status"], body["buildLogs"]) == ("failed", "ERROR: no matching distribution\n")
    function = platform.call("GET", FUNCTION).body
    assert (function["deploymentId"], function["latestDeploymentStatus"]) == (running, "failed")


def test_a_large_deployment_comes_in_chunks() -> None:
    platform = created()
    chunk = 5 * 1024 * 1024
    code = bytes(range(256)) * (6 * 1024 * 4)
    size = len(code)
    first = upload(platform, code[:chunk], content_range=f"bytes 0-{chunk - 1}/{size}")
    assert first.status == 202
    assert platform.list(path=f"{FUNCTION}/deployments")["total"] == 0
    rest = {"content_range": f"bytes {chunk}-{size - 1}/{size}", "x_appwrite_id": first.body["$id"]}
    assert upload(platform, code[chunk:], **rest).body["sourceSize"] == size
    assert platform.project.functions["batch-race-poller"].deployments[first.body["$id"]].code == code


@pytest.mark.parametrize(
    ("code", "headers", "refused"),
    [
        (b"1234", {"content_range": "bytes 0-3/9"}, "storage_invalid_content_range"),
        (b"1234", {"content_range": "bytes 4-7/8"}, "storage_invalid_content_range"),
        (b"1234", {"content_range": "some"}, "storage_invalid_content_range"),
        (b"1234", {"name": "code.zip"}, "storage_file_type_unsupported"),
    ],
)
def test_uploads_that_are_refused(code: bytes, headers: dict[str, str], refused: str) -> None:
    assert upload(created(), code, **headers).kind == refused


def test_a_deployment_can_be_chosen_and_deleted() -> None:
    platform = deployed()
    old = platform.call("GET", FUNCTION).body["deploymentId"]
    upload(platform, b"\x1f\x8bnew")
    newer = platform.call("GET", FUNCTION).body["latestDeploymentId"]
    early = platform.call("PATCH", f"{FUNCTION}/deployment", {"deploymentId": newer})
    assert early.kind == "build_not_ready"
    platform.clock.move(13)
    assert platform.call("GET", FUNCTION).body["deploymentId"] == newer
    assert platform.call("PATCH", f"{FUNCTION}/deployment", {"deploymentId": old}).body["deploymentId"] == old
    assert platform.call("DELETE", f"{FUNCTION}/deployments/{newer}").status == 204
    assert platform.call("GET", f"{FUNCTION}/deployments/{newer}").kind == "deployment_not_found"


def test_variables_hide_their_secrets() -> None:
    platform, path = created(), f"{FUNCTION}/variables"
    secret = platform.call("POST", path, {"key": "NZTAB_PARTNER_ID", "value": "x"}).body
    public = platform.call("POST", path, {"key": "RACEDAY_CADENCE", "value": "enhanced", "secret": False}).body
    assert (secret["value"], secret["secret"], public["value"]) == ("", True, "enhanced")
    assert platform.call("POST", path, {"key": "RACEDAY_CADENCE", "value": "y"}).kind == "variable_already_exists"
    changed = platform.call(
        "PUT", f"{path}/{secret['$id']}", {"key": "NZTAB_PARTNER_ID", "value": "z", "secret": False}
    )
    assert changed.body["secret"] is True
    assert [one["key"] for one in platform.call("GET", FUNCTION).body["vars"]] == [
        "NZTAB_PARTNER_ID",
        "RACEDAY_CADENCE",
    ]
    assert platform.call("DELETE", f"{path}/{public['$id']}").status == 204
    assert [one["key"] for one in platform.list(path=path)["variables"]] == ["NZTAB_PARTNER_ID"]
    assert platform.call("GET", f"{path}/{public['$id']}").kind == "variable_not_found"


@pytest.mark.parametrize(("length", "status"), [(5964, 201), (5965, 500), (8193, 400)])
def test_a_long_variable_is_accepted_and_then_does_not_fit(length: int, status: int) -> None:
    asked = {"key": "RACEDAY_SILK_HOSTS", "value": "x" * length}
    assert created().call("POST", f"{FUNCTION}/variables", asked).status == status


Starter = Callable[[str, str, Mapping[str, str]], Awaitable[tuple[int, str]]]


def executing(on_execution: Starter, story: Callable[[Platform], Awaitable[None]]) -> None:
    """Tell a story about executions in virtual time."""

    async def told(clock: Clock) -> None:
        platform = Platform(clock=clock, on_execution=on_execution)
        await platform.acall("POST", "/functions", POLLER)
        kind = f"multipart/form-data; boundary={BOUNDARY}"
        body = part("activate", b"true") + part("code", b"\x1f\x8b", "code.tar.gz") + f"--{BOUNDARY}--\r\n".encode()
        early = await platform.acall("POST", f"{FUNCTION}/executions", {})
        assert early.kind == "deployment_not_found"
        await platform.acall("POST", f"{FUNCTION}/deployments", body, content_type=kind)
        await clock.sleep(13)
        await story(platform)

    run_virtual(told, START)


async def take_20_s(function_id: str, body: str, headers: Mapping[str, str]) -> tuple[int, str]:
    await asyncio.sleep(20)
    return 200, f"{function_id} {body}"


async def take_100_s(function_id: str, body: str, headers: Mapping[str, str]) -> tuple[int, str]:
    await asyncio.sleep(100)
    return 200, "late"


async def fail(function_id: str, body: str, headers: Mapping[str, str]) -> tuple[int, str]:
    raise ValueError("broken")


async def latest(platform: Platform) -> dict[str, object]:
    listed = await platform.acall("GET", f"{FUNCTION}/executions")
    return listed.body["executions"][-1]


def test_a_synchronous_execution_answers_with_the_body() -> None:
    async def story(platform: Platform) -> None:
        reply = await platform.acall("POST", f"{FUNCTION}/executions", {"body": '{"raceId":"r1"}'})
        assert reply.status == 201
        body = reply.body
        assert (body["status"], body["responseStatusCode"]) == ("completed", 200)
        assert body["responseBody"] == 'batch-race-poller {"raceId":"r1"}'
        assert body["duration"] == pytest.approx(20, abs=0.1)

    executing(take_20_s, story)


def test_nobody_is_kept_waiting_for_more_than_30_s_but_the_function_runs_on() -> None:
    async def story(platform: Platform) -> None:
        before = platform.clock.now()
        reply = await platform.acall("POST", f"{FUNCTION}/executions", {})
        assert (reply.status, reply.kind) == (408, "function_synchronous_timeout")
        assert (platform.clock.now() - before).total_seconds() == pytest.approx(30, abs=0.1)
        await platform.clock.sleep(80)
        body = await latest(platform)
        assert (body["status"], body["responseBody"]) == ("failed", "")

    executing(take_100_s, story)


def test_an_asynchronous_execution_goes_from_waiting_to_completed_without_its_body() -> None:
    async def story(platform: Platform) -> None:
        reply = await platform.acall("POST", f"{FUNCTION}/executions", {"async": True})
        assert (reply.status, reply.body["status"]) == (202, "waiting")
        path = f"{FUNCTION}/executions/{reply.body['$id']}"
        await platform.clock.sleep(1)
        assert (await platform.acall("GET", path)).body["status"] == "processing"
        await platform.clock.sleep(20)
        body = (await platform.acall("GET", path)).body
        assert (body["status"], body["responseStatusCode"], body["responseBody"]) == ("completed", 200, "")

    executing(take_20_s, story)


def test_failed_with_code_0_is_not_final() -> None:
    async def story(platform: Platform) -> None:
        await platform.acall("POST", f"{FUNCTION}/executions", {"async": True})
        await platform.clock.sleep(61)
        body = await latest(platform)
        assert (body["status"], body["responseStatusCode"], body["errors"]) == ("failed", 0, "")
        await platform.clock.sleep(60)
        body = await latest(platform)
        assert (body["status"], body["responseStatusCode"]) == ("completed", 200)

    executing(take_100_s, story)


def test_a_function_that_breaks_is_a_failed_execution() -> None:
    async def story(platform: Platform) -> None:
        body = (await platform.acall("POST", f"{FUNCTION}/executions", {})).body
        assert (body["status"], body["responseStatusCode"], body["errors"]) == ("failed", 500, "ValueError: broken")
        listed = platform.acall(
            "GET", f"{FUNCTION}/executions", query=[("queries[]", '{"method":"limit","values":[1]}')]
        )
        assert (await listed).body["total"] == 1

    executing(fail, story)


def test_every_execution_gets_a_key_with_the_function_s_scopes() -> None:
    seen: list[Mapping[str, str]] = []

    async def look(function_id: str, body: str, headers: Mapping[str, str]) -> tuple[int, str]:
        seen.append(headers)
        return 200, ""

    async def story(platform: Platform) -> None:
        await platform.acall("POST", f"{FUNCTION}/executions", {"headers": {"Content-Type": "application/json"}})
        (headers,) = seen
        assert headers["content-type"] == "application/json"
        assert headers["x-appwrite-trigger"] == "http"
        platform.secret = headers["x-appwrite-key"]
        allowed = await platform.acall("GET", "/tablesdb/raceday/tables/entrants/rows")
        assert allowed.kind == "database_not_found"
        assert (await platform.acall("GET", "/functions")).kind == "general_unauthorized_scope"
        await platform.clock.sleep(121)
        assert (await platform.acall("GET", "/functions")).kind == "project_key_expired"

    executing(look, story)


@pytest.mark.parametrize(
    "asked",
    [
        {"headers": {"X-Appwrite-Key": "mine"}},
        {"headers": "x"},
        {"body": "x" * (10_485_760 + 1)},
        {"body": {"raceId": 1}},
    ],
)
def test_executions_that_are_refused(asked: dict[str, object]) -> None:
    reply = deployed().call("POST", f"{FUNCTION}/executions", asked)
    assert (reply.status, reply.kind) == (400, "general_argument_invalid")


def test_unknown_executions_and_functions() -> None:
    platform = deployed(clock=MovedClock())
    assert platform.call("GET", f"{FUNCTION}/executions/nope").kind == "execution_not_found"
    assert platform.call("POST", "/functions/nope/executions", {}).kind == "function_not_found"
    assert platform.list(where("equal", "status", "failed"), path=f"{FUNCTION}/executions")["total"] == 0
