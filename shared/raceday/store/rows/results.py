"""How a race ended, in the JSON shapes that the client reads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import orjson

from raceday.domain.derive import result_print
from raceday.domain.odds import Odds
from raceday.domain.result import Placing, RaceResult, ToteDividend, settled_dividends
from raceday.store.rows.values import Row, fitted, instant_text, json_text
from raceday.store.tables import RACE_RESULTS


@dataclass(frozen=True, slots=True)
class FixedOddsRunner:
    """A stored runner as the result's fixed odds need it."""

    entrant_id: str
    runner_number: int
    name: str
    odds: Odds


def result_row(result: RaceResult, runners: Iterable[FixedOddsRunner]) -> Row:
    """Return a result as a row of `race-results`; `runners` are all stored runners of the race.

    Dividends are shown and counted once (the Final row where there is one).
    """
    placings = [_placing(placing) for placing in result.placings]
    dividends = [_dividend(dividend) for dividend in settled_dividends(result.dividends)]
    row: Row = {
        "$id": result.race_id,
        "raceId": result.race_id,
        "resultsAvailable": bool(result.placings),
        "resultStatus": result.status.value,
        "resultTime": instant_text(result.seen_at),
        "resultsData": json_text(placings, RACE_RESULTS.column("resultsData").size),
        "fixedOddsData": _fixed_odds(runners),
        "dividendsData": json_text(dividends, RACE_RESULTS.column("dividendsData").size),
        "protestLodged": result.protest_lodged,
        "protestReason": result.protest_reason,
        "substitutes": json_text(result.substitutes, RACE_RESULTS.column("substitutes").size),
        "placingCount": len(result.placings),
        "dividendCount": len(dividends),
        "contentHash": result_print(result),
    }
    return fitted(RACE_RESULTS, row)


def _placing(placing: Placing) -> dict[str, object]:
    return {
        "position": placing.position,
        "name": placing.name,
        "barrier": placing.barrier,
        "runner_number": placing.runner_number,
        "margin_length": placing.margin_lengths,
        "positional_margin": placing.positional_margin,
        "entrant_id": placing.entrant_id,
        "winning_time": placing.winning_time_s,
    }


def _dividend(dividend: ToteDividend) -> dict[str, object]:
    return {
        "id": dividend.dividend_id,
        "tote": dividend.tote,
        "product_name": dividend.product_name,
        "status": dividend.status,
        "dividend": dividend.dividend,
        "pool_size": dividend.pool_size,
        "jackpot_size": dividend.jackpot_size,
        "positions": [{"runner_number": runner, "position": place} for runner, place in dividend.positions],
        "description": dividend.description,
    }


def _fixed_odds(runners: Iterable[FixedOddsRunner]) -> str:
    by_number = {
        str(runner.runner_number): {
            "fixed_win": runner.odds.fixed_win,
            "fixed_place": runner.odds.fixed_place,
            "runner_name": runner.name,
            "entrant_id": runner.entrant_id,
        }
        for runner in runners
    }
    return orjson.dumps(by_number).decode()
