"""alert-evaluator as the host runs it: on row events, by call, and out through a real socket."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from alert_steps import alert_ports
from contract.store_examples import IMPORTED
from contract.suite_alerts import config_row, crossing, told
from race_day import RaceDay, run_day
from raceday.clock import SystemClock
from raceday.domain.alerts.delivery import AlertChannels
from raceday.host.bundle import open_bundle
from raceday.runtime.alert_wiring import run_alerts
from raceday.runtime.handler import Run
from raceday.runtime.ports import ProcessPorts, using
from raceday.runtime.request import RunRequest, read_request
from raceday.runtime.settings import load_settings
from raceday.store.events import RowEvent
from raceday.store.sqlite import SqliteStore

ALERTS = "alert-evaluator"
SECRET = "s3cr3t of sixteen bytes"
TOLD = 'SELECT * FROM notifications ORDER BY "$id"'


async def last_minutes(day: RaceDay, lose: random.Random | None) -> list[tuple[Any, ...]]:
    """Follow the first race for its last minutes, sweep, and return its notifications.

    With `lose` a fifth of the row events is lost and others come twice.
    """
    await day.import_card()
    race_id = day.rows("SELECT \"$id\" FROM races WHERE status = 'Open' ORDER BY startTime")[0][0]
    await day.bundle.store.save_alert_config(
        config_row("slight", "ann", alertType="odds_change", threshold=2.0, timeWindowSeconds=1200), IMPORTED
    )
    publish = day.bundle.store._on_row_event
    assert publish is not None

    def unreliable(event: RowEvent) -> None:
        for _ in range(0 if lose.random() < 0.2 else lose.choice([1, 1, 2])):
            publish(event)

    if lose is not None:
        day.bundle.store._on_row_event = unreliable
    await day.until(day.start_of(race_id) - timedelta(minutes=12))
    for _ in range(12):
        await day.bundle.host.start("enhanced-race-poller", {"raceIds": [race_id]})
        await day.clock.sleep(60)
    status, report = await day.call(ALERTS)
    assert (status, report["remaining"], report["failed"]) == (200, 0, 0)
    names = [column[1] for column in day.rows("PRAGMA table_info(notifications)")]
    kept = [index for index, name in enumerate(names) if name not in {"$createdAt", "$updatedAt"}]
    return [tuple(row[index] for index in kept) for row in day.rows(TOLD)]


def test_with_a_fifth_of_the_events_lost_a_sweep_leaves_what_no_loss_would(tmp_path: Path):
    results = []
    for name, lose in (("whole", None), ("lossy", random.Random(7))):
        folder = tmp_path / name
        folder.mkdir()
        results.append(run_day(lambda day, lose=lose: last_minutes(day, lose), folder))
    whole, lossy = results
    assert lossy == whole
    assert len(whole) > 5


def test_a_polled_race_tells_the_default_user_by_its_events_alone(tmp_path: Path):
    async def scenario(day: RaceDay) -> None:
        await day.import_card()
        races = day.races()[:2]
        await day.until(day.start_of(races[0]) - timedelta(minutes=9))
        for _ in range(9):
            await day.bundle.host.start("enhanced-race-poller", {"raceIds": races})
            await day.clock.sleep(60)
        rows = day.rows('SELECT "userId", title, "crossedAt", "$createdAt", color FROM notifications')
        assert rows
        assert {user_id for user_id, *_ in rows} == {"Default User"}
        for _, _, crossed_at, created_at, _ in rows:
            waited = datetime.fromisoformat(created_at) - datetime.fromisoformat(crossed_at)
            # A price is told at once; money when the next bucket has begun, which may be five minutes later.
            assert timedelta(0) <= waited <= timedelta(minutes=7)
        runs = day.rows(
            "SELECT statusCode, storeCalls FROM function_runs WHERE function = ? AND trigger = 'event'", ALERTS
        )
        assert {status for status, _ in runs} == {200}
        assert max(calls for _, calls in runs) <= 4, "three reads and a write"

    run_day(scenario, tmp_path)


@pytest.mark.parametrize(
    ("body", "field"), [({"deliver": "perhaps"}, "deliver"), ({"deliver": 2}, "deliver"), ({"raceId": "x"}, "raceId")]
)
def test_what_it_does_not_take_is_refused(tmp_path: Path, body: dict[str, object], field: str):
    async def scenario(day: RaceDay) -> None:
        status, answer = await day.call(ALERTS, body)
        assert (status, answer["field"]) == (400, field)

    run_day(scenario, tmp_path)


def test_a_deleted_row_and_a_row_of_nobody_are_left_alone(tmp_path: Path):
    async def scenario(day: RaceDay) -> None:
        whole = {"raceId": "race", "$updatedAt": "2026-11-21T20:00:00.000+00:00", "isScratched": True}
        day.bundle.host.publish(RowEvent("entrants", "runner", "delete", whole))
        day.bundle.host.publish(RowEvent("entrants", "runner", "update", {"isScratched": True}))
        await day.bundle.host.drain()
        runs = day.rows("SELECT statusCode, skipped, storeCalls FROM function_runs WHERE function = ?", ALERTS)
        assert sorted(runs) == [(200, 1, 0), (400, 0, 0)]

    run_day(scenario, tmp_path)


class Receiver:
    """A web server on a loopback port that keeps what it was sent; its statuses in turn, those of pushes apart."""

    def __init__(self, statuses: list[int], push_statuses: list[int]) -> None:
        self.statuses = statuses
        self.push_statuses = push_statuses
        self.url = ""
        self.requests: list[tuple[str, dict[str, str], bytes]] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers["content-length"]))
        self.requests.append((head[0].split()[1], headers, body))
        statuses = self.push_statuses if head[0].split()[1].endswith("push") else self.statuses
        status = statuses.pop(0) if statuses else 200
        writer.write(f"HTTP/1.1 {status} Said\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()
        await writer.wait_closed()


@asynccontextmanager
async def receiving(*statuses: int, push: tuple[int, ...] = ()) -> AsyncIterator[Receiver]:
    receiver = Receiver(list(statuses), list(push))
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield receiver
    finally:
        server.close()
        await server.wait_closed()


async def deliver_one(
    folder: Path, channels: Callable[[str], AlertChannels], statuses: tuple[int, ...], environment: Mapping[str, str]
) -> tuple[Receiver, dict[str, object], tuple[int, str]]:
    """Let the function deliver one fresh notification; return the receiver, the row and the function's answer."""
    async with receiving(*statuses) as receiver:
        bundle = open_bundle(folder / "day.sqlite", SystemClock(), None, {"RACEDAY_LOG_LEVEL": "INFO"} | environment)  # type: ignore[arg-type]
        now = datetime.now(UTC)
        fresh = told("ann")
        fresh = type(fresh)(fresh.notification_id, fresh.config, fresh.runner, crossing()._replace(at=now))
        await bundle.store.save_notifications([fresh], now, deliver=True)
        await bundle.store.save_alert_channels(channels(receiver.url), now)
        result = await bundle.host.execute(ALERTS, {"deliver": True})
        row = dict(bundle.store._db.row("SELECT * FROM notifications") or {})
        await bundle.host.stop(grace_s=0)
        await bundle.store.close()
        return receiver, row, (result.status_code, result.body + result.logs + result.errors)


def delivered(
    tmp_path: Path, *statuses: int, **environment: str
) -> tuple[Receiver, dict[str, object], tuple[int, str]]:
    def webhook(url: str) -> AlertChannels:
        return AlertChannels("ann", f"{url}/hook?token=t0ken", SECRET)

    environment = {"RACEDAY_ALERT_CHANNELS": "webhook", "RACEDAY_WEBHOOK_PRIVATE": "true"} | environment
    return asyncio.run(deliver_one(tmp_path, webhook, statuses, environment))


def test_a_webhook_arrives_signed_over_a_real_socket(tmp_path: Path):
    receiver, row, (status, output) = delivered(tmp_path)
    assert status == 200
    [(path, headers, body)] = receiver.requests
    assert path == "/hook?token=t0ken"
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert headers["webhook-id"] == row["$id"] == json.loads(body)["data"]["notificationId"]
    assert (row["deliveryState"], row["webhookState"], row["deliveryMessage"]) == ("delivered", "delivered", None)
    assert "s3cr3t" not in output
    assert "t0ken" not in output


def test_a_webhook_that_fails_is_tried_again_later(tmp_path: Path):
    receiver, row, (status, output) = delivered(tmp_path, 503)
    assert (status, len(receiver.requests)) == (200, 1)
    assert (row["deliveryState"], row["deliveryAttempts"]) == ("pending", 1)
    assert row["deliveryMessage"] == "webhook: the address answers 503"
    assert "s3cr3t" not in output


def test_a_redirect_is_not_followed(tmp_path: Path):
    receiver, row, _ = delivered(tmp_path, 302)
    assert (len(receiver.requests), row["deliveryState"]) == (1, "failed")


def test_loopback_and_private_addresses_are_refused_unless_they_are_allowed(tmp_path: Path):
    receiver, row, (status, _) = delivered(tmp_path, RACEDAY_WEBHOOK_PRIVATE="false")
    assert (status, receiver.requests) == (200, [])
    assert row["deliveryState"] == "failed"
    assert row["deliveryMessage"]


def test_a_channel_that_is_not_configured_sends_nothing(tmp_path: Path):
    receiver, row, _ = delivered(tmp_path, RACEDAY_ALERT_CHANNELS="push")
    assert receiver.requests == []
    assert (row["deliveryState"], row["deliveryMessage"]) == ("none", "the user has no channel")


def test_a_push_without_a_platform_has_failed_at_once(tmp_path: Path):
    environment = {"RACEDAY_ALERT_CHANNELS": "push"}
    _, row, _ = asyncio.run(deliver_one(tmp_path, lambda _: AlertChannels("ann", push=True), (), environment))
    assert (row["deliveryState"], row["pushState"]) == ("failed", "failed")
    assert "no platform" in str(row["deliveryMessage"])


def on_a_platform(url: str, job: Callable[[Run], Awaitable[object]], store: SqliteStore) -> Awaitable[object]:
    """Run a job as on a platform whose API is at `url`."""
    environment = {
        "APPWRITE_FUNCTION_API_ENDPOINT": f"{url}/v1",
        "APPWRITE_FUNCTION_PROJECT_ID": "raceday",
        "RACEDAY_ALERT_CHANNELS": "webhook,push",
        "RACEDAY_WEBHOOK_PRIVATE": "true",
    }
    request = RunRequest("http", "e", {"deliver": True}, api_key=SecretStr("k3y"))
    made = Run(alert_ports(store, datetime.now(UTC)), load_settings(environment), request)

    async def within() -> object:
        with using(ProcessPorts(environment=environment)):
            return await job(made)

    return within()


def test_a_push_goes_through_the_platforms_messaging_and_only_what_failed_is_tried_again(tmp_path: Path):
    async def story() -> None:
        async with receiving(200, push=(500, 409)) as receiver:
            store = SqliteStore.open(tmp_path / "day.sqlite")
            now = datetime.now(UTC)
            fresh = told("ann")
            fresh = type(fresh)(fresh.notification_id, fresh.config, fresh.runner, crossing()._replace(at=now))
            await store.save_notifications([fresh], now, deliver=True)
            await store.save_alert_channels(AlertChannels("ann", f"{receiver.url}/hook", SECRET, push=True), now)
            await on_a_platform(receiver.url, run_alerts, store)
            assert sorted(path for path, _, _ in receiver.requests) == ["/hook", "/v1/messaging/messages/push"]
            columns = ("deliveryState", "webhookState", "pushState", "deliveryAttempts")
            row = dict(store._db.row("SELECT * FROM notifications") or {})
            assert [row[column] for column in columns] == ["pending", "delivered", None, 1]
            with store._db.writing():
                store._db.write('UPDATE notifications SET "nextDeliveryAt" = "$createdAt"', ())
            await on_a_platform(receiver.url, run_alerts, store)
            assert [path for path, _, _ in receiver.requests[2:]] == ["/v1/messaging/messages/push"]
            row = dict(store._db.row("SELECT * FROM notifications") or {})
            assert [row[column] for column in columns] == ["delivered", "delivered", "delivered", 2]
            pushes = [headers for path, headers, _ in receiver.requests if path.endswith("push")]
            assert pushes[0]["x-appwrite-key"] == "k3y"
            assert pushes[0]["x-appwrite-project"] == "raceday"
            await store.close()

    asyncio.run(story())


def test_the_platforms_key_is_read_and_never_shown():
    class Asked:
        headers = {"x-appwrite-trigger": "http", "x-appwrite-key": "k3y"}
        body_binary = b"{}"
        query: dict[str, str] = {}

    class Context:
        req = Asked()

    request = read_request(Context())  # type: ignore[arg-type]
    assert request.api_key.get_secret_value() == "k3y"
    assert "k3y" not in repr(request)
