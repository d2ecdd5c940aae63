"""Where the platform is and who asks: from options, else from the environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from raceday.errors import ConfigError

ENDPOINT, PROJECT, KEY = "APPWRITE_ENDPOINT", "APPWRITE_PROJECT_ID", "APPWRITE_API_KEY"
API_PATH = "/v1"


@dataclass(frozen=True, slots=True)
class Credentials:
    """The REST address of a platform (ending in /v1), the project, and an API key that is never shown."""

    endpoint: str
    project_id: str
    key: str = field(repr=False)


def credentials(
    environment: Mapping[str, str], endpoint: str = "", project_id: str = "", key_file: Path | None = None
) -> Credentials:
    """Return the credentials; an option goes before its variable.

    Raises ConfigError that names everything missing at once.
    """
    endpoint = (endpoint or environment.get(ENDPOINT, "")).strip().rstrip("/")
    project_id = (project_id or environment.get(PROJECT, "")).strip()
    key = _key_of(key_file) if key_file is not None else environment.get(KEY, "").strip()
    missing = [
        f"{option} or {variable}"
        for given, option, variable in ((endpoint, "--endpoint", ENDPOINT), (project_id, "--project", PROJECT),
                                        (key, "--key-file", KEY))
        if not given
    ]  # fmt: skip
    if missing:
        raise ConfigError(f"to reach the platform, give {', '.join(missing)}")
    _check_endpoint(endpoint)
    return Credentials(endpoint, project_id, key)


def _key_of(file: Path) -> str:
    try:
        key = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"--key-file {file} cannot be read: {error}") from None
    if not key or len(key.split()) > 1:
        raise ConfigError(f"--key-file {file} must hold one API key and nothing else")
    return key


def _check_endpoint(endpoint: str) -> None:
    parts = urlsplit(endpoint)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise ConfigError(f"the endpoint {endpoint} is no web address: write it as https://appwrite.example.org/v1")
    if not parts.path.endswith(API_PATH):
        raise ConfigError(f"the endpoint {endpoint} names no version of the API: did you mean {endpoint}{API_PATH}?")
