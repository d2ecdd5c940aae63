"""What the tote pays: `data.dividends` of one race, from its pools, its shares and its finish.

At Interim every row has status Interim; at Final every row is there twice, once with each status and otherwise equal
(all 147 Final captures of NZ TAB).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from raceday.simulator.chance import generator, uuid_of
from raceday.simulator.finish import paying_orders
from raceday.simulator.tote_market import PLACE_RETURNED, floored, place_shares_of
from raceday.simulator.wire import plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from raceday.simulator.finish import Finisher
    from raceday.simulator.multi_legs import MultiLegPool

_ORDERED = {"Trifecta": ("Pool Trifecta", 3, 0.80), "FirstFour": ("Pool First4", 4, 0.775)}
_QUINELLA_RETURNED = 0.825
_MULTI_LEG_NAMES = {
    "Quadrella": "Pool Quadrella",
    "EarlyQuadrella": "Pool Early Quadrella",
    "RunningDouble": "Pool Double",
    "Treble": "Pool Treble",
}
_MULTI_LEG_RETURNED = 0.8
_SMALLEST_BET = 0.5


@dataclass(frozen=True, slots=True)
class Dividend:
    """One paid combination; numbers are runner numbers (of the legs' winners in a pool over several races)."""

    product_name: str
    dollars: float
    pool_dollars: float
    jackpot_dollars: float
    numbers: tuple[int, ...]
    description: str


def race_dividends(
    race_id: str,
    finishers: Sequence[Finisher],
    shares: Mapping[int, float],
    totals: Mapping[str, float],
    win_returned: float,
) -> list[Dividend]:
    """Return the dividends of the five pools of a race; shares are win-pool shares by runner number."""
    rng = generator(race_id, "dividends")
    winners = [row.runner.number for row in finishers if row.position == 1]
    paid = [
        _single("Pool Win", number, win_returned / len(winners) / shares[number], totals["Win"]) for number in winners
    ]
    paid += _place(finishers, shares, totals["Place"])
    pairs = sorted({(min(order), max(order)) for order in paying_orders(finishers, 2)})
    for pair in pairs:
        chance = _ordered_chance(pair, shares) + _ordered_chance(pair[::-1], shares)
        returned = _QUINELLA_RETURNED * math.exp(rng.gauss(0, 0.12)) / len(pairs)
        paid.append(_combined("Pool Quinella", pair, returned, chance, totals["Quinella"]))
    for product, (name, places, share_returned) in _ORDERED.items():
        orders = paying_orders(finishers, places)
        for order in orders:
            returned = share_returned * math.exp(rng.gauss(0, 0.25)) / len(orders)
            paid.append(_combined(name, order, returned, _ordered_chance(order, shares), totals[product]))
    return paid


def multi_leg_dividend(pool: MultiLegPool, winners: Sequence[int], shares: Sequence[float], total: float) -> Dividend:
    """Return the dividend of a pool over several races: winners and their shares leg by leg."""
    name = _MULTI_LEG_NAMES[pool.product]
    if not pool.has_winner:
        return Dividend(name, 0, total, total, (), "NOWINNER")
    dollars = _payout(_MULTI_LEG_RETURNED, math.prod(shares), total)
    return Dividend(name, dollars, total, 0, tuple(winners), "/".join(map(str, winners)))


def dividend_rows(race_id: str, paid: Sequence[Dividend], *, final: bool) -> list[dict[str, object]]:
    """Return the rows as the feed writes them, in no order."""
    statuses = ("Interim", "Final") if final else ("Interim",)
    rows = [_row(race_id, dividend, status) for dividend in paid for status in statuses]
    generator(race_id, "order of dividends").shuffle(rows)
    return rows


def _row(race_id: str, dividend: Dividend, status: str) -> dict[str, object]:
    positions = [{"runner_number": number, "position": place} for place, number in enumerate(dividend.numbers, start=1)]
    return {
        "id": uuid_of(race_id, dividend.product_name, dividend.description, status),
        "tote": "NZ",
        "product_name": dividend.product_name,
        "status": status,
        "dividend": plain(dividend.dollars),
        "pool_size": plain(dividend.pool_dollars),
        "jackpot_size": plain(dividend.jackpot_dollars),
        "positions": positions or None,
        "description": dividend.description,
    }


def _place(finishers: Sequence[Finisher], shares: Mapping[int, float], total: float) -> list[Dividend]:
    """Return the place dividends: three places from eight starters on, two from five, none below."""
    places = paid_places(sum(1 for share in shares.values() if share > 0))
    if places < 2:
        return []
    place_shares = dict(zip(shares, place_shares_of(list(shares.values())), strict=True))
    placed = [row for row in finishers if row.position <= places]
    return [
        _single(
            "Pool Place",
            row.runner.number,
            PLACE_RETURNED * _slots(row.position, placed, places) / places / place_shares[row.runner.number],
            total,
        )
        for row in placed
    ]


def _slots(position: int, placed: Sequence[Finisher], places: int) -> float:
    """Return how many of the paid places a runner has: less than one when a dead heat must share the last."""
    tied = sum(1 for row in placed if row.position == position)
    return min(tied, places - position + 1) / tied


def paid_places(field_size: int) -> int:
    """Return how many places are paid for that many starters (`positions_paid` of the captures)."""
    if field_size >= 8:
        return 3
    return 2 if field_size >= 5 else 1


def _single(name: str, number: int, odds: float, total: float) -> Dividend:
    return Dividend(name, floored(odds), total, 0, (number,), str(number))


def _combined(name: str, numbers: tuple[int, ...], returned: float, chance: float, total: float) -> Dividend:
    return Dividend(name, _payout(returned, chance, total), total, 0, numbers, ":".join(map(str, numbers)))


def _payout(returned: float, chance: float, total: float) -> float:
    """Return dollars per dollar; at least the smallest bet is on the combination that won."""
    on_winner = max(chance * total, _SMALLEST_BET)
    return floored(returned * total / on_winner) if total else 1.0


def _ordered_chance(numbers: tuple[int, ...], shares: Mapping[int, float]) -> float:
    """Return the chance of an exact order (Harville: each next place among those that remain)."""
    chance, remaining = 1.0, 1.0
    for number in numbers:
        chance *= shares[number] / max(remaining, 1e-6)
        remaining -= shares[number]
    return chance
