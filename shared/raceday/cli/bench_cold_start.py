"""`bench cold-start`: what a function costs before it does anything, in CPU time of a process of its own."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Annotated

import typer
from rich.table import Table

from raceday.cli import cold_start_child
from raceday.cli.output import errors_explained, people, print_json
from raceday.errors import ConfigError
from raceday.host.bundle import PROJECT_ROOT, project_manifest
from raceday.host.manifest import Manifest
from raceday.runtime.settings import VARIABLES

BUDGET_MS = 250.0
"""What the import of a function may cost."""
BODIES: Mapping[str, Mapping[str, object]] = {
    "single-race-poller": {"raceId": "0f57e087-00d9-4c61-9549-835abe2ae2ed"},
    "jockey-silks-enricher": {"raceId": "0f57e087-00d9-4c61-9549-835abe2ae2ed"},
}
"""What is asked of those that take no empty request."""

Figures = dict[str, float | int]


def cold_start(
    runs: Annotated[int, typer.Option(min=1, help="cold starts of each function")] = 7,
    as_json: Annotated[bool, typer.Option("--json", help="print the figures as one JSON line")] = False,
) -> None:
    """Measure the CPU time of importing each function's main, and of import and first run together.

    The first run is one that the platform refuses at its first call, so it holds all that a cold start costs and no
    work: the imports that a run makes where it chooses, settings, connections.
    """
    with errors_explained():
        measured = measure_cold_starts(project_manifest(), runs)
    _show(measured)
    if as_json:
        worst = max(figures["import_ms_best"] for figures in measured.values())
        print_json({"budget_ms": BUDGET_MS, "worst_import_ms_best": worst, "functions": measured})


def measure_cold_starts(manifest: Manifest, runs: int) -> dict[str, Figures]:
    """Return, by function, the best and median figures of so many cold starts; the bytecode is there, as on the
    platform. Raises ConfigError when a function does not start.
    """
    with refusing_platform() as endpoint:
        measured = {}
        for function in manifest.functions:
            command = [
                *(sys.executable, "-P", cold_start_child.__file__, str(manifest.entrypoint(function))),
                *(json.dumps(BODIES.get(function.function_id, {})), "bench"),
            ]
            _cold_start(command, endpoint)
            measured[function.function_id] = _figures([_cold_start(command, endpoint) for _ in range(runs)])
    return measured


@contextmanager
def refusing_platform() -> Iterator[str]:
    """Serve a platform that refuses every call, on a loopback port; gives its endpoint."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Refusal)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Refusal(BaseHTTPRequestHandler):
    """Answers as the platform does to a key that it does not know."""

    def _refuse(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        body = json.dumps({"message": "unknown key", "code": 401, "type": "user_unauthorized"}).encode()
        self.send_response(401)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _refuse  # noqa: N815 (the server's names)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the server's shape)
        """Say nothing of requests."""


def _cold_start(command: list[str], endpoint: str) -> Figures:
    environment = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    environment |= {
        "PYTHONPATH": str(PROJECT_ROOT / "shared"),
        "APPWRITE_FUNCTION_API_ENDPOINT": endpoint,
        "APPWRITE_FUNCTION_PROJECT_ID": "bench",
        "NZTAB_BASE_URL": endpoint,
    }
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 (our own command)
    if done.returncode != 0:
        raise ConfigError(f"{Path(command[3]).parent.name} does not start:\n{done.stderr}")
    figures: Figures = json.loads(done.stdout)
    return figures


def _figures(starts: list[Figures]) -> Figures:
    """Return the best and the median of each time; the best is what it costs when nothing else runs."""
    figures: Figures = {}
    for name in ("import_ms", "first_run_ms"):
        times = [start[name] for start in starts]
        figures |= {f"{name}_best": round(min(times), 1), f"{name}_median": round(statistics.median(times), 1)}
    return figures | {"modules": starts[0]["modules"], "status": starts[0]["status"]}


def _show(measured: Mapping[str, Figures]) -> None:
    table = Table(title=f"CPU milliseconds of a cold start (import: {BUDGET_MS:.0f} allowed)", title_justify="left")
    for column in ("function", "import", "median", "with first run", "median", "modules"):
        table.add_column(column, justify="left" if column == "function" else "right")
    for function_id, figures in measured.items():
        shown = ("import_ms_best", "import_ms_median", "first_run_ms_best", "first_run_ms_median", "modules")
        table.add_row(function_id, *(f"{figures[name]:.0f}" for name in shown))
    people.print(table)
