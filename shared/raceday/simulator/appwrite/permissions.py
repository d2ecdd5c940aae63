"""Permission strings of tables, rows, buckets and files, and what a caller without a key may read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from raceday.simulator.appwrite.errors import invalid_param

if TYPE_CHECKING:
    from collections.abc import Sequence

_ROLE = r"(any|guests|users(/(un)?verified)?|(user|team|member|label):[A-Za-z0-9._-]{1,36}(/[A-Za-z0-9._-]+)?)"
_PERMISSION = re.compile(rf'(read|create|update|delete|write)\("{_ROLE}"\)')
_WRITES = ("create", "update", "delete")
_LONGEST_LIST = 100
ROW_ACTIONS = ("read", "update", "delete")
TABLE_ACTIONS = ("read", *_WRITES)
_GUEST_ROLES = ("any", "guests")


def permissions_of(given: object, actions: Sequence[str], name: str = "permissions") -> list[str]:
    """Check permission strings and spell out `write`, keeping only the actions that the thing knows."""
    if not isinstance(given, list) or len(given) > _LONGEST_LIST:
        raise invalid_param(name, f"must be a list of at most {_LONGEST_LIST} permissions")
    spelt: dict[str, None] = {}
    for permission in given:
        read = _PERMISSION.fullmatch(permission) if isinstance(permission, str) else None
        if read is None:
            raise invalid_param(name, f"{permission} is no permission")
        for action in _WRITES if read[1] == "write" else (read[1],):
            if action in actions:
                spelt[f'{action}("{read[2]}")'] = None
    return list(spelt)


def guest_may_read(permissions: Sequence[object]) -> bool:
    """Return whether somebody without any key may read it."""
    return any(f'read("{role}")' in permissions for role in _GUEST_ROLES)
