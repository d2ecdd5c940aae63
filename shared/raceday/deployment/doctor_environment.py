"""What can be checked without the platform: the variables set here, and whether the feed answers to them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import date, datetime
from difflib import get_close_matches

from raceday.clock import SystemClock
from raceday.deployment.findings import Check, Finding
from raceday.deployment.variables import DEPLOYED, OUR_PREFIXES
from raceday.domain.racing_day import racing_date
from raceday.errors import ConfigError, FeedContractError, FeedError, FeedThrottled
from raceday.nztab.client import NzTabClient
from raceday.nztab.settings import FeedSettings
from raceday.runtime.settings import VARIABLES, load_settings

KNOWN = (*VARIABLES, "RACEDAY_CORPUS", "RACEDAY_EXCHANGES", "RACEDAY_PYTHON")
"""Every variable that means something on a machine: two are of the scripts and the tests alone."""
CLOSE = 0.8
"""How much of two names is alike when one may be meant for the other; our prefix alone makes up half."""
COUNTRY = "NZ"
"""The one call that the feed is asked: the day's card of its own country, the shortest list that it has."""


def check_environment(environment: Mapping[str, str]) -> Check:
    """Check the variables of this machine, which are those that a deployment would set."""
    given = [name for name in DEPLOYED if environment.get(name, "").strip()]
    findings = []
    try:
        _feed_settings(environment)
    except ConfigError as error:
        findings.append(Finding("environment", str(error), "correct them where they are set, or unset them"))
    findings += [
        Finding(name, "is set here and no variable of RaceDay", _nearest(name), is_problem=False)
        for name in sorted(environment)
        if name.startswith(OUR_PREFIXES) and name not in KNOWN
    ]
    return Check(
        "environment",
        f"{len(given)} of RaceDay's variables are set here, which scripts/deploy would set there",
        tuple(findings),
    )


def _nearest(name: str) -> str:
    nearest = get_close_matches(name, KNOWN, n=1, cutoff=CLOSE)
    return f"did you mean {nearest[0]}?" if nearest else "unset it: the README lists them all"


def check_feed(environment: Mapping[str, str], now: datetime) -> Check:
    """Ask the feed once, as the functions would with the variables of this machine."""
    try:
        feed = _feed_settings(environment)
    except ConfigError:
        return Check("feed", "not asked: the environment has to be mended first")
    try:
        meetings = asyncio.run(_ask(feed, racing_date(now)))
    except FeedError as error:
        return Check("feed", f"{feed.base_url} gives no card", (Finding("feed", str(error), _remedy(error)),))
    seen = f"{feed.base_url} answers: {meetings} meetings in {COUNTRY} today"
    if feed.contact_email:
        return Check("feed", seen)
    remedy = "set it to a contact e-mail: the feed wants to know who asks"
    return Check("feed", seen, (Finding("feed", "NZTAB_FROM is not set here", remedy, is_problem=False),))


def _feed_settings(environment: Mapping[str, str]) -> FeedSettings:
    """Return how the functions would ask the feed; raises ConfigError for variables that cannot be used."""
    settings = load_settings(environment)
    return FeedSettings(
        base_url=settings.feed_base_url,
        contact_email=settings.feed_from or None,
        partner=settings.feed_partner or None,
        partner_id=settings.feed_partner_id.get_secret_value() or None,
    )


async def _ask(feed: FeedSettings, day: date) -> int:
    client = NzTabClient(feed, SystemClock())
    try:
        return len(await client.meetings(day, country=COUNTRY))
    finally:
        await client.aclose()


def _remedy(error: FeedError) -> str:
    if isinstance(error, FeedThrottled):
        return "wait, and lower RACEDAY_FEED_REQUESTS_PER_S if it happens again"
    if isinstance(error, FeedContractError):
        return "check NZTAB_BASE_URL: is it the address of the feed, up to and with /affiliates/v1?"
    return "check NZTAB_BASE_URL and whether this machine reaches it; if the feed refuses, NZTAB_PARTNER and _ID"
