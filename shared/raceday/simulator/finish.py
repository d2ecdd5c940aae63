"""How a race ends: the order of finish, dead heats, margins, and a protest that changes it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import groupby, permutations, product
from typing import TYPE_CHECKING

from raceday.simulator.chance import generator
from raceday.simulator.wire import plain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from raceday.simulator.field import PlannedRunner
    from raceday.simulator.programme import PlannedMeeting, PlannedRace

_DEAD_HEAT_SHARE = 0.02
_NON_FINISHER_SHARE = 0.02
_PLACES_AT_INTERIM = 4
_METRES_PER_S = {"T": 16.3, "H": 13.2, "G": 17.4}
_MARGIN_WORDS = ("NSE", "SH HD", "HD", "NK", "LG NK", "1/2L", "3/4L", "1L", "1-3/4L", "2L", "2-1/4L")


@dataclass(frozen=True, slots=True)
class Finisher:
    """One runner's place; a dead heat repeats the position (3, 3, 5)."""

    position: int
    runner: PlannedRunner
    margin_length: float


@dataclass(frozen=True, slots=True)
class Finish:
    """The order over the line and, where a protest was upheld, the order that counts."""

    provisional: tuple[Finisher, ...]
    official: tuple[Finisher, ...]

    @property
    def winner(self) -> PlannedRunner:
        """The runner that is placed first in the end."""
        return self.official[0].runner


def paying_orders(finishers: Sequence[Finisher], places: int) -> list[tuple[int, ...]]:
    """Return every order of runner numbers over the first places that pays: one, or several after a dead heat."""
    groups = [[row.runner.number for row in rows] for _, rows in groupby(finishers, key=lambda row: row.position)]
    orders: dict[tuple[int, ...], None] = {}
    for parts in product(*(list(permutations(group)) for group in groups[:places])):
        orders[tuple(number for part in parts for number in part)[:places]] = None
    return list(orders)


def finish_of(seed: int, race: PlannedRace, starters: Sequence[PlannedRunner], chances: Sequence[float]) -> Finish:
    """Draw the order of finish: each next place goes to a remaining starter in proportion to its chance."""
    rng = generator(seed, race.race_id, "finish")
    drawn = sorted(zip(starters, chances, strict=True), key=lambda pair: -math.log(1 - rng.random()) / pair[1])
    order = [runner for runner, _ in drawn]
    if len(order) > 5 and rng.random() < _NON_FINISHER_SHARE:
        order.pop()
    tied_with_next = rng.randint(0, min(4, len(order) - 2)) if rng.random() < _DEAD_HEAT_SHARE else None
    provisional = _placed(rng, order, tied_with_next)
    if race.script.protest != "upheld" or tied_with_next in {0, 1}:
        return Finish(provisional, provisional)
    first, second, *rest = provisional
    swapped = (Finisher(1, second.runner, first.margin_length), Finisher(2, first.runner, second.margin_length))
    return Finish(provisional, (*swapped, *rest))


def _placed(rng: Random, order: Sequence[PlannedRunner], tied_with_next: int | None) -> tuple[Finisher, ...]:
    rows: list[Finisher] = []
    behind = 0.0
    for place, runner in enumerate(order):
        if place and tied_with_next == place - 1:
            rows.append(Finisher(rows[-1].position, runner, behind))
            continue
        if place:
            behind = round(behind + min(9.0, rng.expovariate(0.8)) + 0.05, 2)
        rows.append(Finisher(place + 1, runner, behind))
    return tuple(rows)


def result_rows(
    meeting: PlannedMeeting, race: PlannedRace, finishers: Sequence[Finisher], *, interim: bool
) -> list[dict[str, object]]:
    """Return `data.results`: the first four at Interim, everyone at Final."""
    shown = [row for row in finishers if row.position <= _PLACES_AT_INTERIM] if interim else finishers
    return [_result_row(meeting, race, row) for row in shown]


def _result_row(meeting: PlannedMeeting, race: PlannedRace, row: Finisher) -> dict[str, object]:
    result: dict[str, object] = {
        "position": row.position,
        "name": row.runner.name,
        "barrier": row.runner.barrier,
        "runner_number": row.runner.number,
        "margin_length": plain(row.margin_length),
        "entrant_id": row.runner.entrant_id,
    }
    if meeting.country == "NZ" and row.position == 1:
        result["winning_time"] = result["time_ran"] = round(race.distance_m / _METRES_PER_S[meeting.category], 2)
    elif meeting.country == "NZ" and row.position <= _PLACES_AT_INTERIM:
        result["positional_margin"] = _MARGIN_WORDS[min(len(_MARGIN_WORDS) - 1, int(row.margin_length * 2.5))]
    return result
