"""`data` of `/events/{id}` at one moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from raceday.simulator.bets import bets_members
from raceday.simulator.dividends import dividend_rows, multi_leg_dividend, race_dividends
from raceday.simulator.finish import result_rows
from raceday.simulator.pool_body import pools_body
from raceday.simulator.runner_body import runners_body
from raceday.simulator.tote_market import RACE_POOLS
from raceday.simulator.wire import NEW_ZEALAND, go_stamp, instant, joined, listed

if TYPE_CHECKING:
    from collections.abc import Callable

    from raceday.simulator.dividends import Dividend
    from raceday.simulator.race_model import RaceModel
    from raceday.simulator.race_moment import RaceMoment
    from raceday.simulator.race_script import Status


def event_data(moment: RaceMoment, race_of_number: Callable[[int], RaceModel]) -> bytes:
    """Render the event; `race_of_number` gives another race of the meeting, for pools over several races."""
    model, options = moment.model, moment.options
    runners = runners_body(moment)
    tracker = model.tracker.rendered(moment.shares, moment.at_s) if options.money_tracker else b"null"
    members = [b'"race":' + joined(model.profile, _changing_race(moment))]
    if moment.has_outcome:
        members.append(orjson.dumps(_outcome(moment, race_of_number))[1:-1])
    members += [
        b'"favourite":' + runners.favourite,
        b'"runners":' + listed(runners.runners),
        b'"derivatives":' + model.side_markets,
        b'"mover":' + runners.mover,
        orjson.dumps(bets_members(moment))[1:-1],
        b'"money_tracker":' + tracker,
        b'"tote_pools":' + orjson.dumps(pools_body(moment)),
        b'"error":""',
    ]
    return b"{" + b",".join(members) + b"}"


def _changing_race(moment: RaceMoment) -> dict[str, object]:
    script = moment.model.race.script
    advertised_s, actual_s = script.advertised_start_s(moment.at_s), script.actual_start_s(moment.at_s)
    local = instant(advertised_s).astimezone(NEW_ZEALAND)
    race: dict[str, object] = {
        "status": moment.status,
        "advertised_start": advertised_s,
        "actual_start": actual_s,
        "advertised_start_string": go_stamp(advertised_s),
        "actual_start_string": go_stamp(actual_s),
        "race_date_nz": local.strftime("%Y-%m-%d"),
        "start_time_nz": local.strftime("%H:%M:%S %Z"),
        "field_size": moment.starters,
        "positions_paid": moment.places,
    }
    return race | protest_members(moment.model, moment.status)


def protest_members(model: RaceModel, status: Status) -> dict[str, object]:
    """Return `protest` and its reason, present only while there is or has been one."""
    verdict = model.race.script.protest
    if verdict is None or status not in {"Interim", "Final"}:
        return {}
    first, second = model.finish.provisional[0].runner, model.finish.provisional[1].runner
    outcome = f"Protest {verdict.upper()}" if status == "Final" else "Protest"
    return {"protest": True, "protest_reason": f"{outcome} - 2nd (#{second.number}) v 1st (#{first.number})"}


def _outcome(moment: RaceMoment, race_of_number: Callable[[int], RaceModel]) -> dict[str, object]:
    """Return the members `results`, `dividends` and `substitutions`, which are absent before the Interim."""
    model = moment.model
    is_final = moment.status == "Final"
    finishers = model.finish.official if is_final else model.finish.provisional
    totals = {product: model.tote.total_at(product, moment.at_s) for product in RACE_POOLS}
    race_id = model.race.race_id
    paid = race_dividends(race_id, finishers, model.final_shares, totals, 1 - model.tote.takeout)
    paid += _multi_leg_dividends(moment, race_of_number)
    favourite = max(model.final_shares, key=model.final_shares.__getitem__)
    substitute = {
        "entrant_id": model.runners[favourite - 1].runner.entrant_id,
        "tote": "NZ",
        "product_name": "Pool Win",
    }
    return {
        "results": result_rows(model.meeting, model.race, finishers, interim=not is_final),
        "dividends": dividend_rows(race_id, paid, final=is_final),
        "substitutions": [substitute],
    }


def _multi_leg_dividends(moment: RaceMoment, race_of_number: Callable[[int], RaceModel]) -> list[Dividend]:
    """Return the dividends of the pools that end with this race and of which no leg was called off."""
    paid = []
    for pool in moment.multi_legs:
        if pool.legs[-1] != moment.model.race.number or pool.is_called_off(moment.at_s):
            continue
        legs = [race_of_number(number) for number in pool.legs]
        winners = [leg.finish.winner.number for leg in legs]
        shares = [leg.final_shares[number] for leg, number in zip(legs, winners, strict=True)]
        paid.append(multi_leg_dividend(pool, winners, shares, pool.total_at(moment.at_s)))
    return paid
