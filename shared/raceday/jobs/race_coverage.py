"""The coverage of stored races: what status, the demo and the health endpoint show."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from raceday.domain.coverage import FollowedRace, RaceCoverage, coverage_of

if TYPE_CHECKING:
    from raceday.store.ports import RaceStore


async def coverages_of(store: RaceStore, races: Sequence[FollowedRace], at: datetime) -> list[RaceCoverage]:
    """Return the coverage of each race at an instant, in the order given; one query for all."""
    buckets = await store.buckets_present([race.race_id for race in races])
    return [coverage_of(race, buckets.get(race.race_id, frozenset()), at) for race in races]


async def race_coverages(
    store: RaceStore, starts_from: datetime, starts_before: datetime, at: datetime
) -> list[RaceCoverage]:
    """Return the coverage at an instant of the races that start in a span, by start."""
    return await coverages_of(store, await store.followed_races(starts_from, starts_before), at)
