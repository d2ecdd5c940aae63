"""Which environment variables go to which function, and what has to change on the platform for it.

They are variables of each function and not of the project: a project may hold other functions, which the feed's
partner id is none of the business of.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pydantic import SecretStr

from raceday.deployment.live_functions import LiveVariable
from raceday.errors import ConfigError
from raceday.runtime.functions import FUNCTIONS
from raceday.runtime.settings import Settings, load_settings

LONGEST_VALUE_BYTES = 5964
"""A longer value is taken and then breaks the server: encrypted, it does not fit (seen on Appwrite 1.9.6)."""
NOT_ON_A_PLATFORM = frozenset({"RACEDAY_DB", "RACEDAY_ICON_FOLDER"})
"""Paths of a machine. On a platform rows and icons are kept by the platform."""
WITHOUT_FEED = frozenset(function_id for function_id, spec in FUNCTIONS.items() if not spec.asks_feed)
"""Functions that never ask the feed: its address and our identification stay away from them."""
_FEED_PREFIX = "NZTAB_"
OUR_PREFIXES = ("RACEDAY_", _FEED_PREFIX)
_PLATFORM_PREFIX = "APPWRITE_"

SECRETS = frozenset(
    str(settings_field.alias) for settings_field in Settings.model_fields.values()
    if settings_field.annotation is SecretStr
)  # fmt: skip
DEPLOYED = tuple(
    name
    for name in (str(settings_field.alias) for settings_field in Settings.model_fields.values())
    if name not in NOT_ON_A_PLATFORM and not name.startswith(_PLATFORM_PREFIX)
)
"""The variables that a deployment sets, if they are set where it runs; what the platform sets is left to it."""


@dataclass(frozen=True, slots=True)
class VariableChange:
    """A variable to create (without `variable_id`) or to update on one function."""

    key: str
    value: str = field(repr=False)
    is_secret: bool
    variable_id: str = ""

    def __str__(self) -> str:
        done = "update" if self.variable_id else "create"
        if self.is_secret:
            return f"{done} {self.key} (secret{', cannot be compared' if self.variable_id else ''})"
        return f"{done} {self.key} = {shown_value(self.key, self.value)}"


@dataclass(frozen=True, slots=True)
class VariablePlan:
    """What to change, and what stays as it is on the platform.

    `kept` are variables that are not set here; `uncompared` are secrets that are set here and there, perhaps alike.
    """

    changes: tuple[VariableChange, ...]
    kept: tuple[str, ...]
    uncompared: tuple[str, ...] = ()


def shown_value(name: str, value: str) -> str:
    """Return a value as it may be printed: how we name ourselves to the feed stays between us and the feed."""
    return "…" if name in SECRETS or name.startswith(_FEED_PREFIX) else value


def secrets_in(environment: Mapping[str, str], *more: str) -> tuple[str, ...]:
    """Return the values of an environment that must not be shown, and any `more` that are known."""
    values = (*(environment.get(name, "").strip() for name in sorted(SECRETS)), *more)
    return tuple(value for value in values if value)


def hidden(text: str, secrets: Iterable[str]) -> str:
    """Return a text that the platform wrote without the values that must not be shown."""
    for secret in secrets:
        text = text.replace(secret, "…")
    return text


def deployable_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that are set here and mean something on a platform.

    Raises ConfigError that names those that cannot be used.
    """
    load_settings(environment)
    given = {name: environment[name].strip() for name in DEPLOYED if environment.get(name, "").strip()}
    too_long = [name for name, value in given.items() if len(value.encode()) > LONGEST_VALUE_BYTES]
    if too_long:
        raise ConfigError(f"the platform keeps at most {LONGEST_VALUE_BYTES} bytes: shorten {', '.join(too_long)}")
    return given


def variables_of(function_id: str, variables: Mapping[str, str]) -> dict[str, str]:
    """Return those of the variables that a function uses. All functions agree on everything but the feed."""
    if function_id not in WITHOUT_FEED:
        return dict(variables)
    return {name: value for name, value in variables.items() if not name.startswith(_FEED_PREFIX)}


def plan_variables(
    wanted: Mapping[str, str], live: Mapping[str, LiveVariable], *, writes_secrets: bool = False
) -> VariablePlan:
    """Return what to change on one function so that it has the wanted variables; nothing is ever deleted.

    A secret that is there is written again only with `writes_secrets`: nobody can see whether it is still the same.
    """
    changes, uncompared = [], []
    for name, value in wanted.items():
        known = live.get(name)
        if known is None:
            changes.append(VariableChange(name, value, name in SECRETS))
        elif known.is_secret and not writes_secrets:
            uncompared.append(name)
        elif known.value != value or name in SECRETS:
            # A secret cannot be made public again: the platform would refuse it.
            changes.append(VariableChange(name, value, name in SECRETS or known.is_secret, known.variable_id))
    return VariablePlan(tuple(changes), tuple(name for name in live if name not in wanted), tuple(uncompared))
