"""The parts of a deployment that need no platform: settings, variables, schedules, credentials, and order."""

from __future__ import annotations

import ast
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from raceday.cli.build import build
from raceday.deployment.credentials import credentials
from raceday.deployment.deploy_plan import chosen_functions, plan_deployment, plan_function
from raceday.deployment.function_settings import differences, sent_settings
from raceday.deployment.live_functions import LiveFunction, LiveVariable, live_function
from raceday.deployment.schedules import next_runs, previous_run, schedule_findings
from raceday.deployment.variables import (
    DEPLOYED,
    SECRETS,
    WITHOUT_FEED,
    deployable_variables,
    hidden,
    plan_variables,
    secrets_in,
)
from raceday.errors import ConfigError
from raceday.host.bundle import PROJECT_ROOT, project_manifest
from raceday.host.manifest import FunctionManifest
from raceday.runtime.functions import FUNCTIONS
from raceday.runtime.settings import VARIABLES

BY_ID = {function.function_id: function for function in project_manifest().functions}
DAILY = BY_ID["daily-races"]
LIBRARY = PROJECT_ROOT / "shared"


def live(function: FunctionManifest, **shown: Any) -> LiveFunction:
    """A function that is live as it is declared, but for what is said."""
    settings = sent_settings(function, None)
    body: dict[str, Any] = {
        "$id": function.function_id,
        "buildSpecification": "s-2vcpu-4gb",
        "runtimeSpecification": settings.pop("runtime_specification"),
        "deploymentId": "d1",
        "deploymentCreatedAt": "2026-03-12T03:00:00.000+00:00",
        "latestDeploymentId": "d1",
        "latestDeploymentStatus": "ready",
        "live": True,
        "vars": [],
    }
    return live_function(settings | body | shown)


def test_a_function_live_as_declared_has_nothing_to_do() -> None:
    plan = plan_function(DAILY, live(DAILY), {}, is_active_code=True)

    assert plan.is_nothing
    assert differences(DAILY, live(DAILY, timeout=300.0)) == []


def test_what_appwrite_json_leaves_open_is_sent_back_as_it_is() -> None:
    connected = live(DAILY, deploymentRetention=7, providerRepositoryId="repo", providerBranches=["main"])
    sent = sent_settings(DAILY, connected)

    assert sent["deployment_retention"] == 7
    assert sent["provider_repository_id"] == "repo"
    assert sent["provider_branches"] == ["main"]
    assert "installation_id" not in sent, "what is empty needs no keeping"
    assert sent["schedule"] == DAILY.schedule


@pytest.mark.parametrize(
    ("shown", "upload"),
    [
        ({}, ""),
        ({"schedule": "0 0 * * *"}, ""),
        ({"live": False}, "only a new deployment"),
        ({"entrypoint": "src/main.py"}, "only a new deployment"),
        ({"runtimeSpecification": "s-8vcpu-8gb"}, "only a new deployment"),
        ({"deploymentId": "", "deploymentCreatedAt": ""}, "no active code"),
    ],
)
def test_code_goes_up_when_what_runs_would_not_be_what_is_wanted(shown: dict[str, Any], upload: str) -> None:
    plan = plan_function(DAILY, live(DAILY, **shown), {}, is_active_code=True)
    assert (upload in plan.upload) if upload else plan.upload == ""


def test_code_of_another_packer_is_not_called_different() -> None:
    plan = plan_function(DAILY, live(DAILY), {}, is_active_code=False)
    assert plan.upload == "the active code is older, or was not packed by scripts/deploy"


def test_functions_go_live_before_what_starts_them() -> None:
    plans = [plan_function(function, None, {}, is_active_code=False) for function in BY_ID.values()]
    plan = plan_deployment(plans, project_manifest(), {})
    waves = [{function.function_id for function in wave} for wave in plan.waves]

    assert waves[1:] == [{"daily-meetings", "daily-races", "daily-entrants"}, {"master-race-scheduler"}]
    assert len(plan.functions) == len(FUNCTIONS)
    assert plan.findings == ()


def test_every_variable_is_deployed_but_those_of_a_machine_and_of_the_platform() -> None:
    kept_away = {"RACEDAY_DB", "RACEDAY_ICON_FOLDER", "APPWRITE_ENDPOINT", "APPWRITE_PROJECT_ID", "APPWRITE_API_KEY"}
    assert set(VARIABLES) - set(DEPLOYED) == kept_away
    assert {"NZTAB_PARTNER_ID", "APPWRITE_API_KEY"} == SECRETS


def test_empty_variables_count_as_not_set_and_wrong_ones_are_named() -> None:
    assert deployable_variables({"RACEDAY_CODES": " T ", "RACEDAY_TICKS": "", "HOME": "/", "RACEDAY_DB": "x"}) == {
        "RACEDAY_CODES": "T"
    }
    with pytest.raises(ConfigError, match="RACEDAY_TICKS"):
        deployable_variables({"RACEDAY_TICKS": "many"})


def test_a_variable_that_would_break_the_server_is_refused_by_its_bytes() -> None:
    fits, too_long = "é" * 2982, "é" * 2983
    assert deployable_variables({"RACEDAY_SILK_HOSTS": fits}) == {"RACEDAY_SILK_HOSTS": fits}
    with pytest.raises(ConfigError, match="5964 bytes: shorten RACEDAY_SILK_HOSTS"):
        deployable_variables({"RACEDAY_SILK_HOSTS": too_long})


def test_only_what_differs_is_changed_and_nothing_is_deleted() -> None:
    there = {
        "RACEDAY_CODES": LiveVariable("v1", "RACEDAY_CODES", "T"),
        "RACEDAY_TICKS": LiveVariable("v2", "RACEDAY_TICKS", "2"),
        "RACEDAY_COUNTRIES": LiveVariable("v3", "RACEDAY_COUNTRIES", None),
        "THEIRS": LiveVariable("v4", "THEIRS", "x"),
    }
    wanted = {"RACEDAY_CODES": "T", "RACEDAY_TICKS": "3", "RACEDAY_COUNTRIES": "NZ", "NZTAB_PARTNER_ID": "canary"}
    plan = plan_variables(wanted, there)

    assert [str(change) for change in plan.changes] == [
        "update RACEDAY_TICKS = 3",
        "create NZTAB_PARTNER_ID (secret)",
    ]
    assert [change.variable_id for change in plan.changes] == ["v2", ""]
    assert (plan.kept, plan.uncompared) == (("THEIRS",), ("RACEDAY_COUNTRIES",))
    assert "canary" not in repr(plan)
    again = plan_variables(wanted, there, writes_secrets=True)
    assert str(again.changes[1]) == "update RACEDAY_COUNTRIES (secret, cannot be compared)"
    assert (again.changes[1].variable_id, again.uncompared) == ("v3", ())


def test_a_public_variable_that_should_be_secret_is_no_secret_yet() -> None:
    there = {"NZTAB_PARTNER_ID": LiveVariable("v1", "NZTAB_PARTNER_ID", "p")}
    plan = plan_variables({"NZTAB_PARTNER_ID": "p"}, there)

    assert [(change.variable_id, change.is_secret) for change in plan.changes] == [("v1", True)]


def test_all_functions_are_chosen_only_when_nothing_is_given() -> None:
    manifest = project_manifest()
    assert [one.function_id for one in chosen_functions(manifest)] == list(BY_ID)
    assert [one.function_id for one in chosen_functions(manifest, " daily-races,,")] == ["daily-races"]


@pytest.mark.parametrize("given", ["", " ", ",", " , ,"])
def test_a_list_that_names_no_function_is_refused(given: str) -> None:
    with pytest.raises(ConfigError, match="--functions names no function: leave it out for all"):
        chosen_functions(project_manifest(), given)
    app = typer.Typer()
    app.command()(build)
    result = CliRunner().invoke(app, ["--functions", given])
    assert result.exit_code == 2
    assert "names no function" in result.stderr


def test_what_the_platform_wrote_is_shown_without_secrets() -> None:
    secrets = secrets_in({"NZTAB_PARTNER_ID": "canary", "APPWRITE_API_KEY": " "}, "key-1")
    assert hidden("canary and key-1, not a key", secrets) == "… and …, not a key"


def test_functions_without_the_feed_have_no_use_for_it() -> None:
    """Follow every function's imports through the jobs: what asks the feed says `ports.feed`."""
    asks_feed = {function_id for function_id in BY_ID if any("ports.feed" in text for text in job_sources(function_id))}
    assert set(BY_ID) - asks_feed == WITHOUT_FEED


def job_sources(function_id: str) -> list[str]:
    """The function's own source and that of every module of jobs and wiring that it imports, however deep."""
    waiting = [PROJECT_ROOT / "functions" / function_id / "main.py"]
    seen: dict[Path, str] = {}
    while waiting:
        file = waiting.pop()
        if file in seen:
            continue
        seen[file] = file.read_text()
        for node in ast.walk(ast.parse(seen[file])):
            name = node.module if isinstance(node, ast.ImportFrom) else None
            if name and (name.startswith("raceday.jobs") or name.endswith(("_wiring", "_plan"))):
                waiting.append(LIBRARY / f"{name.replace('.', '/')}.py")
    return [text for file, text in seen.items() if file.name != "feed_wiring.py"]


def test_next_runs_in_order_and_without_what_cannot_be_read() -> None:
    now = datetime(2026, 4, 4, 16, 59, 30, tzinfo=UTC)
    runs = next_runs({"a": "10 17 * * *", "b": "* * * * *", "c": "", "d": "@hourly"}, now)

    assert [(run.function_id, f"{run.at:%d %H:%M}") for run in runs] == [("b", "04 17:00"), ("a", "04 17:10")]
    assert previous_run("10 17 * * *", now) == datetime(2026, 4, 3, 17, 10, tzinfo=UTC)
    assert previous_run("", now) is None
    assert previous_run("@hourly", now) is None


def test_schedules_taken_together() -> None:
    minute = "* * * * *"
    assert schedule_findings({"master-race-scheduler": minute, "race-data-poller": ""}) == []
    assert schedule_findings({"race-data-poller": minute}) == []
    both = schedule_findings({"master-race-scheduler": minute, "race-data-poller": minute})
    nobody = schedule_findings({"daily-races": minute})
    old = schedule_findings({"master-race-scheduler": minute, "daily-race-importer": minute})
    assert [finding.about for finding in (*both, *nobody, *old)] == [
        "master-race-scheduler and race-data-poller",
        "master-race-scheduler",
        "daily-race-importer",
    ]
    assert all(finding.remedy for finding in (*both, *nobody, *old))


def test_options_go_before_variables() -> None:
    environment = {"APPWRITE_ENDPOINT": "https://a/v1", "APPWRITE_PROJECT_ID": "one", "APPWRITE_API_KEY": "k"}
    found = credentials(environment, "https://b/v1/", "two")

    assert (found.endpoint, found.project_id, found.key) == ("https://b/v1", "two", "k")
    assert "canary" not in repr(replace(found, key="canary"))


def test_everything_missing_is_named_at_once() -> None:
    with pytest.raises(ConfigError) as missing:
        credentials({})
    for name in (
        "--endpoint or APPWRITE_ENDPOINT",
        "--project or APPWRITE_PROJECT_ID",
        "--key-file or APPWRITE_API_KEY",
    ):
        assert name in str(missing.value)
