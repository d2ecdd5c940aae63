"""Prices, pools, the money tracker and dividends: in the ranges of the captures."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from datetime import UTC, date, datetime
from functools import cache

import orjson
import pytest

from raceday.simulator.event_options import EventOptions
from raceday.simulator.feed import SimulatedFeed
from raceday.simulator.finish import Finisher, paying_orders
from raceday.simulator.price_ladder import LADDER, nearest_step
from raceday.simulator.programme import plan_day
from raceday.simulator.race_model import RaceModel
from raceday.simulator.wire import instant

DAY = date(2026, 3, 12)


@cache
def models(country: str, category: str) -> tuple[RaceModel, ...]:
    """The races of one kind on three days that were run."""
    found = []
    for seed in (1, 2, 3):
        programme = plan_day(DAY, seed)
        feed = SimulatedFeed(programme, lambda: datetime(2026, 3, 12, tzinfo=UTC))
        found += [
            feed.race_model(race.race_id)
            for meeting in programme.meetings
            if (meeting.country, meeting.category) == (country, category)
            for race in meeting.races
            if race.script.abandoned_s is None
        ]
    return tuple(found)


def every_model() -> list[RaceModel]:
    return [model for kind in (("AUS", "T"), ("AUS", "H"), ("NZ", "T"), ("NZ", "H")) for model in models(*kind)]


def median_win_pool(country: str, category: str, before_s: int) -> float:
    return statistics.median(
        model.tote.total_at("Win", model.race.script.closed_s - before_s) for model in models(country, category)
    )


def test_the_ladder_has_the_steps_of_the_captures() -> None:
    seen = [1.04, 1.12, 1.2, 1.45, 1.95, 2.25, 2.5, 2.6, 3.9, 4.2, 4.5, 4.8, 5.5, 9.5, 10, 21, 23, 26, 31, 101, 401]
    assert set(seen) <= set(LADDER)
    assert list(LADDER) == sorted(set(LADDER))
    assert nearest_step(0.5) == 1.04
    assert nearest_step(9999) == 401
    assert nearest_step(22.2) == 23
    assert nearest_step(5.2) == 5


@pytest.mark.parametrize(("category", "opening", "closing"), [("T", 1.27, 1.22), ("H", 1.31, 1.245)])
def test_the_fixed_book_shrinks_towards_the_jump(category: str, opening: float, closing: float) -> None:
    def book(model: RaceModel, at_s: int) -> float:
        return sum(1 / row.path.price_at(at_s) for row in model.runners if row.runner.scratching is None)

    runs = models("AUS", category)
    assert statistics.mean(book(m, m.race.script.last_start_s - 10800) for m in runs) == pytest.approx(
        opening, abs=0.03
    )
    assert statistics.mean(book(m, m.race.script.closed_s) for m in runs) == pytest.approx(closing, abs=0.03)


def test_fixed_prices_move_rarely_far_out_and_often_near_the_jump() -> None:
    def moves(from_min: int, until_min: int) -> list[float]:
        return [
            math.log(row.path.price_at(start_s - until_min * 60) / row.path.price_at(start_s - from_min * 60))
            for model in every_model()
            for start_s in [model.race.script.last_start_s]
            for row in model.runners
            if row.runner.scratching is None and row.path.place_at(start_s - from_min * 60) >= 0
        ]

    far, middle, near = moves(105, 90), moves(45, 30), moves(40, 0)
    assert 0.02 <= sum(1 for move in far if move) / len(far) <= 0.09
    assert 0.10 <= sum(1 for move in middle if move) / len(middle) <= 0.30
    assert 0.22 <= statistics.pstdev(near) <= 0.40


def test_every_fixed_price_is_on_the_ladder() -> None:
    assert all(price in LADDER for model in every_model() for row in model.runners for price in row.path.prices)


@pytest.mark.parametrize(
    ("country", "category", "final"),
    [("AUS", "T", 31_779), ("AUS", "H", 8_847), ("NZ", "T", 9_167), ("NZ", "H", 8_950)],
)
def test_win_pools_end_at_the_captured_size(country: str, category: str, final: float) -> None:
    assert final / 1.6 <= median_win_pool(country, category, -120) <= final * 1.6


def test_pools_grow_as_captured() -> None:
    final_au, final_nz = median_win_pool("AUS", "T", -120), median_win_pool("NZ", "H", -120)
    assert 0.03 <= median_win_pool("AUS", "T", 40 * 60) / final_au <= 0.09
    assert 0.004 <= median_win_pool("AUS", "T", 6 * 3600) / final_au <= 0.02
    for minutes, share in ((70, 0.150), (35, 0.244), (20, 0.301)):
        assert median_win_pool("NZ", "H", minutes * 60) / final_nz == pytest.approx(share, abs=0.05)


def test_tote_odds_give_back_what_the_takeout_leaves() -> None:
    for country, takeout in (("AUS", 0.146), ("NZ", 0.155)):
        sums = []
        for model in models(country, "T") + models(country, "H"):
            at_s = model.race.script.final_s
            odds = model.tote.win_odds(model.tote.shares(at_s), at_s)
            starters = [model.final_shares.get(row.runner.number) for row in model.runners]
            if all(price for price, share in zip(odds, starters, strict=True) if share):
                sums.append(sum(1 / price for price in odds if price))
        raw_takeout = 1 - 1 / statistics.median(sums)
        assert takeout <= raw_takeout <= takeout + 0.02  # floored odds overstate the takeout


def test_tote_odds_follow_fixed_odds_as_captured() -> None:
    residuals = []
    for model in models("AUS", "T"):
        at_s = model.race.script.final_s
        odds = model.tote.win_odds(model.tote.shares(at_s), at_s)
        residuals += [
            math.log(tote) - 0.938 * math.log(row.path.price_at(at_s)) - 0.17
            for row, tote in zip(model.runners, odds, strict=True)
            if tote is not None
        ]
    assert abs(statistics.mean(residuals)) < 0.06
    assert 0.15 <= statistics.stdev(residuals) <= 0.30


def test_scratchings_have_the_captured_number() -> None:
    def mean(category: str) -> float:
        runs = models("AUS", category)
        return statistics.mean(sum(row.runner.scratching is not None for row in m.runners) for m in runs)

    assert 1.6 <= mean("T") <= 2.5
    assert 0.25 <= mean("H") <= 0.7


def test_a_few_runners_are_scratched_in_the_last_hour() -> None:
    before_min = [
        (model.race.script.first_start_s - row.runner.scratching.moment_s) / 60
        for model in every_model()
        for row in model.runners
        if row.runner.scratching is not None
    ]
    assert 0.005 <= sum(1 for minutes in before_min if minutes < 60) / len(before_min) <= 0.08
    assert statistics.median(before_min) > 400


def test_the_money_tracker_looks_like_the_two_captures() -> None:
    errors = []
    for model in every_model():
        at_s = model.race.script.final_s
        shares = model.tote.shares(at_s)
        rows = orjson.loads(model.tracker.rendered(shares, at_s))["entrants"]
        own = {row.runner.entrant_id for row in model.runners}
        hold = Counter({row["entrant_id"]: 0 for row in rows})
        for row in rows:
            assert isinstance(row["hold_percentage"], int)
            assert isinstance(row["bet_percentage"], int)
            hold[row["entrant_id"]] += row["hold_percentage"]
        rows_each = Counter(row["entrant_id"] for row in rows)
        assert all(8 <= rows_each[entrant_id] <= 10 for entrant_id in own)
        assert 3 <= len(set(hold) - own) <= 4
        assert 101 <= sum(hold.values()) <= 105
        assert 90 <= sum(hold[entrant_id] for entrant_id in own) <= 105
        assert sum(row["bet_percentage"] for row in rows) == sum(hold.values())
        errors += [abs(hold[row.runner.entrant_id] - 100 * s) for row, s in zip(model.runners, shares, strict=True)]
    assert 1.0 <= statistics.mean(errors) <= 5.5


def test_tracker_rows_are_in_no_order_and_change_places() -> None:
    model = models("AUS", "T")[0]
    start_s = model.race.script.last_start_s
    bodies = [model.tracker.rendered(model.tote.shares(at_s), at_s) for at_s in (start_s - 60, start_s - 45)]
    orders = [[row["entrant_id"] for row in orjson.loads(body)["entrants"]] for body in bodies]
    assert orders[0] != sorted(orders[0])
    assert orders[0] != orders[1]
    assert Counter(orders[0]) == Counter(orders[1])


def test_favourites_win_about_as_often_as_their_price_says() -> None:
    runs = every_model()
    won, expected = 0, 0.0
    for model in runs:
        favourite = max(model.final_shares, key=model.final_shares.__getitem__)
        won += model.finish.winner.number == favourite
        expected += model.final_shares[favourite]
    assert won == pytest.approx(expected, abs=3 * math.sqrt(expected))


def test_a_dead_heat_pays_every_order() -> None:
    field = [row.runner for row in models("AUS", "T")[0].runners[:5]]
    numbers = [runner.number for runner in field]
    positions = (1, 2, 3, 3, 5)
    finishers = [Finisher(position, runner, 0) for position, runner in zip(positions, field, strict=True)]

    one, two, three, four, _ = numbers
    assert paying_orders(finishers, 1) == [(one,)]
    assert set(paying_orders(finishers, 3)) == {(one, two, three), (one, two, four)}
    assert set(paying_orders(finishers, 4)) == {(one, two, three, four), (one, two, four, three)}


def test_dead_heats_happen_and_repeat_the_position() -> None:
    tied = 0
    for seed in range(1, 9):
        programme = plan_day(DAY, seed)
        feed = SimulatedFeed(programme, lambda: datetime(2026, 3, 12, tzinfo=UTC))
        for race in programme.imported_races()[:60]:
            positions = [row.position for row in feed.race_model(race.race_id).finish.official]
            if len(set(positions)) < len(positions):
                tied += 1
                place = next(place for place in range(len(positions)) if positions[place] == positions[place + 1])
                assert positions[place + 2 : place + 3] in ([positions[place] + 2], [])
    assert 2 <= tied <= 25


def test_an_upheld_protest_changes_the_order_between_interim_and_final() -> None:
    programme = next(
        day for day in (plan_day(DAY, seed) for seed in range(1, 40))
        if any(race.script.protest == "upheld" and race.script.abandoned_s is None for race in day.imported_races())
    )  # fmt: skip
    race = next(race for race in programme.imported_races() if race.script.protest == "upheld")
    moment = [race.script.interim_s + 30]
    feed = SimulatedFeed(programme, lambda: instant(moment[0]))
    interim = orjson.loads(feed.event(race.race_id, EventOptions()) or b"")["data"]
    moment[0] = race.script.final_s + 30
    final = orjson.loads(feed.event(race.race_id, EventOptions()) or b"")["data"]

    assert interim["race"]["protest"] is True
    assert "UPHELD" in final["race"]["protest_reason"]
    first_two = [row["runner_number"] for row in interim["results"][:2]]
    assert [row["runner_number"] for row in final["results"][:2]] == first_two[::-1]
