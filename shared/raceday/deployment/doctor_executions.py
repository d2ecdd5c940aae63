"""Checks of what the functions did lately: executions that failed, and schedules that did not fire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from appwrite.query import Query  # type: ignore[import-untyped]

from raceday.deployment.findings import Check, Finding
from raceday.deployment.live_functions import LiveFunction
from raceday.deployment.schedules import previous_run
from raceday.deployment.sdk import Platform
from raceday.host.manifest import Manifest

LATELY = timedelta(days=1)
LOOKED_AT = 25
"""How many failed executions of a function are looked at."""
SLACK = timedelta(minutes=5)
"""How late an execution may show: a fresh schedule misses its first minutes, and one is listed when it has ended."""
LONGEST_ERROR = 200

_REMEDIES = {
    500: "its configuration or its code: the execution's log in the console names it",
    502: "the feed failed for all it asked: see the feed above, and scripts/deploy for its variables",
    503: "the platform did not answer the function: see the server's load and its log",
    504: "it ran out of time: see how long executions take, and whether the server is overloaded",
}
_CUT_OFF = "it was cut off: raise nothing at once, see whether the server is overloaded or was restarted"


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed execution: when it was asked for, the status it ended with (0 for none) and how its errors begin."""

    at: datetime
    status_code: int
    error: str


def check_executions(platform: Platform, manifest: Manifest, live: Mapping[str, LiveFunction], now: datetime) -> Check:
    """Look for failed executions of the last day and for schedules that have stopped firing."""
    findings, looked_at = [], 0
    for function in manifest.functions:
        seen = live.get(function.function_id)
        if seen is None or not seen.active_id:
            continue
        looked_at += 1
        failures = [failure for failure in _failures(platform, seen.function_id) if now - failure.at <= LATELY]
        if failures:
            findings.append(_failed(seen.function_id, failures))
        if (silent := _silent(platform, seen, now)) is not None:
            findings.append(silent)
    return Check("executions", f"of {looked_at} functions, in the last 24 hours", tuple(findings))


def _failures(platform: Platform, function_id: str) -> list[Failure]:
    """Return the newest failed executions.

    One that waits or runs for longer than its timeout shows as failed with code 0 and no errors; it may still end well.
    """
    queries = [Query.equal("status", ["failed"]), Query.order_desc("$createdAt"), Query.limit(LOOKED_AT)]
    return [
        Failure(_instant(execution["$createdAt"]), int(execution["responseStatusCode"]), execution["errors"])
        for execution in platform.client.read(f"/functions/{function_id}/executions", *queries)["executions"]
        if execution["responseStatusCode"] or execution["errors"]
    ]


def _failed(function_id: str, failures: list[Failure]) -> Finding:
    last = failures[0]
    count = f"{len(failures)} or more" if len(failures) == LOOKED_AT else str(len(failures))
    told = " ".join(last.error.split())[:LONGEST_ERROR]
    seen = f"{count} failed, the last at {last.at:%H:%M} UTC with code {last.status_code}"
    return Finding(function_id, f"{seen}: {told}" if told else seen, _REMEDIES.get(last.status_code, _CUT_OFF))


def _silent(platform: Platform, function: LiveFunction, now: datetime) -> Finding | None:
    """Return a finding when the schedule should have fired since the code became active, and nothing ran."""
    due = previous_run(function.schedule, now - SLACK)
    if due is None or function.active_since is None or due <= function.active_since + SLACK:
        return None
    queries = [Query.order_desc("$createdAt"), Query.limit(1)]
    newest = platform.client.read(f"/functions/{function.function_id}/executions", *queries)["executions"]
    if newest and _instant(newest[0]["$createdAt"]) >= due - SLACK:
        return None
    last = f"its last execution was {_instant(newest[0]['$createdAt']):%d %b %H:%M} UTC" if newest else "it never ran"
    return Finding(
        function.function_id,
        f"should have run at {due:%d %b %H:%M} UTC by its schedule; {last}",
        f"scripts/deploy --force --functions {function.function_id} sets the schedule up anew; else see the log of "
        "the server's scheduler",
    )


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
