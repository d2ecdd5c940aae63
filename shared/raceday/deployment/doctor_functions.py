"""Checks of the functions on the platform: settings, active code, variables and schedules."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from raceday.deployment.findings import Check, Finding
from raceday.deployment.live_check import live_differences, variable_differences
from raceday.deployment.live_functions import LiveFunction, LiveVariable
from raceday.deployment.schedules import schedule_findings
from raceday.deployment.variables import DEPLOYED, NOT_ON_A_PLATFORM, OUR_PREFIXES, deployable_variables, variables_of
from raceday.errors import ConfigError
from raceday.host.manifest import FunctionManifest, Manifest
from raceday.runtime.settings import VARIABLES, load_settings

_FAILED = frozenset({"failed", "canceled"})


def check_functions(manifest: Manifest, live: Mapping[str, LiveFunction]) -> Check:
    """Hold the live functions against appwrite.json, and look for builds that failed."""
    ids_by_fault: dict[str, list[str]] = defaultdict(list)
    for function in manifest.functions:
        for fault in _faults(function, live):
            ids_by_fault[fault].append(function.function_id)
    declared = {function.function_id for function in manifest.functions}
    ours = [live[function.function_id] for function in manifest.functions if function.function_id in live]
    findings = [
        Finding(_counted(ids), fault, "scripts/deploy" + f" --functions {','.join(ids)}" * (len(ids) < len(declared)))
        for fault, ids in ids_by_fault.items()
    ]
    outdated = [function.function_id for function in ours if function.active_id and not function.is_current]
    if outdated:
        changed = "settings or variables changed after its active code was built"
        remedy = f"scripts/deploy --functions {','.join(outdated)}"
        findings.append(Finding(_counted(outdated), changed, remedy, is_problem=False))
    foreign = sorted(set(live) - declared)
    if foreign:
        remedy = "leave them, or delete them in the console"
        findings.append(Finding(", ".join(foreign), "live, but not in appwrite.json", remedy, is_problem=False))
    active = sum(1 for function in ours if function.active_id)
    listening = sum(1 for function in ours if function.settings["events"])
    seen = f"{active} of {len(declared)} are live with active code, {listening} listen to events"
    return Check("functions", seen, tuple(findings))


def _faults(function: FunctionManifest, live: Mapping[str, LiveFunction]) -> list[str]:
    faults = [str(difference) for difference in live_differences([function], live, {})]
    seen = live.get(function.function_id)
    if seen is not None and seen.latest_status in _FAILED and seen.latest_id != seen.active_id:
        faults.append(f"its newest build {seen.latest_status}; deployed again, it shows why")
    return faults


def check_variables(manifest: Manifest, live: Mapping[str, LiveFunction], environment: Mapping[str, str]) -> Check:
    """Check that every function can start with its variables, that they agree, and that what is set here is there."""
    ours = [live[function.function_id] for function in manifest.functions if function.function_id in live]
    findings = [*_unusable(ours), *_misplaced(ours), *_disagreeing(ours), *_not_as_here(ours, environment)]
    names = {name for function in ours for name in function.variables}
    return Check("variables", f"{len(names)} are set on the platform", tuple(findings))


def check_schedules(live: Mapping[str, LiveFunction]) -> Check:
    """Check the live schedules taken together."""
    schedules = {function_id: function.schedule for function_id, function in live.items()}
    scheduled = sum(1 for schedule in schedules.values() if schedule)
    return Check("schedules", f"{scheduled} functions have one", tuple(schedule_findings(schedules)))


def _unusable(functions: Iterable[LiveFunction]) -> list[Finding]:
    """Find the functions that refuse to start; secrets cannot be looked at."""
    ids_by_complaint: dict[str, list[str]] = defaultdict(list)
    for function in functions:
        try:
            load_settings({name: variable.value or "" for name, variable in function.variables.items()})
        except ConfigError as error:
            ids_by_complaint[str(error)].append(function.function_id)
    return [
        Finding(
            ", ".join(ids), complaint, "set the variable right here and run scripts/deploy, or do so in the console"
        )
        for complaint, ids in ids_by_complaint.items()
    ]


def _disagreeing(functions: Iterable[LiveFunction]) -> list[Finding]:
    """Find variables that some functions have otherwise than others, or not at all."""
    values: dict[str, set[str]] = defaultdict(set)
    for function in functions:
        for name in variables_of(function.function_id, dict.fromkeys(DEPLOYED, "")):
            values[name].add(_readable(function.variables.get(name)))
    return [
        Finding(name, "is not the same on all functions", "set it here and run scripts/deploy, which sets it on all")
        for name, seen in values.items()
        if len(seen) > 1
    ]


def _readable(variable: LiveVariable | None) -> str:
    if variable is None:
        return "not set"
    return "secret" if variable.value is None else f"= {variable.value}"


def _misplaced(functions: Iterable[LiveFunction]) -> list[Finding]:
    """Find variables that mean nothing on a platform: paths of a machine, and names that RaceDay does not have."""
    names = sorted({name for function in functions for name in function.variables})
    paths = [name for name in names if name in NOT_ON_A_PLATFORM]
    unknown = [name for name in names if name.startswith(OUR_PREFIXES) and name not in VARIABLES]
    findings = []
    if paths:
        findings.append(
            Finding(", ".join(paths), "a path of a machine, set on the platform", "delete it in the console")
        )
    if unknown:
        remedy = "correct the name in the console: the README lists them all"
        findings.append(Finding(", ".join(unknown), "no variable of RaceDay", remedy, is_problem=False))
    return findings


def _not_as_here(functions: Iterable[LiveFunction], environment: Mapping[str, str]) -> list[Finding]:
    """Find variables that are set here and missing or different on the platform."""
    try:
        here = deployable_variables(environment)
    except ConfigError:
        return []
    ids_by_difference: dict[tuple[str, str], list[str]] = defaultdict(list)
    for function in functions:
        for difference in variable_differences(function, here):
            ids_by_difference[difference.setting, str(difference)].append(function.function_id)
    return [
        Finding(name, f"{what} (on {_counted(ids)})", "scripts/deploy sets it as it is here")
        for (name, what), ids in ids_by_difference.items()
    ]


def _counted(function_ids: list[str]) -> str:
    return ", ".join(function_ids) if len(function_ids) <= 3 else f"{len(function_ids)} functions"
