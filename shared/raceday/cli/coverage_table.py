"""Coverage as tables for people: race by race, or a whole card at a glance."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from raceday.domain.coverage import RaceCoverage, coverage_pct, worst_first
from raceday.domain.racing_day import NZ
from raceday.domain.status import RaceStatus
from raceday.jobs.verdicts import COVERED_PCT

SHOWN_RACES = 10


def coverage_table(coverages: Sequence[RaceCoverage], *, limit: int | None = SHOWN_RACES) -> Table:
    """Return the races worst first: at most `limit` with gaps, or every race of which anything is expected (None)."""
    judged = [coverage for coverage in worst_first(coverages) if coverage.expected]
    shown = judged if limit is None else [coverage for coverage in judged if coverage.missing][:limit]
    table = _table(coverage_title(coverages))
    for column in ("race", "start", "status"):
        table.add_column(column)
    table.add_column("buckets", justify="right")
    table.add_column("%", justify="right")
    table.add_column("missing (minutes to the start)")
    for coverage in shown:
        race = coverage.race
        table.add_row(
            escape(race.label),
            f"{race.advertised_start.astimezone(NZ):%a %H:%M}",
            race.status.value,
            f"{coverage.present} of {len(coverage.expected)}",
            _pct(coverage),
            " ".join(map(str, coverage.missing)),
        )
    if len(shown) < len(judged):
        table.caption = f"and {len(judged) - len(shown)} more, no worse"
        table.caption_justify = "left"
    return table


def coverage_title(coverages: Sequence[RaceCoverage]) -> str:
    """Return the coverage of all races together, in words."""
    expected = sum(len(coverage.expected) for coverage in coverages)
    races = sum(1 for coverage in coverages if coverage.expected)
    if not expected:
        return "Coverage: no time bucket is expected yet"
    of_races = "one race" if races == 1 else f"{races} races"
    return f"Coverage: {coverage_pct(coverages)} % of {expected} time buckets of {of_races}"


def card_coverage_table(coverages: Sequence[RaceCoverage]) -> Table:
    """Return a card: one line a meeting, one column a race number, percent of the buckets that should be there.

    `-` is a race without any expected bucket, `A` after a number one that was abandoned.
    """
    by_meeting: dict[str, dict[int, RaceCoverage]] = defaultdict(dict)
    for coverage in coverages:
        by_meeting[coverage.race.meeting_name][coverage.race.race_number] = coverage
    numbers = sorted({number for races in by_meeting.values() for number in races})
    table = _table(coverage_title(coverages))
    table.add_column("meeting, %")
    for number in numbers:
        table.add_column(f"R{number}", justify="right")
    for meeting, races in sorted(by_meeting.items()):
        cells = [_cell(races[number]) if number in races else "" for number in numbers]
        table.add_row(escape(meeting), *cells)
    return table


def _cell(coverage: RaceCoverage) -> str:
    return _pct(coverage) + (" A" if coverage.race.status is RaceStatus.ABANDONED else "")


def _pct(coverage: RaceCoverage) -> str:
    """Return whole percents, rounded down so that 100 means complete; red below what is wanted of a race over."""
    if coverage.pct is None:
        return "-"
    shown = str(100 * coverage.present // len(coverage.expected))
    return f"[red]{shown}[/]" if coverage.pct < COVERED_PCT else shown


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
