"""Reads the server's settings from the environment and a `.env` file, and says all that is wrong with them at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from dotenv import dotenv_values
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from raceday.errors import ConfigError
from raceday.server.operations.archive_settings import ENDPOINT_VARIABLE, URL_VARIABLE
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
OTHER_PARTS = frozenset({URL_VARIABLE, ENDPOINT_VARIABLE, "RACEDAY_CORPUS", "RACEDAY_EXCHANGES", "RACEDAY_PYTHON"})
"""Variables of the archive, the tests and the scripts, which may stand in the same file."""
DOTENV = ".env"
_OURS = "RACEDAY_"
_COMPARED = {"RACEDAY_POOL_MIN": "RACEDAY_POOL_MAX"}
"""Variables that may be wrong for what another one says: then both are shown."""
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

    An empty variable counts as not set. Raises `ConfigError` with one line for each variable that is missing, wrong,
    or in the file and known to nobody: why, where it was found or looked for, and an example.
    """
    dotenv = folder / DOTENV
    in_file = _in_file(dotenv)
    given = _found(environment, in_file, dotenv)
    others = _missing_credentials(given, dotenv) + _unknown(in_file, dotenv)
    try:
        settings = ServerSettings.model_validate({name: found.value for name, found in given.items()})
    except ValidationError as error:
        problems = [_problem(detail, given) for detail in error.errors(include_input=False, include_url=False)]
        raise _refused(problems + others) from None
    if others:
        raise _refused(others)
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


def _in_file(dotenv: Path) -> dict[str, str]:
    return {name: value or "" for name, value in dotenv_values(dotenv).items()} if dotenv.is_file() else {}


def _found(environment: Mapping[str, str], in_file: Mapping[str, str], dotenv: Path) -> dict[str, _Given]:
    """Return the variables that are set, the environment's before the file's, our own names before others'."""
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
    where = str(detail["loc"][0])
    # A default that another variable makes wrong is told by its field's name, everything else by its alias.
    name = str(ServerSettings.model_fields[where].alias) if where in ServerSettings.model_fields else where
    other = _COMPARED.get(name)
    compared = [other] if other is not None and other in reason else []
    places = [_place(name, given), *(f"{other} {_place(other, given)}" for other in compared)]
    examples = [f"{shown}={example_of(shown)}" for shown in (name, *compared)]
    return f"{name}: {reason} ({', '.join(places)}; example: {' '.join(examples)})"


def _place(name: str, given: Mapping[str, _Given]) -> str:
    return f"found in {given[name].place}" if name in given else "not set: its default"


def _unknown(in_file: Mapping[str, str], dotenv: Path) -> list[str]:
    """Return a line for each variable of the file that has our name and that nobody reads: it was misspelt.

    The environment is not looked through: there, what others put into it is none of the server's business.
    """
    ours = [*SERVER_VARIABLES, *ELSEWHERE, *OTHER_PARTS]
    known = sorted(name.removeprefix(_OURS) for name in ours if name.startswith(_OURS))
    written = sorted(name.removeprefix(_OURS) for name in in_file if name.startswith(_OURS) and in_file[name].strip())
    lines = []
    for name in (name for name in written if name not in known):
        near = get_close_matches(name, known, n=1, cutoff=0.75)
        hint = f"is {_OURS}{near[0]} meant?" if near else f"{DOTENV}.example has those there are"
        lines.append(f"{_OURS}{name}: is unknown: {hint} (found in {dotenv})")
    return lines


def _missing_credentials(given: Mapping[str, _Given], dotenv: Path) -> list[str]:
    """Return a line for each credential that the real feed lacks; some without the others are a mistake as well."""
    names = IDENTIFICATION
    lacking = [name for name in names if name not in given]
    feed = given["RACEDAY_FEED"].value if "RACEDAY_FEED" in given else ""
    choice = feed if feed in list(FeedChoice) else ""
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
