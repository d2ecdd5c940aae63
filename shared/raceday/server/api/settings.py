"""What the API is told when it is made."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """How the API behaves; all of it has a usable default.

    `api_keys`: who calls must send one of them, as `X-API-Key` or as `Authorization: Bearer`; empty lets everybody in.
    `rate_limit`: requests that one key, or without keys one address, may make, as `600/minute`; empty for any number.
    `cors_origins`: the web pages that may call from a browser, `*` for all. `history_limit`: history rows of each kind
    that a runner brings when the caller does not say. `development`: every answer is checked against the document
    before it is sent, and `/api-docs` is there.
    """

    api_keys: tuple[str, ...] = ()
    rate_limit: str = ""
    cors_origins: tuple[str, ...] = ()
    history_limit: int = 50
    development: bool = False
