"""How good a poll is: a score out of named components, measured and stored, never asserted."""

from __future__ import annotations

from dataclasses import dataclass, fields

from raceday.domain.cadence import SOURCE_REFRESH_S

HOLD_SUM_TOLERANCE_PCT = 5.0
"""The feed's own rounding lets the holds of a race sum to 95–105 (seen: 93, 101, 104, 105)."""
STALE_AFTER_S = 2 * SOURCE_REFRESH_S


@dataclass(frozen=True, slots=True)
class QualityInputs:
    """What is measured of one poll."""

    live_runners: int
    runners_with_price: int
    hold_sum_pct: float | None
    hold_against_implied_pp: float | None
    """Mean distance between hold share and tote-implied share, in percentage points; None without both."""
    pools_present: int
    shrunk_pools: int
    payload_age_s: float
    duplicates: int
    """Runners, pools or tracker rows that the response repeated without meaning to."""
    tracker_expected: bool


@dataclass(frozen=True, slots=True)
class PollQuality:
    """The points of each component; together 100 for a perfect poll."""

    completeness: float
    hold_sum: float
    hold_against_implied: float
    monotone_pools: float
    payload_age: float
    duplicates: float

    @property
    def score(self) -> int:
        """The sum of the components, 0 to 100."""
        return round(sum(float(getattr(self, component)) for component in COMPONENTS))

    @property
    def losses(self) -> str:
        """The components that lost points, in words: `hold sum 12 of 20, payload age 0 of 15`."""
        lost = [
            (component.replace("_", " "), getattr(self, component), getattr(_POINTS, component))
            for component in COMPONENTS
            if getattr(self, component) < getattr(_POINTS, component)
        ]
        return ", ".join(f"{name} {points:.0f} of {full:.0f}" for name, points, full in lost)


COMPONENTS = tuple(field.name for field in fields(PollQuality))

_POINTS = PollQuality(
    completeness=35.0,
    hold_sum=20.0,
    hold_against_implied=10.0,
    monotone_pools=15.0,
    payload_age=15.0,
    duplicates=5.0,
)
EXPECTED_POOLS = 5
"""Win, Place, Quinella, Trifecta and FirstFour stand in every response of the NZ TAB feed."""
_WORST_DISTANCE_PP = 15.0


def poll_quality(measured: QualityInputs) -> PollQuality:
    """Return the points of one poll; see docs/quality.md for the meaning of each component."""
    return PollQuality(
        completeness=_POINTS.completeness * _completeness(measured),
        hold_sum=_POINTS.hold_sum * _hold_sum(measured),
        hold_against_implied=_POINTS.hold_against_implied * _agreement(measured.hold_against_implied_pp),
        monotone_pools=_POINTS.monotone_pools if measured.shrunk_pools == 0 else 0.0,
        payload_age=_POINTS.payload_age * _freshness(measured.payload_age_s),
        duplicates=_POINTS.duplicates if measured.duplicates == 0 else 0.0,
    )


def consistent(measured: QualityInputs) -> bool:
    """Whether the numbers of a poll agree with each other: holds sum to about 100 and no pool fell."""
    return _hold_sum(measured) == 1.0 and measured.shrunk_pools == 0


def _completeness(measured: QualityInputs) -> float:
    if measured.live_runners == 0:
        return 0.0
    priced = measured.runners_with_price / measured.live_runners
    pools = min(measured.pools_present, EXPECTED_POOLS) / EXPECTED_POOLS
    tracker = 1.0 if measured.hold_sum_pct is not None or not measured.tracker_expected else 0.0
    return (priced + pools + tracker) / 3


def _hold_sum(measured: QualityInputs) -> float:
    if measured.hold_sum_pct is None:
        return 0.0 if measured.tracker_expected else 1.0
    # A sum of exactly 105 is inside: a captured race sums to it, and floating point must not push it out.
    excess = abs(measured.hold_sum_pct - 100.0) - HOLD_SUM_TOLERANCE_PCT - 1e-9
    return 1.0 if excess <= 0 else max(0.0, 1.0 - excess / 20.0)


def _agreement(distance_pp: float | None) -> float:
    if distance_pp is None:
        return 1.0
    return max(0.0, 1.0 - distance_pp / _WORST_DISTANCE_PP)


def _freshness(age_s: float) -> float:
    if age_s <= STALE_AFTER_S:
        return 1.0
    return max(0.0, 1.0 - (age_s - STALE_AFTER_S) / 300.0)
