"""Deploying onto the stand-in platform through the SDK, over loopback."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from appwrite_platform import START, Platform
from raceday.deployment import code_upload
from raceday.deployment.code_upload import Patience
from raceday.deployment.credentials import credentials
from raceday.deployment.deploy import Wanted, differences_left, look_and_plan
from raceday.deployment.deploy_functions import Outcome, Result, deploy_functions
from raceday.deployment.deploy_plan import DeployPlan, chosen_functions
from raceday.deployment.function_settings import Difference
from raceday.deployment.sdk import AccessRefused, connect
from raceday.deployment.sdk import Platform as Connection
from raceday.errors import ConfigError
from raceday.host.bundle import project_manifest
from raceday.runtime.functions import FUNCTIONS
from raceday.simulator.appwrite.faults import Fault
from raceday.simulator.appwrite.keys import SCOPES
from served_platform import Port, Served

WRITES = ("POST", "PUT", "PATCH", "DELETE")
SOME = ("daily-races", "race-data-poller", "master-race-scheduler")


@dataclass
class Ground:
    """A platform, what was last wanted of it, and what came of it."""

    site: Served
    told: list[tuple[str, str]] = field(default_factory=list)
    plan: DeployPlan = field(init=False)
    outcomes: dict[str, Outcome] = field(init=False)
    left: list[Difference] = field(init=False)

    @property
    def platform(self) -> Connection:
        return connect(credentials(self.site.environment))

    def wanted(self, *ids: str, code: bytes = b"one", **variables: str) -> Wanted:
        manifest = project_manifest()
        chosen = tuple(chosen_functions(manifest, ",".join(ids) or None))
        archives = {function.function_id: code + function.function_id.encode() for function in chosen}
        return Wanted(manifest, chosen, variables, archives)

    def deploy(self, wanted: Wanted, *, is_forced: bool = False, writes_secrets: bool = False) -> None:
        clock = self.site.platform.clock
        self.told.clear()
        self.plan = look_and_plan(self.platform, wanted, is_forced=is_forced, writes_secrets=writes_secrets)
        self.site.platform.log.calls.clear()
        outcomes = deploy_functions(
            self.platform,
            self.plan,
            wanted.archives,
            Patience(clock.now, clock.move),
            lambda *told: self.told.append(told),
        )
        self.outcomes = {outcome.function_id: outcome for outcome in outcomes}
        self.left = differences_left(self.platform, wanted)

    def results(self) -> dict[Result, list[str]]:
        return {
            result: [name for name, outcome in self.outcomes.items() if outcome.result is result]
            for result in Result
            if any(outcome.result is result for outcome in self.outcomes.values())
        }

    def writes(self) -> list[str]:
        calls = self.site.platform.log.calls
        return [f"{call.method} {call.path.removeprefix('/v1/functions')}" for call in calls if call.method in WRITES]

    def live(self, function_id: str) -> dict[str, Any]:
        return self.site.platform.call("GET", f"/functions/{function_id}").body

    def change(self, function_id: str, **settings: object) -> None:
        """Change a function as somebody with the console does."""
        changed = {**self.live(function_id), **settings}
        assert self.site.platform.call("PUT", f"/functions/{function_id}", changed).status == 200

    def set_variable(self, function_id: str, key: str, value: str) -> None:
        body = {"key": key, "value": value, "secret": False}
        assert self.site.platform.call("POST", f"/functions/{function_id}/variables", body).status == 201

    def variables(self, function_id: str) -> dict[str, tuple[str, bool]]:
        stored = self.site.platform.project.functions[function_id].variables.values()
        return {variable.key: (variable.value, variable.secret) for variable in stored}

    def active_code(self, function_id: str) -> bytes:
        function = self.site.platform.project.functions[function_id]
        return function.deployments[function.active_id].code


@pytest.fixture
def ground(port: Port) -> Ground:
    return Ground(port.serve(Platform()))


def test_all_functions_are_live_as_declared_and_what_starts_others_comes_last(ground: Ground) -> None:
    ground.deploy(ground.wanted())

    assert set(ground.outcomes) == set(FUNCTIONS)
    assert set(ground.results()) == {Result.DEPLOYED}
    assert ground.left == []
    assert ground.active_code("daily-races") == b"onedaily-races"
    assert ground.live("daily-entrants")["schedule"] == FUNCTIONS["daily-entrants"].schedule
    assert ground.live("batch-race-poller")["runtimeSpecification"] == "s-2vcpu-2gb"
    ready = [name for name, status in ground.told if status == "ready"]
    assert len(ready) == len(FUNCTIONS)
    last = ground.told.index(("master-race-scheduler", "uploading"))
    assert all(ground.told.index((name, "ready")) < last for name in ready[:-1])


def test_a_second_deployment_writes_nothing(ground: Ground) -> None:
    ground.deploy(ground.wanted(RACEDAY_CADENCE="classic", NZTAB_PARTNER_ID="canary"))
    ground.deploy(ground.wanted(RACEDAY_CADENCE="classic", NZTAB_PARTNER_ID="canary"))

    assert ground.writes() == []
    assert set(ground.results()) == {Result.UNCHANGED}
    assert ground.left == []


def test_a_forced_one_writes_and_uploads_again(ground: Ground) -> None:
    ground.deploy(ground.wanted(*SOME))
    ground.deploy(ground.wanted(*SOME), is_forced=True)

    assert set(ground.results()) == {Result.DEPLOYED}
    assert sorted(ground.writes()) == sorted(
        call for name in SOME for call in (f"PUT /{name}", f"POST /{name}/deployments")
    )


def test_only_what_was_chosen_is_deployed(ground: Ground) -> None:
    ground.deploy(ground.wanted("daily-races"))

    assert list(ground.site.platform.project.functions) == ["daily-races"]
    with pytest.raises(ConfigError, match=r"declares no daily-rases: choose of .*daily-races"):
        ground.wanted("daily-rases")


def test_only_changed_code_goes_up(ground: Ground) -> None:
    ground.deploy(ground.wanted(*SOME))
    changed = ground.wanted(*SOME)
    changed.archives["daily-races"] = b"twodaily-races"
    ground.deploy(changed)

    assert ground.writes() == ["POST /daily-races/deployments"]
    assert ground.results()[Result.DEPLOYED] == ["daily-races"]
    assert ground.active_code("daily-races") == b"twodaily-races"


def test_code_that_the_platform_does_not_hand_out_goes_up_again(ground: Ground) -> None:
    ground.deploy(ground.wanted("daily-races"))
    ground.site.platform.faults.next_calls(Fault(404), method="GET", part_of_path="/download")
    ground.deploy(ground.wanted("daily-races"))

    assert ground.writes() == ["POST /daily-races/deployments"]


def test_code_longer_than_a_chunk_arrives_whole(ground: Ground) -> None:
    wanted = ground.wanted("daily-races", code=bytes(range(256)) * 24_000)
    ground.deploy(wanted)

    assert ground.outcomes["daily-races"].result is Result.DEPLOYED
    assert ground.active_code("daily-races") == wanted.archives["daily-races"]


def test_a_failed_build_shows_its_log_and_the_rest_goes_on(ground: Ground) -> None:
    ground.deploy(ground.wanted(*SOME))
    ground.site.platform.project.build_failures.append("ERROR: no wheel for this machine")
    ground.deploy(ground.wanted(*SOME, code=b"two"))

    failed = ground.outcomes["race-data-poller"]
    assert failed.result is Result.FAILED
    assert "stays active" in failed.reason
    assert failed.build_log == "ERROR: no wheel for this machine"
    assert ground.results()[Result.DEPLOYED] == ["daily-races", "master-race-scheduler"]
    assert ground.active_code("race-data-poller") == b"onerace-data-poller"
    ground.deploy(ground.wanted(*SOME, code=b"two"))
    assert ground.results()[Result.DEPLOYED] == ["race-data-poller"]


def test_a_first_build_that_fails_leaves_a_difference(ground: Ground) -> None:
    ground.site.platform.project.build_failures.append("no room")
    ground.deploy(ground.wanted("daily-races"))

    assert [str(difference) for difference in ground.left] == ["code is not active, wanted: active"]


def test_a_refused_upload_costs_only_its_function(ground: Ground) -> None:
    ground.site.platform.faults.next_calls(Fault(500), method="POST", part_of_path="daily-races/deployments")
    ground.deploy(ground.wanted(*SOME))

    assert ground.results() == {
        Result.DEPLOYED: ["race-data-poller", "master-race-scheduler"],
        Result.FAILED: ["daily-races"],
    }
    assert "500" in ground.outcomes["daily-races"].reason
    ground.deploy(ground.wanted(*SOME))
    assert ground.results()[Result.DEPLOYED] == ["daily-races"]


def test_a_platform_that_is_away_during_builds_is_waited_for(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("raceday.deployment.sdk.READ_ATTEMPTS", 1)
    faults = ground.site.platform.faults
    # From the upload on, for some of the looks at the build.
    faults.down_from, faults.down_until = START + timedelta(seconds=2), START + timedelta(seconds=9)
    ground.deploy(ground.wanted("daily-races"))

    statuses = [status for _, status in ground.told]
    assert statuses[-1] == "ready"
    assert any(call.status == 503 for call in ground.site.platform.log.calls)
    assert ground.left == []


def test_a_build_that_does_not_end_is_not_waited_for_for_ever(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code_upload, "BUILD_LIMIT_S", 4.0)
    ground.deploy(ground.wanted("daily-races"))

    unfinished = ground.outcomes["daily-races"]
    assert unfinished.result is Result.UNFINISHED
    assert "still building" in unfinished.reason
    ground.site.platform.clock.move(60)
    ground.deploy(ground.wanted("daily-races"))
    assert ground.results() == {Result.UNCHANGED: ["daily-races"]}


def test_what_somebody_changed_there_is_told_and_mended(ground: Ground) -> None:
    ground.deploy(ground.wanted(*SOME))
    ground.change("master-race-scheduler", schedule="*/5 * * * *", scopes=["rows.read"])
    ground.deploy(ground.wanted(*SOME))

    (changed,) = (plan for plan in ground.plan.functions if plan.differences)
    assert [str(difference) for difference in changed.differences] == [
        "schedule is */5 * * * *, wanted: * * * * *",
        "scopes is rows.read, wanted: executions.write, rows.read, rows.write",
    ]
    assert ground.writes() == ["PUT /master-race-scheduler"]
    assert ground.live("master-race-scheduler")["schedule"] == "* * * * *"
    assert ground.left == []


def test_the_order_of_events_and_scopes_does_not_matter(ground: Ground) -> None:
    ground.deploy(ground.wanted("alert-evaluator"))
    live = ground.live("alert-evaluator")
    ground.change("alert-evaluator", events=live["events"][::-1], scopes=live["scopes"][::-1])
    ground.deploy(ground.wanted("alert-evaluator"))

    assert ground.writes() == []


def test_a_setting_that_only_a_build_takes_up_brings_a_new_deployment(ground: Ground) -> None:
    ground.deploy(ground.wanted("daily-races"))
    ground.change("daily-races", commands="pip install raceday")
    ground.deploy(ground.wanted("daily-races"))

    assert ground.writes() == ["PUT /daily-races", "POST /daily-races/deployments"]


def test_functions_of_others_are_told_and_left_alone(ground: Ground) -> None:
    theirs = {"functionId": "daily-race-importer", "name": "old", "runtime": "python-3.12", "schedule": "0 17 * * *"}
    ground.site.platform.call("POST", "/functions", theirs)
    ground.deploy(ground.wanted("daily-races"))

    assert ground.plan.foreign == ("daily-race-importer",)
    assert [finding.about for finding in ground.plan.findings] == ["daily-race-importer"]
    assert "daily-race-importer" in ground.site.platform.project.functions
    assert not any("daily-race-importer" in call for call in ground.writes())


def test_variables_go_where_they_are_used_and_secrets_as_secrets(ground: Ground) -> None:
    ids = ("daily-races", "alert-evaluator")
    ground.deploy(ground.wanted(*ids, RACEDAY_CODES="T", NZTAB_FROM="a@example.org", NZTAB_PARTNER_ID="canary"))

    assert ground.variables("daily-races") == {
        "RACEDAY_CODES": ("T", False),
        "NZTAB_FROM": ("a@example.org", False),
        "NZTAB_PARTNER_ID": ("canary", True),
    }
    assert ground.variables("alert-evaluator") == {"RACEDAY_CODES": ("T", False)}
    assert "canary" not in str(ground.plan)


def test_variables_are_there_before_the_code_that_reads_them(ground: Ground) -> None:
    ground.deploy(ground.wanted("daily-races", RACEDAY_CODES="T"))

    assert ground.writes() == ["POST ", "POST /daily-races/variables", "POST /daily-races/deployments"]


def test_a_changed_variable_brings_a_new_deployment_and_one_not_set_here_stays(ground: Ground) -> None:
    ground.deploy(ground.wanted("daily-races", RACEDAY_CODES="T", RACEDAY_TICKS="2"))
    ground.deploy(ground.wanted("daily-races", RACEDAY_CODES="T,G"))

    assert ground.variables("daily-races") == {"RACEDAY_CODES": ("T,G", False), "RACEDAY_TICKS": ("2", False)}
    assert ground.plan.functions[0].variables.kept == ("RACEDAY_TICKS",)
    variable, upload = ground.writes()
    assert variable.startswith("PUT /daily-races/variables/")
    assert upload == "POST /daily-races/deployments"
    assert ground.left == []


def test_a_secret_that_is_there_stays_as_it_is(ground: Ground) -> None:
    ground.deploy(ground.wanted("daily-races", NZTAB_PARTNER_ID="first"))
    ground.deploy(ground.wanted("daily-races", NZTAB_PARTNER_ID="second"))

    assert ground.variables("daily-races") == {"NZTAB_PARTNER_ID": ("first", True)}
    assert ground.results() == {Result.UNCHANGED: ["daily-races"]}
    assert ground.plan.functions[0].variables.uncompared == ("NZTAB_PARTNER_ID",)


@pytest.mark.parametrize("asked", ["writes_secrets", "is_forced"])
def test_a_secret_is_written_again_when_that_is_asked_for(ground: Ground, asked: str) -> None:
    ground.deploy(ground.wanted("daily-races", NZTAB_PARTNER_ID="first"))
    ground.deploy(ground.wanted("daily-races", NZTAB_PARTNER_ID="second"), **{asked: True})

    assert ground.variables("daily-races") == {"NZTAB_PARTNER_ID": ("second", True)}
    assert ground.results() == {Result.DEPLOYED: ["daily-races"]}


def test_a_public_variable_that_should_be_secret_becomes_so(ground: Ground) -> None:
    ground.deploy(ground.wanted("daily-races"))
    ground.set_variable("daily-races", "NZTAB_PARTNER_ID", "p")
    ground.deploy(ground.wanted("daily-races", NZTAB_PARTNER_ID="p"))

    assert ground.variables("daily-races") == {"NZTAB_PARTNER_ID": ("p", True)}


def test_a_key_that_may_not_write_functions_is_named_at_once(ground: Ground) -> None:
    keys = ground.site.platform.project.keys
    keys.add("reader", SCOPES - {"functions.write"})
    wanted = ground.wanted(*SOME)
    reader = connect(replace(credentials(ground.site.environment), key="reader"))
    plan = look_and_plan(reader, wanted, is_forced=False)

    with pytest.raises(AccessRefused, match=r"lacks functions\.write") as refused:
        deploy_functions(reader, plan, wanted.archives, Patience(), lambda *_: None)
    assert refused.value.scopes == ("functions.write",)
    assert ground.site.platform.project.functions == {}
