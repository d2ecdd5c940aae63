"""How completely a race was followed: the time buckets that it should have against those that it has.

The ladder is the client's timeline: 60, 55 … 5, 4, 3, 2, 1, 0 minutes to the start, 17 columns. A bucket is expected
as soon as its time is over. A gap is a gap, whatever its reason: a race that was imported late, or whose start was
brought forward over some buckets, lacks them in every client's timeline, so it lacks them here. A start that was put
back brings its buckets a second time and leaves no gap.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from raceday.domain.money_flow import bucket_of, minutes_to_start
from raceday.domain.status import RaceStatus

FIRST_BUCKET = 60
LADDER = tuple(dict.fromkeys(bucket_of(minutes) for minutes in range(FIRST_BUCKET, -1, -1)))
"""The buckets of a race that ran, first to last. Those after the start come on top, as many as the race takes."""


@dataclass(frozen=True, slots=True)
class FollowedRace:
    """A race as far as it matters how well it is followed; `closed` when its closing snapshot is stored."""

    race_id: str
    meeting_name: str
    race_number: int
    name: str
    advertised_start: datetime
    status: RaceStatus
    abandoned_at: datetime | None = None
    closed: bool = False

    @property
    def label(self) -> str:
        """What people call the race: `Ellerslie R3`."""
        return f"{self.meeting_name} R{self.race_number}".strip()


@dataclass(frozen=True, slots=True)
class RaceCoverage:
    """The buckets that a race should have by now, and those of them that are missing, first to last."""

    race: FollowedRace
    expected: tuple[int, ...]
    missing: tuple[int, ...]

    @property
    def present(self) -> int:
        """How many of the expected buckets are there."""
        return len(self.expected) - len(self.missing)

    @property
    def pct(self) -> float | None:
        """Present against expected in percent; None as long as nothing is expected."""
        return coverage_pct([self])


def coverage_of(race: FollowedRace, buckets: Collection[int], at: datetime) -> RaceCoverage:
    """Return the coverage of a race at an instant; `buckets` are those with a row of at least one live runner."""
    expected = expected_buckets(race, at)
    return RaceCoverage(race, expected, tuple(bucket for bucket in expected if bucket not in buckets))


def expected_buckets(race: FollowedRace, at: datetime) -> tuple[int, ...]:
    """Return the buckets whose time is over: by now, or by the abandonment of a race that was called off.

    A race that was abandoned before anyone looked (no `abandoned_at`) has none.
    """
    until = at
    if race.status is RaceStatus.ABANDONED:
        if race.abandoned_at is None:
            return ()
        until = min(at, race.abandoned_at)
    running = bucket_of(minutes_to_start(race.advertised_start, until))
    return tuple(bucket for bucket in LADDER if bucket > running)


def coverage_pct(coverages: Iterable[RaceCoverage]) -> float | None:
    """Return Σ present ÷ Σ expected of all races in percent, to one decimal; None when nothing is expected."""
    present, expected = 0, 0
    for coverage in coverages:
        present += coverage.present
        expected += len(coverage.expected)
    return round(100 * present / expected, 1) if expected else None


def worst_first(coverages: Iterable[RaceCoverage]) -> list[RaceCoverage]:
    """Order races by their coverage, the emptiest first, of equals the earlier start; those without any come last."""
    return sorted(
        coverages,
        key=lambda coverage: (
            101.0 if coverage.pct is None else coverage.pct,
            coverage.race.advertised_start,
            coverage.race.race_id,
        ),
    )
