"""The stand-in Appwrite's gate: keys and scopes, guests, faults on demand, the log, a real socket."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

import httpx
import pytest

from appwrite_platform import ROWS, START, MovedClock, Platform, entrants
from raceday.simulator.appwrite.app import appwrite_app
from raceday.simulator.appwrite.faults import DROPPED, Fault, FaultPlan
from raceday.simulator.appwrite.instants import instant_of
from raceday.simulator.appwrite.project import Project
from raceday.simulator.faulty_answers import ConnectionDropped
from raceday.simulator.serve import serving

ROW = {"rowId": "e1", "data": {"raceId": "r1", "odds": 2.5}}


def test_a_wrong_key_and_a_wrong_project_are_refused() -> None:
    platform = entrants()
    wrong = platform.call("GET", ROWS, x_appwrite_key="nobody's")
    assert (wrong.status, wrong.kind) == (401, "user_unauthorized")
    for project in ("another", ""):
        lost = platform.call("GET", ROWS, x_appwrite_project=project)
        assert (lost.status, lost.kind) == (404, "project_not_found")


def test_a_key_reaches_as_far_as_its_scopes() -> None:
    platform = entrants()
    platform.project.keys.add("reader", ["rows.read"])
    assert platform.call("GET", ROWS, x_appwrite_key="reader").status == 200
    refused = platform.call("POST", ROWS, ROW, x_appwrite_key="reader")
    assert (refused.status, refused.kind) == (401, "general_unauthorized_scope")
    assert '["rows.write","documents.write"]' in refused.body["message"]
    assert platform.call("POST", "/functions", {}, x_appwrite_key="reader").kind == "general_unauthorized_scope"


def test_an_ephemeral_key_ends_at_its_time_and_any_key_in_mid_run() -> None:
    platform = entrants()
    key = platform.project.keys.issue(["rows.read"], platform.clock.now(), timedelta(seconds=120), "batch-race-poller")
    assert key.secret.startswith("ephemeral_")
    assert platform.call("GET", ROWS, x_appwrite_key=key.secret).status == 200
    platform.clock.move(121)
    ended = platform.call("GET", ROWS, x_appwrite_key=key.secret)
    assert (ended.status, ended.kind) == (401, "project_key_expired")
    platform.project.keys.expire(platform.secret, platform.clock.now())
    assert platform.call("GET", ROWS).kind == "project_key_expired"


def test_a_guest_reads_what_is_public_and_nothing_else() -> None:
    platform = entrants()
    platform.call("POST", ROWS, ROW)
    closed = platform.call("GET", ROWS, x_appwrite_key="")
    assert (closed.status, closed.kind) == (401, "user_unauthorized")
    assert platform.call("GET", f"{ROWS}/e1", x_appwrite_key="").kind == "row_not_found"
    assert platform.call("POST", ROWS, ROW, x_appwrite_key="").kind == "general_unauthorized_scope"
    table = "/tablesdb/raceday/tables/entrants"
    platform.call("PUT", table, {"name": "Entrants", "permissions": ['read("any")']})
    assert platform.call("GET", ROWS, x_appwrite_key="").body["total"] == 1
    assert platform.call("GET", f"{ROWS}/e1", x_appwrite_key="").status == 200


def test_row_security_shows_a_guest_only_the_rows_that_say_so() -> None:
    platform = entrants()
    platform.call("PUT", "/tablesdb/raceday/tables/entrants", {"name": "Entrants", "rowSecurity": True})
    for row_id, permissions in (("own", ['read("user:u1")', 'update("user:u1")']), ("open", ['read("any")'])):
        made = platform.call("POST", ROWS, ROW | {"rowId": row_id, "permissions": permissions})
        assert made.body["$permissions"] == permissions
    listed = platform.call("GET", ROWS, x_appwrite_key="").body
    assert [row["$id"] for row in listed["rows"]] == ["open"]
    assert platform.call("GET", f"{ROWS}/own", x_appwrite_key="").status == 404


def test_what_no_route_is_for_is_a_page_for_people() -> None:
    platform = Platform()
    for method, path in (
        ("GET", "/nope"),
        ("DELETE", "/tablesdb"),
        ("POST", "/tablesdb/raceday/tables/t/columns/json"),
    ):
        reply = platform.call(method, path)
        assert (reply.status, reply.headers["content-type"]) == (404, "text/html; charset=UTF-8")


def test_the_version_is_told_to_anybody() -> None:
    reply = Platform().call("GET", "/health/version", x_appwrite_key="", x_appwrite_project="")
    assert reply.body == {"version": "1.9.6"}


def test_a_body_over_twelve_mebibytes_never_reaches_the_api() -> None:
    platform = entrants()
    reply = platform.call("POST", ROWS, b" " * (12 * 1024 * 1024 + 1))
    assert reply.status == 413
    assert "content-type" not in reply.headers


def test_the_next_calls_fail_as_told_and_only_those() -> None:
    platform = entrants()
    platform.faults.next_calls(Fault(429))
    platform.faults.next_calls(Fault(503), count=2, method="POST")
    throttled = platform.call("GET", ROWS)
    assert (throttled.status, throttled.kind) == (429, "general_rate_limit_exceeded")
    assert platform.call("GET", ROWS).status == 200
    assert [platform.call("POST", ROWS, ROW).status for _ in range(3)] == [503, 503, 201]


def test_a_fault_after_the_effect_spoils_only_the_answer() -> None:
    platform = entrants()
    platform.faults.next_calls(Fault(500, after_effect=True))
    failed = platform.call("POST", ROWS, ROW)
    assert (failed.status, failed.kind, failed.body["code"]) == (500, "general_unknown", 500)
    assert platform.call("POST", ROWS, ROW).kind == "row_already_exists"
    assert platform.told() == [("e1", "create")]


def test_a_dropped_connection_leaves_no_answer_and_perhaps_an_effect() -> None:
    platform = entrants()
    platform.faults.next_calls(Fault(DROPPED))
    with pytest.raises(ConnectionDropped):
        platform.call("POST", ROWS, ROW)
    assert platform.row("e1") is None
    platform.faults.next_calls(Fault(DROPPED, after_effect=True))
    with pytest.raises(ConnectionDropped):
        platform.call("POST", ROWS, ROW)
    assert platform.row("e1")["odds"] == 2.5
    assert platform.log.by_status()[0] == 2


def test_an_error_may_come_without_a_content_type() -> None:
    platform = entrants()
    platform.faults.next_calls(Fault(504, has_content_type=False))
    reply = platform.call("GET", ROWS)
    assert (reply.status, reply.content) == (504, b"Gateway Timeout")
    assert "content-type" not in reply.headers


def test_being_down_lasts_as_long_as_it_lasts() -> None:
    platform = entrants()
    platform.faults.down_from = platform.clock.now()
    platform.faults.down_until = platform.clock.now() + timedelta(minutes=2)
    assert platform.call("GET", ROWS).status == 503
    platform.clock.move(119)
    assert platform.call("GET", ROWS).status == 503
    platform.clock.move(1)
    assert platform.call("GET", ROWS).status == 200


def test_a_share_of_the_calls_fails_and_the_same_ones_again() -> None:
    def statuses() -> list[int]:
        platform = entrants()
        platform.faults.share = 0.2
        return [platform.call("GET", ROWS).status for _ in range(300)]

    first = statuses()
    assert first == statuses()
    counted = Counter(first)
    assert set(counted) == {200, 500, 503}
    assert 30 < counted[500] + counted[503] < 90


def test_slowness_is_waited_out() -> None:
    platform = entrants()
    platform.faults.latency_s = 3.0
    before = platform.clock.now()
    platform.call("GET", ROWS)
    assert (platform.clock.now() - before).total_seconds() == 3


def test_some_calls_are_slow_before_their_work_and_some_before_their_answer() -> None:
    platform = entrants()
    platform.faults.slow_share = 0.5
    waited, written_after = [], []
    for number in range(40):
        began = platform.clock.now()
        made = platform.call("POST", ROWS, {**ROW, "rowId": f"e{number}"}).body
        waited.append((platform.clock.now() - began).total_seconds())
        written_after.append((instant_of(made["$createdAt"]) - began).total_seconds())
    slow = [(pause, before) for pause, before in zip(waited, written_after, strict=True) if pause > 0.5]
    assert 10 < len(slow) < 30
    assert all(1 <= pause <= 5 for pause, _before in slow)
    assert {round(before) == 0 for _pause, before in slow} == {True, False}


def test_the_log_names_method_path_key_and_status() -> None:
    platform = entrants()
    platform.call("POST", ROWS, ROW)
    platform.call("POST", ROWS, ROW)
    platform.call("GET", ROWS, x_appwrite_key="nobody's")
    assert [(one.method, one.key_id, one.status) for one in platform.log.calls] == [
        ("POST", "everything", 201),
        ("POST", "everything", 409),
        ("GET", "", 401),
    ]
    assert len(platform.log.of("POST", "entrants/rows")) == 2
    assert all(one.path == f"/v1{ROWS}" for one in platform.log.calls)
    assert {one.route for one in platform.log.calls} == {"/tablesdb/{databaseId}/tables/{tableId}/rows"}
    assert platform.log.calls[0].scopes == ("rows.write", "documents.write")


def test_it_serves_a_real_socket() -> None:
    project = Project("raceday")
    project.keys.add("k")
    faults = FaultPlan()

    async def run() -> tuple[httpx.Response, httpx.Response]:
        headers = {"x-appwrite-project": "raceday", "x-appwrite-key": "k"}
        app = appwrite_app(project, MovedClock(START), faults=faults)
        async with serving(app) as url, httpx.AsyncClient(base_url=f"{url}/v1", headers=headers) as client:
            made = await client.post("/tablesdb", json={"databaseId": "raceday", "name": "RaceDay"})
            listed = await client.get("/tablesdb")
            faults.next_calls(Fault(DROPPED))
            with pytest.raises(httpx.TransportError):
                await client.get("/tablesdb")
        return made, listed

    made, listed = asyncio.run(run())
    assert made.status_code == 201
    assert listed.json() == {"total": 1, "databases": [made.json()]}
