"""Options that several commands take, checked with a word about what to give instead."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from raceday.clock import SystemClock
from raceday.domain.racing_day import racing_date
from raceday.errors import ConfigError


def chosen_date(text: str) -> date:
    """Return the date of `--date`, or today's in New Zealand; raises `ConfigError` for anything else."""
    if not text:
        return racing_date(SystemClock().now())
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"--date {text} is not a date: write it as YYYY-MM-DD") from None


def chosen_of(option: str, chosen: str, known: Collection[str]) -> str:
    """Return a choice that is known; raises `ConfigError` that lists the known ones."""
    if chosen not in known:
        raise ConfigError(f"{option} {chosen} is not known: choose one of {', '.join(known)}")
    return chosen
