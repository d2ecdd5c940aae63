"""`scripts/serve` as an operator runs it: real processes on a real database, started, killed, stopped."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

ROOT = Path(__file__).resolve().parents[2]
READY_S = 30.0
STOP_S = 10.0


class Served:
    """One server process."""

    def __init__(self, folder: Path, url: str, **variables: str) -> None:
        folder.mkdir()
        self.port = free_port()
        self.log = folder / "log"
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("RACEDAY_", "NZTAB_"))}
        environment |= {
            "DATABASE_URL": url,
            "RACEDAY_FOLDER": str(folder / "files"),
            "PORT": str(self.port),
        } | variables
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [ROOT / "scripts" / "serve"], cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=log, text=True
            )

    def lines(self) -> list[dict[str, object]]:
        """What it has logged."""
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    def wait_until(self, action: str) -> dict[str, object]:
        """Wait for a line of the log."""
        until = time.monotonic() + READY_S
        while time.monotonic() < until:
            for line in self.lines():
                if line["action"] == action:
                    return line
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.05)
        raise AssertionError(f"{action} was never logged: {self.log.read_text()[-3000:]}")

    def get(self, path: str) -> tuple[int, object]:
        """Ask the API."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
            return answer.status, json.loads(answer.read())

    def ended(self) -> tuple[int, float]:
        """Wait for the end; return the exit code and the seconds it took."""
        began = time.monotonic()
        return self.process.wait(timeout=STOP_S + 5), time.monotonic() - began


@contextmanager
def served(folder: Path, url: str, **variables: str) -> Iterator[Served]:
    server = Served(folder, url, **variables)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.process.kill()
        server.process.wait()
        if server.process.stdout is not None:
            server.process.stdout.close()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def value_of(url: str, query: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(query.encode()).fetchone()
        assert row is not None
        return row[0]


def test_two_servers_share_the_work_one_is_killed_and_the_other_stops_in_order(postgres_server, tmp_path):
    url = postgres_server.new_database("template1")
    with served(tmp_path / "one", url) as one:
        one.wait_until("lease_taken")
        with served(tmp_path / "two", url) as two:
            owner = two.wait_until("server_started")["owner"]
            one.wait_until("day_imported")
            status, meetings = two.get("/api/meetings")
            assert status == 200
            assert meetings
            assert one.get("/health")[0] == 200
            assert value_of(url, "SELECT count(*) FROM server_leases") == 1
            assert not [line for line in two.lines() if line["action"] == "lease_taken"]
            one.process.send_signal(signal.SIGKILL)
            one.process.wait()
            assert two.get("/health")[0] == 200
            two.process.send_signal(signal.SIGTERM)
            two.process.send_signal(signal.SIGINT)
            code, took_s = two.ended()
            assert code == 0
            assert took_s < STOP_S
            assert two.lines()[-1]["action"] == "server_stopped"
            held_by_two = f"SELECT count(*) FROM server_leases WHERE owner = '{owner}'"
            assert value_of(url, held_by_two) == 0
    assert value_of(url, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()") == 1


def test_a_wrong_configuration_is_told_whole_and_at_once(tmp_path, postgres_url):
    with served(tmp_path / "wrong", postgres_url, PORT="seventy", RACEDAY_FEED="nztab") as server:
        code, _ = server.ended()
        told = server.log.read_text()
    assert code == 2
    for name in ("PORT", "NZTAB_FROM", "NZTAB_PARTNER", "NZTAB_PARTNER_ID"):
        assert f"{name}: " in told


def test_a_port_that_is_taken_is_told_in_words(tmp_path, postgres_url):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with served(tmp_path / "second", postgres_url, PORT=port) as server:
            code, _ = server.ended()
            assert code == 2
            assert f"port {port}" in server.log.read_text()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_server_that_is_stopped_while_it_starts_ends_as_well(number, tmp_path):
    nobody = f"postgresql://postgres@127.0.0.1:{free_port()}/raceday"
    with served(tmp_path / "early", nobody) as server:
        server.wait_until("database_awaited")
        server.process.send_signal(number)
        code, took_s = server.ended()
    assert code == 0
    assert took_s < STOP_S
