"""API keys: who may ask for what, and until when."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from raceday.simulator.appwrite.errors import refused
from raceday.simulator.chance import uuid_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from raceday.simulator.appwrite.errors import PlatformError

_RESOURCES = (
    "attributes", "avatars", "buckets", "collections", "columns", "databases", "documents", "execution", "executions",
    "files", "functions", "health", "indexes", "keys", "locale", "log", "messages", "platforms", "policies", "project",
    "providers", "rows", "sessions", "sites", "subscribers", "tables", "targets", "teams", "templates", "tokens",
    "topics", "users", "webhooks",
)  # fmt: skip
SCOPES = frozenset(f"{resource}.{verb}" for resource in _RESOURCES for verb in ("read", "write"))
"""Every scope a key may have."""


_FORGETS_EVERY = 500
_REMEMBERED = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key: its secret, the name it goes by in the log, its scopes and the instant it expires at, if any."""

    secret: str
    key_id: str
    scopes: frozenset[str]
    expires_at: datetime | None = None

    def check(self, wanted: Collection[str], project_id: str, now: datetime) -> None:
        """Raise the platform's refusal when the key has expired or holds none of the wanted scopes."""
        if self.expires_at is not None and now >= self.expires_at:
            raise refused("project_key_expired")
        if wanted and self.scopes.isdisjoint(wanted):
            raise missing_scopes(f"app.{project_id}@service.localhost", "applications", wanted)


def missing_scopes(who: str, role: str, wanted: Collection[str]) -> PlatformError:
    """Return the refusal of a caller whose scopes do not suffice."""
    listed = ",".join(f'"{scope}"' for scope in wanted)
    return refused("general_unauthorized_scope", who, role, f"[{listed}]")


class KeyRing:
    """All keys of a project."""

    def __init__(self) -> None:
        """Begin without keys."""
        self._by_secret: dict[str, ApiKey] = {}
        self._issued = 0

    def add(self, secret: str, scopes: Iterable[str] = SCOPES, key_id: str = "") -> ApiKey:
        """Add a standard key, which does not expire; without scopes named it may do everything."""
        key = ApiKey(secret, key_id or secret, frozenset(scopes))
        self._by_secret[secret] = key
        return key

    def issue(self, scopes: Iterable[str], now: datetime, lifetime: timedelta, key_id: str) -> ApiKey:
        """Issue an ephemeral key, as every execution of a function gets one."""
        self._issued += 1
        if self._issued % _FORGETS_EVERY == 0:
            self._forget_ended(now)
        key = ApiKey(f"ephemeral_{uuid_of(key_id, self._issued)}", key_id, frozenset(scopes), now + lifetime)
        self._by_secret[key.secret] = key
        return key

    def find(self, secret: str) -> ApiKey | None:
        """Return the key with this secret, if there is one."""
        return self._by_secret.get(secret)

    def lent_to(self, key_id: str) -> list[str]:
        """Return the secrets of the ephemeral keys that were issued under a name, ended ones too."""
        return [key.secret for key in self._by_secret.values() if key.key_id == key_id and key.expires_at is not None]

    def expire(self, secret: str, at: datetime) -> None:
        """Let a key end at an instant."""
        self._by_secret[secret] = replace(self._by_secret[secret], expires_at=at)

    def _forget_ended(self, now: datetime) -> None:
        """Drop keys that ended: a long day issues thousands."""
        self._by_secret = {
            secret: key
            for secret, key in self._by_secret.items()
            if key.expires_at is None or now - key.expires_at < _REMEMBERED
        }
