"""What is live, held against what is wanted: the last word of a deployment, and a part of every check-up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from raceday.deployment.function_settings import Difference, differences
from raceday.deployment.live_functions import LiveFunction
from raceday.deployment.variables import shown_value, variables_of
from raceday.host.manifest import FunctionManifest


def live_differences(
    wanted: Iterable[FunctionManifest], live: Mapping[str, LiveFunction], variables: Mapping[str, str]
) -> list[Difference]:
    """Return everything in which the live functions are not as appwrite.json and the variables want them.

    Of a secret only its presence can be seen.
    """
    found = []
    for function in wanted:
        function_id = function.function_id
        seen = live.get(function_id)
        if seen is None:
            found.append(Difference(function_id, "function", "live", "missing"))
            continue
        found += differences(function, seen)
        found += variable_differences(seen, variables)
        if not seen.active_id:
            found.append(Difference(function_id, "code", "active", "not active"))
    return found


def variable_differences(function: LiveFunction, variables: Mapping[str, str]) -> list[Difference]:
    """Return where a live function has not the variables that it should have of these."""
    found = []
    for name, value in variables_of(function.function_id, variables).items():
        known = function.variables.get(name)
        if known is None:
            found.append(Difference(function.function_id, name, shown_value(name, value), "not set"))
        elif known.value is not None and known.value != value:
            live = shown_value(name, known.value)
            found.append(Difference(function.function_id, name, shown_value(name, value), live))
    return found
