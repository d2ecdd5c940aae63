"""A deployment for the check-up: as it should be, until a test spoils it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from appwrite_platform import START, Platform
from raceday.deployment.credentials import credentials
from raceday.deployment.doctor import Diagnosis, diagnose
from raceday.deployment.findings import Finding
from raceday.deployment.variables import WITHOUT_FEED
from raceday.domain.racing_day import racing_date
from raceday.host.appwrite_project import deployed_project
from raceday.host.bundle import project_manifest
from raceday.simulator.app import simulator_app
from raceday.simulator.appwrite.executions import Execution
from raceday.simulator.appwrite.functions import Function
from raceday.simulator.appwrite.variables import Variable
from raceday.simulator.faults import PROFILES
from raceday.simulator.feed import SimulatedFeed
from raceday.simulator.programme import plan_day
from served_platform import Port, Served, listening

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


@contextmanager
def feed_of_the_day() -> Iterator[str]:
    """The stand-in feed on its day, at its address."""
    programme = plan_day(racing_date(START), 1)
    app = simulator_app(SimulatedFeed(programme, lambda: START), PROFILES["none"], 1)
    with listening(app) as address:
        yield f"{address}/affiliates/v1"


def sound_patient(port: Port, feed: str) -> Patient:
    """A platform with everything that appwrite.json declares, and the variables of a machine set on it."""
    project = deployed_project(project_manifest(), START)
    patient = Patient(port.serve(Platform(project=project)), feed)
    for function_id in project.functions:
        if function_id not in WITHOUT_FEED:
            patient.set_variable(function_id, "NZTAB_BASE_URL", feed)
            patient.set_variable(function_id, "NZTAB_FROM", FROM)
    return patient
