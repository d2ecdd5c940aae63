"""The check-up of a deployment: sound it says so, and each planted fault is found with its remedy."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from appwrite_platform import SECRET, START, Platform
from raceday.cli.doctor import doctor
from raceday.deployment import doctor_platform
from raceday.deployment.credentials import credentials
from raceday.deployment.doctor import Diagnosis, diagnose
from raceday.deployment.findings import Finding
from raceday.deployment.variables import WITHOUT_FEED
from raceday.domain.racing_day import racing_date
from raceday.host.appwrite_project import deployed_project
from raceday.host.bundle import project_manifest
from raceday.runtime.settings import VARIABLES
from raceday.simulator.app import simulator_app
from raceday.simulator.appwrite.executions import Execution
from raceday.simulator.appwrite.faults import Fault
from raceday.simulator.appwrite.functions import Function
from raceday.simulator.appwrite.keys import SCOPES
from raceday.simulator.appwrite.variables import Variable
from raceday.simulator.faults import PROFILES
from raceday.simulator.feed import SimulatedFeed
from raceday.simulator.programme import plan_day
from served_platform import Port, Served, listening, open_port

FROM = "me@example.org"


@dataclass
class Patient:
    """A deployment that is as it should be, until a test spoils it."""

    site: Served
    feed: str
    variables: dict[str, str] = field(default_factory=dict)
    now: datetime = START

    @property
    def environment(self) -> dict[str, str]:
        return {"NZTAB_BASE_URL": self.feed, "NZTAB_FROM": FROM, **self.site.environment, **self.variables}

    def diagnose(self, **access: str) -> Diagnosis:
        found = replace(credentials(self.environment), **access)
        return diagnose(found, project_manifest(), self.environment, self.now)

    def problems(self) -> dict[str, Finding]:
        """What has to be mended, by what it is about."""
        return {finding.about: finding for finding in self.diagnose().findings if finding.is_problem}

    def notes(self) -> dict[str, Finding]:
        diagnosis = self.diagnose()
        assert diagnosis.ok, diagnosis.findings
        return {finding.about: finding for finding in diagnosis.findings}

    def only_problem(self) -> Finding:
        (finding,) = self.problems().values()
        return finding

    def function(self, function_id: str) -> Function:
        return self.site.platform.project.functions[function_id]

    def set_variable(self, function_id: str, key: str, value: str, *, secret: bool = False) -> None:
        variable = Variable(f"{function_id}-{key}"[-36:], function_id, key, value, secret, START, START)
        self.function(function_id).variables[variable.variable_id] = variable

    def ran(
        self, function_id: str, age: timedelta, status_code: int = 200, errors: str = "", *, ended: bool = True
    ) -> None:
        """Let a function have run some time ago."""
        function = self.function(function_id)
        number = len(function.executions)
        at = self.now - age
        run = Execution(f"run{number}", function_id, "d", {"method": "POST", "path": "/"}, 60, at)
        if ended:
            run.end(status_code, at + timedelta(seconds=1), errors)
        function.executions[run.execution_id] = run


@pytest.fixture(scope="module")
def feed() -> Iterator[str]:
    """The stand-in feed on its day."""
    programme = plan_day(racing_date(START), 1)
    app = simulator_app(SimulatedFeed(programme, lambda: START), PROFILES["none"], 1)
    with listening(app) as address:
        yield f"{address}/affiliates/v1"


@pytest.fixture(scope="module")
def port() -> Iterator[Port]:
    with open_port() as opened:
        yield opened


@pytest.fixture
def patient(port: Port, feed: str, monkeypatch: pytest.MonkeyPatch) -> Patient:
    monkeypatch.setattr("raceday.deployment.sdk.READ_ATTEMPTS", 1)
    project = deployed_project(project_manifest(), START)
    patient = Patient(port.serve(Platform(project=project)), feed)
    for function_id in project.functions:
        if function_id not in WITHOUT_FEED:
            patient.set_variable(function_id, "NZTAB_BASE_URL", feed)
            patient.set_variable(function_id, "NZTAB_FROM", FROM)
    return patient


def test_a_sound_deployment_has_nothing_to_mend_and_nothing_is_written(patient: Patient) -> None:
    before = {name: function.updated_at for name, function in patient.site.platform.project.functions.items()}
    diagnosis = patient.diagnose()

    assert diagnosis.ok
    assert diagnosis.findings == ()
    titles = [check.title for check in diagnosis.checks]
    assert titles == [
        "environment", "feed", "endpoint", "API key", "clock", "schema", "functions", "variables", "schedules",
        "executions",
    ]  # fmt: skip
    project = patient.site.platform.project
    assert {name: function.updated_at for name, function in project.functions.items()} == before
    writes = [call for call in patient.site.platform.log.calls if call.method != "GET"]
    assert {call.status for call in writes} <= {400, 404}, "what asks for a scope to write must come to nothing"


def test_the_next_runs_are_told_in_order(patient: Patient) -> None:
    runs = {run.function_id: run.at for run in patient.diagnose().next_runs}

    assert list(runs) == ["master-race-scheduler", "daily-meetings", "daily-races", "daily-entrants"]
    assert runs["master-race-scheduler"].replace(microsecond=0) == START.replace(microsecond=0)
    assert runs["daily-meetings"].strftime("%d %H:%M") == "12 17:00"


def test_variables_that_cannot_be_used_here(patient: Patient) -> None:
    patient.variables["RACEDAY_TICKS"] = "9"
    found = patient.only_problem()

    assert found.about == "environment"
    assert "RACEDAY_TICKS" in found.seen
    assert "correct" in found.remedy


def test_a_feed_that_cannot_be_reached(patient: Patient) -> None:
    patient.variables["NZTAB_BASE_URL"] = "http://127.0.0.1:1/affiliates/v1"
    assert "NZTAB_BASE_URL" in patient.problems()["feed"].remedy


def test_an_address_that_is_not_the_feed(patient: Patient) -> None:
    patient.variables["NZTAB_BASE_URL"] = patient.site.endpoint
    assert "NZTAB_BASE_URL" in patient.problems()["feed"].remedy


def test_an_anonymous_caller_of_the_feed_is_worth_a_note(patient: Patient) -> None:
    patient.variables["NZTAB_FROM"] = ""
    assert "contact e-mail" in patient.notes()["feed"].remedy


def test_missing_scopes_are_named_and_cost_only_their_checks(patient: Patient) -> None:
    patient.site.platform.project.keys.add(
        "less", SCOPES - {"functions.write", "executions.read", "execution.read", "tables.read", "collections.read"}
    )
    patient.variables["APPWRITE_API_KEY"] = "less"
    diagnosis = patient.diagnose()

    (found,) = diagnosis.findings
    assert found.seen == "lacks tables.read, executions.read, functions.write"
    assert "add them to the key" in found.remedy
    seen = {check.title: check.seen for check in diagnosis.checks}
    assert seen["schema"].startswith("not looked at: the API key lacks tables.read")
    assert seen["executions"].startswith("not looked at: the API key lacks executions.read")
    assert seen["functions"].startswith("12 of 12")


@pytest.mark.parametrize(
    ("access", "said"),
    [
        ({"key": "wrong"}, "is not one of this project"),
        ({"project_id": "elsewhere"}, "no such project"),
        ({"endpoint": "http://127.0.0.1:1/v1"}, "cannot be reached"),
    ],
)
def test_a_platform_that_cannot_be_looked_at(patient: Patient, access: dict[str, str], said: str) -> None:
    diagnosis = patient.diagnose(**access)

    assert not diagnosis.saw_platform
    assert not diagnosis.ok
    (found,) = diagnosis.findings
    assert said in found.seen
    assert found.remedy


def test_an_address_that_is_not_appwrite(patient: Patient, feed: str) -> None:
    diagnosis = patient.diagnose(endpoint=feed)

    assert not diagnosis.saw_platform
    assert "is not Appwrite's API" in diagnosis.findings[0].seen
    assert "APPWRITE_ENDPOINT" in diagnosis.findings[0].remedy


def test_an_expired_key(patient: Patient) -> None:
    patient.site.platform.project.keys.expire(SECRET, START)
    assert "has expired" in patient.diagnose().findings[0].seen


def test_a_failing_server(patient: Patient) -> None:
    patient.site.platform.faults.down_from = START
    diagnosis = patient.diagnose()

    assert not diagnosis.saw_platform
    assert "the server's own log" in diagnosis.findings[0].remedy


@pytest.mark.parametrize(
    ("version", "is_problem", "said"),
    [("1.7.4", True, "transactions"), ("1.8.1", False, "older than"), ("main", False, "says nothing")],
)
def test_versions_that_are_not_the_tried_ones(
    patient: Patient, monkeypatch: pytest.MonkeyPatch, version: str, is_problem: bool, said: str
) -> None:
    monkeypatch.setattr("raceday.simulator.appwrite.schema_calls.VERSION", version)
    (found,) = patient.diagnose().findings

    assert found.is_problem is is_problem
    assert version in found.seen
    assert said in found.seen


@pytest.mark.parametrize("version", ["1.9.6", "1.10.0", "2.4.0"])
def test_newer_versions_are_welcome(patient: Patient, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    monkeypatch.setattr("raceday.simulator.appwrite.schema_calls.VERSION", version)
    assert patient.diagnose().findings == ()


def test_clocks_that_differ(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_platform, "LARGEST_SKEW_S", -1.0)
    found = patient.only_problem()

    assert found.about == "clock"
    assert "NTP" in found.remedy


def test_a_schema_that_lacks_a_table(patient: Patient) -> None:
    database = next(iter(patient.site.platform.project.databases.values()))
    del database.tables["odds-history"]
    found = patient.only_problem()

    assert found.about == "schema"
    assert found.remedy == "scripts/setup takes them"


def test_a_schema_that_people_have_to_mend(patient: Patient) -> None:
    next(iter(patient.site.platform.project.databases.values())).tables["races"].enabled = False
    assert patient.problems()["table races"].remedy == "enable it in the console"


def test_a_function_that_is_not_there(patient: Patient) -> None:
    del patient.site.platform.project.functions["daily-races"]
    found = patient.problems()["daily-races"]

    assert "missing" in found.seen
    assert found.remedy == "scripts/deploy --functions daily-races"


def test_a_platform_without_functions_gets_one_remedy(patient: Patient) -> None:
    patient.site.platform.project.functions.clear()
    problems = patient.problems()

    assert problems["12 functions"].remedy == "scripts/deploy"
    assert "no race is ever polled" in problems["master-race-scheduler"].seen


def test_a_function_without_active_code(patient: Patient) -> None:
    patient.function("alert-evaluator").deployments.clear()
    assert "code is not active" in patient.problems()["alert-evaluator"].seen


def test_a_build_that_failed(patient: Patient) -> None:
    function = patient.function("alert-evaluator")
    (built,) = function.deployments.values()
    function.active(START)
    function.deployments["broken"] = replace(built, deployment_id="broken", failure="no", was_activated=False)
    assert "newest build failed" in patient.only_problem().seen


def test_a_changed_setting(patient: Patient) -> None:
    patient.function("daily-races").settings.timeout_s = 15
    found = patient.only_problem()

    assert found.seen == "timeout is 15, wanted: 300"
    assert found.remedy == "scripts/deploy --functions daily-races"


def test_a_disabled_function_and_lost_events(patient: Patient) -> None:
    settings = patient.function("money-flow-tracker").settings
    settings.enabled, settings.events = False, []
    seen = [finding.seen for finding in patient.diagnose().findings]

    assert any(text.startswith("enabled is off") for text in seen)
    assert any(text.startswith("events is empty") for text in seen)


def test_functions_of_others_are_worth_a_note(patient: Patient) -> None:
    project = patient.site.platform.project
    project.functions["theirs"] = Function("theirs", project.functions["daily-races"].settings, START, START)
    assert "not in appwrite.json" in patient.notes()["theirs"].seen


def test_both_pollers_scheduled(patient: Patient) -> None:
    patient.function("race-data-poller").settings.schedule = "* * * * *"
    found = patient.problems()["master-race-scheduler and race-data-poller"]

    assert "scripts/manifest --poller" in found.remedy


def test_the_old_importer_still_scheduled(patient: Patient) -> None:
    project = patient.site.platform.project
    settings = replace(project.functions["daily-races"].settings)
    project.functions["daily-race-importer"] = Function("daily-race-importer", settings, START, START)
    assert "empty its schedule" in patient.problems()["daily-race-importer"].remedy


def test_a_variable_that_keeps_a_function_from_starting(patient: Patient) -> None:
    patient.set_variable("daily-races", "RACEDAY_LOG_LEVEL", "LOUD")
    found = patient.problems()

    assert "RACEDAY_LOG_LEVEL" in found["daily-races"].seen
    assert "not the same on all functions" in found["RACEDAY_LOG_LEVEL"].seen


def test_a_variable_that_differs_from_here_or_is_missing(patient: Patient) -> None:
    patient.variables |= {"RACEDAY_CODES": "T", "NZTAB_FROM": "other@example.org"}
    found = patient.problems()

    assert found["RACEDAY_CODES"].seen == "RACEDAY_CODES is not set, wanted: T (on 12 functions)"
    assert found["RACEDAY_CODES"].remedy.startswith("scripts/deploy")
    assert "example.org" not in found["NZTAB_FROM"].seen


def test_a_path_or_an_unknown_name_on_the_platform(patient: Patient) -> None:
    patient.set_variable("daily-races", "RACEDAY_DB", "/tmp/x.sqlite")
    patient.set_variable("daily-races", "RACEDAY_CADANCE", "classic")
    diagnosis = patient.diagnose()
    found = {finding.about: finding for finding in diagnosis.findings}

    assert found["RACEDAY_DB"].is_problem
    assert "delete it" in found["RACEDAY_DB"].remedy
    assert not found["RACEDAY_CADANCE"].is_problem


def test_failed_executions_of_the_last_day(patient: Patient) -> None:
    patient.ran("daily-meetings", timedelta(days=2), 500, "long ago")
    patient.ran("daily-meetings", timedelta(hours=3), 503, "first")
    patient.ran("daily-meetings", timedelta(hours=2), 502, f"the feed\nfailed {SECRET}")
    patient.ran("daily-meetings", timedelta(minutes=1))
    # Longer under way than its timeout: shown as failed, code 0, and may still end well.
    patient.ran("daily-races", timedelta(minutes=6), ended=False)
    found = patient.only_problem()

    assert found.about == "daily-meetings"
    assert found.seen == "2 failed, the last at 01:00 UTC with code 502: the feed failed …"
    assert found.remedy.startswith("the feed failed for all it asked")


def test_a_schedule_that_does_not_fire(patient: Patient) -> None:
    patient.now = START + timedelta(minutes=30)
    patient.ran("master-race-scheduler", timedelta(minutes=20))
    found = patient.only_problem()

    assert found.about == "master-race-scheduler"
    assert found.seen == "should have run at 12 Mar 03:24 UTC by its schedule; its last execution was 12 Mar 03:10 UTC"
    assert found.remedy.startswith("scripts/deploy --force --functions master-race-scheduler")
    patient.ran("master-race-scheduler", timedelta(minutes=1))
    assert patient.diagnose().findings == ()


def command(patient: Patient, *options: str, **variables: str) -> Any:
    app = typer.Typer()
    app.command()(doctor)
    environment = dict.fromkeys(VARIABLES) | patient.environment | {"COLUMNS": "200"} | variables
    return CliRunner().invoke(app, list(options), env=environment)


def test_the_command_says_what_it_saw_and_exits_1_for_a_problem(patient: Patient) -> None:
    patient.function("daily-races").settings.schedule = ""
    result = command(patient, "--json")

    assert result.exit_code == 1
    line = "daily-races schedule is empty, wanted: 10 17 * * * → scripts/deploy --functions daily-races"
    assert line in result.stderr
    assert "NZDT" in result.stderr or "NZST" in result.stderr
    answer = json.loads(result.stdout)
    assert answer["ok"] is False
    assert {"about": "daily-races", "seen": "schedule is empty, wanted: 10 17 * * *",
            "remedy": "scripts/deploy --functions daily-races", "problem": True} in answer["findings"]  # fmt: skip
    assert {run["function"] for run in answer["next_runs"]} == {
        "daily-meetings", "daily-entrants", "master-race-scheduler",
    }  # fmt: skip
    assert SECRET not in result.output


def test_the_command_exits_2_when_it_cannot_look(patient: Patient) -> None:
    refused = command(patient, "--json", APPWRITE_API_KEY="wrong")
    assert refused.exit_code == 2
    assert json.loads(refused.stdout)["saw_platform"] is False

    nothing = command(patient, APPWRITE_ENDPOINT="", APPWRITE_PROJECT_ID="")
    assert nothing.exit_code == 2
    assert "give --endpoint or APPWRITE_ENDPOINT, --project or APPWRITE_PROJECT_ID" in nothing.stderr


def test_one_bad_answer_of_the_platform_is_not_taken_for_a_missing_scope(patient: Patient) -> None:
    patient.site.platform.faults.next_calls(Fault(500), method="POST", part_of_path="/functions")
    assert patient.diagnose().findings == ()
