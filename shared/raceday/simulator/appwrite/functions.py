"""Functions: what may be asked of one, as strictly as the platform checks it, and how it is shown."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cronsim import CronSim, CronSimError

from raceday.simulator.appwrite import params
from raceday.simulator.appwrite.errors import invalid_param, refused
from raceday.simulator.appwrite.instants import stamp
from raceday.simulator.appwrite.keys import SCOPES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from raceday.simulator.appwrite.deployments import Deployment
    from raceday.simulator.appwrite.executions import Execution
    from raceday.simulator.appwrite.variables import Variable

RUNTIMES = tuple(f"python-3.{minor}" for minor in range(8, 15)) + tuple(
    f"python-ml-3.{minor}" for minor in (11, 12, 13)
)
SPECIFICATIONS = (
    "s-0.5vcpu-512mb", "s-1vcpu-512mb", "s-1vcpu-1gb", "s-2vcpu-2gb", "s-2vcpu-4gb", "s-4vcpu-2gb", "s-4vcpu-4gb",
    "s-4vcpu-8gb", "s-8vcpu-4gb", "s-8vcpu-8gb",
)  # fmt: skip
LONGEST_TIMEOUT_S, USUAL_TIMEOUT_S = 900, 15
_ANY_TIME = datetime(2026, 1, 1, tzinfo=UTC)
"""Where a schedule is tried from; whether it can be read does not depend on it."""
_ALIASES = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")
_ACTION = r"(\.(create|update|delete))?"
_EVENT = re.compile(
    rf"databases\.[^.]+({_ACTION}|"
    rf"\.tables\.[^.]+({_ACTION}|\.rows\.[^.]+{_ACTION})|"
    rf"\.collections\.[^.]+({_ACTION}|\.documents\.[^.]+{_ACTION}))"
)
"""Patterns of row events. `.upsert` is an event but no pattern: a defect of the platform's check (recorded)."""


@dataclass(slots=True)
class Settings:
    """What a client sets of a function."""

    name: str
    runtime: str
    execute: list[str]
    events: list[str]
    schedule: str
    timeout_s: int
    enabled: bool
    logging: bool
    entrypoint: str
    commands: str
    scopes: list[str]
    build_specification: str
    runtime_specification: str


@dataclass(slots=True)
class Function:
    """One function with its deployments, variables and executions, each oldest first."""

    function_id: str
    settings: Settings
    created_at: datetime
    updated_at: datetime
    active_id: str = ""
    deployments: dict[str, Deployment] = field(default_factory=dict)
    variables: dict[str, Variable] = field(default_factory=dict)
    executions: dict[str, Execution] = field(default_factory=dict)

    def active(self, now: datetime) -> Deployment | None:
        """Return the deployment that executions run: the newest built one that was to be activated."""
        for deployment in self.deployments.values():
            if deployment.activates and not deployment.was_activated and deployment.status(now) == "ready":
                deployment.was_activated = True
                self.active_id = deployment.deployment_id
        return self.deployments.get(self.active_id)

    def body(self, now: datetime) -> dict[str, object]:
        """Return the function as the API shows it."""
        active = self.active(now)
        latest = next(reversed(self.deployments.values()), None)
        settings = self.settings
        return {
            "$id": self.function_id,
            "$createdAt": stamp(self.created_at),
            "$updatedAt": stamp(self.updated_at),
            "execute": settings.execute,
            "name": settings.name,
            "enabled": settings.enabled,
            "live": True,
            "logging": settings.logging,
            "runtime": settings.runtime,
            "deploymentRetention": 0,
            "deploymentId": active.deployment_id if active else "",
            "deploymentCreatedAt": stamp(active.created_at) if active else "",
            "latestDeploymentId": latest.deployment_id if latest else "",
            "latestDeploymentCreatedAt": stamp(latest.created_at) if latest else "",
            "latestDeploymentStatus": latest.status(now) if latest else "",
            "scopes": settings.scopes,
            "vars": [variable.body() for variable in self.variables.values()],
            "events": settings.events,
            "schedule": settings.schedule,
            "timeout": settings.timeout_s,
            "entrypoint": settings.entrypoint,
            "commands": settings.commands,
            "version": "v5",
            "installationId": "",
            "providerRepositoryId": "",
            "providerBranch": "",
            "providerRootDirectory": "",
            "providerSilentMode": False,
            "providerBranches": [],
            "providerPaths": [],
            "buildSpecification": settings.build_specification,
            "runtimeSpecification": settings.runtime_specification,
        }


def settings_of(body: Mapping[str, object], specification: str, *, is_old_client: bool) -> Settings:
    """Read what a call says of a function; raises the platform's refusals.

    `specification` is the default. A client that asks for a format before 1.9 names one specification for both
    purposes; from any other that key is ignored (recorded exchange).
    """
    if is_old_client and body.get("specification") is not None:
        both = body["specification"]
        body = {**body, "buildSpecification": both, "runtimeSpecification": both}
    params.required(body, "name")
    return Settings(
        name=params.text(body, "name"),
        runtime=_runtime(body),
        execute=params.texts(body, "execute"),
        events=_events(body),
        schedule=_schedule(body),
        timeout_s=params.whole(body, "timeout", USUAL_TIMEOUT_S, 1, LONGEST_TIMEOUT_S),
        enabled=params.flag(body, "enabled", default=True),
        logging=params.flag(body, "logging", default=True),
        entrypoint=params.text(body, "entrypoint", longest=1028),
        commands=params.text(body, "commands", longest=8192),
        scopes=params.texts(body, "scopes", SCOPES),
        build_specification=_specification(body, "buildSpecification", specification),
        runtime_specification=_specification(body, "runtimeSpecification", specification),
    )


def _runtime(body: Mapping[str, object]) -> str:
    runtime = params.required(body, "runtime")
    if runtime not in RUNTIMES:
        raise invalid_param("runtime", f"must be one of {', '.join(RUNTIMES)}")
    return str(runtime)


def _events(body: Mapping[str, object]) -> list[str]:
    events = params.texts(body, "events")
    if not all(_EVENT.fullmatch(event) for event in events):
        raise invalid_param("events", "each must be a pattern of row events")
    return events


def _schedule(body: Mapping[str, object]) -> str:
    schedule = params.text(body, "schedule")
    if schedule and not _is_cron(schedule):
        raise invalid_param("schedule", "must be a cron expression of five fields")
    return schedule


def _is_cron(schedule: str) -> bool:
    if schedule in _ALIASES:
        return True
    if len(schedule.split()) != 5:
        return False
    try:
        CronSim(schedule, _ANY_TIME)
    except CronSimError:
        return False
    return True


def _specification(body: Mapping[str, object], name: str, default: str) -> str:
    chosen = params.text(body, name, default)
    if chosen not in SPECIFICATIONS:
        raise invalid_param(name, f"must be one of {', '.join(SPECIFICATIONS)}")
    return chosen


def function_of(functions: Mapping[str, Function], function_id: str) -> Function:
    """Return a function; raises function_not_found."""
    if function_id not in functions:
        raise refused("function_not_found")
    return functions[function_id]
