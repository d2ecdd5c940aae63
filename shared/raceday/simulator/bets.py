"""Single bets as the feed shows them on request: the last ones, big ones, the biggest one.

One capture is known: fixed-win bets of 1 to 1,000 dollars, whole dollars, about four a second at the jump.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from raceday.simulator.chance import generator
from raceday.simulator.wire import REFRESH_S, nano_stamp, plain

if TYPE_CHECKING:
    from random import Random

    from raceday.simulator.race_moment import RaceMoment

_BETS_LIMIT = 10
_NS = 1_000_000_000
_STAKES = (1, 2, 5, 5, 10, 10, 20, 25, 50)
_BIG_STAKES = (100, 150, 200, 250, 400, 500)
_BIGGEST_STAKE = (1000,)


def bets_members(moment: RaceMoment) -> dict[str, object]:
    """Return `big_bets`, `live_bets` and `biggest_bet`; each is null unless asked for."""
    options, race_id = moment.options, moment.model.race.race_id
    members: dict[str, object] = {"big_bets": None, "live_bets": None, "biggest_bet": None}
    if options.big_bets:
        rng = generator(race_id, "big bets")
        members["big_bets"] = [_bet(moment, rng, _BIG_STAKES) for _ in range(_BETS_LIMIT)]
    if options.live_bets:
        rng = generator(race_id, "live bets", min(moment.at_s, moment.model.tote.ends_s))
        members["live_bets"] = [_bet(moment, rng, _STAKES) for _ in range(_BETS_LIMIT)]
    if options.biggest_bet:
        members["biggest_bet"] = _bet(moment, generator(race_id, "biggest bet"), _BIGGEST_STAKE)
    return members


def _bet(moment: RaceMoment, rng: Random, stakes: tuple[int, ...]) -> dict[str, object]:
    chosen = rng.choices(range(len(moment.shares)), weights=moment.shares)[0]
    model = moment.model.runners[chosen]
    runner = model.runner
    placed_s = min(moment.at_s, moment.model.tote.ends_s)
    leg = {
        "meeting_name": moment.model.meeting.name,
        "race_name": moment.model.race.name,
        "race_number": moment.model.race.number,
        "entrant_id": runner.entrant_id,
        "entrant_name": runner.name,
        "entrant_number": runner.number,
        "barrier_number": runner.barrier,
        "product_type_name": "Fixed Win",
    }
    return {
        "title": "Fixed Win",
        "description": [f"{runner.name} ({runner.number})"],
        "stake": rng.choice(stakes),
        "legs": [{"race": leg, "selections": None}],
        "place_time": nano_stamp(placed_s * _NS - rng.randrange(REFRESH_S * _NS)),
        "place_odds": plain(model.path.price_at(placed_s)),
    }
