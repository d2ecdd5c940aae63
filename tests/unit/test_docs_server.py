"""What the pages about the server name is there: paths, scripts, variables, endpoints, and every story once."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from raceday.cli.bench import bench
from raceday.cli.partitions import app as partitions
from raceday.cli.server_commands import app as commands
from raceday.clock import SystemClock
from raceday.server.api.app import create_app
from raceday.server.api.middleware.plain import DOCS_PATH
from raceday.server.api.settings import ApiSettings
from raceday.server.metrics import ServerMetrics
from raceday.server.operations.archive_settings import ENDPOINT_VARIABLE, URL_VARIABLE
from raceday.server.settings_sources import OTHER_NAMES, SERVER_VARIABLES
from raceday.store.postgres.database import PoolUse
from raceday.store.postgres.migrate import MIGRATIONS

ROOT = Path(__file__).parents[2]
SERVER = (ROOT / "docs" / "server.md").read_text(encoding="utf-8")
PLAN = (ROOT / "docs" / "seed-004.md").read_text(encoding="utf-8")
PAGES = pytest.mark.parametrize("page", [SERVER, PLAN], ids=["server", "seed-004"])
STORIES = [
    *(f"1.{n}" for n in range(1, 12)),
    *(f"2.{n}" for n in range(1, 11)),
    *("2.10A", "2.10B", "2.10C", "2.10D"),
    *(f"2.{n}" for n in range(11, 17)),
    *(f"3.{n}" for n in range(1, 11)),
    *(f"4.{n}" for n in range(1, 9)),
]
AWS = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"}
OURS = re.compile(r"\b(?:RACEDAY|NZTAB|AWS|POSTGRES)_[A-Z_]+[A-Z]\b|\bDATABASE_URL\b|\bLOG_LEVEL\b")
FOLDERS = ("shared/", "tests/", "scripts/", "docs/")
FILES = {"Containerfile", "compose.yaml", "pyproject.toml", "README.md", ".env.example"}


def quoted(page: str) -> list[str]:
    """What stands in backticks within a line."""
    return re.findall(r"`([^`\n]+)`", page)


def endpoints(page: str) -> set[str]:
    """Every path of the API that a page names, without its query."""
    found = re.findall(r"(?<![A-Za-z0-9_./])/(?:api[/-]|health\b|metrics\b|openapi)[A-Za-z0-9_/{}.-]*", page)
    return {path.rstrip(".") for path in found}


@pytest.fixture(scope="module")
def app():
    state = SimpleNamespace(
        log=None, clock=SystemClock(), metrics=ServerMetrics(), started_at=datetime(2026, 11, 22, tzinfo=UTC)
    )
    return create_app(state, ApiSettings(development=True))


@PAGES
def test_paths_are_there(page: str) -> None:
    named = {text.split(" ")[0] for text in quoted(page) if text.startswith(FOLDERS) or text in FILES}
    named |= set(re.findall(r"(?<![\w/])scripts/[a-z]+", page))
    assert named
    assert sorted(path for path in named if not (ROOT / path).exists()) == []


@PAGES
def test_links_lead_somewhere(page: str) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", page)
    assert links
    assert [link for link in links if not (ROOT / "docs" / link).exists()] == []


@PAGES
def test_variables_are_known(page: str) -> None:
    compose = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    known = {*SERVER_VARIABLES, *OTHER_NAMES, URL_VARIABLE, ENDPOINT_VARIABLE, *AWS, *OURS.findall(compose)}
    named = set(OURS.findall(page))
    assert named
    assert sorted(named - known) == []


@PAGES
def test_endpoints_are_routes(page: str, app) -> None:
    named = endpoints(page)
    assert named
    assert sorted(named - set(app.openapi()["paths"]) - {app.openapi_url, DOCS_PATH}) == []


def test_every_endpoint_is_in_the_table_with_its_parameters(app) -> None:
    table = SERVER.split("## 4. The API", 1)[1].split("\n\n")[1].splitlines()
    rows = {path: line for line in table for path in endpoints(line.split(" | ")[0])}
    document = app.openapi()
    assert set(rows) == set(document["paths"])
    for path, operations in document["paths"].items():
        asked = {one["name"] for one in operations["get"].get("parameters", []) if one["in"] == "query"}
        assert set(re.findall(r"`(\w+)`", rows[path].split(" | ")[1])) >= asked, path


def test_commands_and_their_options_are_there() -> None:
    server = {command.name or command.callback.__name__ for command in commands.registered_commands}
    [listed] = re.findall(r"every\s+command\s+of\s+this\s+page: ([^.]+)\.", SERVER)
    assert set(re.findall(r"`(\w+)`", listed)) == server | {"partitions"}
    steps = {command.name or command.callback.__name__ for command in partitions.registered_commands}
    assert set(re.findall(r"^\| `scripts/partitions (\w+)", SERVER, re.MULTILINE)) == steps
    assert "server" in {command.name or command.callback.__name__ for command in bench.registered_commands}


def test_metrics_are_measured() -> None:
    metrics = ServerMetrics()
    metrics.watch_pool(lambda: PoolUse(0, 0, 0, 10))
    measured = {family.name for family in metrics.registry.collect()}
    named = {name.removesuffix("_total") for name in re.findall(r"`(raceday_[a-z_]+)`", SERVER)}
    assert named - measured == set()


def test_tables_and_functions_of_the_database_are_made_by_a_migration() -> None:
    schema = "\n".join(path.read_text(encoding="utf-8") for path in (MIGRATIONS / "sql").glob("*.up.sql"))
    functions = set(re.findall(r"SELECT ((?:make|detach|empty)_\w+)\(", SERVER)) | {"day_begins", "history_day"}
    assert len(functions) == 4
    assert sorted(name for name in functions if f"CREATE FUNCTION {name}(" not in schema) == []
    tables = {"odds_history", "money_flow_history", "race_polls", "poll_claims", "server_leases", "function_runs"}
    assert sorted(name for name in tables if name not in SERVER or f"CREATE TABLE {name} (" not in schema) == []


def test_the_names_of_log_lines_are_in_the_code() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "shared" / "raceday").rglob("*.py"))
    named = set(re.findall(r'"action":"(\w+)"', SERVER)) | {"race_slow", "batch_slow", "pool_nearly_full", "run_ended"}
    assert sorted(name for name in named if f'"{name}"' not in code) == []


def test_every_story_has_one_row() -> None:
    rows = re.findall(r"^\| (\d\.\d+[A-D]?) ", PLAN, re.MULTILINE)
    assert sorted(rows) == sorted(STORIES)


def test_a_row_says_where() -> None:
    for line in PLAN.splitlines():
        if re.match(r"\| \d\.", line):
            _, where, *rest = line.strip("| ").split(" | ")
            assert len(rest) <= 1, line
            assert "`" in where or "](" in where or where == "this page", line
