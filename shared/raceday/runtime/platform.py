"""The Appwrite project that a run works on: where it is, with which key."""

from __future__ import annotations

from collections.abc import Mapping

from raceday.errors import ConfigError
from raceday.runtime.request import RunRequest
from raceday.runtime.settings import Settings
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
