"""Reads the server's settings from the environment and a `.env` file, and says all that is wrong with them at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dotenv import dotenv_values
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from raceday.errors import ConfigError
from raceday.server.settings import IDENTIFICATION, FeedChoice, ServerSettings

OTHER_NAMES: Mapping[str, str] = {"LOG_LEVEL": "RACEDAY_LOG_LEVEL", "NZTAB_API_URL": "NZTAB_BASE_URL"}
"""Names of other systems of this kind, understood where our own is not set."""
ELSEWHERE = frozenset(
    {
        "APPWRITE_API_KEY",
        "APPWRITE_ENDPOINT",
        "APPWRITE_PROJECT_ID",
        "RACEDAY_CONCURRENCY",
        "RACEDAY_DB",
        "RACEDAY_DISPATCH",
        "RACEDAY_ENTRANTS_PER_RUN",
        "RACEDAY_PUBLIC_ENDPOINT",
        "RACEDAY_TICKS",
    }
)
"""Variables of the functions that mean nothing to the server."""
SERVER_VARIABLES = tuple(
    str(field.alias) for field in ServerSettings.model_fields.values() if field.alias not in ELSEWHERE
)
DOTENV = ".env"
_EXAMPLES = {
    "NZTAB_FROM": "you@example.com",
    "NZTAB_PARTNER": "Your Company",
    "NZTAB_PARTNER_ID": "the-id-that-the-feed-gave-you",
    "RACEDAY_ALERT_CHANNELS": "webhook",
    "RACEDAY_CODES": "T,H",
    "RACEDAY_COUNTRIES": "AUS,NZ",
    "RACEDAY_ICON_FOLDER": "/var/lib/raceday/icons",
}


@dataclass(frozen=True, slots=True)
class _Given:
    """One variable as it was found, and where."""

    value: str
    place: str


def load_server_settings(environment: Mapping[str, str], folder: Path) -> ServerSettings:
    """Return the settings of the environment, and for what it leaves open those of `folder`'s `.env` file.

    An empty variable counts as not set. Raises `ConfigError` with one line for each variable that is missing or
    wrong: why, where it was looked for, and an example.
    """
    dotenv = folder / DOTENV
    given = _found(environment, dotenv)
    try:
        settings = ServerSettings.model_validate({name: found.value for name, found in given.items()})
    except ValidationError as error:
        problems = [_problem(detail, given) for detail in error.errors(include_input=False, include_url=False)]
        raise _refused(problems + _missing_credentials(given, dotenv)) from None
    problems = _missing_credentials(given, dotenv)
    if problems:
        raise _refused(problems)
    return settings


def example_of(name: str) -> str:
    """Return a value that a variable may have."""
    if name in _EXAMPLES:
        return _EXAMPLES[name]
    field = next(field for field in ServerSettings.model_fields.values() if field.alias == name)
    return str(field.examples[0]) if field.examples else default_text(name)


def default_text(name: str) -> str:
    """Return a variable's default as it would be written into a file."""
    field = next(field for field in ServerSettings.model_fields.values() if field.alias == name)
    match field.default:
        case None:
            return ""
        case bool(flag):
            return str(flag).lower()
        case tuple(listed) | frozenset(listed):
            return ",".join(sorted(str(getattr(part, "value", part)) for part in listed))
        case str(text) | float(text) | int(text):
            return f"{text:g}" if isinstance(text, float) else str(getattr(text, "value", text))
        case secret if hasattr(secret, "get_secret_value"):
            return str(secret.get_secret_value())
        case other:
            return str(other)


def _found(environment: Mapping[str, str], dotenv: Path) -> dict[str, _Given]:
    """Return the variables that are set, the environment's before the file's, our own names before others'."""
    in_file = {name: value or "" for name, value in dotenv_values(dotenv).items()} if dotenv.is_file() else {}
    sources = [(environment, "the environment"), (in_file, str(dotenv))]
    found: dict[str, _Given] = {}
    names = [(name, name) for name in SERVER_VARIABLES] + [(other, ours) for other, ours in OTHER_NAMES.items()]
    for name, ours in names:
        for source, place in sources:
            value = source.get(name, "").strip()
            if value and ours not in found:
                found[ours] = _Given(value, place if name == ours else f"{place}, as {name}")
    level = found.get("RACEDAY_LOG_LEVEL")
    if level is not None:
        found["RACEDAY_LOG_LEVEL"] = _Given(level.value.upper(), level.place)
    return found


def _problem(detail: ErrorDetails, given: Mapping[str, _Given]) -> str:
    reason = detail["msg"].removeprefix("Value error, ")
    if not detail["loc"]:
        return f"{reason} (found in the environment or {DOTENV}; example: RACEDAY_POOL_MIN=2 RACEDAY_POOL_MAX=10)"
    name = str(detail["loc"][0])
    place = given[name].place if name in given else "nowhere"
    return f"{name}: {reason} (found in {place}; example: {name}={example_of(name)})"


def _missing_credentials(given: Mapping[str, _Given], dotenv: Path) -> list[str]:
    """Return a line for each credential that the real feed lacks; some without the others are a mistake as well."""
    names = IDENTIFICATION
    lacking = [name for name in names if name not in given]
    choice = given["RACEDAY_FEED"].value if "RACEDAY_FEED" in given else ""
    if choice == FeedChoice.SIMULATOR or not lacking or (not choice and len(lacking) == len(names)):
        return []
    why = "RACEDAY_FEED is nztab" if choice else f"{', '.join(name for name in names if name in given)} is set"
    there = "" if dotenv.is_file() else ", which does not exist"
    return [
        f"{name}: is missing, and {why} (looked for in the environment and {dotenv}{there}; "
        f"example: {name}={example_of(name)})"
        for name in lacking
    ]


def _refused(problems: list[str]) -> ConfigError:
    return ConfigError("these variables have to be put right:\n  " + "\n  ".join(problems))
