"""The last known state of a race, read back from stored rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from raceday.domain.cadence import PollTarget
from raceday.domain.money_flow import BucketAmounts
from raceday.domain.odds import Odds
from raceday.domain.pools import PoolTotals, TotePool
from raceday.domain.race_poll import KnownEntrant, RaceState
from raceday.domain.result import KnownResult, ResultStatus
from raceday.store.rows.programme import stored_status
from raceday.store.rows.values import StoredRow, parse_instant, parse_optional_instant

STATE_COLUMNS = ("$id", "status", "startTime", "contentHash", "apiGeneratedTime")
ENTRANT_COLUMNS = (
    "raceId",
    "$id",
    "fixedWinOdds",
    "fixedPlaceOdds",
    "poolWinOdds",
    "poolPlaceOdds",
    "isScratched",
    "contentHash",
    "alertOdds",
)
RESULT_COLUMNS = ("$id", "resultStatus", "placingCount", "dividendCount", "contentHash")


def poll_target(  # noqa: PLR0913, PLR0917 (one parameter a column)
    race_id: str,
    meeting_id: str,
    start: str,
    status: str,
    last_poll_at: str | None,
    not_before: str | None,
    result_pending: int,
) -> PollTarget:
    """Return when a race starts and what was done about it, from columns of `races` and `poll-claims`."""
    return PollTarget(
        race_id,
        meeting_id,
        parse_instant(start),
        stored_status(status),
        parse_optional_instant(last_poll_at),
        parse_optional_instant(not_before),
        bool(result_pending),
    )


def known_entrant(entrant_id: str, known: Sequence[Any], buckets: Sequence[BucketAmounts]) -> KnownEntrant:
    """Return what is known of a runner, from the columns that follow its id in `ENTRANT_COLUMNS`."""
    fixed_win, fixed_place, pool_win, pool_place, scratched, content_hash, alert_odds = known
    odds = Odds(fixed_win, fixed_place, pool_win, pool_place)
    return KnownEntrant(entrant_id, odds, bool(scratched), content_hash or "", tuple(buckets), alert_odds)


def race_state(
    race: StoredRow, entrants: Iterable[KnownEntrant], pools: StoredRow | None, result: StoredRow | None
) -> RaceState:
    """Return the last known state of a race, from a row with `STATE_COLUMNS` and what belongs to it."""
    return RaceState(
        race_id=race["$id"],
        status=stored_status(race["status"]),
        advertised_start=parse_instant(race["startTime"]),
        fingerprint=race["contentHash"] or "",
        entrants={entrant.entrant_id: entrant for entrant in entrants},
        pools=pool_totals_of(pools) if pools is not None and pools["hasData"] else None,
        result=known_result(result) if result is not None else None,
        generated_at=parse_optional_instant(race["apiGeneratedTime"]),
    )


def pool_totals_of(row: StoredRow) -> PoolTotals:
    """Return the pools that a stored row of `race-pools` holds, in cents."""
    return PoolTotals(
        win_cents=row["winPoolTotal"],
        place_cents=row["placePoolTotal"],
        quinella_cents=row["quinellaPoolTotal"],
        trifecta_cents=row["trifectaPoolTotal"],
        exacta_cents=row["exactaPoolTotal"],
        first4_cents=row["first4PoolTotal"],
        multi_leg=_pools(row["multiLegPools"]),
        unknown=_pools(row["unknownPools"]),
    )


def known_result(row: StoredRow) -> KnownResult:
    """Return a stored result as far as the next one is compared with it, from a row with `RESULT_COLUMNS`."""
    return KnownResult(
        status=ResultStatus(row["resultStatus"]),
        placings=row["placingCount"] or 0,
        dividends=row["dividendCount"] or 0,
        fingerprint=row["contentHash"] or "",
    )


def _pools(text: str | None) -> tuple[TotePool, ...]:
    return tuple(TotePool(**pool) for pool in orjson.loads(text)) if text else ()
