"""The Appwrite project that a run works on: where it is, with which key, and what starts other functions there."""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from raceday.errors import ConfigError, ExecutionRefused, StoreUnavailable
from raceday.runtime.request import RunRequest
from raceday.runtime.settings import Settings
from raceday.store.appwrite.rest import AppwriteRest
from raceday.store.appwrite.settings import AppwriteSettings


def platform_settings(
    settings: Settings, request: RunRequest, environment: Mapping[str, str]
) -> AppwriteSettings | None:
    """Return where the platform is and with which key this run asks it; None when there is none.

    What an operator sets (`APPWRITE_ENDPOINT`, `APPWRITE_PROJECT_ID`) goes before what the platform tells its
    functions: a self-hosted one may name an address that its own containers cannot reach. The key is the one that the
    platform lends the run, which ends with it; outside the platform `APPWRITE_API_KEY`. Raises ConfigError that names
    what is missing. A run that keeps races in an SQLite file has no platform.
    """
    if settings.database:
        return None
    endpoint = settings.appwrite_endpoint or environment.get("APPWRITE_FUNCTION_API_ENDPOINT", "")
    project = settings.appwrite_project or environment.get("APPWRITE_FUNCTION_PROJECT_ID", "")
    key = request.api_key.get_secret_value() or settings.appwrite_key.get_secret_value()
    if not endpoint:
        return None
    if not project:
        raise ConfigError("APPWRITE_PROJECT_ID is not set: give the id of the Appwrite project at APPWRITE_ENDPOINT")
    if not key:
        raise ConfigError(
            "there is no key for Appwrite: give the function its scopes (appwrite.json), so that the platform lends "
            "its runs one, or set APPWRITE_API_KEY outside the platform"
        )
    return AppwriteSettings(endpoint, project, key)


class AppwriteExecutions:
    """Starts functions of the project; the run's key needs the scope `executions.write`."""

    def __init__(self, rest: AppwriteRest) -> None:
        self._rest = rest

    async def start(self, function_id: str, body: Mapping[str, object]) -> str:
        """Start a function and do not wait for it; return the execution's id.

        An answer that was lost is asked for again, which may start it twice: claims see to it that nothing is polled
        twice. Raises `ExecutionRefused`.
        """
        asked = {
            "async": True,
            "method": "POST",
            "path": "/",
            "headers": {"content-type": "application/json"},
            "body": orjson.dumps(body).decode(),
        }
        try:
            begun = await self._rest.call("POST", f"/functions/{function_id}/executions", body=asked)
        except StoreUnavailable as error:
            raise ExecutionRefused(f"{function_id} was not started: {error}") from error
        return str(begun["$id"])
