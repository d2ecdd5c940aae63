"""Carries out the functions' part of a deployment; what fails for one function does not stop the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from appwrite.exception import AppwriteException  # type: ignore[import-untyped]

from raceday.deployment.code_upload import Build, Patience, Tell, send_code, wait_for_builds
from raceday.deployment.deploy_plan import DeployPlan, FunctionPlan
from raceday.deployment.function_settings import sent_settings
from raceday.deployment.sdk import AccessRefused, Platform
from raceday.errors import RaceDayError

GENERATED_ID = "unique()"


class Result(StrEnum):
    """How a function's deployment ended."""

    DEPLOYED = "deployed"
    UNCHANGED = "unchanged"
    FAILED = "failed"
    UNFINISHED = "unfinished"
    """The platform is still building it; nobody waits any longer."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it went for one function; `reason` and `build_log` say more when it did not go well."""

    function_id: str
    result: Result
    reason: str = ""
    build_log: str = ""


def deploy_functions(
    platform: Platform, plan: DeployPlan, archives: Mapping[str, bytes], patience: Patience, tell: Tell
) -> list[Outcome]:
    """Write settings and variables, send up code and wait for it, wave by wave; `archives` maps functions to code.

    A function whose build fails keeps running its old code, and the others go on. Raises AccessRefused when the key
    does not suffice, for it will not for the next function either.
    """
    outcomes = []
    for wave in plan.waves:
        outcomes += _deploy_wave(platform, wave, archives, patience, tell)
    return outcomes


def _deploy_wave(
    platform: Platform, wave: tuple[FunctionPlan, ...], archives: Mapping[str, bytes], patience: Patience, tell: Tell
) -> list[Outcome]:
    outcomes: dict[str, Outcome] = {}
    sent: dict[str, str] = {}
    for plan in wave:
        function_id = plan.function_id
        outcomes[function_id] = Outcome(function_id, Result.UNCHANGED if plan.is_nothing else Result.DEPLOYED)
        try:
            _write_settings(platform, plan)
            if plan.upload:
                tell(function_id, "uploading")
                sent[function_id] = send_code(platform, plan.wanted, archives[function_id])
        except AccessRefused:
            raise
        except (RaceDayError, AppwriteException) as error:
            # The SDK's own error says that it did not understand an answer.
            outcomes[function_id] = Outcome(function_id, Result.FAILED, str(error))
    for function_id, build in wait_for_builds(platform, sent, patience, tell).items():
        outcomes[function_id] = _outcome(function_id, build)
    return list(outcomes.values())


def _write_settings(platform: Platform, plan: FunctionPlan) -> None:
    """Create or update the function, then its variables: its next build takes both up."""
    functions, function_id = platform.functions, plan.function_id
    settings = sent_settings(plan.wanted, plan.live)
    if plan.live is None:
        functions.create(**settings)
    elif plan.writes_settings:
        functions.update(**settings)
    for change in plan.variables.changes:
        if change.variable_id:
            functions.update_variable(
                function_id, change.variable_id, key=change.key, value=change.value, secret=change.is_secret
            )
        else:
            functions.create_variable(function_id, GENERATED_ID, change.key, change.value, secret=change.is_secret)


def _outcome(function_id: str, build: Build) -> Outcome:
    if not build.is_over:
        reason = f"its build is still {build.status}: look at it in the console, or run scripts/deploy again"
        return Outcome(function_id, Result.UNFINISHED, reason)
    if build.succeeded:
        return Outcome(function_id, Result.DEPLOYED)
    reason = f"its build {build.deployment_id} {build.status}; what was active before, if anything, stays active"
    return Outcome(function_id, Result.FAILED, reason, build.log)
