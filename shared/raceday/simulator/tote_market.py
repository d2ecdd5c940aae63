"""The tote of one race: how its pools grow, whom the money is on, and the odds that follow.

Pools: medians and shapes of the captures (gallops in Australia reach $31.8 k with about 5 % of it 20 to 60 min before
the start; one New Zealand race is known at .15, .24, .30 and 1 of its final pool, 70, 35, 20 min before and at the
jump). A pool never falls here: refunds after scratchings are left out. Odds: takeout 14.6 % (AUS) or 15.5 % (NZ),
floored to ten cents.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from raceday.simulator.chance import generator, key_of, unit
from raceday.simulator.wire import REFRESH_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from raceday.simulator.field import PlannedRunner
    from raceday.simulator.fixed_market import PricePath
    from raceday.simulator.programme import PlannedMeeting, PlannedRace

RACE_POOLS = ("Win", "Place", "Quinella", "Trifecta", "FirstFour")
_GROWTH = {
    # minutes before the end of betting, share of the final pool
    "AUS": ((4320, 0), (1440, 0.002), (300, 0.009), (120, 0.02), (60, 0.04), (35, 0.065), (20, 0.11), (10, 0.20),
            (5, 0.34), (2, 0.58), (1, 0.74), (0, 0.95), (-1, 1)),
    "NZ": ((4320, 0), (1440, 0.012), (300, 0.035), (120, 0.09), (70, 0.15), (35, 0.244), (20, 0.301), (10, 0.42),
           (5, 0.55), (2, 0.73), (1, 0.83), (0, 0.96), (-1, 1)),
}  # fmt: skip
MULTI_LEG_GROWTH = _GROWTH["AUS"]
_FINAL_WIN = {
    ("AUS", "T"): 31_779, ("AUS", "H"): 8_847, ("AUS", "G"): 3_498, ("NZ", "T"): 9_167, ("NZ", "H"): 8_950,
    ("NZ", "G"): 3_000, ("HK", "T"): 1_200_000,
}  # fmt: skip
_FOREIGN_WIN = 3_000
_POOL_RATIOS = {
    "AUS": {"Win": 1.0, "Place": 0.315, "Quinella": 0.244, "Trifecta": 0.049, "FirstFour": 0.516},
    "NZ": {"Win": 1.0, "Place": 0.36, "Quinella": 0.59, "Trifecta": 0.84, "FirstFour": 0.67},
}
WIN_TAKEOUT = {"AUS": 0.146, "NZ": 0.155}
PLACE_RETURNED = 0.855
_TOTE_ON_FIXED = 0.94
_RESIDUAL_SD = 0.2
_EARLY_SD = 0.5
_LEAST_MONEY = 1.0


@dataclass(frozen=True, slots=True)
class PoolCurve:
    """The growth of one pool; totals are quantised to the feed's refresh and never fall."""

    final_total: float
    ends_s: int
    shape: tuple[tuple[float, float], ...]
    pace: float
    key: int

    def total_at(self, at_s: int) -> float:
        """Return the pool in dollars, two decimals."""
        step = at_s // REFRESH_S
        here, following = self._share(step * REFRESH_S), self._share((step + 1) * REFRESH_S)
        share = here + (following - here) * unit(self.key, step)
        return round(self.final_total * share, 2)

    def _share(self, at_s: int) -> float:
        minutes = (self.ends_s - at_s) / 60
        if minutes <= self.shape[-1][0]:
            return 1.0
        if minutes >= self.shape[0][0]:
            return 0.0
        place = bisect_right(self.shape, -minutes, key=lambda knot: -knot[0])
        (early, low), (late, high) = self.shape[place - 1], self.shape[place]
        share: float = (low + (high - low) * (early - minutes) / (early - late)) ** self.pace
        return share


@dataclass(frozen=True, slots=True)
class ToteMarket:
    """The pools of a race and the opinion of the people who bet into them."""

    curves: dict[str, PoolCurve]
    takeout: float
    runners: Sequence[PlannedRunner]
    paths: Sequence[PricePath]
    residuals: Sequence[float]
    early_residuals: Sequence[float]
    ends_s: int
    frozen_s: int | None

    def total_at(self, product: str, at_s: int) -> float:
        """Return the total of a pool in dollars; once the race is called off it stands still."""
        moment_s = at_s if self.frozen_s is None else min(at_s, self.frozen_s)
        return self.curves[product].total_at(moment_s)

    def shares(self, at_s: int) -> list[float]:
        """Return every runner's share of the win pool; 0 for the scratched, 1 in sum."""
        moment_s = min(at_s, self.ends_s)
        early = self._earliness(moment_s)
        weights = [
            0.0 if runner.is_scratched(at_s)
            else path.price_at(moment_s) ** -_TOTE_ON_FIXED * math.exp(-residual - early * early_residual)
            for runner, path, residual, early_residual in zip(
                self.runners, self.paths, self.residuals, self.early_residuals, strict=True)
        ]  # fmt: skip
        total = sum(weights)
        return [weight / total for weight in weights]

    def win_odds(self, shares: Sequence[float], at_s: int) -> list[float | None]:
        """Return the tote win odds; None where there is no price because there is no money."""
        return _odds(shares, self.total_at("Win", at_s), 1 - self.takeout)

    def place_odds(self, shares: Sequence[float], at_s: int, places: int) -> list[float | None]:
        """Return the tote place odds for that many paid places; none are quoted for a single place."""
        if places < 2:
            return [None] * len(shares)
        place_shares = place_shares_of(shares)
        return _odds(place_shares, self.total_at("Place", at_s), PLACE_RETURNED / places)

    def _earliness(self, at_s: int) -> float:
        """Return 1 hours before the start, 0 at the end of betting, in steps of a minute."""
        minutes = (self.ends_s - at_s) // 60
        return math.sqrt(min(1.0, max(0.0, minutes / 180)))


def place_shares_of(shares: Sequence[float]) -> list[float]:
    """Return the shares of the place pool: flatter than those of the win pool."""
    weights = [share**0.72 if share else 0.0 for share in shares]
    total = sum(weights)
    return [weight / total for weight in weights]


def floored(odds: float) -> float:
    """Return tote odds floored to ten cents, never under one dollar."""
    return max(1.0, math.floor(odds * 10 + 1e-9) / 10)


def _odds(shares: Sequence[float], pool: float, returned: float) -> list[float | None]:
    return [floored(returned / share) if share * pool >= _LEAST_MONEY else None for share in shares]


def tote_market(
    seed: int,
    meeting: PlannedMeeting,
    race: PlannedRace,
    runners: Sequence[PlannedRunner],
    paths: Sequence[PricePath],
) -> ToteMarket:
    """Return the tote of one race."""
    rng = generator(seed, race.race_id, "tote")
    home = "NZ" if meeting.country == "NZ" else "AUS"
    final_win = _FINAL_WIN.get((meeting.country, meeting.category), _FOREIGN_WIN) * math.exp(rng.gauss(0, 0.55))
    pace = rng.uniform(0.88, 1.15)
    curves = {
        product: PoolCurve(
            final_total=final_win * ratio * math.exp(rng.gauss(0, 0.15) if product != "Win" else 0),
            ends_s=race.script.closed_s,
            shape=_GROWTH[home],
            pace=pace * rng.uniform(0.95, 1.05),
            key=key_of(seed, race.race_id, product),
        )
        for product, ratio in _POOL_RATIOS[home].items()
    }
    return ToteMarket(
        curves=curves,
        takeout=WIN_TAKEOUT[home],
        runners=runners,
        paths=paths,
        residuals=[rng.gauss(0, _RESIDUAL_SD) for _ in runners],
        early_residuals=[rng.gauss(0, _EARLY_SD) for _ in runners],
        ends_s=race.script.betting_ends_s(),
        frozen_s=race.script.abandoned_s,
    )
