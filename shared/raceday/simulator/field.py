"""The field of one race: who runs, from which barrier, how good they are, and who is scratched when."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from raceday.simulator.chance import from_quantiles, generator, uuid_of
from raceday.simulator.invented_names import horse_name

if TYPE_CHECKING:
    from random import Random

    from raceday.simulator.programme import PlannedMeeting, PlannedRace

_FIELD_SIZES = {
    "T": ((0, 6), (0.1, 8), (0.5, 12), (0.9, 15.5), (1, 19)),
    "H": ((0, 6), (0.1, 7.4), (0.5, 9.6), (0.9, 12), (1, 14)),
    "G": ((0, 6), (0.4, 8), (0.7, 8.9), (1, 10.9)),
}
_SCRATCHED_MEAN = {"T": 2.08, "H": 0.45, "G": 1.7}
_SCRATCHED_BEFORE_MIN = {
    "T": ((0, 0.2), (0.03, 60), (0.05, 312), (0.25, 453), (0.5, 629), (0.75, 1842), (0.95, 3342), (1, 4300)),
    "H": ((0, 0.5), (0.03, 60), (0.06, 527), (0.25, 649), (0.5, 656), (0.75, 691), (0.95, 2160), (1, 3000)),
    "G": ((0, 300), (0.05, 600), (0.25, 728), (0.5, 3035), (0.75, 4083), (1, 4739)),
}
_MAX_DEDUCTION = 0.39


@dataclass(frozen=True, slots=True)
class PlannedScratching:
    """One runner's scratching: when, and what the feed leaves of its prices."""

    moment_s: int
    listed_s: int
    keeps_fixed_price: bool
    keeps_tote_price: bool
    has_deduction: bool


@dataclass(frozen=True, slots=True)
class PlannedRunner:
    """One runner; `chance` is its probability of winning, which sums to 1 over the runners that start."""

    entrant_id: str
    number: int
    barrier: int
    name: str
    chance: float
    scratching: PlannedScratching | None

    def is_scratched(self, at_s: int) -> bool:
        """Return whether the runner has been withdrawn by then."""
        return self.scratching is not None and at_s >= self.scratching.moment_s


def deduction_of(chance: float) -> float:
    """Return the fraction taken from fixed winnings after a late scratching (0 to 0.39 in captures)."""
    return min(_MAX_DEDUCTION, round(chance * 0.85, 2))


def plan_field(seed: int, meeting: PlannedMeeting, race: PlannedRace) -> list[PlannedRunner]:
    """Return the runners of a race in order of their numbers."""
    rng = generator(seed, race.race_id, "field")
    size = int(from_quantiles(rng, _FIELD_SIZES[meeting.category]))
    barriers = rng.sample(range(1, size + 1), size)
    scratchings = _scratchings(rng, meeting.category, race, size)
    chances = _chances(rng, size, [number for number in range(1, size + 1) if number not in scratchings])
    names: dict[str, None] = {}
    while len(names) < size:
        names[horse_name(rng)] = None
    return [
        PlannedRunner(
            entrant_id=uuid_of(race.race_id, "runner", number),
            number=number,
            barrier=number if meeting.category == "G" else barriers[number - 1],
            name=name,
            chance=chances[number - 1],
            scratching=scratchings.get(number),
        )
        for number, name in enumerate(names, start=1)
    ]


def _chances(rng: Random, size: int, starters: list[int]) -> list[float]:
    """Return win probabilities with a favourite near $2.60 and outsiders in the hundreds, as captured.

    The book is made over the runners that start: bookmakers set their prices anew after an early scratching.
    """
    weights = [math.exp(rng.gauss(0, 1.05)) for _ in range(size)]
    total = sum(weights[number - 1] for number in starters)
    return [min(0.8, max(0.0022, weight / total)) for weight in weights]


def _scratchings(rng: Random, category: str, race: PlannedRace, size: int) -> dict[int, PlannedScratching]:
    """Return the scratchings by runner number; at least four runners stay."""
    wanted = min(_poisson(rng, _SCRATCHED_MEAN[category]), size - 4)
    return {number: _scratching(rng, category, race) for number in rng.sample(range(1, size + 1), wanted)}


def _scratching(rng: Random, category: str, race: PlannedRace) -> PlannedScratching:
    before_s = round(60 * from_quantiles(rng, _SCRATCHED_BEFORE_MIN[category]))
    moment_s = race.script.first_start_s - before_s
    late = before_s <= 3600
    return PlannedScratching(
        moment_s=moment_s,
        listed_s=moment_s + rng.randint(0, 240),
        keeps_fixed_price=late or rng.random() < 0.65,
        keeps_tote_price=late or rng.random() < 0.42,
        has_deduction=late or rng.random() < 0.7,
    )


def _poisson(rng: Random, mean: float) -> int:
    """Return a Poisson count (Knuth's product of uniforms)."""
    count, product, floor = 0, rng.random(), math.exp(-mean)
    while product > floor:
        count += 1
        product *= rng.random()
    return count
