"""How races were followed, as rows: what coverage and closing snapshots are read from, and the snapshots themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple
from datetime import timedelta
from typing import Any

import orjson

from raceday.domain.closing import PollingFigures, RaceClosing, RunnerClose
from raceday.domain.coverage import FollowedRace
from raceday.domain.health import THROTTLED, FailureTally, FunctionRuns, LastRun
from raceday.domain.odds import Odds
from raceday.domain.quality import PollQuality
from raceday.store.rows.programme import stored_status
from raceday.store.rows.values import (
    Row,
    StoredRow,
    fitted,
    instant_text,
    json_text,
    parse_instant,
    parse_optional_instant,
)
from raceday.store.tables import RACE_CLOSINGS

RUNNER_COLUMNS = (
    "$id",
    "runnerNumber",
    "name",
    "isScratched",
    "openingFixedWinOdds",
    "fixedWinOdds",
    "fixedPlaceOdds",
    "poolWinOdds",
    "poolPlaceOdds",
    "winPoolAmount",
    "placePoolAmount",
    "holdPercentage",
    "impliedPercentage",
)
POINT_COLUMNS = (
    "completenessPoints",
    "holdSumPoints",
    "holdAgainstImpliedPoints",
    "monotonePoolsPoints",
    "payloadAgePoints",
    "duplicatesPoints",
)
"""The columns of `race-polls` in the order of `PollQuality`'s components."""
FIGURE_COLUMNS = (
    "polls",
    "failedPolls",
    "degradedPolls",
    "coveragePct",
    "qualityP5",
    "qualityP50",
    "latenessP95S",
)
"""The columns of `race-closings` in the order of `PollingFigures`."""


FAILED_FROM = 500
"""The status code from which on a run counts as failed, as the platform counts."""


def followed_race(  # noqa: PLR0913, PLR0917 (one parameter a column)
    race_id: str,
    meeting_name: str | None,
    race_number: int,
    name: str,
    start: str,
    status: str,
    abandoned_at: str | None,
    closed: int,
) -> FollowedRace:
    """Return a race as far as it matters how well it is followed, from columns of `races` and `meetings`."""
    return FollowedRace(
        race_id=race_id,
        meeting_name=meeting_name or "",
        race_number=race_number,
        name=name,
        advertised_start=parse_instant(start),
        status=stored_status(status),
        abandoned_at=parse_optional_instant(abandoned_at),
        closed=bool(closed),
    )


def runner_close(row: StoredRow) -> RunnerClose:
    """Return a runner as it stands, from a stored row with `RUNNER_COLUMNS`."""
    return RunnerClose(
        entrant_id=row["$id"],
        runner_number=row["runnerNumber"],
        name=row["name"],
        scratched=bool(row["isScratched"]),
        opening_fixed_win=row["openingFixedWinOdds"],
        odds=Odds(row["fixedWinOdds"], row["fixedPlaceOdds"], row["poolWinOdds"], row["poolPlaceOdds"]),
        win_cents=row["winPoolAmount"],
        place_cents=row["placePoolAmount"],
        hold_pct=row["holdPercentage"],
        implied_pct=row["impliedPercentage"],
    )


def placings_of(results_text: str | None) -> Mapping[str, int]:
    """Return the position of each placed runner by its id, from the column `resultsData`."""
    placings: list[dict[str, Any]] = orjson.loads(results_text) if results_text else []
    return {placing["entrant_id"]: placing["position"] for placing in placings}


def closing_row(closing: RaceClosing) -> Row:
    """Return a closing snapshot as a row of `race-closings`."""
    pools = closing.pools
    runners = sorted(closing.runners, key=lambda runner: runner.runner_number)
    row: Row = {
        "$id": closing.race_id,
        "raceId": closing.race_id,
        "raceDateNz": closing.race_date_nz,
        "status": closing.status.value,
        "closedAt": instant_text(closing.closed_at),
        **dict(zip(FIGURE_COLUMNS, astuple(closing.figures), strict=True)),
        "winPoolTotal": pools.win_cents if pools is not None else None,
        "placePoolTotal": pools.place_cents if pools is not None else None,
        "totalRacePool": pools.race_total_cents if pools is not None else None,
        "runners": json_text([_runner(runner) for runner in runners], RACE_CLOSINGS.column("runners").size),
        "resultHash": closing.result_print,
    }
    return fitted(RACE_CLOSINGS, row)


def closing_figures(row: StoredRow) -> PollingFigures:
    """Return what a closing snapshot says of how a race was followed, from a stored row with `FIGURE_COLUMNS`."""
    return PollingFigures(*(row[column] for column in FIGURE_COLUMNS))


def _runner(runner: RunnerClose) -> dict[str, object]:
    return {
        "id": runner.entrant_id,
        "number": runner.runner_number,
        "name": runner.name,
        "scratched": runner.scratched,
        "opening_fixed_win": runner.opening_fixed_win,
        "fixed_win": runner.odds.fixed_win,
        "tote_win": runner.odds.pool_win,
        "tote_place": runner.odds.pool_place,
        "win_cents": runner.win_cents,
        "place_cents": runner.place_cents,
        "hold_pct": runner.hold_pct,
        "implied_pct": None if runner.implied_pct is None else round(runner.implied_pct, 3),
        "position": runner.position,
    }


def poll_points(row: tuple[float, ...]) -> PollQuality:
    """Return the points of a stored poll, from `POINT_COLUMNS`."""
    return PollQuality(*row)


RUN_COLUMNS = ("function", "startedAt", "durationMs", "statusCode", "message")


def function_runs(function: str, runs: Sequence[StoredRow], newest: StoredRow | None) -> FunctionRuns:
    """Return the figures of one function from its runs of a span and its newest one, rows with `RUN_COLUMNS`."""
    took_s = [row["durationMs"] / 1000 for row in runs if row["durationMs"] is not None]
    return FunctionRuns(
        function=function,
        runs=len(runs),
        failed=sum((row["statusCode"] or 0) >= FAILED_FROM for row in runs),
        throttled=sum(THROTTLED in (row["message"] or "") for row in runs),
        mean_s=sum(took_s) / len(took_s) if took_s else None,
        longest_s=max(took_s, default=None),
        last=None if newest is None else last_run(newest["startedAt"], newest["durationMs"], newest["statusCode"]),
    )


def failure_tallies(logs: Iterable[StoredRow]) -> list[FailureTally]:
    """Count rows of `poll_logs` by kind, the most frequent first; they have `error` and `occurredAt`."""
    times: dict[str, list[str]] = {}
    for row in logs:
        times.setdefault(row["error"] or "", []).append(row["occurredAt"])
    tallies = [FailureTally(kind, len(at), parse_instant(max(at))) for kind, at in times.items()]
    return sorted(tallies, key=lambda tally: (-tally.polls, tally.kind))


def is_closed(race: StoredRow, result: StoredRow | None, closing: StoredRow | None) -> bool:
    """Whether the snapshot of a race was made from its present status and result."""
    if closing is None or closing["status"] != race["status"]:
        return False
    return (closing["resultHash"] or "") == ((result["contentHash"] or "") if result is not None else "")


def last_run(started_at: str, duration_ms: int | None, status_code: int | None) -> LastRun:
    """Return the newest run of a function, from columns of `function-runs`."""
    started = parse_instant(started_at)
    return LastRun(started, started + timedelta(milliseconds=duration_ms or 0), status_code or 0)
