"""What the API says of its server."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from prometheus_client.parser import text_string_to_metric_families

from api_day import FIRST, NOW, ServedDay, on_day
from contract.store_examples import START


async def health(day: ServedDay) -> tuple[int, dict]:
    answer = await day.get("/health")
    return answer.status_code, answer.json()


def test_a_server_at_work_is_healthy(postgres_url):
    async def steps(day: ServedDay) -> None:
        status, said = await health(day)
        assert (status, said["status"], said["workers"]) == (200, "healthy", "in-process")
        assert said["uptime_s"] == 60
        assert said["database"]["status"] == "ok"
        assert said["database"]["pool"]["max"] == 10
        assert said["scheduler"] | {"polls": 0} == said["scheduler"]

    on_day(postgres_url, steps)


def test_a_scheduler_that_does_not_turn_is_unhealthy(postgres_url):
    async def steps(day: ServedDay) -> None:
        day.state.scheduler_seen_at = NOW - timedelta(seconds=31)
        status, said = await health(day)
        assert (status, said["scheduler"]["status"]) == (503, "stopped")
        day.state.scheduler_seen_at = None
        day.state.started_at = NOW - timedelta(seconds=5)
        status, said = await health(day)
        assert (status, said["scheduler"]["status"]) == (200, "starting")

    on_day(postgres_url, steps, loaded=False)


def test_a_feed_that_is_silent_while_races_are_due_is_unhealthy(postgres_url):
    async def steps(day: ServedDay) -> None:
        day.state.clock.at = day.state.scheduler_seen_at = START + timedelta(minutes=25)
        day.state.last_feed_error = "the feed does not answer"
        status, said = await health(day)
        assert (status, said["feed"]["status"], said["feed"]["races_due"]) == (503, "stale", 2)
        assert said["feed"]["last_error"] == "the feed does not answer"
        day.state.last_feed_success_at = START + timedelta(minutes=24)
        assert (await health(day))[1]["feed"]["status"] == "ok"

    on_day(postgres_url, steps)


def test_what_another_server_polled_counts(postgres_url):
    async def steps(day: ServedDay) -> None:
        day.state.clock.at = day.state.scheduler_seen_at = START + timedelta(minutes=25)
        await day.state.database.execute(
            "UPDATE races SET last_poll_time = %s WHERE race_id <> %s",
            (START + timedelta(minutes=23), FIRST.race_id),
        )
        status, said = await health(day)
        assert (status, said["feed"]["status"], said["last_poll"]) == (200, "ok", "2026-11-22T04:23:00.000Z")

    on_day(postgres_url, steps)


def test_a_quiet_night_is_healthy(postgres_url):
    async def steps(day: ServedDay) -> None:
        day.state.clock.at = day.state.scheduler_seen_at = START + timedelta(hours=10)
        status, said = await health(day)
        assert (status, said["feed"]["status"]) == (200, "quiet")

    on_day(postgres_url, steps)


def test_without_its_database_it_says_so_at_once(postgres_url):
    async def steps(day: ServedDay) -> None:
        await day.state.database.close()
        status, said = await health(day)
        assert (status, said["database"]["status"], said["feed"]["status"]) == (503, "down", "unknown")
        assert said["database"]["latency_ms"] is None

    on_day(postgres_url, steps, loaded=False)


def test_a_database_that_hangs_does_not_hang_the_check(postgres_url, monkeypatch):
    monkeypatch.setattr("raceday.server.api.health.DATABASE_WITHIN_S", 0.05)

    async def hangs(*_: object) -> None:
        await asyncio.sleep(60)

    async def steps(day: ServedDay) -> None:
        monkeypatch.setattr(type(day.state.database), "tuples", hangs)
        status, said = await health(day)
        assert (status, said["database"]["status"]) == (503, "down")
        assert "no answer" in said["database"]["error"]

    on_day(postgres_url, steps, loaded=False)


def test_requests_are_measured_by_route(postgres_url):
    async def steps(day: ServedDay) -> None:
        await day.get(f"/api/races/{FIRST.race_id}")
        await day.get("/api/races/nobody")
        await day.ask("HEAD", "/api/meetings")
        await day.ask("GET", "/nowhere")
        text = (await day.get("/metrics")).text
        [family] = [one for one in text_string_to_metric_families(text) if one.name == "raceday_api_request_seconds"]
        counted = {
            (sample.labels["method"], sample.labels["route"], sample.labels["status"]): sample.value
            for sample in family.samples
            if sample.name.endswith("_count")
        }
        assert counted == {
            ("GET", "/api/races/{raceId}", "200"): 1,
            ("GET", "/api/races/{raceId}", "404"): 1,
            ("HEAD", "/api/meetings", "200"): 1,
            ("GET", "unknown", "404"): 1,
        }
        assert "raceday_pool_max 10.0" in text

    on_day(postgres_url, steps)
