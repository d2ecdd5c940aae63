"""`deploy` as an operator sees it: what it prints, what it changes, how it exits."""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from appwrite_platform import SECRET, START, MovedClock, Platform
from raceday.cli.deploy import deploy
from raceday.deployment.archive import archive_names
from raceday.deployment.build import build_functions
from raceday.host.appwrite_project import deployed_project
from raceday.host.bundle import PROJECT_ROOT, project_manifest
from raceday.host.manifest import load_manifest
from raceday.runtime.functions import FUNCTIONS
from raceday.runtime.settings import VARIABLES
from raceday.simulator.appwrite.project import Project
from raceday.simulator.appwrite.tables import Table
from served_platform import Port, Served

TIMES_FASTER = 200
CANARY = "canary-2f9c"


class FastClock(MovedClock):
    """The platform's clock, on which builds take milliseconds of ours."""

    began = time.monotonic()

    def now(self) -> datetime:
        return START + timedelta(seconds=TIMES_FASTER * (time.monotonic() - self.began))


@dataclass
class Shell:
    """Runs the command against a platform; the code of every function is what `code` says."""

    site: Served
    monkeypatch: pytest.MonkeyPatch
    code: str = "one"

    def run(self, *options: str, builds: bool = False, **variables: str) -> Result:
        def built(_manifest: object, functions: list[object]) -> dict[str, bytes]:
            return {function.function_id: f"{self.code} {function.function_id}".encode() for function in functions}

        self.monkeypatch.setattr("raceday.cli.deploy.build_functions", build_functions if builds else built)
        app = typer.Typer()
        app.command()(deploy)
        environment = dict.fromkeys(VARIABLES) | self.site.environment | variables
        self.site.platform.log.calls.clear()
        return CliRunner().invoke(app, list(options), env=environment)

    def table(self, table_id: str) -> Table:
        (database,) = self.site.platform.project.databases.values()
        return database.tables[table_id]

    def writes(self) -> list[str]:
        return [call.path for call in self.site.platform.log.calls if call.method != "GET"]


def shell(port: Port, project: Project, monkeypatch: pytest.MonkeyPatch) -> Shell:
    for module in ("code_upload", "schema_apply"):
        monkeypatch.setattr(f"raceday.deployment.{module}.LOOK_EVERY_S", 0.01)
    monkeypatch.setattr("raceday.deployment.sdk.READ_ATTEMPTS", 1)
    monkeypatch.setenv("COLUMNS", "200")
    return Shell(port.serve(Platform(project=project, clock=FastClock())), monkeypatch)


@pytest.fixture
def empty(port: Port, monkeypatch: pytest.MonkeyPatch) -> Shell:
    return shell(port, Project("raceday"), monkeypatch)


@pytest.fixture
def done(port: Port, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A platform with the whole schema and all functions, of which the code is not known."""
    return shell(port, deployed_project(project_manifest(), START), monkeypatch)


def test_from_nothing_to_everything_live(empty: Shell) -> None:
    result = empty.run()

    assert result.exit_code == 0, result.stderr
    assert "12 deployed, 0 unchanged" in result.stderr
    assert "Live as wanted" in result.stderr
    assert set(empty.site.platform.project.functions) == set(FUNCTIONS)
    assert "raceday-db" in empty.site.platform.project.databases
    tables_made = [path for path in empty.writes() if path.endswith("/tables")]
    assert empty.writes().index("/v1/functions") > max(empty.writes().index(path) for path in tables_made)

    again = empty.run()
    assert again.exit_code == 0
    assert "0 deployed, 12 unchanged" in again.stderr
    assert empty.writes() == []


def test_a_dry_run_prints_the_plan_and_writes_nothing(done: Shell) -> None:
    del done.site.platform.project.functions["daily-races"]
    result = done.run("--dry-run")

    assert result.exit_code == 0
    assert done.writes() == []
    assert "daily-races" in result.stderr
    assert "create" in result.stderr
    assert "upload: it has no active code" in result.stderr
    assert "Nothing was changed there" in result.stderr


def test_a_failed_build_shows_its_log_and_exits_1(done: Shell) -> None:
    done.site.platform.project.build_failures.append(f"line one\nERROR: no wheel, {CANARY}")
    result = done.run("--functions", "daily-races", NZTAB_PARTNER_ID=CANARY)

    assert result.exit_code == 1
    assert "daily-races failed:" in result.stderr
    assert "ERROR: no wheel, …" in result.stderr
    assert "Live as wanted" not in result.stderr
    assert CANARY not in result.output


def test_secrets_are_set_and_never_printed(done: Shell) -> None:
    result = done.run(
        "--functions", "daily-races", NZTAB_PARTNER_ID=CANARY, NZTAB_FROM="me@example.org", RACEDAY_CODES="T"
    )

    assert result.exit_code == 0, result.stderr
    assert "create NZTAB_PARTNER_ID (secret)" in result.stderr
    assert "create RACEDAY_CODES = T" in result.stderr
    assert CANARY not in result.output
    assert SECRET not in result.output
    stored = done.site.platform.project.functions["daily-races"].variables.values()
    assert {variable.key: variable.secret for variable in stored} == {
        "NZTAB_FROM": False,
        "NZTAB_PARTNER_ID": True,
        "RACEDAY_CODES": False,
    }


def test_a_second_run_with_a_secret_changes_nothing_and_names_it(done: Shell) -> None:
    assert done.run("--functions", "daily-races", NZTAB_PARTNER_ID=CANARY).exit_code == 0
    again = done.run("--functions", "daily-races", NZTAB_PARTNER_ID=CANARY)

    assert (again.exit_code, done.writes()) == (0, [])
    assert "NZTAB_PARTNER_ID is there on daily-races; cannot be compared: --secrets writes it again" in again.stderr
    written = done.run("--functions", "daily-races", "--secrets", NZTAB_PARTNER_ID="other")
    assert written.exit_code == 0
    assert [path for path in done.writes() if "/variables/" in path]


def test_what_is_on_the_platform_and_not_here_is_told(done: Shell) -> None:
    body = {"key": "RACEDAY_TICKS", "value": "2", "secret": False}
    done.site.platform.call("POST", "/functions/daily-races/variables", body)
    done.site.platform.call("POST", "/functions", {"functionId": "theirs", "name": "x", "runtime": "python-3.12"})
    result = done.run("--dry-run")

    assert "RACEDAY_TICKS is set on daily-races and not here: left as it is" in result.stderr
    assert "not in appwrite.json, left alone: theirs" in result.stderr


def test_a_difference_of_the_schema_that_people_have_to_mend_exits_1_but_deploys(done: Shell) -> None:
    done.table("poll_logs").enabled = False
    result = done.run("--functions", "daily-races")

    assert result.exit_code == 1
    assert "1 deployed" in result.stderr
    assert "enable it in the console" in result.stderr
    assert "Live as wanted" not in result.stderr


def test_a_schema_that_refuses_our_rows_keeps_the_functions_as_they_are(done: Shell) -> None:
    columns = done.table("races").columns
    columns["theirs"] = replace(columns["name"], key="theirs")
    stopped = done.run("--functions", "daily-races")

    assert (stopped.exit_code, done.writes()) == (1, [])
    assert "column races.theirs not RaceDay's and required" in stopped.stderr
    assert "make it optional in the console, or delete it" in stopped.stderr
    assert "deploy all the same with --force" in stopped.stderr
    forced = done.run("--functions", "daily-races", "--force")
    assert forced.exit_code == 1
    assert "1 deployed" in forced.stderr
    assert "Live as wanted" not in forced.stderr


@pytest.mark.parametrize(
    ("options", "variables", "said"),
    [
        ((), {"APPWRITE_API_KEY": "wrong"}, "the API key is not one of this project"),
        ((), {"APPWRITE_API_KEY": ""}, "give --key-file or APPWRITE_API_KEY"),
        (("--project", "elsewhere"), {}, "no such project"),
        (("--endpoint", "http://127.0.0.1:1/v1"), {}, "cannot be reached"),
        (("--endpoint", "127.0.0.1/v1"), {}, "is no web address"),
        (("--endpoint", "http://127.0.0.1:1"), {}, "did you mean http://127.0.0.1:1/v1"),
        (("--functions", "daily-rases"), {}, "declares no daily-rases"),
        (("--functions", ""), {}, "--functions names no function: leave it out for all"),
        (("--functions", " , "), {}, "--functions names no function"),
        ((), {"RACEDAY_CADENCE": "often"}, "RACEDAY_CADENCE: knows no cadence 'often'"),
        ((), {"RACEDAY_SILK_HOSTS": "x" * 6000}, "at most 5964 bytes: shorten RACEDAY_SILK_HOSTS"),
    ],
)
def test_what_cannot_be_tried_exits_2_and_says_why(
    done: Shell, options: tuple[str, ...], variables: dict[str, str], said: str
) -> None:
    result = done.run(*options, **variables)

    assert result.exit_code == 2
    assert said in result.stderr
    assert done.writes() == []


def test_the_key_may_lie_in_a_file(done: Shell, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{SECRET}\n")
    options = ("--dry-run", "--functions", "daily-races", "--key-file", str(tmp_path / "key"))
    assert done.run(*options, APPWRITE_API_KEY="").exit_code == 0

    (tmp_path / "key").write_text("two words")
    result = done.run(*options)
    assert result.exit_code == 2
    assert "must hold one API key and nothing else" in result.stderr
    assert "two words" not in result.output


def test_what_goes_up_is_the_built_function(done: Shell, tmp_path: Path) -> None:
    """With the real build, in a copy of this checkout that has one function."""
    keep = shutil.ignore_patterns("__pycache__", "vendor")
    for part in ("functions/daily-races", "shared/raceday"):
        shutil.copytree(PROJECT_ROOT / part, tmp_path / part, ignore=keep)
    shutil.copy(PROJECT_ROOT / "pyproject.toml", tmp_path)
    declared = json.loads((PROJECT_ROOT / "appwrite.json").read_text())
    declared["functions"] = [one for one in declared["functions"] if one["$id"] == "daily-races"]
    (tmp_path / "appwrite.json").write_text(json.dumps(declared))
    done.monkeypatch.setattr("raceday.cli.deploy.project_manifest", lambda: load_manifest(tmp_path / "appwrite.json"))
    first, again = done.run(builds=True), done.run(builds=True)

    assert first.exit_code == 0, first.stderr
    assert "1 deployed, 0 unchanged" in first.stderr
    assert "0 deployed, 1 unchanged" in again.stderr, "equal code is equal bytes"
    function = done.site.platform.project.functions["daily-races"]
    names = archive_names(function.deployments[function.active_id].code)
    assert {"main.py", "requirements.txt", "vendor/requirements.txt"} < set(names)
    assert [Path(name).suffix for name in names].count(".whl") == 1
