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
from raceday.runtime.log import MAX_LINE
from raceday.store.tables import ENTRANTS

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
        **dict.fromkeys(FUNCTIONS, {}),
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
        assert len(line) <= MAX_LINE
        assert isinstance(json.loads(line), dict)


PLATFORMS_OWN = {"Execution timed out."}


def stored_texts(day: AppwriteDay) -> Iterator[tuple[str, str]]:
    """Everything that the tables hold, except where users keep their own secret."""
    for name, table in day.bundle.platform.project.databases["raceday-db"].tables.items():
        if name != "user-alert-channels":
            for row in table.rows.all_rows():
                yield name, orjson.dumps(row).decode()


@pytest.mark.parametrize("function_id", FUNCTIONS)
def test_no_answer_of_the_platform_brings_a_secret_into_the_log(function_id: str) -> None:
    async def scenario(day: AppwriteDay) -> None:
        bodies = await prepared(day)
        echo = stand_before(day.bundle.platform.connections)
        (race_id,) = day.races_by_start()
        runner = next(row for row in day.rows("entrants") if not row["isScratched"])
        for wait in range(14):
            answer = ECHOES[wait % len(ECHOES)]
            for times in (1, 100):
                before = echo.echoed
                echo.arm(answer, wait, times)
                result = await day.bundle.host.execute(function_id, bodies[function_id])
                check_lines(result)
                echo.echo = None
                await day.clock.sleep(61)
                await day.bundle.host.drain()
            if echo.echoed == before:
                break
        assert echo.echoed > 3
        for event in day.bundle.host.history.recent:
            check_lines(event)
        for name, text in stored_texts(day):
            assert not any(secret in text for secret in SECRETS), (name, text)
        _ = runner, race_id, ENTRANTS

    run_appwrite_day(scenario, races=1, environment=ENVIRONMENT)
