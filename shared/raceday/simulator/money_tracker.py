"""The money tracker of one race: whole percents per runner and bet type, unordered, with ids that are not in the race.

Two captures are all that is known: 8 to 10 rows per runner, integers, rows summing to 101 and 105 over the whole race,
three or four entrant ids of other races, one of them with 8 percent. One row is one (runner, bet type) cell of a
distribution over the whole race.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from raceday.simulator.chance import generator, key_of, unit, uuid_of
from raceday.simulator.wire import REFRESH_S

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from raceday.simulator.field import PlannedRunner
    from raceday.simulator.programme import PlannedRace

_CELL_WEIGHTS = (0.36, 0.17, 0.15, 0.11, 0.07, 0.05, 0.04, 0.03, 0.01, 0.01)
_SHARE_ERROR_SD = 0.28


@dataclass(frozen=True, slots=True)
class MoneyTracker:
    """The fixed shape of a race's rows; only the percents move."""

    prefixes: tuple[bytes, ...]
    owners: tuple[int, ...]
    hold_weights: tuple[float, ...]
    bet_weights: tuple[float, ...]
    foreign: tuple[tuple[bytes, int, int], ...]
    row_sum: int
    key: int

    def rendered(self, shares: Sequence[float], at_s: int) -> bytes:
        """Return `{"entrants": [...]}` for the runners' shares of the money at that moment."""
        foreign_hold = sum(hold for _, hold, _ in self.foreign)
        foreign_bet = sum(bet for _, _, bet in self.foreign)
        holds = _whole_percents(shares, self.owners, self.hold_weights, self.row_sum - foreign_hold)
        bets = _whole_percents(shares, self.owners, self.bet_weights, self.row_sum - foreign_bet)
        rows = [b'%b%d,"bet_percentage":%d}' % cell for cell in zip(self.prefixes, holds, bets, strict=True)]
        rows += [b'%b%d,"bet_percentage":%d}' % cell for cell in self.foreign]
        turn = int(unit(self.key, at_s // REFRESH_S) * len(rows))
        return b'{"entrants":[' + b",".join(rows[turn:] + rows[:turn]) + b"]}"


def money_tracker(seed: int, race: PlannedRace, runners: Sequence[PlannedRunner]) -> MoneyTracker:
    """Return the money tracker of one race."""
    rng = generator(seed, race.race_id, "money tracker")
    cells: list[tuple[bytes, int, float, float]] = []
    for place, runner in enumerate(runners):
        prefix = _prefix(runner.entrant_id)
        hold_bias, bet_bias = math.exp(rng.gauss(0, _SHARE_ERROR_SD)), math.exp(rng.gauss(0, _SHARE_ERROR_SD))
        rows = rng.randint(8, 10)
        holds, bets = _split(rng, rows), _split(rng, rows)
        cells += [(prefix, place, hold * hold_bias, bet * bet_bias) for hold, bet in zip(holds, bets, strict=True)]
    rng.shuffle(cells)
    foreign = [
        (_prefix(uuid_of(race.race_id, "foreign", number)), rng.choice((0, 0, 1)), rng.choice((0, 1)))
        for number in range(rng.randint(3, 4))
    ]
    foreign[0] = (foreign[0][0], rng.choice((1, 1, 2, 8)), rng.randint(0, 3))
    return MoneyTracker(
        prefixes=tuple(cell[0] for cell in cells),
        owners=tuple(cell[1] for cell in cells),
        hold_weights=tuple(cell[2] for cell in cells),
        bet_weights=tuple(cell[3] for cell in cells),
        foreign=tuple(foreign),
        row_sum=rng.randint(101, 105),
        key=key_of(seed, race.race_id, "turn"),
    )


def _prefix(entrant_id: str) -> bytes:
    return b'{"entrant_id":"%b","hold_percentage":' % entrant_id.encode()


def _split(rng: Random, rows: int) -> list[float]:
    """Return how one runner's money is split over its bet types."""
    weights = [weight * rng.expovariate(1) + 0.002 for weight in _CELL_WEIGHTS[:rows]]
    total = sum(weights)
    return [weight / total for weight in weights]


def _whole_percents(shares: Sequence[float], owners: Sequence[int], weights: Sequence[float], wanted: int) -> list[int]:
    """Return whole percents that sum to `wanted`: rounded down, the rest to the largest remainders."""
    raw = [shares[owner] * weight for owner, weight in zip(owners, weights, strict=True)]
    scale = wanted / sum(raw)
    scaled = [value * scale for value in raw]
    whole = [int(value) for value in scaled]
    missing = wanted - sum(whole)
    short_of = [below - exact for below, exact in zip(whole, scaled, strict=True)]
    for place in sorted(range(len(raw)), key=short_of.__getitem__)[:missing]:
        whole[place] += 1
    return whole
