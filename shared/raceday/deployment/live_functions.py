"""The functions that a platform has, in our words: settings, variables and which code is active."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from appwrite.query import Query  # type: ignore[import-untyped]

from raceday.deployment.sdk import Platform

PAGE = 100
UNMANAGED = {
    "buildSpecification": "build_specification",
    "deploymentRetention": "deployment_retention",
    "installationId": "installation_id",
    "providerRepositoryId": "provider_repository_id",
    "providerBranch": "provider_branch",
    "providerSilentMode": "provider_silent_mode",
    "providerRootDirectory": "provider_root_directory",
    "providerBranches": "provider_branches",
    "providerPaths": "provider_paths",
}
"""What people may set in the console and appwrite.json does not say; an update without it would reset it."""


@dataclass(frozen=True, slots=True)
class LiveVariable:
    """A variable of a function; `value` is None when it is secret: the platform never shows it again."""

    variable_id: str
    key: str
    value: str | None = field(repr=False)

    @property
    def is_secret(self) -> bool:
        """Return whether nobody but the function can read it."""
        return self.value is None


@dataclass(frozen=True, slots=True)
class LiveFunction:
    """A function as the platform has it.

    `settings` are the API's names and values. `active_id` and `latest_id` are deployments, empty when there is none;
    `is_current` is false when settings or variables changed since the active one was built.
    """

    function_id: str
    settings: Mapping[str, Any]
    variables: Mapping[str, LiveVariable]
    active_id: str
    active_since: datetime | None
    latest_id: str
    latest_status: str
    is_current: bool

    @property
    def schedule(self) -> str:
        """Return its five cron fields, empty without a schedule."""
        return str(self.settings["schedule"])


def live_functions(platform: Platform) -> dict[str, LiveFunction]:
    """Return every function of the project by its id. Raises the errors of the connection."""
    ids: list[str] = []
    while True:
        page = platform.client.read("/functions", Query.limit(PAGE), Query.offset(len(ids)))["functions"]
        ids += [function["$id"] for function in page]
        if len(page) < PAGE:
            break
    # Each by itself: a list need not show a function's variables.
    return {function_id: live_function(platform.client.read(f"/functions/{function_id}")) for function_id in ids}


def live_function(shown: Mapping[str, Any]) -> LiveFunction:
    """Return a function from the API's JSON."""
    created_at = shown["deploymentCreatedAt"]
    return LiveFunction(
        function_id=shown["$id"],
        settings=shown,
        variables={
            variable["key"]: LiveVariable(
                variable["$id"], variable["key"], None if variable["secret"] else variable["value"]
            )
            for variable in shown["vars"]
        },
        active_id=shown["deploymentId"],
        active_since=datetime.fromisoformat(created_at).astimezone(UTC) if created_at else None,
        latest_id=shown["latestDeploymentId"],
        latest_status=shown["latestDeploymentStatus"],
        is_current=shown["live"],
    )
