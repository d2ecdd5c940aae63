"""One modelled race, built the first time somebody asks for it: field, markets, tracker and finish together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from raceday.simulator.chance import generator
from raceday.simulator.field import plan_field
from raceday.simulator.finish import finish_of
from raceday.simulator.fixed_market import price_paths
from raceday.simulator.money_tracker import money_tracker
from raceday.simulator.race_profile import race_profile, side_markets
from raceday.simulator.runner_profile import runner_profile
from raceday.simulator.tote_market import RACE_POOLS, tote_market

if TYPE_CHECKING:
    from raceday.simulator.field import PlannedRunner
    from raceday.simulator.finish import Finish
    from raceday.simulator.fixed_market import PricePath
    from raceday.simulator.money_tracker import MoneyTracker
    from raceday.simulator.programme import PlannedMeeting, PlannedRace
    from raceday.simulator.tote_market import ToteMarket


@dataclass(slots=True)
class RunnerModel:
    """A runner with its prices and the parts of its JSON that are ready."""

    runner: PlannedRunner
    path: PricePath
    profile: bytes
    last_tote_odds: tuple[float | None, float | None] = (None, None)
    _flucs: tuple[tuple[int, bool], bytes] = field(default=((-2, False), b""))

    def flucs(self, at_s: int) -> bytes:
        """Return the members about price changes; they are written anew only when a price has changed."""
        state = (self.path.place_at(at_s), self.path.is_past_nine_am(at_s))
        if state != self._flucs[0]:
            self._flucs = (state, self.path.flucs(at_s))
        return self._flucs[1]


@dataclass(frozen=True, slots=True)
class RaceModel:
    """Everything about one race that the event shows."""

    meeting: PlannedMeeting
    race: PlannedRace
    profile: bytes
    side_markets: bytes
    runners: list[RunnerModel]
    tote: ToteMarket
    tracker: MoneyTracker
    finish: Finish
    final_shares: dict[int, float]
    pool_turn: int


def race_model(seed: int, meeting: PlannedMeeting, race: PlannedRace) -> RaceModel:
    """Build a race."""
    planned = plan_field(seed, meeting, race)
    paths = price_paths(seed, meeting, race, planned)
    tote = tote_market(seed, meeting, race, planned, paths)
    runners = [
        RunnerModel(runner, path, runner_profile(seed, meeting, race, runner))
        for runner, path in zip(planned, paths, strict=True)
    ]
    for place, model in enumerate(runners):
        model.last_tote_odds = _odds_before_scratching(tote, place, model.runner)
    shares = tote.shares(race.script.closed_s)
    starters = [place for place, runner in enumerate(planned) if not runner.is_scratched(race.script.closed_s)]
    chances = [1 / paths[place].price_at(race.script.closed_s) for place in starters]
    return RaceModel(
        meeting=meeting,
        race=race,
        profile=race_profile(seed, meeting, race, planned),
        side_markets=side_markets(seed, race, planned),
        runners=runners,
        tote=tote,
        tracker=money_tracker(seed, race, planned),
        finish=finish_of(seed, race, [planned[place] for place in starters], chances),
        final_shares={runner.number: share for runner, share in zip(planned, shares, strict=True) if share > 0},
        pool_turn=generator(race.race_id, "pool order").randrange(len(RACE_POOLS)),
    )


def _odds_before_scratching(tote: ToteMarket, place: int, runner: PlannedRunner) -> tuple[float | None, float | None]:
    """Return the last tote odds of a runner whose prices the feed leaves standing after its scratching."""
    if runner.scratching is None or not runner.scratching.keeps_tote_price:
        return None, None
    before_s = runner.scratching.moment_s - 60
    shares = tote.shares(before_s)
    return tote.win_odds(shares, before_s)[place], tote.place_odds(shares, before_s, 3)[place]
