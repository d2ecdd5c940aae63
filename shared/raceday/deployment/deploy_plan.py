"""What a deployment is going to do, function by function, and in which order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from raceday.deployment.findings import Finding
from raceday.deployment.function_settings import BAKED_IN, Difference, differences
from raceday.deployment.live_functions import LiveFunction
from raceday.deployment.schedules import schedule_findings
from raceday.deployment.variables import VariablePlan, plan_variables, variables_of
from raceday.errors import ConfigError
from raceday.host.manifest import FunctionManifest, Manifest

STARTS_OTHERS = "executions.write"


@dataclass(frozen=True, slots=True)
class FunctionPlan:
    """What is done for one function.

    `writes_settings` creates or updates it; `upload` says why its code goes up, and is empty when it does not.
    """

    wanted: FunctionManifest
    live: LiveFunction | None
    differences: tuple[Difference, ...]
    writes_settings: bool
    variables: VariablePlan
    upload: str

    @property
    def function_id(self) -> str:
        """Return the function's id."""
        return self.wanted.function_id

    @property
    def is_nothing(self) -> bool:
        """Return whether the function is live already as it is wanted."""
        return not (self.writes_settings or self.variables.changes or self.upload)


@dataclass(frozen=True, slots=True)
class DeployPlan:
    """The functions in waves: each wave is built and active before the next is touched.

    `foreign` are functions of the project that are not ours to change; `findings` is what to know before.
    """

    waves: tuple[tuple[FunctionPlan, ...], ...]
    foreign: tuple[str, ...]
    findings: tuple[Finding, ...]

    @property
    def functions(self) -> tuple[FunctionPlan, ...]:
        """Return all functions in the order in which they are deployed."""
        return tuple(function for wave in self.waves for function in wave)


def chosen_functions(manifest: Manifest, given: str | None = None) -> list[FunctionManifest]:
    """Return the functions whose ids are given, separated by commas; all when nothing is given at all.

    Raises ConfigError for an id nobody declared, and for a list without any, such as a shell's empty variable gives.
    """
    declared = {function.function_id: function for function in manifest.functions}
    if given is None:
        return list(declared.values())
    ids = {part.strip() for part in given.split(",") if part.strip()}
    if not ids:
        raise ConfigError(f"--functions names no function: leave it out for all, or choose of {', '.join(declared)}")
    unknown = sorted(ids - set(declared))
    if unknown:
        raise ConfigError(f"appwrite.json declares no {', '.join(unknown)}: choose of {', '.join(declared)}")
    return [function for function_id, function in declared.items() if function_id in ids]


def plan_function(
    wanted: FunctionManifest,
    live: LiveFunction | None,
    variables: Mapping[str, str],
    *,
    is_active_code: bool,
    is_forced: bool = False,
    writes_secrets: bool = False,
) -> FunctionPlan:
    """Return what one function needs. `is_active_code` says that what would be sent up is what is running."""
    found = () if live is None else tuple(differences(wanted, live))
    planned = plan_variables(
        variables_of(wanted.function_id, variables),
        {} if live is None else live.variables,
        writes_secrets=is_forced or writes_secrets,
    )
    # Written again without need, a schedule that the platform has lost is set up anew.
    writes_settings = live is None or bool(found) or is_forced
    if live is None or not live.active_id:
        upload = "it has no active code"
    elif not is_active_code:
        # The command line packs the same files otherwise, so nobody can say that they differ.
        upload = "the active code is older, or was not packed by scripts/deploy"
    elif any(difference.setting in BAKED_IN for difference in found) or planned.changes or not live.is_current:
        # A warm container keeps the variables and settings that it was started with.
        upload = "settings or variables changed that only a new deployment takes up"
    else:
        upload = "asked for" if is_forced else ""
    return FunctionPlan(wanted, live, found, writes_settings, planned, upload)


def plan_deployment(plans: Iterable[FunctionPlan], manifest: Manifest, live: Mapping[str, LiveFunction]) -> DeployPlan:
    """Return the whole plan.

    Functions without a schedule go first, so that they are there when something starts them; then what a schedule
    starts, and last the one whose schedule starts others.
    """
    waves: list[list[FunctionPlan]] = [[], [], []]
    for plan in plans:
        waves[_wave(plan.wanted)].append(plan)
    declared = {function.function_id for function in manifest.functions}
    schedules = {function_id: function.schedule for function_id, function in live.items()}
    schedules |= {function.function_id: function.schedule for function in manifest.functions}
    return DeployPlan(
        waves=tuple(tuple(wave) for wave in waves if wave),
        foreign=tuple(sorted(set(live) - declared)),
        findings=tuple(schedule_findings(schedules)),
    )


def _wave(function: FunctionManifest) -> int:
    if not function.schedule:
        return 0
    return 2 if STARTS_OTHERS in function.scopes else 1
