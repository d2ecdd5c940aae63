"""A deployment's functions: look at what is live and say what is to be done; then, once it is done, look again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from raceday.deployment.code_upload import is_active_code
from raceday.deployment.deploy_plan import DeployPlan, plan_deployment, plan_function
from raceday.deployment.function_settings import Difference
from raceday.deployment.live_check import live_differences
from raceday.deployment.live_functions import live_functions
from raceday.deployment.sdk import Platform
from raceday.host.manifest import FunctionManifest, Manifest


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be live: functions of the manifest, variables by name, and each function's code as it is sent up."""

    manifest: Manifest
    functions: tuple[FunctionManifest, ...]
    variables: Mapping[str, str]
    archives: Mapping[str, bytes]


def look_and_plan(platform: Platform, wanted: Wanted, *, is_forced: bool, writes_secrets: bool = False) -> DeployPlan:
    """Return what it takes to make everything live; changes nothing. Raises the errors of the connection.

    `is_forced` plans what seems unchanged, too; `writes_secrets` only the secrets, which cannot be compared.
    """
    live = live_functions(platform)
    plans = []
    for function in wanted.functions:
        seen = live.get(function.function_id)
        same_code = seen is not None and is_active_code(platform, seen, wanted.archives[function.function_id])
        plans.append(
            plan_function(
                function,
                seen,
                wanted.variables,
                is_active_code=same_code,
                is_forced=is_forced,
                writes_secrets=writes_secrets,
            )
        )
    return plan_deployment(plans, wanted.manifest, live)


def differences_left(platform: Platform, wanted: Wanted) -> list[Difference]:
    """Look again and return in what the functions are not live as they are wanted."""
    return live_differences(wanted.functions, live_functions(platform), wanted.variables)
