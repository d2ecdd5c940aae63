"""Whose a row is: what its owner is granted, and whether its `userId` may be believed."""

from __future__ import annotations

import re

import orjson

OWN_CONFIG = ("read", "update", "delete")
OWN_NOTIFICATION = ("read", "delete")
"""Not `update`: whoever could change whose it is would send it to somebody else, signed by us."""
OWN_CHANNELS = ("read",)
_PLATFORM_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,35}")


def owner_permissions(user_id: str, actions: tuple[str, ...]) -> str:
    """Return the permissions (JSON) of a row that belongs to a user; none when the platform can have no such user.

    A row without permissions is for API keys alone.
    """
    granted = [_grant(action, user_id) for action in actions] if _PLATFORM_ID.fullmatch(user_id) else []
    return orjson.dumps(granted).decode()


def belongs_to(user_id: str, permissions: object) -> bool:
    """Whether a row with these permissions (JSON) may be taken for one of the user whom its `userId` names.

    The platform lets nobody but API keys grant something to somebody else. So a row of a user of the platform must be
    readable by that user: one that names nobody could have been another user's before. A row whose `userId` can be no
    user of the platform must name nobody.
    """
    granted = _granted(permissions)
    if granted is None:
        return False
    return _grant("read", user_id) in granted if _PLATFORM_ID.fullmatch(user_id) else not granted


def _grant(action: str, user_id: str) -> str:
    return f'{action}("user:{user_id}")'


def _granted(permissions: object) -> list[object] | None:
    """Return what is granted; None when that cannot be read."""
    if permissions is None or permissions == "":
        return []
    try:
        granted = orjson.loads(permissions) if isinstance(permissions, str) else None
    except ValueError:
        return None
    return granted if isinstance(granted, list) else None
