"""The objects of `data.tote_pools` at one moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from raceday.simulator.chance import key_of, unit
from raceday.simulator.multi_legs import LEGS_KEY
from raceday.simulator.tote_market import RACE_POOLS
from raceday.simulator.tote_trends import quinella_grid, trends_document, will_pays
from raceday.simulator.wire import NEW_ZEALAND, instant, plain

if TYPE_CHECKING:
    from raceday.simulator.multi_legs import MultiLegPool
    from raceday.simulator.race_moment import RaceMoment

_TRENDS_CODES = {
    "Trifecta": "TFA",
    "FirstFour": "FT4",
    "RunningDouble": "DBL",
    "Treble": "TRB",
    "Quadrella": "QAD",
    "EarlyQuadrella": "QAD",
}
_NOT_COMMINGLED = {"Trifecta", "RunningDouble", "Treble"}
_TRENDS_SHARE = 0.8
"""The tote's trends see about four fifths of a pool (NZ TAB captures with all options)."""
_ALIVE_AFTER_A_LEG = 0.2


def pools_body(moment: RaceMoment) -> list[dict[str, object]]:
    """Return the five pools of the race, in an order of its own, and those of which it is a leg."""
    turn = moment.model.pool_turn
    pools = [_race_pool(moment, product) for product in RACE_POOLS[turn:] + RACE_POOLS[:turn]]
    return pools + [_multi_leg_pool(moment, pool) for pool in moment.multi_legs]


def _blank(product: str, total: float, status: str) -> dict[str, object]:
    commingled = product not in _NOT_COMMINGLED
    return {
        "product_type": product,
        "total": plain(total),
        "status": status,
        "guarantee": 0,
        "brought_forward": 0,
        "terminating": product == "Trifecta",
        "jackpot": 0,
        "leg": 0,
        "is_commingled": commingled,
        "commingled_info": commingled,
        "is_concession": product == "RunningDouble",
        "win_investment": "",
        "will_pay_live_units": 0,
        "will_pay_current_leg": 0,
    }


def _race_pool(moment: RaceMoment, product: str) -> dict[str, object]:
    """Return one pool of the race; there is no place pool when only one place is paid."""
    is_held = product != "Place" or moment.places > 1
    total = moment.model.tote.total_at(product, moment.at_s) if is_held else 0.0
    is_open = moment.status == "Open"
    called_off = not is_held or moment.status == "Abandoned"
    pool = _blank(product, total, "ABANDONED" if called_off else "OPEN" if is_open else "CLOSED")
    pool["is_final"] = not is_open and not called_off
    if moment.has_outcome:
        winning_share = unit(key_of(moment.model.race.race_id, product, "winning units"), 0)
        pool["win_investment"] = str(round(winning_share * total * 10))
    if product in _TRENDS_CODES and total > 0:
        pool["tote_trends"] = _trends(moment, product, total)
    if product == "Quinella" and moment.options.will_pays:
        pool["qla_odds"] = quinella_grid(moment.model, moment.shares)
    return pool


def _multi_leg_pool(moment: RaceMoment, pool: MultiLegPool) -> dict[str, object]:
    """Return a pool over several races as this leg of it shows it."""
    total = pool.total_at(moment.at_s)
    is_closed = moment.at_s >= pool.first_close_s
    called_off = pool.is_called_off(moment.at_s)
    body = _blank(pool.product, total, "ABANDONED" if called_off else "CLOSED" if is_closed else "OPEN")
    is_nested = pool.product in {"RunningDouble", "Treble"}
    body[LEGS_KEY[pool.product]] = [pool.legs] if is_nested else pool.legs
    legs_run = moment.model.race.number - pool.legs[0]
    if is_closed and legs_run:
        alive = total * _ALIVE_AFTER_A_LEG**legs_run
        body["will_pay_current_leg"] = legs_run
        body["will_pay_live_units"] = plain(round(alive, 2))
        body["tote_trends"] = _trends(moment, pool.product, total) | {"final_leg_start_time": _local_start(moment)}
        if moment.options.will_pays and moment.model.race.number == pool.legs[-1]:
            body["will_pays"] = will_pays(moment.model, total, alive, moment.shares)
    return body


def _trends(moment: RaceMoment, product: str, total: float) -> dict[str, object]:
    trends: dict[str, object] = {"pool_total": plain(round(total * _TRENDS_SHARE, 2))}
    if moment.options.tote_trends:
        code = _TRENDS_CODES[product]
        trends["tote_trends_data"] = trends_document(moment.model, code, total * _TRENDS_SHARE, moment.shares)
    return trends


def _local_start(moment: RaceMoment) -> str:
    start = instant(moment.model.race.script.advertised_start_s(moment.at_s)).astimezone(NEW_ZEALAND)
    return start.strftime("%Y-%m-%d %H:%M")
