"""The objects of `data.runners` at one moment, and the favourite and the mover among them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from raceday.simulator.field import deduction_of
from raceday.simulator.fixed_market import place_price
from raceday.simulator.wire import plain, second_stamp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from raceday.simulator.race_model import RunnerModel
    from raceday.simulator.race_moment import RaceMoment


@dataclass(frozen=True, slots=True)
class RunnersBody:
    """The rendered runners of a race; the favourite and the mover are repeated outside the list."""

    runners: list[bytes]
    favourite: bytes
    mover: bytes


def runners_body(moment: RaceMoment) -> RunnersBody:
    """Render the runners of a race."""
    model, at_s = moment.model, moment.at_s
    win = model.tote.win_odds(moment.shares, at_s)
    place = model.tote.place_odds(moment.shares, at_s, moment.places)
    rows = [_changing(runner, at_s, win[number], place[number]) for number, runner in enumerate(model.runners)]
    favourite = _favourite(model.runners, at_s)
    mover, has_moved = _mover(model.runners, at_s)
    flat = [_rendered(runner, row, at_s) for runner, row in zip(model.runners, rows, strict=True)]
    runners = list(flat)
    if favourite is not None:
        rows[favourite]["favourite"] = True
    if has_moved:
        rows[mover]["mover"] = True
    for number in {mover if favourite is None else favourite, mover}:
        runners[number] = _rendered(model.runners[number], rows[number], at_s)
    return RunnersBody(runners, flat[favourite or 0], flat[mover])


def _rendered(model: RunnerModel, changing: dict[str, object], at_s: int) -> bytes:
    return b"".join((model.profile[:-1], b",", orjson.dumps(changing)[1:-1], b",", model.flucs(at_s)[1:]))


def _changing(model: RunnerModel, at_s: int, win: float | None, place: float | None) -> dict[str, object]:
    scratched = model.runner.is_scratched(at_s)
    if scratched:
        win, place = model.last_tote_odds
    row: dict[str, object] = {
        "is_scratched": scratched,
        "odds": _odds(model, at_s, win, place),
        "scratch_time": 0,
        "favourite": False,
        "mover": False,
        "scr_time": None,
    }
    scratching = model.runner.scratching
    if scratched and scratching is not None:
        row["scratch_time"] = scratching.moment_s
        row["scr_time"] = second_stamp(scratching.listed_s)
        if scratching.has_deduction:
            fraction = deduction_of(model.runner.chance)
            row["deduction"] = {"win": plain(fraction), "place": plain(round(fraction * 0.65, 2))}
    return row


def _odds(model: RunnerModel, at_s: int, win: float | None, place: float | None) -> dict[str, int | float]:
    """Return the four odds; a fixed price that is not there is 0, a tote price that is not there is absent."""
    price = _fixed_win(model, at_s)
    odds: dict[str, int | float] = {
        "fixed_win": plain(price),
        "fixed_place": plain(place_price(price)) if price else 0,
    }
    if win is not None:
        odds["pool_win"] = plain(win)
    if place is not None:
        odds["pool_place"] = plain(place)
    return odds


def _fixed_win(model: RunnerModel, at_s: int) -> float:
    """Return the fixed win price, 0 before the market opens and sometimes after a scratching."""
    scratching = model.runner.scratching
    withdrawn = scratching is not None and at_s >= scratching.moment_s and not scratching.keeps_fixed_price
    if withdrawn or model.path.place_at(at_s) < 0:
        return 0
    return model.path.price_at(at_s)


def _priced(models: Sequence[RunnerModel], at_s: int) -> list[int]:
    return [
        number
        for number, model in enumerate(models)
        if not model.runner.is_scratched(at_s) and model.path.place_at(at_s) >= 0
    ]


def _favourite(models: Sequence[RunnerModel], at_s: int) -> int | None:
    """Return the place of the runner with the lowest fixed price, None before the market opens."""
    return min(_priced(models, at_s), key=lambda number: models[number].path.price_at(at_s), default=None)


def _mover(models: Sequence[RunnerModel], at_s: int) -> tuple[int, bool]:
    """Return the place of the runner that has shortened most since the opening, and whether any has."""
    priced = _priced(models, at_s)
    if not priced:
        return 0, False
    drift = {number: models[number].path.price_at(at_s) / models[number].path.prices[0] for number in priced}
    mover = min(drift, key=drift.__getitem__)
    return mover, drift[mover] < 1
