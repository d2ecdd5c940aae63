"""Parameters of a call, read as strictly as the platform reads them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from raceday.simulator.appwrite.errors import invalid_param

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,35}")
_ID_RULE = "must be 1 to 36 of a-z, A-Z, 0-9, '.', '-' and '_', a letter or digit first"
GENERATED = "unique()"
LONGEST_ARRAY = 100
BULK_ROWS = 100
"""Rows in one bulk create or upsert of a self-hosted server."""


def checked_id(value: object, name: str) -> str:
    """Return an id of a path or body. Bulk rows' own ids are not checked by the platform at all."""
    if not isinstance(value, str) or (value != GENERATED and not _ID.fullmatch(value)):
        raise invalid_param(name, _ID_RULE)
    return value


def required(body: Mapping[str, object], name: str) -> object:
    """Return a parameter that must be there."""
    if body.get(name) is None:
        raise invalid_param(name, "must be given")
    return body[name]


def text(body: Mapping[str, object], name: str, default: str = "", longest: int = 128) -> str:
    """Return a text of at most `longest` characters."""
    value = body.get(name)
    if value is None:
        return default
    if not isinstance(value, str) or len(value) > longest:
        raise invalid_param(name, f"must be a text of at most {longest} characters")
    return value


def flag(body: Mapping[str, object], name: str, *, default: bool) -> bool:
    """Return true or false; the platform takes the words and 0 and 1 too."""
    value = body.get(name)
    if value is None:
        return default
    if value in (True, "true", "1"):
        return True
    if value in (False, "false", "0"):
        return False
    raise invalid_param(name, "must be true or false")


def whole(body: Mapping[str, object], name: str, default: int, lowest: int, highest: int) -> int:
    """Return a whole number within its range, which the refusal names."""
    value = body.get(name)
    if value is None:
        return default
    if isinstance(value, str) and re.fullmatch(r"-?\d+", value):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
        raise invalid_param(name, f"must be a whole number from {lowest} to {highest}")
    return value


def texts(body: Mapping[str, object], name: str, allowed: Collection[str] | None = None) -> list[str]:
    """Return an array of at most 100 texts, of `allowed` ones if there is such a list."""
    value = body.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > LONGEST_ARRAY or not all(isinstance(one, str) for one in value):
        raise invalid_param(name, f"must be a list of at most {LONGEST_ARRAY} texts")
    if allowed is not None and not set(value) <= set(allowed):
        raise invalid_param(name, f"each must be one of {', '.join(sorted(allowed))}")
    return [str(one) for one in value]


def rows(body: Mapping[str, object], name: str = "rows") -> list[dict[str, object]]:
    """Return the rows of a bulk call: at most 100 objects."""
    value = body.get(name)
    if not isinstance(value, list) or len(value) > BULK_ROWS or not all(isinstance(row, dict) for row in value):
        raise invalid_param(name, f"must be a list of at most {BULK_ROWS} objects")
    return [dict(row) for row in value]
