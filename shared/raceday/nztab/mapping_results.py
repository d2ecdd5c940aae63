"""Placings and dividends of the feed as a result of the domain."""

from __future__ import annotations

from datetime import datetime

from raceday.domain.result import Placing, RaceResult, ResultStatus, ToteDividend
from raceday.domain.status import RaceStatus
from raceday.nztab.drift import DriftCounter
from raceday.nztab.schema_event import FeedDividend, FeedEventBody, FeedPlacing

_DIVIDEND_STATUSES = frozenset({"Interim", "Final"})


def result_of(
    body: FeedEventBody, status: RaceStatus | None, seen_at: datetime, drift: DriftCounter
) -> RaceResult | None:
    """Return the result as far as it is known, None while there is none.

    The feed gives the first four and interim dividends as soon as the race is Interim. Dividends are kept as they
    came, Interim and Final rows alike. An abandoned race may carry dividends of multi-leg pools; its result never
    counts as final.
    """
    if not body.results and not body.dividends:
        return None
    race = body.race
    return RaceResult(
        race_id=race.event_id,
        status=_result_status(status, protest=bool(race.protest)),
        placings=tuple(_placing(placing) for placing in body.results or ()),
        dividends=tuple(_dividend(dividend, drift) for dividend in body.dividends or ()),
        seen_at=seen_at,
        protest_lodged=bool(race.protest),
        protest_reason=race.protest_reason or None,
        substitutes=tuple(dict.fromkeys(row.entrant_id for row in body.substitutions or ())),
    )


def _result_status(status: RaceStatus | None, *, protest: bool) -> ResultStatus:
    if status is RaceStatus.FINAL:
        return ResultStatus.FINAL
    return ResultStatus.PROTEST if protest and status is RaceStatus.INTERIM else ResultStatus.INTERIM


def _placing(placing: FeedPlacing) -> Placing:
    return Placing(
        position=placing.position,
        runner_number=placing.runner_number,
        entrant_id=placing.entrant_id,
        name=placing.name or "",
        barrier=placing.barrier,
        margin_lengths=placing.margin_length,
        positional_margin=placing.positional_margin or None,
        winning_time_s=placing.winning_time or placing.time_ran or None,
    )


def _dividend(dividend: FeedDividend, drift: DriftCounter) -> ToteDividend:
    drift.unknown_value("dividend.status", dividend.status, _DIVIDEND_STATUSES)
    return ToteDividend(
        dividend_id=dividend.id,
        tote=dividend.tote or "",
        product_name=dividend.product_name or "",
        status=dividend.status or "",
        dividend=dividend.dividend or 0.0,
        pool_size=dividend.pool_size or 0.0,
        jackpot_size=dividend.jackpot_size or 0.0,
        description=dividend.description or "",
        positions=tuple((place.runner_number, place.position) for place in dividend.positions or ()),
    )
