"""A replay loses nothing of prices, pools and money flow: the stored series beside the captured JSON."""

from __future__ import annotations

import math
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from contract.captured_races import (
    PRICES,
    Capture,
    Captured,
    CapturedRace,
    Comparison,
    Json,
    captured,
    cents,
    fluctuations,
    instant,
    text_of,
)
from contract.replayed_tables import Tables, by_id, parsed, replayed_tables

pytestmark = pytest.mark.corpus


@pytest.fixture(scope="module")
def tables(corpus: Path) -> Tables:
    return replayed_tables(corpus)


@pytest.fixture(scope="module")
def feed(corpus: Path) -> Captured:
    return captured(corpus)


def test_prices_of_the_runners(tables, feed):
    rows, seen = by_id(tables, "entrants"), Comparison()
    for race in feed.polled:
        for entrant_id, prices in race.prices()[-1].items():
            for kind, column in PRICES.items():
                seen.same(f"{race.newest.file} {entrant_id}", column, rows[entrant_id][column], prices[kind])
    seen.check({"fixedWinOdds": 2000, "fixedPlaceOdds": 2000, "poolWinOdds": 500, "poolPlaceOdds": 500})


def test_every_price_that_was_quoted_is_a_tick(tables, feed):
    """The prices of every capture, and before them the feed's own price history, which is asked for once a race."""
    expected: dict[tuple[str, str, str, str, float], bool] = {}
    for race in feed.polled:
        first, *_ = race.captures
        for runner in first.runners:
            opening = runner["flucs_with_timestamp"]["open"]
            for at, odds in fluctuations(runner):
                opens = (at, odds) == (instant(opening["timestamp"]), opening["fluc"])
                expected[race.race_id, runner["entrant_id"], "fixed_win", text_of(at), odds] = opens
        before: dict[str, dict[str, float | None]] = {}
        for capture, prices in zip(race.captures, race.prices(), strict=True):
            for entrant_id, quoted in prices.items():
                for kind, odds in quoted.items():
                    old = before.get(entrant_id, {}).get(kind)
                    if odds is not None and (old is None or round(abs(odds - old), 6) >= 0.01):
                        expected[race.race_id, entrant_id, kind, text_of(capture.at), odds] = False
            before = prices
    stored = {
        (row["raceId"], row["entrantId"], row["type"], row["eventTimestamp"], row["odds"]): bool(row["isOpening"])
        for row in tables["odds_history"]
    }
    assert len(expected) > 15_000
    assert sum(expected.values()) > 2000
    lost, invented = expected.keys() - stored.keys(), stored.keys() - expected.keys()
    assert (len(lost), len(invented)) == (0, 0), (sorted(lost)[:5], sorted(invented)[:5])
    assert stored == expected
    assert len(stored) == len(tables["odds_history"]), "no price stands twice at one time"


OWN_POOLS = {
    "Win": "winPoolTotal",
    "Place": "placePoolTotal",
    "Quinella": "quinellaPoolTotal",
    "Trifecta": "trifectaPoolTotal",
    "FirstFour": "first4PoolTotal",
}


def test_pools(tables, feed):
    rows, seen = by_id(tables, "race_pools"), Comparison()
    for race in feed.races.values():
        row = rows[race.race_id]
        pools = race.last_said(lambda c: c.event.get("tote_pools")) or []
        own = dict.fromkeys(OWN_POOLS.values(), 0)
        own |= {OWN_POOLS[p["product_type"]]: cents(p["total"]) for p in pools if p["product_type"] in OWN_POOLS}
        multi_leg = [
            {
                "product": pool["product_type"],
                "total_cents": cents(pool["total"]),
                "status": pool["status"],
                "jackpot_cents": cents(pool["jackpot"]),
                "guarantee_cents": cents(pool["guarantee"]),
            }
            for pool in pools
            if pool["product_type"] not in OWN_POOLS
        ]
        others = {
            "exactaPoolTotal": 0,
            "totalRacePool": sum(own.values()),
            "multiLegPoolTotal": sum(pool["total_cents"] for pool in multi_leg),
            "hasData": int(bool(pools)),
        }
        for column, value in {**own, **others}.items():
            seen.same(race.race_id, column, row[column], value)
        seen.same(race.race_id, "multiLegPools", parsed(row["multiLegPools"]), multi_leg)
        assert row["unknownPools"] == "[]"
    seen.check(dict.fromkeys([*own, "totalRacePool", "hasData"], 100))
    with_data = [row for row in rows.values() if row["hasData"]]
    assert len(with_data) > 100
    assert sum(row["totalRacePool"] > 0 for row in with_data) > 90
    assert sum(row["multiLegPools"] != "[]" for row in with_data) > 50


BUCKETS = (60, 55, 50, 45, 40, 35, 30, 25, 20, 15, 10, 5, 4, 3, 2, 1, 0)


def flows(race: CapturedRace) -> dict[tuple[str, int], tuple[Capture, Json]]:
    """Which capture fills each bucket of each live runner: the last one that falls into it."""
    filled = {}
    for capture, status, prices in zip(race.captures, race.statuses(), race.prices(), strict=True):
        minutes = capture.minutes_to_start
        bucket = minutes if minutes < 0 else next(floor for floor in BUCKETS if floor <= minutes)
        live = [runner["entrant_id"] for runner in capture.runners if not runner["is_scratched"]]
        if status != "Abandoned":
            filled |= {(entrant_id, bucket): (capture, prices) for entrant_id in live}
    return filled


def test_money_flow_rows(tables, feed):
    stored: dict[str, dict[tuple[str, int], Json]] = defaultdict(dict)
    for row in tables["money_flow_history"]:
        stored[row["raceId"]][row["entrantId"], row["timeInterval"]] = row
    seen = Comparison()
    for race in feed.polled:
        expected = flows(race)
        assert stored[race.race_id].keys() == expected.keys(), race.newest.file
        for (entrant_id, bucket), (capture, prices) in expected.items():
            row, where = stored[race.race_id][entrant_id, bucket], f"{capture.file} {entrant_id}"
            assert row["eventTimestamp"] in race.times, where
            if row["eventTimestamp"] == text_of(capture.at):
                seen.same(where, "timeToStart", row["timeToStart"], capture.minutes_to_start)
            for kind, column in PRICES.items():
                seen.same(where, column, row[column], prices[entrant_id][kind])
            seen.same(where, "impliedPercentage", row["impliedPercentage"], implied(capture, prices, entrant_id))
            for column, value in money(capture, entrant_id).items():
                seen.same(where, column, row[column], value)
    tracked = ["holdPercentage", "betPercentage", "winPoolAmount", "placePoolAmount", "winPoolPercentage"]
    seen.check({"fixedWinOdds": 2000, "impliedPercentage": 500, "totalPoolAmount": 500, "timeToStart": 2000}
               | dict.fromkeys(tracked, 6))  # fmt: skip


def implied(capture: Capture, prices: Json, entrant_id: str) -> Any:
    live = [runner["entrant_id"] for runner in capture.runners if not runner["is_scratched"]]
    inverse = {id_: 1 / prices[id_]["pool_win"] for id_ in live if prices[id_]["pool_win"]}
    return pytest.approx(100 * inverse[entrant_id] / sum(inverse.values())) if entrant_id in inverse else None


def money(capture: Capture, entrant_id: str) -> Json:
    """A runner's money: its share of all bets, summed over the tracker's rows, of the win and place pools."""
    pools = {pool["product_type"]: cents(pool["total"]) for pool in capture.event.get("tote_pools") or []}
    total = pools["Win"] + pools["Place"] if pools else None
    tracker = (capture.event.get("money_tracker") or {}).get("entrants") or []
    if not tracker:
        nothing = dict.fromkeys(("holdPercentage", "betPercentage", "winPoolAmount", "placePoolAmount",
                                 "incrementalAmount", "winPoolPercentage", "placePoolPercentage"))  # fmt: skip
        return nothing | {"totalPoolAmount": total}
    rows = [row for row in tracker if row["entrant_id"] == entrant_id]
    hold, bet = (sum(row[name] for row in rows) for name in ("hold_percentage", "bet_percentage"))
    share = {name: math.floor(pools[name] * hold / 100 + 0.5) for name in ("Win", "Place")}
    return {
        "holdPercentage": hold,
        "betPercentage": bet,
        "winPoolAmount": share["Win"],
        "placePoolAmount": share["Place"],
        "totalPoolAmount": total,
        "winPoolPercentage": hold,
        "placePoolPercentage": hold,
        # Captured once and long after the baseline: from nothing known.
        "incrementalWinAmount": 0,
        "incrementalPlaceAmount": 0,
        "incrementalAmount": 0,
        "isBaseline": 0,
        "estimator": "hold",
        "poolType": "combined",
    }


def test_the_runners_own_money(tables, feed):
    rows, seen = by_id(tables, "entrants"), Comparison()
    for race in feed.polled:
        for runner in race.newest.runners:
            if not race.newest.event.get("money_tracker") or runner["is_scratched"]:
                continue
            expected = money(race.newest, runner["entrant_id"])
            for column in ("holdPercentage", "betPercentage", "winPoolAmount", "placePoolAmount"):
                seen.same(runner["name"], column, rows[runner["entrant_id"]][column], expected[column])
    seen.check({"holdPercentage": 6, "betPercentage": 6, "winPoolAmount": 6, "placePoolAmount": 6})
