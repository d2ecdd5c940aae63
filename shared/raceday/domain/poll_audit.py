"""Whether races were polled as their cadence asked: double polls, late polls, lateness."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from raceday.domain.cadence import SPREAD_FROM_S, SPREAD_TOLERANCE_S

TOLERANCE_S = 0.5


@dataclass(frozen=True, slots=True)
class PollMark:
    """One poll that was made: when, when it was due, the interval in force; due and interval None for an import."""

    race_id: str
    polled_at: datetime
    due_at: datetime | None
    interval_s: int | None
    quality_score: int = 0


@dataclass(frozen=True, slots=True)
class PollAudit:
    """What the polls of some races add up to.

    A double poll came sooner after the one before than its interval allows; a late one more than a whole
    interval after it was due. Imports count as polls, but cannot be double or late themselves. `quality_p5` is the
    score that 5 % of the polls do not exceed, `quality_p50` the median.
    """

    polls: int
    double_polls: int
    late_polls: int
    lateness_p95_s: float
    quality_p5: int = 0
    quality_p50: int = 0


def audit_polls(marks: Iterable[PollMark]) -> PollAudit:
    """Audit polls in any order."""
    ordered = sorted(marks, key=lambda mark: (mark.race_id, mark.polled_at))
    lateness = sorted(_lateness_s(mark) for mark in ordered if mark.due_at is not None)
    scores = sorted(mark.quality_score for mark in ordered)
    return PollAudit(
        polls=len(ordered),
        double_polls=sum(
            _too_soon(earlier, later) for earlier, later in pairwise(ordered) if earlier.race_id == later.race_id
        ),
        late_polls=sum(_is_late(mark) for mark in ordered),
        lateness_p95_s=round(percentile(lateness, 0.95), 3),
        quality_p5=int(percentile(scores, 0.05)),
        quality_p50=int(percentile(scores, 0.5)),
    )


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the value below which the given share of an ascending list lies (nearest rank); 0 for none."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def _lateness_s(mark: PollMark) -> float:
    return max(0.0, (mark.polled_at - mark.due_at).total_seconds()) if mark.due_at is not None else 0.0


def _is_late(mark: PollMark) -> bool:
    return mark.interval_s is not None and _lateness_s(mark) > mark.interval_s


def _too_soon(earlier: PollMark, later: PollMark) -> bool:
    if later.interval_s is None:
        return False
    tolerance_s = TOLERANCE_S + (SPREAD_TOLERANCE_S if later.interval_s >= SPREAD_FROM_S else 0)
    return (later.polled_at - earlier.polled_at).total_seconds() < later.interval_s - tolerance_s
