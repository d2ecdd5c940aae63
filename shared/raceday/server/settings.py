"""The server's configuration: what the functions have too, and what only a process of its own needs."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from urllib.parse import unquote, urlsplit

import limits
from pydantic import BeforeValidator, Field, SecretStr, ValidationInfo, field_validator

from raceday.domain.cadence import POLICIES
from raceday.runtime.settings import Settings

SERVER_CLAIM_TTL_S = 10.0
"""A killed server's race is free for another one within this, and polled by it within one interval of 15 s."""
_POSTGRES = ("postgresql", "postgres")
IDENTIFICATION = ("NZTAB_FROM", "NZTAB_PARTNER", "NZTAB_PARTNER_ID")
"""What the real feed wants to know of whoever asks it."""
SHORTEST_API_KEY = 16
"""Characters: 64 bits even of a key written in hexadecimal digits."""
_ORIGIN = re.compile(r"https?://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?")
"""What a browser sends as Origin: no path, not even a slash at its end."""


class FeedChoice(StrEnum):
    """Where races come from."""

    SIMULATOR = "simulator"
    NZTAB = "nztab"


class Environment(StrEnum):
    """What the server is for; in production nothing is shown that only its developers need."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


def _listed(text: object) -> object:
    return tuple(part.strip() for part in text.split(",") if part.strip()) if isinstance(text, str) else text


Listed = Annotated[tuple[str, ...], BeforeValidator(_listed)]


class ServerSettings(Settings):
    """Everything that can be configured of the server. A field's alias is its variable; each has an example."""

    database_url: SecretStr = Field(
        SecretStr(""),
        alias="DATABASE_URL",
        description="PostgreSQL's connection string; empty: an embedded PostgreSQL of the server's own",
        examples=["postgresql://raceday:secret@127.0.0.1:5432/raceday"],
    )
    port: int = Field(7000, alias="PORT", ge=0, le=65535, description="port of the API; 0 for any free one")
    host: str = Field(
        "127.0.0.1", alias="RACEDAY_HOST", min_length=1, description="address of the API; 0.0.0.0 in a container"
    )
    environment: Environment = Field(
        Environment.DEVELOPMENT,
        alias="RACEDAY_ENV",
        description="development or production",
        examples=["production"],
    )
    feed: FeedChoice | None = Field(
        None,
        alias="RACEDAY_FEED",
        description="simulator or nztab; empty: nztab when the feed's three credentials are set, else simulator",
        examples=["nztab"],
    )
    folder: Path = Field(
        Path(".raceday"),
        alias="RACEDAY_FOLDER",
        description="folder of what the server keeps in files: the embedded PostgreSQL, the silks' icons",
    )
    cadence: str = Field(
        "high-frequency",
        alias="RACEDAY_CADENCE",
        description="enhanced, classic or high-frequency",
        examples=["high-frequency"],
    )
    feed_requests_per_s: float = Field(
        30.0, alias="RACEDAY_FEED_REQUESTS_PER_S", gt=0, le=1000, description="requests a second to the feed"
    )
    feed_parallel: int = Field(
        25, alias="RACEDAY_FEED_PARALLEL", ge=1, le=100, description="requests to the feed under way at once"
    )
    feed_burst: int = Field(
        50,
        alias="RACEDAY_FEED_BURST",
        ge=1,
        le=100,
        description="requests to the feed that may follow each other at once",
    )
    feed_timeout_s: float = Field(
        5.0,
        alias="RACEDAY_FEED_TIMEOUT_S",
        gt=0,
        lt=SERVER_CLAIM_TTL_S - 2,
        description="seconds that one try to ask the feed may take",
    )
    politeness_s: float = Field(
        0.1, alias="RACEDAY_POLITENESS_S", ge=0, le=60, description="seconds between the daily imports' calls"
    )
    poll_parallel: int = Field(
        25, alias="RACEDAY_POLL_PARALLEL", ge=1, le=200, description="races polled at once by this server"
    )
    pool_max: int = Field(10, alias="RACEDAY_POOL_MAX", ge=1, le=200, description="database connections at most")
    pool_min: int = Field(
        2, alias="RACEDAY_POOL_MIN", ge=1, le=200, description="database connections at least", validate_default=True
    )
    pool_idle_s: float = Field(
        30.0, alias="RACEDAY_POOL_IDLE_S", gt=0, description="seconds after which a spare connection is closed"
    )
    pool_wait_s: float = Field(
        2.0, alias="RACEDAY_POOL_WAIT_S", gt=0, le=60, description="seconds to wait for a connection at most"
    )
    api_keys: Listed = Field(
        (),
        alias="RACEDAY_API_KEYS",
        description="keys of the API, separated by commas; empty: open to everybody who reaches it",
        examples=["first-long-random-key,second-long-random-key"],
        repr=False,
    )
    rate_limit: str = Field(
        "600/minute",
        alias="RACEDAY_RATE_LIMIT",
        description="requests to the API by one key or address, such as 10/second; - for no limit",
    )
    cors_origins: Listed = Field(
        (),
        alias="RACEDAY_CORS_ORIGINS",
        description="web pages that may ask the API from a browser, separated by commas; * for all",
        examples=["https://racing.example.com"],
    )
    history_limit: int = Field(
        50, alias="RACEDAY_HISTORY_LIMIT", ge=1, le=500, description="history rows a runner that the API embeds"
    )

    icon_folder: str = Field(
        "", alias="RACEDAY_ICON_FOLDER", description="folder of the silks' icons; empty: icons in RACEDAY_FOLDER"
    )

    @field_validator("cadence")
    @classmethod
    def _is_cadence(cls, text: str) -> str:
        if text not in POLICIES:
            raise ValueError(f"knows no cadence {text!r}: choose one of {', '.join(POLICIES)}")
        return text

    @field_validator("database_url")
    @classmethod
    def _is_postgres(cls, url: SecretStr) -> SecretStr:
        """Refuse what is no address of a PostgreSQL; without repeating it, since it holds a password."""
        text = url.get_secret_value()
        if text and (urlsplit(text).scheme not in _POSTGRES or not urlsplit(text).path.strip("/")):
            raise ValueError("is no connection string of PostgreSQL that names a database")
        return url

    @field_validator("rate_limit")
    @classmethod
    def _is_limit(cls, text: str) -> str:
        if text == "-":
            return ""
        try:
            limits.parse_many(text)
        except ValueError:
            raise ValueError("is no limit: write a number, a slash, and second, minute, hour or day") from None
        return text

    @field_validator("pool_min")
    @classmethod
    def _pool_has_room(cls, pool_min: int, info: ValidationInfo) -> int:
        """Compare with the largest pool, which is validated before; a field's own check is told with all others."""
        pool_max = info.data.get("pool_max")
        if pool_max is not None and pool_min > pool_max:
            raise ValueError(f"is {pool_min}, more than RACEDAY_POOL_MAX ({pool_max})")
        return pool_min

    @field_validator("api_keys")
    @classmethod
    def _are_long(cls, keys: tuple[str, ...]) -> tuple[str, ...]:
        """Refuse keys that can be guessed; without repeating them."""
        short = [str(number) for number, key in enumerate(keys, start=1) if len(key) < SHORTEST_API_KEY]
        if short:
            raise ValueError(
                f"has fewer than {SHORTEST_API_KEY} characters in key {', '.join(short)} of {len(keys)}: "
                "make each one with `openssl rand -hex 24`"
            )
        return keys

    @field_validator("cors_origins")
    @classmethod
    def _are_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        wrong = [origin for origin in origins if origin != "*" and not _ORIGIN.fullmatch(origin)]
        if wrong:
            raise ValueError(f"knows no origin {', '.join(wrong)}: write * or http(s)://host[:port], without a path")
        return origins

    @property
    def chosen_feed(self) -> FeedChoice:
        """The feed that was chosen; nobody who gave all three credentials wants the simulator."""
        if self.feed is not None:
            return self.feed
        return FeedChoice.SIMULATOR if self.missing_credentials() else FeedChoice.NZTAB

    def missing_credentials(self) -> list[str]:
        """Return which of the real feed's three variables are not set."""
        given = (self.feed_from, self.feed_partner, self.feed_partner_id.get_secret_value())
        return [name for name, value in zip(IDENTIFICATION, given, strict=True) if not value]

    @property
    def icons(self) -> Path:
        """The folder of the silks' icons."""
        return Path(self.icon_folder) if self.icon_folder else self.folder / "icons"

    def secrets(self) -> list[str]:
        """Return the values that must never be written anywhere."""
        url = self.database_url.get_secret_value()
        password = urlsplit(url).password or "" if url else ""
        kept = [*super().secrets(), url, password, unquote(password), *self.api_keys]
        return sorted({secret for secret in kept if secret}, key=len, reverse=True)
