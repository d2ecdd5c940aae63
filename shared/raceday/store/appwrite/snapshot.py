"""A race's last known state as one text, so that it comes with the claim instead of from five tables.

It is written in the transaction of the poll that made it. Whoever else writes a part of it puts `OUTDATED` there
in the same transaction; the next poll then reads the tables, and writes the state anew unless others wrote meanwhile.
"""

from __future__ import annotations

import orjson

from raceday.domain.money_flow import BucketAmounts
from raceday.domain.odds import Odds
from raceday.domain.pools import PoolTotals, TotePool
from raceday.domain.race_poll import KnownEntrant, RaceState
from raceday.domain.result import KnownResult, ResultStatus
from raceday.domain.status import RaceStatus
from raceday.store.rows.programme import stored_status
from raceday.store.rows.values import (
    StoredRow,
    instant_text,
    optional_instant_text,
    parse_instant,
    parse_optional_instant,
)
from raceday.store.tables import POLL_CLAIMS

FORM = 1
"""The form of the text; one of another form counts as none. Raised when its meaning changes."""
OUTDATED = '{"form":null}'
"""In place of a state of which others wrote a part: it is no state, and not the lack of one."""
_MOST_CHARS = POLL_CLAIMS.column("state").size
_POOL_CENTS = ("win_cents", "place_cents", "quinella_cents", "trifecta_cents", "exacta_cents", "first4_cents")


def state_text(state: RaceState) -> str | None:
    """Return a state as text; None when it would not fit its column."""
    content = {
        "form": FORM,
        "status": state.status.value,
        "start": instant_text(state.advertised_start),
        "print": state.fingerprint,
        "generated": optional_instant_text(state.generated_at),
        "entrants": [_entrant(known) for known in state.entrants.values()],
        "pools": _pools(state.pools) if state.pools is not None else None,
        "result": _result(state.result) if state.result is not None else None,
    }
    text = orjson.dumps(content).decode()
    return text if len(text) <= _MOST_CHARS else None


def state_of(claim: StoredRow) -> RaceState | None:
    """Return the state that a row of `poll-claims` holds; None when the tables have to be read.

    A race that was never polled has none but what its schedule says.
    """
    text = claim.get("state")
    if text:
        content = orjson.loads(text)
        return _state(claim["$id"], content) if content.get("form") == FORM else None
    if claim["lastPollAt"] is None:
        return RaceState(claim["$id"], stored_status(claim["status"]), parse_instant(claim["startTime"]))
    return None


def _state(race_id: str, content: StoredRow) -> RaceState:
    pools, result = content["pools"], content["result"]
    entrants = [_known_entrant(*known) for known in content["entrants"]]
    return RaceState(
        race_id=race_id,
        status=RaceStatus(content["status"]),
        advertised_start=parse_instant(content["start"]),
        fingerprint=content["print"],
        entrants={known.entrant_id: known for known in entrants},
        pools=_pool_totals(pools) if pools is not None else None,
        result=KnownResult(ResultStatus(result[0]), *result[1:]) if result is not None else None,
        generated_at=parse_optional_instant(content["generated"]),
    )


def _entrant(known: KnownEntrant) -> list[object]:
    odds = known.odds
    return [
        known.entrant_id,
        [odds.fixed_win, odds.fixed_place, odds.pool_win, odds.pool_place],
        known.scratched,
        known.fingerprint,
        known.alert_odds,
        [[amounts.bucket, amounts.win_cents, amounts.place_cents] for amounts in known.buckets],
    ]


def _known_entrant(
    entrant_id: str,
    odds: list[float | None],
    scratched: bool,
    fingerprint: str,
    alert_odds: float | None,
    buckets: list[tuple[int, int | None, int | None]],
) -> KnownEntrant:
    amounts = tuple(BucketAmounts(*amounts) for amounts in buckets)
    return KnownEntrant(entrant_id, Odds(*odds), scratched, fingerprint, amounts, alert_odds)


def _pools(pools: PoolTotals) -> dict[str, object]:
    return {name: getattr(pools, name) for name in _POOL_CENTS} | {
        "multi_leg": list(pools.multi_leg),
        "unknown": list(pools.unknown),
    }


def _pool_totals(content: StoredRow) -> PoolTotals:
    return PoolTotals(
        **{name: content[name] for name in _POOL_CENTS},
        multi_leg=tuple(TotePool(**pool) for pool in content["multi_leg"]),
        unknown=tuple(TotePool(**pool) for pool in content["unknown"]),
    )


def _result(result: KnownResult) -> list[object]:
    return [result.status.value, result.placings, result.dividends, result.fingerprint]
