"""Checks of the platform itself: its address and version, what the key may do, its clock, the schema."""

from __future__ import annotations

import re

from raceday.deployment.credentials import Credentials
from raceday.deployment.findings import Check, Finding
from raceday.deployment.platform_schema import PlatformSchema
from raceday.deployment.schema_apply import look
from raceday.deployment.sdk import (
    MISSING_SCOPE,
    AccessRefused,
    Platform,
    PlatformRefused,
    PlatformUnreachable,
    is_passing,
)

TRIED_VERSION = (1, 9)
"""The release that all of this was made for."""
OLDEST_VERSION = (1, 8)
"""The first release with transactions over rows."""
LARGEST_SKEW_S = 5.0
"""A poll is claimed for some seconds by the clock of whoever polls, so clocks have to agree better than that."""
_LOCAL = re.compile(r"http://(localhost|127\.|\[::1\])")

_NOTHING = "raceday-doctor-asks-for-nothing"
_TABLES = f"/tablesdb/{_NOTHING}/tables"
_READING = {
    "databases.read": "/tablesdb",
    "tables.read": _TABLES,
    "columns.read": f"{_TABLES}/{_NOTHING}/columns",
    "indexes.read": f"{_TABLES}/{_NOTHING}/indexes",
    "buckets.read": "/storage/buckets",
    "functions.read": "/functions",
    "executions.read": f"/functions/{_NOTHING}/executions",
}
_WRITING = {
    "databases.write": "/tablesdb",
    "tables.write": _TABLES,
    "columns.write": f"{_TABLES}/{_NOTHING}/columns/boolean",
    "indexes.write": f"{_TABLES}/{_NOTHING}/indexes",
    "buckets.write": "/storage/buckets",
    "functions.write": "/functions",
}
"""Scopes that set-up and deployment need, each with a call that takes it.

Reading asks for what does not exist, and writing sends nothing: a key without the scope is refused before that is
seen, and with it nothing comes of the call.
"""


def check_endpoint(platform: Platform, credentials: Credentials) -> Check:
    """Check that an Appwrite answers, and which one. Raises PlatformUnreachable when none does."""
    try:
        told = platform.client.call("get", "/health/version")
    except PlatformRefused as error:
        if is_passing(error):
            raise
        told = None
    version = told.get("version") if isinstance(told, dict) else None
    if not isinstance(version, str):
        raise PlatformUnreachable(f"what answers at {credentials.endpoint} is not Appwrite's API")
    findings = _version_findings(version)
    if credentials.endpoint.startswith("http://") and not _LOCAL.match(credentials.endpoint):
        open_letter = "the API key travels unencrypted over http://"
        findings.append(Finding("endpoint", open_letter, "give an https:// address", is_problem=False))
    return Check("endpoint", f"{credentials.endpoint}, Appwrite {version}", tuple(findings))


def _version_findings(version: str) -> list[Finding]:
    tried = ".".join(map(str, TRIED_VERSION))
    known = re.match(r"(\d+)\.(\d+)", version)
    if known is None:
        return [Finding("version", f"{version} says nothing", f"RaceDay was tried on {tried}", is_problem=False)]
    release = (int(known[1]), int(known[2]))
    if release < OLDEST_VERSION:
        return [Finding("version", f"{version} has no transactions over rows", f"update Appwrite to {tried} or newer")]
    if release < TRIED_VERSION:
        seen = f"{version} is older than what RaceDay was tried on, and knows one size for building and running only"
        return [Finding("version", seen, f"update Appwrite to {tried} or newer", is_problem=False)]
    return []


def check_access(platform: Platform) -> Check:
    """Check that the key is let in and has every scope that set-up and deployment need.

    Raises AccessRefused when it is not let in at all.
    """
    probes = [(scope, "get", path) for scope, path in _READING.items()]
    probes += [(scope, "post", path) for scope, path in _WRITING.items()]
    missing = [scope for scope, method, path in probes if not _is_granted(platform, method, path)]
    if not missing:
        return Check("API key", f"has the {len(probes)} scopes that setup, deploy and doctor need")
    remedy = "add them to the key in the console, under Overview, API keys"
    finding = Finding("API key", f"lacks {', '.join(missing)}", remedy)
    return Check("API key", f"lacks {len(missing)} of {len(probes)} scopes", (finding,))


def _is_granted(platform: Platform, method: str, path: str) -> bool:
    headers = {"x-appwrite-project": platform.client.get_config("project")}
    if method == "post":
        headers["content-type"] = "application/json"
    try:
        platform.client.call(method, path, headers, {})
    except AccessRefused as error:
        if error.kind != MISSING_SCOPE:
            raise
        return False
    except PlatformRefused:
        # Let in, and only then refused for what was asked.
        return True
    return True


def check_clock(platform: Platform) -> Check:
    """Hold the server's clock against this machine's, by the last answer."""
    ahead_s = platform.client.ahead_s
    if ahead_s is None:
        return Check("clock", "the server does not say what time it has")
    seen = f"the server's clock and this machine's differ by {abs(ahead_s):.1f} s"
    if abs(ahead_s) <= LARGEST_SKEW_S:
        return Check("clock", seen)
    behind = "this machine's" if ahead_s > 0 else "the server's"
    remedy = f"set {behind} clock by NTP, or find out which is wrong: claims of races are kept by the clock"
    return Check("clock", seen, (Finding("clock", f"{seen}; {behind} is behind", remedy),))


def check_schema(platform: Platform, schema: PlatformSchema) -> Check:
    """Hold the live schema against the catalogue."""
    plan = look(platform, schema)
    findings = list(plan.differences)
    if plan.steps:
        findings.append(Finding("schema", f"{len(plan.steps)} steps are missing", "scripts/setup takes them"))
    if plan.being_made:
        waiting = Finding("schema", f"still being made: {', '.join(plan.being_made)}", "wait a minute, look again")
        findings.append(waiting)
    state = "is complete" if plan.is_complete else "is not complete"
    return Check("schema", f"database {schema.database_id}, {len(schema.tables)} tables: {state}", tuple(findings))
