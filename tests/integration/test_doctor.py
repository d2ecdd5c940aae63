"""The check-up of a deployment: sound it says so; planted faults of access, environment, feed and schema are found."""

from __future__ import annotations

import json
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from appwrite_platform import SECRET, START
from doctor_patient import Patient
from raceday.cli.doctor import doctor
from raceday.deployment import doctor_platform
from raceday.runtime.settings import VARIABLES
from raceday.simulator.appwrite.faults import Fault
from raceday.simulator.appwrite.keys import SCOPES


def test_a_sound_deployment_has_nothing_to_mend_and_nothing_is_written(patient: Patient) -> None:
    before = {name: function.updated_at for name, function in patient.site.platform.project.functions.items()}
    diagnosis = patient.diagnose()

    assert diagnosis.ok
    assert diagnosis.findings == ()
    titles = [check.title for check in diagnosis.checks]
    assert titles == [
        "endpoint", "API key", "clock", "environment", "feed", "schema", "functions", "variables", "schedules",
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


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("RACEDAY_CADANCE", "did you mean RACEDAY_CADENCE?"),
        ("NZTAB_PARTNERID", "did you mean NZTAB_PARTNER_ID?"),
        ("RACEDAY_XYZ", "unset it: the README lists them all"),
    ],
)
def test_a_name_that_raceday_does_not_know_is_worth_a_note(patient: Patient, name: str, remedy: str) -> None:
    patient.variables |= {name: "x", "RACEDAY_CORPUS": "captures", "RACEDAY_PYTHON": "python3.12", "RACEDAY_DB": "d"}
    (found,) = patient.notes().values()

    assert (found.about, found.remedy) == (name, remedy)


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
    assert seen["schema"].startswith("not looked at, for want of tables.read")
    assert seen["executions"].startswith("not looked at, for want of executions.read")
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
    assert [check.title for check in diagnosis.checks] == ["platform", "environment", "feed"]


def test_who_is_not_let_in_hears_of_that_before_anything_of_the_feed(patient: Patient) -> None:
    patient.variables["NZTAB_BASE_URL"] = "http://127.0.0.1:1/affiliates/v1"
    assert [finding.about for finding in patient.diagnose(key="wrong").findings] == ["platform", "feed"]


def test_a_platform_that_goes_away_in_between_keeps_what_was_seen(patient: Patient) -> None:
    patient.site.platform.faults.next_calls(Fault(503), method="GET", part_of_path="/tables/", count=99)
    diagnosis = patient.diagnose()

    titles = [check.title for check in diagnosis.checks]
    assert titles == ["endpoint", "API key", "clock", "platform", "environment", "feed"]
    assert not diagnosis.saw_platform


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
