"""The pools that run over several races of a meeting: Quadrella, EarlyQuadrella, RunningDouble, Treble."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from raceday.simulator.chance import generator, key_of
from raceday.simulator.tote_market import MULTI_LEG_GROWTH, PoolCurve

if TYPE_CHECKING:
    from raceday.simulator.programme import PlannedMeeting

_FINAL_TOTAL = {
    # dollars in Australia and in New Zealand
    "Quadrella": (9_000, 25_800),
    "EarlyQuadrella": (2_300, 6_000),
    "RunningDouble": (450, 2_600),
    "Treble": (770, 9_000),
}
LEGS_KEY = {
    "Quadrella": "quaddie",
    "EarlyQuadrella": "early_quaddie",
    "RunningDouble": "tote_running_double",
    "Treble": "tote_treble",
}
_NO_WINNER_SHARE = {"Quadrella": 0.04, "EarlyQuadrella": 0.12, "RunningDouble": 0.0, "Treble": 0.03}


@dataclass(frozen=True, slots=True)
class MultiLegPool:
    """One such pool; `first_close_s` is when betting on it ends."""

    product: str
    legs: tuple[int, ...]
    curve: PoolCurve
    first_close_s: int
    called_off_s: int | None
    has_winner: bool

    def is_called_off(self, at_s: int) -> bool:
        """Return whether one of its legs had been abandoned by then."""
        return self.called_off_s is not None and at_s >= self.called_off_s

    def total_at(self, at_s: int) -> float:
        """Return its total in dollars."""
        return self.curve.total_at(at_s if self.called_off_s is None else min(at_s, self.called_off_s))


def legs_of(meeting: PlannedMeeting) -> dict[str, list[tuple[int, ...]]]:
    """Return the legs of every such pool by product, as race numbers."""
    last = len(meeting.races)
    if not (meeting.is_imported and last >= 7):
        return {}
    first = max(1, last - 7)
    pairs = range(2 - last % 2, last, 2) if meeting.country == "NZ" else range(last - 3, last, 2)
    triples = range(1 + last % 3, last - 1, 3)
    return {
        "Quadrella": [tuple(range(last - 3, last + 1))],
        "EarlyQuadrella": [tuple(range(first, first + 4))],
        "RunningDouble": [(number, number + 1) for number in pairs],
        "Treble": [(number, number + 1, number + 2) for number in triples],
    }


def multi_leg_pools(seed: int, meeting: PlannedMeeting) -> list[MultiLegPool]:
    """Return the pools of a meeting that run over several races."""
    pools = []
    in_nz = meeting.country == "NZ"
    for product, all_legs in legs_of(meeting).items():
        for legs in all_legs:
            rng = generator(seed, meeting.meeting_id, product, legs)
            scripts = [meeting.races[number - 1].script for number in legs]
            called_off = [script.abandoned_s for script in scripts if script.abandoned_s is not None]
            curve = PoolCurve(
                final_total=_FINAL_TOTAL[product][in_nz] * math.exp(rng.gauss(0, 0.6)),
                ends_s=scripts[0].closed_s,
                shape=MULTI_LEG_GROWTH,
                pace=rng.uniform(0.9, 1.1),
                key=key_of(seed, meeting.meeting_id, product, legs),
            )
            has_winner = rng.random() >= _NO_WINNER_SHARE[product]
            off_s = min(called_off, default=None)
            pools.append(MultiLegPool(product, legs, curve, scripts[0].closed_s, off_s, has_winner))
    return pools
