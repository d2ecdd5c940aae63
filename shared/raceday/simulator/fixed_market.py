"""The fixed-odds market of one race: when its prices change, and to what.

Every runner's price walks along the ladder from the opening of the market to the close: rarely and widely while the
race is far away, often near the jump. Fitted to repeated captures: a share of 4.5 % of prices changes within 15 min
at 2 to 1 h before the start (sd of ln price 0.024), 22 % at 60 to 20 min (0.07), and from 40 min before to the jump
the sd is about 0.3. The book shrinks from 1.27 (harness and dogs 1.31) to 1.22 (1.245).
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING

import orjson

from raceday.simulator.chance import generator
from raceday.simulator.price_ladder import nearest_step
from raceday.simulator.wire import SYDNEY, ZERO_STAMP, nano_stamp, plain

if TYPE_CHECKING:
    from random import Random

    from raceday.simulator.field import PlannedRunner
    from raceday.simulator.programme import PlannedMeeting, PlannedRace

_NS = 1_000_000_000
_PHASES = (
    # until minutes before the start, minutes between steps, share of prices that move in one step, sd of ln price
    (120, 180, 0.22, 0.12),
    (60, 15, 0.045, 0.11),
    (20, 10, 0.15, 0.15),
    (5, 2, 0.30, 0.12),
    (-10, 0.5, 0.35, 0.09),
)
_OPENING_BOOK = {"T": 1.27, "H": 1.31, "G": 1.31}
_CLOSING_BOOK = {"T": 1.216, "H": 1.245, "G": 1.23}
_BOOK_SHRINKS_OVER_S = 7200
_UNSET = {"timestamp": ZERO_STAMP, "fluc": 0}
_LAST_FLUCS = 6


@dataclass(frozen=True, slots=True)
class PricePath:
    """The fixed win prices of one runner: the moments of its changes and the price from then on."""

    moments_ns: tuple[int, ...]
    prices: tuple[float, ...]
    nine_am_ns: int

    def place_at(self, at_s: int) -> int:
        """Return which change is the latest by then, -1 before the market has opened."""
        return bisect_right(self.moments_ns, at_s * _NS) - 1

    def price_at(self, at_s: int) -> float:
        """Return the price; before the opening the one it will open at, for the tote follows the same opinion."""
        return self.prices[max(0, self.place_at(at_s))]

    def is_past_nine_am(self, at_s: int) -> bool:
        """Return whether it is past nine in the morning at the track, when that price is noted."""
        return at_s * _NS >= self.nine_am_ns

    def flucs(self, at_s: int) -> bytes:
        """Return the members `flucs` and `flucs_with_timestamp` as one JSON object."""
        last = self.place_at(at_s)
        if last < 0:
            unset = {"last_six": [], "open": _UNSET, "high": _UNSET, "low": _UNSET, "nine_am": _UNSET}
            return orjson.dumps({"flucs": [], "flucs_with_timestamp": unset})
        seen = range(last + 1)
        last_six = [self._fluc(place) for place in seen[-_LAST_FLUCS:]]
        nine = bisect_right(self.moments_ns, self.nine_am_ns) - 1
        nine_is_known = nine >= 0 and self.is_past_nine_am(at_s)
        stamped = {
            "last_six": last_six,
            "open": self._fluc(0),
            "high": self._fluc(max(seen, key=self.prices.__getitem__)),
            "low": self._fluc(min(seen, key=self.prices.__getitem__)),
            "nine_am": self._fluc(nine) if nine_is_known else _UNSET,
        }
        return orjson.dumps({"flucs": [fluc["fluc"] for fluc in last_six], "flucs_with_timestamp": stamped})

    def _fluc(self, place: int) -> dict[str, object]:
        return {"timestamp": nano_stamp(self.moments_ns[place]), "fluc": plain(self.prices[place])}


def place_price(win_price: float) -> float:
    """Return the fixed place price that goes with a win price (regression over 1,308 runners of the captures)."""
    price = 1 + math.exp(0.888 * math.log(max(0.03, win_price - 1)) - 1.662)
    return round(price, 2) if price < 1.4 else nearest_step(price)


def price_paths(seed: int, meeting: PlannedMeeting, race: PlannedRace, runners: list[PlannedRunner]) -> list[PricePath]:
    """Return the price path of every runner of a race."""
    rng = generator(seed, race.race_id, "fixed")
    script = race.script
    nine_am = datetime.combine(meeting.racing_date, time(9), SYDNEY).astimezone(UTC)
    opening_book = _OPENING_BOOK[meeting.category] + rng.gauss(0, 0.02)
    closing_book = _CLOSING_BOOK[meeting.category] + rng.gauss(0, 0.015)
    prices = [nearest_step(1 / (runner.chance * opening_book)) for runner in runners]
    starters = [place for place, runner in enumerate(runners) if runner.scratching is None]
    paths = [[(script.market_open_s * _NS + rng.randrange(30 * _NS), price)] for price in prices]
    ends_s = script.betting_ends_s()
    for step_s, share, spread in _steps(rng, script.market_open_s, script.last_start_s, ends_s):
        near = min(1.0, max(0.0, 1 - (script.last_start_s - step_s) / _BOOK_SHRINKS_OVER_S))
        target = opening_book + (closing_book - opening_book) * near
        book = sum(1 / prices[place] for place in starters)
        for place, runner in enumerate(runners):
            if runner.is_scratched(step_s) or rng.random() >= share:
                continue
            price = nearest_step(prices[place] * math.exp(rng.gauss(0, spread)) * book / target)
            if price != prices[place]:
                prices[place] = price
                paths[place].append((step_s * _NS + rng.randrange(_NS), price))
    nine_am_ns = int(nine_am.timestamp()) * _NS
    return [PricePath(tuple(m for m, _ in path), tuple(p for _, p in path), nine_am_ns) for path in paths]


def _steps(rng: Random, opens_s: int, start_s: int, ends_s: int) -> list[tuple[int, float, float]]:
    """Return the moments at which prices may move, with the share that does and the spread."""
    steps = []
    moment_s = float(opens_s)
    for until_min, every_min, share, spread in _PHASES:
        phase_ends_s = min(ends_s, start_s - until_min * 60)
        while moment_s + every_min * 60 < phase_ends_s:
            moment_s += every_min * 60
            jittered = round(moment_s + rng.uniform(-0.3, 0.3) * every_min * 60)
            steps.append((jittered, share, spread))
        moment_s = max(moment_s, phase_ends_s - every_min * 60)
    steps.sort()
    return [step for step in steps if opens_s + 30 < step[0] <= ends_s]
