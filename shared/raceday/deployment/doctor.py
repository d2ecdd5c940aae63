"""A check-up of everything that a deployment rests on, one check after the other; nothing is changed by it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from raceday.deployment.credentials import Credentials
from raceday.deployment.doctor_environment import check_environment, check_feed
from raceday.deployment.doctor_executions import check_executions
from raceday.deployment.doctor_functions import check_functions, check_schedules, check_variables
from raceday.deployment.doctor_platform import check_access, check_clock, check_endpoint, check_schema
from raceday.deployment.findings import Check, Finding
from raceday.deployment.live_functions import live_functions
from raceday.deployment.platform_schema import platform_schema
from raceday.deployment.schedules import NextRun, next_runs
from raceday.deployment.sdk import AccessRefused, Platform, PlatformRefused, PlatformUnreachable, connect
from raceday.deployment.variables import hidden, secrets_in
from raceday.host.manifest import Manifest
from raceday.store.appwrite.settings import DATABASE_ID


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What every check saw, and when the live schedules fire next.

    `saw_platform` is false when the platform could not be looked at at all: then its checks are not there.
    """

    checks: tuple[Check, ...]
    next_runs: tuple[NextRun, ...] = ()
    saw_platform: bool = True

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Return everything that was found, in the order of the checks."""
        return tuple(finding for check in self.checks for finding in check.findings)

    @property
    def ok(self) -> bool:
        """Return whether there is nothing to mend."""
        return self.saw_platform and not any(finding.is_problem for finding in self.findings)


def diagnose(credentials: Credentials, manifest: Manifest, environment: Mapping[str, str], now: datetime) -> Diagnosis:
    """Check who is let in, this machine's environment, the feed and the platform, as far as each can be reached."""
    platform = connect(credentials)
    secrets = secrets_in(environment, credentials.key)
    access: list[Check] = []
    here: list[Check] = []
    try:
        access = [check_endpoint(platform, credentials), check_access(platform), check_clock(platform)]
        here = _checks_here(environment, now)
        there, runs = _platform_checks(platform, manifest, environment, now)
    except (AccessRefused, PlatformUnreachable, PlatformRefused) as error:
        unseen = Check("platform", "cannot be looked at", (Finding("platform", str(error), _remedy(error)),))
        checks = (*access, unseen, *(here or _checks_here(environment, now)))
        return Diagnosis(_fit_to_show(checks, secrets), saw_platform=False)
    return Diagnosis(_fit_to_show((*access, *here, *there), secrets), runs)


def _checks_here(environment: Mapping[str, str], now: datetime) -> list[Check]:
    return [check_environment(environment), check_feed(environment, now)]


def _platform_checks(
    platform: Platform, manifest: Manifest, environment: Mapping[str, str], now: datetime
) -> tuple[list[Check], tuple[NextRun, ...]]:
    """Check what the platform holds; a key that lacks a scope costs the checks that need it, and no others."""
    checks = []
    try:
        checks.append(check_schema(platform, platform_schema(DATABASE_ID)))
    except AccessRefused as error:
        checks.append(_unseen("schema", error))
    try:
        live = live_functions(platform)
    except AccessRefused as error:
        return [*checks, _unseen("functions", error)], ()
    checks += [
        check_functions(manifest, live),
        check_variables(manifest, live, environment),
        check_schedules(live),
    ]
    try:
        checks.append(check_executions(platform, manifest, live, now))
    except AccessRefused as error:
        checks.append(_unseen("executions", error))
    ours = {function.function_id for function in manifest.functions}
    schedules = {function_id: function.schedule for function_id, function in live.items() if function_id in ours}
    return checks, tuple(next_runs(schedules, now))


def _fit_to_show(checks: Iterable[Check], secrets: Sequence[str]) -> tuple[Check, ...]:
    """Return the checks without secrets: what functions wrote when they failed is quoted in them."""
    return tuple(
        replace(check, findings=tuple(replace(one, seen=hidden(one.seen, secrets)) for one in check.findings))
        for check in checks
    )


def _unseen(title: str, error: AccessRefused) -> Check:
    # That the key lacks it, and what to do, was said with the key.
    return Check(title, f"not looked at, for want of {' or '.join(error.scopes) or 'access'}")


def _remedy(error: Exception) -> str:
    if isinstance(error, AccessRefused):
        return "give another key or project: --key-file, --project, or their variables"
    if isinstance(error, PlatformUnreachable):
        return "give the address of Appwrite's API: --endpoint or APPWRITE_ENDPOINT, ending in /v1"
    return "look into the server's own log, and try again in a while"
