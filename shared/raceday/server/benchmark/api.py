"""Every endpoint of the API under load: ten connections that ask as fast as they are answered."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date

from raceday.server.benchmark.children import child, cpu_s, first_line

CONNECTIONS = 10
ENDPOINTS: tuple[tuple[str, str], ...] = (
    ("meetings", "/api/meetings?date={day}"),
    ("meeting", "/api/meetings/meeting-7"),
    ("races", "/api/races?meetingId=meeting-7"),
    ("races/upcoming", "/api/races/upcoming"),
    ("races/next-scheduled", "/api/races/next-scheduled"),
    ("races/navigation", "/api/races/navigation?raceId=race-150"),
    ("race", "/api/races/race-1"),
    ("entrants", "/api/entrants?raceId=race-1"),
    ("race-pools", "/api/race-pools?raceId=race-1"),
    ("race-results", "/api/race-results?raceId=race-1"),
    ("timeline 200", "/api/money-flow-timeline?raceId=race-1&entrants=runner-1-1,runner-1-2&poolType=win&limit=200"),
    ("timeline 2000", "/api/money-flow-timeline?raceId=race-1&entrants={field}&poolType=win&limit=2000"),
    ("user-alert-configs", "/api/user-alert-configs?userId=somebody"),
    ("notifications", "/api/notifications?userId=somebody"),
    ("health", "/health"),
    ("metrics", "/metrics"),
)
"""What is asked of the loaded day, by the name it is reported under. No scheduler runs here, so health answers 503."""
FIELD = ",".join(f"runner-1-{number}" for number in range(1, 15))


def measure_api(
    database_url: str, postgres_pid: int | None, day: date, seconds: float
) -> dict[str, dict[str, float | int]]:
    """Return the figures of every endpoint: requests a second, quantiles in milliseconds, CPU of both sides."""
    with child("raceday.server.benchmark.api_child", database_url) as server:
        port = first_line(server)
        return {
            name: _measure(port, path.format(day=day.isoformat(), field=FIELD), seconds, server.pid, postgres_pid)
            for name, path in ENDPOINTS
        }


def _measure(port: str, path: str, seconds: float, server_pid: int, postgres_pid: int | None) -> dict[str, float | int]:
    server_before, postgres_before = cpu_s(server_pid) or 0.0, cpu_s(postgres_pid)
    line = subprocess.run(  # noqa: S603 (our own interpreter, our own module)
        [sys.executable, "-m", "raceday.server.benchmark.load_child", port, str(CONNECTIONS), str(seconds), path],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    figures: dict[str, float | int] = json.loads(line)
    asked = int(figures.pop("requests"))
    figures["server_cpu_ms"] = round(((cpu_s(server_pid) or 0.0) - server_before) * 1000 / asked, 2)
    if postgres_before is not None:
        figures["postgres_cpu_ms"] = round(((cpu_s(postgres_pid) or 0.0) - postgres_before) * 1000 / asked, 2)
    return figures
