"""What the functions log on the platform: single JSON lines under 8,000 characters, and never a secret.

Every call that a function makes fails once, with an answer that hands back every header that was sent.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson
import pytest

from appwrite_day import AppwriteDay, run_appwrite_day
from raceday.domain.alerts.delivery import AlertChannels
from raceday.host.executions import ExecutionResult
from raceday.runtime.functions import FUNCTIONS

PARTNER_ID = "canary-partner-7f3a"
API_KEY = "canary-standard-key-55d1"
WEBHOOK_SECRET = "canary-webhook-secret-90c2"
SECRETS = (PARTNER_ID, API_KEY, WEBHOOK_SECRET, "ephemeral_")
"""Keys that the platform lends all begin with the last."""
ENVIRONMENT = {
    "NZTAB_PARTNER": "Acme",
    "NZTAB_PARTNER_ID": PARTNER_ID,
    "APPWRITE_API_KEY": API_KEY,
    "RACEDAY_LOG_LEVEL": "DEBUG",
    "RACEDAY_ALERT_CHANNELS": "webhook,push",
    "RACEDAY_TICKS": "1",
}
MOST_CALLS = 25
ERROR = {"code": 0, "type": "general_unknown", "version": "1.9.6"}


@dataclass(frozen=True)
class Echo:
    """An answer that hands back what was sent: its status, its content type, and how its body is made."""

    status: int
    shape: str

    def body(self, sent: str) -> bytes:
        if self.shape == "json":
            return orjson.dumps({**ERROR, "code": self.status, "message": f"bad request: {sent}"})
        if self.shape == "typed":
            return orjson.dumps({**ERROR, "type": sent, "message": sent})
        if self.shape == "rows":
            return orjson.dumps({"rows": [{"$id": sent}], "$id": sent, "total": 1, sent: sent})
        if self.shape == "long":
            return orjson.dumps({**ERROR, "message": sent * 200})
        return f"<html><title>{self.status}</title>{sent}</html>".encode()


ECHOES = (
    Echo(400, "json"),
    Echo(401, "json"),
    Echo(404, "typed"),
    Echo(409, "long"),
    Echo(429, "html"),
    Echo(500, "long"),
    Echo(503, "html"),
    Echo(200, "html"),
    Echo(200, "rows"),
)


class Echoing:
    """An application in front of another: from the n-th request on it hands back what was sent, so many times."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.echo: Echo | None = None
        self.wait = self.times = self.echoed = 0

    def arm(self, echo: Echo, wait: int, times: int = 100) -> None:
        self.echo, self.wait, self.times = echo, wait, times

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.wait -= 1
        if self.echo is None or self.wait >= 0 or self.times <= 0:
            await self.app(scope, receive, send)
            return
        self.times -= 1
        self.echoed += 1
        sent = " ".join(f"{name.decode()}: {value.decode()}" for name, value in scope["headers"])
        kind = b"text/html" if self.echo.shape == "html" else b"application/json"
        start = {"type": "http.response.start", "status": self.echo.status, "headers": [(b"content-type", kind)]}
        await send(start)
        await send({"type": "http.response.body", "body": self.echo.body(sent)})


def stand_before(transport: Any) -> Echoing:
    """Put an echo before the application that a transport leads to."""
    transport._app = Echoing(transport._app)
    return transport._app


async def prepared(day: AppwriteDay) -> dict[str, Mapping[str, object]]:
    """A card, a user with every channel, and what each function is asked to do."""
    await day.import_card()
    channels = AlertChannels("Default User", "https://10.0.0.7/hook", WEBHOOK_SECRET, push=True)
    await day.bundle.store.save_alert_channels(channels, day.clock.now())
    (race_id,) = day.races_by_start()
    await day.until(day.start_of(race_id) - timedelta(minutes=4))
    await day.call("single-race-poller", {"raceId": race_id, "force": True})
    await day.clock.sleep(60)
    return {
        **{name: {} for name in FUNCTIONS},
        "single-race-poller": {"raceId": race_id, "force": True},
        "batch-race-poller": {"raceIds": [race_id], "force": True},
        "enhanced-race-poller": {"raceIds": [race_id]},
        "jockey-silks-enricher": {"raceId": race_id},
    }


def check_lines(result: ExecutionResult) -> None:
    """Every line is JSON, none is so long that the platform would cut it, and nothing in it is secret."""
    said = result.logs + result.errors + result.body + json.dumps(dict(result.headers))
    for secret in SECRETS:
        assert secret not in said, (result.function_id, secret, said)
    lines = [line for line in (result.logs + result.errors).splitlines() if line not in PLATFORMS_OWN]
    assert lines
    for line in lines:
        assert len(line) < 8000
        assert isinstance(json.loads(line), dict)


PLATFORMS_OWN = {"Execution timed out."}


def stored_texts(day: AppwriteDay) -> Iterator[tuple[str, str]]:
    """Everything that the tables hold, except where users keep their own secret."""
    for name, table in day.bundle.platform.project.databases["raceday-db"].tables.items():
        if name != "user-alert-channels":
            for row in table.rows.all_rows():
                yield name, orjson.dumps(row).decode()


async def execute(day: AppwriteDay, function_id: str, body: Mapping[str, object]) -> ExecutionResult:
    """Run a function and everything that follows from it; return its own result."""
    execution_id = await day.bundle.host.start(function_id, body)
    await day.bundle.host.drain()
    return next(one for one in day.bundle.host.history.recent if one.execution_id == execution_id)


@pytest.mark.parametrize("function_id", FUNCTIONS)
def test_no_answer_of_the_platform_brings_a_secret_into_the_log(function_id: str) -> None:
    async def scenario(day: AppwriteDay) -> None:
        bodies = await prepared(day)
        echo = stand_before(day.bundle.platform.connections)
        failing_calls = 0
        for wait in range(MOST_CALLS):
            before = echo.echoed
            for times in (1, 100):
                echo.arm(ECHOES[(wait + times) % len(ECHOES)], wait, times)
                check_lines(await execute(day, function_id, bodies[function_id]))
                await day.clock.sleep(61)
            if echo.echoed == before:
                break
            failing_calls += 1
        echo.echo = None
        assert failing_calls >= 3, "each of its calls failed in its turn"
        check_all(day)

    run_appwrite_day(scenario, races=1, environment=ENVIRONMENT)


@pytest.mark.parametrize("function_id", [function_id for function_id, spec in FUNCTIONS.items() if spec.asks_feed])
def test_no_answer_of_the_feed_brings_a_secret_into_the_log_or_the_tables(function_id: str) -> None:
    async def scenario(day: AppwriteDay) -> None:
        bodies = await prepared(day)
        echo = stand_before(day.bundle.host._pool._workers[function_id]._ports.transport)
        for answer in ECHOES:
            echo.arm(answer, 0)
            check_lines(await execute(day, function_id, bodies[function_id]))
            await day.clock.sleep(61)
        echo.echo = None
        check_all(day)
        if function_id != "daily-entrants":  # which has nothing left to ask for
            assert echo.echoed >= len(ECHOES) - 2

    run_appwrite_day(scenario, races=1, environment=ENVIRONMENT)


def check_all(day: AppwriteDay) -> None:
    """Nothing that ran said a secret, nothing that is stored holds one."""
    for result in day.bundle.host.history.recent:
        check_lines(result)
    for name, text in stored_texts(day):
        assert not any(secret in text for secret in SECRETS), (name, text)
