"""What appwrite.json says of a function, as the API takes it, and where a platform differs from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from raceday.deployment.live_functions import UNMANAGED, LiveFunction
from raceday.host.manifest import FunctionManifest

BAKED_IN = frozenset({"runtime", "entrypoint", "commands", "buildSpecification", "runtimeSpecification"})
"""Settings that take effect with a new deployment only."""
_UNORDERED = frozenset({"execute", "events", "scopes"})
_SDK_NAMES = {"runtimeSpecification": "runtime_specification"}


@dataclass(frozen=True, slots=True)
class Difference:
    """One setting of a function that is not live as it is wanted."""

    function_id: str
    setting: str
    wanted: str
    live: str

    def __str__(self) -> str:
        return f"{self.setting} is {self.live or 'empty'}, wanted: {self.wanted or 'empty'}"


def wanted_settings(function: FunctionManifest) -> dict[str, Any]:
    """Return every setting that appwrite.json decides, by the API's names.

    The size of the machine that builds is the server's to choose: newer command lines do not send it.
    """
    size = function.runtime_specification or function.specification
    return {**function.api_settings(), "runtimeSpecification": size}


def differences(function: FunctionManifest, live: LiveFunction) -> list[Difference]:
    """Return where a live function is not as wanted; the order of events, scopes and roles does not matter."""
    return [
        Difference(function.function_id, name, _shown(name, value), _shown(name, live.settings.get(name)))
        for name, value in wanted_settings(function).items()
        if _comparable(name, live.settings.get(name)) != _comparable(name, value)
    ]


def sent_settings(function: FunctionManifest, live: LiveFunction | None) -> dict[str, Any]:
    """Return the SDK's arguments that create or update a function; what appwrite.json leaves open stays as it is."""
    sent = {_SDK_NAMES.get(name, name): value for name, value in wanted_settings(function).items()}
    if live is not None:
        sent |= {argument: live.settings[name] for name, argument in UNMANAGED.items() if live.settings.get(name)}
    return {"function_id": function.function_id, **sent}


def _comparable(name: str, value: object) -> object:
    return set(value) if name in _UNORDERED and isinstance(value, list) else value


def _shown(name: str, value: object) -> str:
    if isinstance(value, list):
        return ", ".join(sorted(value) if name in _UNORDERED else value)
    if isinstance(value, bool):
        return "on" if value else "off"
    return "" if value is None else str(value)
