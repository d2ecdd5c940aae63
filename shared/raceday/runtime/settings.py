"""Configuration, from environment variables alone; the README's table is checked against `VARIABLES`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError

from raceday.domain.cadence import POLICIES, CadencePolicy
from raceday.domain.meeting import AU_NZ, MeetingFilter, RaceCode, parse_code
from raceday.domain.money_flow import Estimator
from raceday.errors import ConfigError
from raceday.jobs.dispatch import Dispatch

CHANNELS = frozenset({"webhook", "push"})


def _codes(text: object) -> object:
    if not isinstance(text, str):
        return text
    codes = [(part, parse_code(part)) for part in text.split(",") if part.strip()]
    unknown = [part for part, code in codes if code is None]
    if unknown or not codes:
        raise ValueError(f"knows no code {', '.join(unknown) or 'at all'}: give T, H, G, separated by commas")
    return frozenset(code for _, code in codes)


def _countries(text: object) -> object:
    if not isinstance(text, str):
        return text
    if text.strip().lower() == "all":
        return None
    countries = frozenset(part.strip().upper() for part in text.split(",") if part.strip())
    if not countries:
        raise ValueError("names no country: give codes such as AUS,NZ separated by commas, or all")
    return countries


def _cadence(text: object) -> object:
    if text not in POLICIES:
        raise ValueError(f"knows no cadence {text!r}: choose one of {', '.join(POLICIES)}")
    return text


def _channels(text: object) -> object:
    if not isinstance(text, str):
        return text
    channels = frozenset(part.strip().lower() for part in text.split(",") if part.strip())
    unknown = sorted(channels - CHANNELS)
    if unknown:
        raise ValueError(f"knows no channel {', '.join(unknown)}: give webhook, push, or both separated by a comma")
    return channels


class Settings(BaseModel):
    """Everything that can be configured. Each field's alias is its variable, its description says what it does."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    feed_base_url: str = Field(
        "https://api.tab.co.nz/affiliates/v1",
        alias="NZTAB_BASE_URL",
        pattern=r"^https?://",
        description="where the feed is",
    )
    feed_from: str = Field("", alias="NZTAB_FROM", description="contact e-mail address, sent as From")
    feed_partner: str = Field("", alias="NZTAB_PARTNER", description="partner name, sent as X-Partner")
    feed_partner_id: SecretStr = Field(
        SecretStr(""), alias="NZTAB_PARTNER_ID", description="partner id, sent as X-Partner-ID; never logged"
    )
    feed_requests_per_s: float = Field(
        10.0, alias="RACEDAY_FEED_REQUESTS_PER_S", gt=0, le=100, description="requests a second, all callers together"
    )
    feed_parallel: int = Field(
        10, alias="RACEDAY_FEED_PARALLEL", ge=1, le=100, description="requests under way at once, over all callers"
    )
    feed_burst: int = Field(
        10, alias="RACEDAY_FEED_BURST", ge=1, le=100, description="requests that may follow each other at once"
    )
    cadence: Annotated[str, BeforeValidator(_cadence)] = Field(
        "enhanced", alias="RACEDAY_CADENCE", description="enhanced, classic or high-frequency"
    )
    dispatch: Dispatch = Field(
        Dispatch.ENHANCED, alias="RACEDAY_DISPATCH", description="who polls: enhanced or single-or-batch"
    )
    ticks: int = Field(4, alias="RACEDAY_TICKS", ge=1, le=4, description="looks at the races per scheduler run")
    concurrency: int = Field(
        5, alias="RACEDAY_CONCURRENCY", ge=1, le=50, description="races fetched at once by one poller"
    )
    codes: Annotated[frozenset[RaceCode], BeforeValidator(_codes)] = Field(
        frozenset({RaceCode.THOROUGHBRED, RaceCode.HARNESS}),
        alias="RACEDAY_CODES",
        description="codes followed: T thoroughbred, H harness, G greyhound",
    )
    countries: Annotated[frozenset[str] | None, BeforeValidator(_countries)] = Field(
        AU_NZ, alias="RACEDAY_COUNTRIES", description="country codes followed, or all"
    )
    entrants_per_run: int = Field(
        20, alias="RACEDAY_ENTRANTS_PER_RUN", ge=1, le=200, description="races per daily-entrants run"
    )
    politeness_s: float = Field(
        1.0, alias="RACEDAY_POLITENESS_S", ge=0, le=60, description="seconds between the daily imports' calls"
    )
    estimator: Estimator = Field(
        Estimator.HOLD, alias="RACEDAY_ESTIMATOR", description="runner's share of the money: hold or tote-implied"
    )
    alert_move_pct: float = Field(
        5.0,
        alias="RACEDAY_ALERT_MOVE_PCT",
        gt=0,
        le=100,
        description="move that raises a row event: percent of the win price, or points of the money",
    )
    long_stop_h: float = Field(
        12.0, alias="RACEDAY_LONG_STOP_H", ge=1, le=48, description="hours after its start when a race is given up"
    )
    alert_default_user: str = Field(
        "Default User",
        alias="RACEDAY_ALERT_DEFAULT_USER",
        max_length=50,
        description="user who has the six default ranges without any row; - for nobody",
    )
    alert_cooldown_s: int = Field(
        300,
        alias="RACEDAY_ALERT_COOLDOWN_S",
        ge=0,
        le=86400,
        description="seconds between two notifications of one configuration about one runner",
    )
    alert_channels: Annotated[frozenset[str], BeforeValidator(_channels)] = Field(
        frozenset(), alias="RACEDAY_ALERT_CHANNELS", description="what may go out beside the row: webhook, push"
    )
    webhook_private: bool = Field(
        False, alias="RACEDAY_WEBHOOK_PRIVATE", description="let webhooks go to private and loopback addresses"
    )
    sweep_minutes: int = Field(
        5, alias="RACEDAY_SWEEP_MINUTES", ge=0, le=60, description="minutes between sweeps for lost events; 0 for none"
    )
    quality_threshold: int = Field(
        75, alias="RACEDAY_QUALITY_THRESHOLD", ge=0, le=100, description="a poll that scores less is marked degraded"
    )
    retention_days: int = Field(
        30, alias="RACEDAY_RETENTION_DAYS", ge=1, le=3650, description="days that history and logs are kept"
    )
    icon_folder: str = Field(
        "", alias="RACEDAY_ICON_FOLDER", description="folder of the silks' icons (default: icons beside RACEDAY_DB)"
    )
    silk_hosts: str = Field(
        "cdn.prod.pricekinetics.com,*.silks.betmakers.com",
        alias="RACEDAY_SILK_HOSTS",
        description="hosts that silk pictures may come from; *. stands for any labels",
    )
    database: str = Field("", alias="RACEDAY_DB", description="SQLite file of the embedded store")
    appwrite_endpoint: str = Field(
        "",
        alias="APPWRITE_ENDPOINT",
        pattern=r"^(https?://.+)?$",
        description="API of the Appwrite project, `https://host/v1` (default in a function: the platform's own)",
    )
    appwrite_project: str = Field(
        "", alias="APPWRITE_PROJECT_ID", description="the Appwrite project (default in a function: its own)"
    )
    appwrite_key: SecretStr = Field(
        SecretStr(""),
        alias="APPWRITE_API_KEY",
        description="key for the Appwrite project outside a function; never logged",
    )
    public_endpoint: str = Field(
        "",
        alias="RACEDAY_PUBLIC_ENDPOINT",
        pattern=r"^(https?://.+)?$",
        description="API of the Appwrite project as browsers reach it, for the icons' URLs (default: as functions do)",
    )
    log_level: str = Field(
        "INFO",
        alias="RACEDAY_LOG_LEVEL",
        pattern="^(DEBUG|INFO|WARNING|ERROR)$",
        description="lines from this level on",
    )

    @property
    def policy(self) -> CadencePolicy:
        """The cadence that was chosen."""
        return POLICIES[self.cadence]

    @property
    def follow(self) -> MeetingFilter:
        """The meetings that are followed."""
        return MeetingFilter(self.countries, self.codes)

    def secrets(self) -> list[str]:
        """Return the values that must never be written anywhere."""
        kept = (self.feed_partner_id, self.appwrite_key)
        return [secret.get_secret_value() for secret in kept if secret.get_secret_value()]


VARIABLES = tuple(str(field.alias) for field in Settings.model_fields.values())


def load_settings(environment: Mapping[str, str]) -> Settings:
    """Read the settings; an empty variable counts as not set.

    Raises `ConfigError` that lists every variable that is wrong, and why.
    """
    return _checked(tuple((name, environment[name].strip()) for name in VARIABLES if environment.get(name, "").strip()))


@lru_cache(maxsize=8)
def _checked(given: tuple[tuple[str, str], ...]) -> Settings:
    """Return the settings of these variables; a process runs many times with the same."""
    try:
        return Settings.model_validate(dict(given))
    except ValidationError as error:
        problems = [f"{problem['loc'][0]}: {_reason(problem['msg'])}" for problem in error.errors(include_input=False)]
        raise ConfigError("these environment variables cannot be used: " + "; ".join(problems)) from None


def _reason(message: str) -> str:
    return message.removeprefix("Value error, ")
