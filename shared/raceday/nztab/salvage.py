"""From bytes to a model, losing only what cannot be used.

A good response is validated straight from its bytes, the cheapest way there is. Only when that fails is it parsed
into plain values first: every value that cannot be used is blanked, every list entry that cannot be used without
it is dropped, both are counted as drift, and the rest is validated again. So one bad runner costs one runner.
"""

from __future__ import annotations

from typing import TypeVar, cast

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, from_json

from raceday.errors import FeedContractError
from raceday.nztab.drift import DriftCounter

M = TypeVar("M", bound=BaseModel)
Location = tuple[int | str, ...]
Container = dict[int | str, object]
"""A JSON object or array; both are indexed alike here."""

_MOST_PASSES = 5
"""Blanking a value can uncover that its owner is useless without it, and so on outwards; nothing nests deeper."""

_OWNERS = {
    "runners": "runner",
    "entrants": "runner",
    "results": "placing",
    "dividends": "dividend",
    "substitutions": "substitution",
    "tote_pools": "pool",
    "meetings": "meeting",
    "races": "race",
}


def validated(model: type[M], body: bytes, drift: DriftCounter) -> M:
    """Return the response as a model, with drift counted.

    Raises FeedContractError, with the payload, when the bytes are not JSON or lack what everything hangs on.
    """
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        failure = error
    try:
        tree = from_json(body)
    except ValueError as error:
        raise FeedContractError(f"the feed did not answer with JSON: {error}", body) from error
    for _ in range(_MOST_PASSES):
        if not _repaired(tree, failure.errors(include_url=False, include_input=False), drift):
            break
        try:
            return model.model_validate(tree)
        except ValidationError as error:
            failure = error
    first = failure.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(step) for step in first["loc"]) or "the response"
    raise FeedContractError(f"the feed's answer cannot be understood: {where}: {first['msg']}", body)


def _repaired(tree: object, errors: list[ErrorDetails], drift: DriftCounter) -> bool:
    """Blank or drop what the errors point at; False when something indispensable stands outside any list."""
    useless: set[Location] = set()
    blanked: set[Location] = set()
    for error in errors:
        location = _existing(tree, error["loc"])
        found = _at(tree, location)
        if error["type"] == "missing" or found is None:
            entry = _list_entry(tree, location)
            if entry is None:
                return False
            useless.add(entry)
        elif location and location not in blanked:
            blanked.add(location)
            drift.count(f"{_name(location)} unusable")
    for location in sorted(blanked, key=len, reverse=True):
        _container(tree, location)[location[-1]] = None
    # From the back, so that the places of the entries still to be dropped stay what they were.
    for location in sorted(useless, key=_places, reverse=True):
        del _container(tree, location)[location[-1]]
        drift.count(f"{_name(location)} dropped")
    return bool(useless or blanked)


def _existing(tree: object, location: Location) -> Location:
    """Return the part of an error's location that exists: its tail may name a field that is missing, or a type."""
    node = tree
    for depth, step in enumerate(location):
        match node:
            case dict() if step in node:
                node = node[step]
            case list() if isinstance(step, int) and step < len(node):
                node = node[step]
            case _:
                return location[:depth]
    return location


def _at(tree: object, location: Location) -> object:
    node = tree
    for step in location:
        node = cast("Container", node)[step]
    return node


def _container(tree: object, location: Location) -> Container:
    """Return the list or object that holds the last step of an existing location."""
    return cast("Container", _at(tree, location[:-1]))


def _list_entry(tree: object, location: Location) -> Location | None:
    """Return the innermost list entry that a location lies in, or None."""
    for depth in range(len(location), 0, -1):
        if isinstance(_at(tree, location[: depth - 1]), list):
            return location[:depth]
    return None


def _places(location: Location) -> tuple[int, ...]:
    return tuple(step for step in location if isinstance(step, int))


def _name(location: Location) -> str:
    """Return a location as drift names it: `data.runners.3.odds.fixed_win` is `runner.odds.fixed_win`."""
    steps = [step for step in location if isinstance(step, str) and step != "data"]
    return ".".join(_OWNERS.get(step, step) for step in steps) or "response"
