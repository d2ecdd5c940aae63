"""The HTTP face: routes, errors, compression, faults with their declared frequency, and the loopback server."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

import httpx
import orjson
import pytest

from raceday.simulator.app import simulator_app
from raceday.simulator.faults import PROFILES, Fault, FaultDice, FaultProfile
from raceday.simulator.feed import SimulatedFeed
from raceday.simulator.programme import plan_day
from raceday.simulator.request_log import RequestLog
from raceday.simulator.serve import serve, serving
from raceday.transport import InProcess

T = TypeVar("T")
NOON = datetime(2026, 3, 12, 3, 0, tzinfo=UTC)
PROGRAMME = plan_day(date(2026, 3, 12))
FEED = SimulatedFeed(PROGRAMME, lambda: NOON)
RACE_ID = next(race.race_id for race in PROGRAMME.imported_races() if race.script.abandoned_s is None)
BASE = "/affiliates/v1/racing"
EVENT = f"{BASE}/events/{RACE_ID}"


async def no_wait(seconds: float) -> None:
    await asyncio.sleep(0)


def ask(
    profile: FaultProfile,
    question: Callable[[httpx.AsyncClient], Awaitable[T]],
    log: RequestLog | None = None,
    sleep: Callable[[float], Awaitable[None]] = no_wait,
) -> T:
    async def run() -> T:
        app = simulator_app(FEED, profile, 1, log, sleep)
        async with httpx.AsyncClient(transport=InProcess(app), base_url="https://feed.invalid", timeout=0.2) as client:
            return await question(client)

    return asyncio.run(run())


def get(path: str, profile: FaultProfile = PROFILES["none"]) -> httpx.Response:
    return ask(profile, lambda client: client.get(path))


def test_all_four_resources_answer() -> None:
    meeting_id = PROGRAMME.meetings[0].meeting_id
    for path, key in (("/meetings", "meetings"), (f"/meetings/{meeting_id}", "meetings"), ("/list", "races")):
        assert get(BASE + path).json()["data"][key]
    tracker = get(f"{EVENT}?with_money_tracker=true&with_results=true&nonsense=1").json()["data"]["money_tracker"]
    assert tracker["entrants"]


def test_the_query_reaches_the_feed() -> None:
    body = get(f"{BASE}/meetings?type=H&country=AUS&limit=2&offset=1").json()
    assert body["params"]["type"] == "H"
    assert body["params"]["limit"] == 2
    assert len(body["data"]["meetings"]) == 2
    assert {row["country"] + row["category"] for row in body["data"]["meetings"]} == {"AUSH"}


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        (f"{BASE}/events/nobody", 404, "not found"),
        (f"{BASE}/meetings/nobody", 404, "not found"),
        (f"{BASE}/meetings?limit=many", 400, "limit"),
        (f"{BASE}/meetings?date_from=2026-03-12T00:00:00Z", 400, "date_from"),
        (f"{BASE}/list?page_token=x", 400, "page_token"),
    ],
)
def test_errors_have_the_shape_of_the_feed(path: str, status: int, said: str) -> None:
    response = get(path)
    header = response.json()["header"]
    assert response.status_code == header["error_code"] == status
    assert said in header["error"]
    assert "data" not in response.json()


def test_the_log_counts_the_calls_for_each_race() -> None:
    log = RequestLog()

    async def poll(client: httpx.AsyncClient) -> None:
        for path in (EVENT, EVENT, f"{BASE}/meetings", f"{BASE}/events/nobody"):
            await client.get(path)

    ask(PROFILES["none"], poll, log)
    assert [request.status for request in log.of_event(RACE_ID)] == [200, 200]
    assert log.by_status() == {200: 3, 404: 1}
    assert {request.at for request in log.requests} == {NOON}


def test_a_stall_leaves_the_caller_waiting_and_is_logged_as_unanswered() -> None:
    log = RequestLog()
    with pytest.raises(TimeoutError):
        ask(FaultProfile(stall=1.0), lambda client: asyncio.wait_for(client.get(EVENT), 0.2), log, asyncio.sleep)
    assert log.by_status() == {0: 1}


def test_a_reset_is_a_read_error() -> None:
    log = RequestLog()
    with pytest.raises(httpx.ReadError):
        ask(FaultProfile(reset=1.0), lambda client: client.get(EVENT), log)
    assert log.by_status() == {0: 1}


def test_a_throttled_answer_says_when_to_come_back_in_both_ways() -> None:
    async def several(client: httpx.AsyncClient) -> list[httpx.Response]:
        return [await client.get(EVENT) for _ in range(12)]

    answers = ask(FaultProfile(throttle=1.0, retry_after_s=3), several)
    assert {answer.status_code for answer in answers} == {429}
    said = {answer.headers["Retry-After"] for answer in answers}
    seconds = {text for text in said if text.isdigit()}
    dates = said - seconds
    assert seconds == {"3"}
    assert [(parsedate_to_datetime(text) - NOON).total_seconds() for text in dates] == [3]


def test_bad_bodies_come_in_three_kinds() -> None:
    async def several(client: httpx.AsyncClient) -> list[httpx.Response]:
        return [await client.get(EVENT) for _ in range(30)]

    kinds: Counter[str] = Counter()
    for answer in ask(FaultProfile(bad_json=1.0), several):
        assert answer.status_code == 200
        try:
            body = orjson.loads(answer.content)
        except orjson.JSONDecodeError:
            kinds["html" if answer.content.startswith(b"<") else "truncated"] += 1
        else:
            assert body["data"] == []
            kinds["wrong shape"] += 1
    assert set(kinds) == {"html", "truncated", "wrong shape"}


def test_events_go_missing_and_meetings_do_not() -> None:
    profile = FaultProfile(missing_event=1.0)
    assert get(EVENT, profile).status_code == 404
    assert get(f"{BASE}/meetings", profile).status_code == 200


def test_latency_is_waited_out() -> None:
    waited: list[float] = []

    async def note(seconds: float) -> None:
        waited.append(seconds)

    ask(FaultProfile(latency_ms=800), lambda client: client.get(EVENT), sleep=note)
    assert 0.4 <= sum(waited) <= 1.2


@pytest.mark.parametrize("name", sorted(PROFILES))
def test_faults_happen_as_often_as_declared(name: str) -> None:
    profile, draws = PROFILES[name], 4000
    dice = FaultDice(profile, seed=5)
    seen = Counter(dice.verdict(f"/events/{number % 97}", is_event=True).fault for number in range(draws))
    for fault in Fault:
        assert seen[fault] / draws == pytest.approx(getattr(profile, fault.value), abs=0.016)


def test_faults_are_the_same_for_a_race_whatever_else_is_asked() -> None:
    alone, crowded = FaultDice(PROFILES["rough"], 3), FaultDice(PROFILES["rough"], 3)
    first = [alone.verdict("/a", is_event=True).fault for _ in range(200)]
    second = []
    for number in range(200):
        crowded.verdict(f"/other/{number}", is_event=True)
        second.append(crowded.verdict("/a", is_event=True).fault)
    assert first == second
    assert len(set(first)) > 2


def test_shares_of_faults_that_exceed_the_whole_are_refused() -> None:
    with pytest.raises(ValueError, match="at most 1"):
        FaultProfile(stall=0.7, reset=0.7)


def test_a_loopback_port_serves_compresses_and_stops() -> None:
    async def run() -> tuple[httpx.Response, httpx.Response, str]:
        async with serving(simulator_app(FEED)) as url, httpx.AsyncClient(base_url=url) as client:
            packed = await client.get(EVENT)
            flat = await client.get(EVENT, headers={"Accept-Encoding": "identity"})
        return packed, flat, url

    packed, flat, url = asyncio.run(run())
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in flat.headers
    assert packed.json()["data"] == flat.json()["data"]
    assert int(packed.headers["content-length"]) < len(flat.content) / 3
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


def test_a_reset_on_a_socket_drops_the_connection() -> None:
    async def run() -> None:
        app = simulator_app(FEED, FaultProfile(reset=1.0))
        async with serving(app) as url, httpx.AsyncClient(base_url=url) as client:
            await client.get(EVENT)

    with pytest.raises(httpx.TransportError):
        asyncio.run(run())


def test_serve_ends_when_its_task_is_cancelled_and_frees_the_port() -> None:
    async def run(port: int) -> None:
        task = asyncio.create_task(serve(simulator_app(FEED), port=port))
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            await asyncio.sleep(0.05)
            assert (await client.get(EVENT)).status_code == 200
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, timeout=3)

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    asyncio.run(run(port))
    asyncio.run(run(port))


def test_a_port_in_use_is_an_os_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        asyncio.run(serve(simulator_app(FEED), port=taken.getsockname()[1]))
