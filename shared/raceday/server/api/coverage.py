"""Which time buckets a page of the money-flow timeline has, over all and by runner, as the dashboard reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

CRITICAL = (60, 55, 50, 45, 40, 35, 30, 25, 20, 15, 10, 5, 4, 3, 2, 1, 0)
"""The buckets that the dashboard has columns for before the start."""
LAST_MINUTES = 5


def interval_coverage(
    entrant_ids: Sequence[str], runners: Sequence[Mapping[str, Any]], documents: int
) -> dict[str, object]:
    """Return the coverage of a page; `runners` are those that have rows, with `entrant_id`, `rows` and `intervals`.

    A gap is a bucket of the last five minutes that a runner has no row of.
    """
    by_id = {runner["entrant_id"]: runner for runner in runners}
    covered = [_runner(entrant_id, by_id.get(entrant_id)) for entrant_id in entrant_ids]
    gaps = [
        {"entrant_id": one["entrant_id"], "missing_intervals": missing}
        for one in covered
        if (missing := [bucket for bucket in one["missing_critical_intervals"] if bucket <= LAST_MINUTES])
    ]
    if not documents:
        report = "no rows on this page"
    else:
        report = "some of the last five minutes are not on this page" if gaps else "the last five minutes are whole"
    return {
        "summary": {
            "total_documents": documents,
            "entrants_covered": len(runners),
            "intervals_covered": sorted({bucket for one in runners for bucket in one["intervals"]}, reverse=True),
            "critical_period_gaps": gaps,
            "coverage_report": report,
        },
        "entrants": covered,
    }


def _runner(entrant_id: str, found: Mapping[str, Any] | None) -> dict[str, Any]:
    intervals = sorted(found["intervals"], reverse=True) if found else []
    has = set(intervals)
    return {
        "entrant_id": entrant_id,
        "document_count": found["rows"] if found else 0,
        "intervals_covered": intervals,
        "critical_period_coverage": [bucket for bucket in CRITICAL if bucket in has],
        "missing_critical_intervals": [bucket for bucket in CRITICAL if bucket not in has],
    }
