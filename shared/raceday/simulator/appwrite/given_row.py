"""A row as a client gives it: its values apart from the keys that begin with a dollar sign."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from raceday.simulator.appwrite import permissions
from raceday.simulator.appwrite.errors import refused
from raceday.simulator.appwrite.instants import instant_of, stamp
from raceday.simulator.appwrite.params import GENERATED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_READ_ONLY = frozenset({"$sequence", "$databaseId", "$tableId", "$collectionId", "$collection"})
"""What a client may send back and the platform drops."""
_OWN = frozenset({"$id", "$permissions", "$createdAt", "$updatedAt"})


@dataclass(frozen=True, slots=True)
class GivenRow:
    """One row of a request; dates are stamps, `permissions` None where none were given."""

    row_id: str
    values: dict[str, object]
    permissions: list[str] | None = None
    created_at: str | None = None
    updated_at: str | None = None


def given_row(raw: Mapping[str, object], new_id: Callable[[], str], row_id: object = None) -> GivenRow:
    """Read a row; `row_id` goes before the row's own $id, and without either it gets a new one."""
    named = row_id or raw.get("$id")
    allowed = raw.get("$permissions")
    return GivenRow(
        row_id=new_id() if named in (None, "", GENERATED) else str(named),
        values={key: value for key, value in raw.items() if key not in _OWN and key not in _READ_ONLY},
        permissions=None if allowed is None else permissions.permissions_of(allowed, permissions.ROW_ACTIONS),
        created_at=_date(raw, "$createdAt"),
        updated_at=_date(raw, "$updatedAt"),
    )


def _date(raw: Mapping[str, object], name: str) -> str | None:
    value = raw.get(name)
    if value is None:
        return None
    try:
        return stamp(instant_of(str(value)))
    except ValueError as error:
        raise refused("row_invalid_structure", f"{name} must be a date and time") from error
