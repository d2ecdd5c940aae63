"""The check-up of functions, variables, schedules and executions: each planted fault is found with its remedy."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from appwrite_platform import SECRET, START
from doctor_patient import Patient
from raceday.simulator.appwrite.functions import Function


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
