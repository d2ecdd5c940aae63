"""What holds for any seed, race and moment of the modelled feed."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from raceday.simulator.event_options import EventOptions
from raceday.simulator.feed import SimulatedFeed
from raceday.simulator.programme import DayProgramme, plan_day
from raceday.simulator.wire import instant, nano_stamp, plain

seeds = st.integers(1, 4)
places = st.integers(0, 95)
offsets = st.integers(-30 * 3600, 2 * 3600)
PHASES = {"Open": 0, "Closed": 1, "Interim": 2, "Final": 3}


@cache
def day(seed: int) -> DayProgramme:
    return plan_day(date(2026, 3, 12), seed)


@cache
def feed_of(seed: int) -> tuple[SimulatedFeed, list[float]]:
    moment = [0.0]
    return SimulatedFeed(day(seed), lambda: instant(moment[0])), moment


def event(seed: int, place: int, at_s: float) -> dict | None:
    feed, moment = feed_of(seed)
    moment[0] = at_s
    body = feed.event(day(seed).imported_races()[place].race_id, EventOptions(money_tracker=True))
    return None if body is None else orjson.loads(body)


def start_of(seed: int, place: int) -> int:
    return day(seed).imported_races()[place].script.first_start_s


@settings(max_examples=60, deadline=None)
@given(seeds, places, offsets, st.floats(0, 14.9))
def test_two_polls_within_one_refresh_are_equal(seed: int, place: int, offset: int, later_s: float) -> None:
    tick_s = (start_of(seed, place) + offset) // 15 * 15
    assert event(seed, place, tick_s) == event(seed, place, tick_s + later_s)


@settings(max_examples=60, deadline=None)
@given(seeds, places, offsets)
def test_a_feed_made_again_says_the_same(seed: int, place: int, offset: int) -> None:
    at_s = start_of(seed, place) + offset
    fresh = SimulatedFeed(plan_day(date(2026, 3, 12), seed), lambda: instant(at_s))
    body = fresh.event(day(seed).imported_races()[place].race_id, EventOptions(money_tracker=True))
    assert (None if body is None else orjson.loads(body)) == event(seed, place, at_s)


@settings(max_examples=60, deadline=None)
@given(seeds, places, st.lists(offsets, min_size=2, max_size=6))
def test_no_pool_ever_falls(seed: int, place: int, moments: list[int]) -> None:
    totals: dict[str, float] = {}
    for offset in sorted(moments):
        body = event(seed, place, start_of(seed, place) + offset)
        if body is None or body["data"]["race"]["status"] == "Abandoned":
            return
        for pool in body["data"]["tote_pools"]:
            if pool["status"] == "ABANDONED":
                continue
            assert pool["total"] >= totals.get(pool["product_type"], 0)
            totals[pool["product_type"]] = pool["total"]


@settings(max_examples=60, deadline=None)
@given(seeds, places, offsets)
def test_the_parts_of_an_event_agree(seed: int, place: int, offset: int) -> None:
    body = event(seed, place, start_of(seed, place) + offset)
    if body is None:
        return
    race, runners = body["data"]["race"], body["data"]["runners"]
    running = [runner for runner in runners if not runner["is_scratched"]]

    assert race["entrant_count"] == len(runners)
    assert race["field_size"] == len(running) >= 4
    assert race["positions_paid"] == (3 if len(running) >= 8 else 2 if len(running) >= 5 else 1)
    assert ("results" in body["data"]) == (race["status"] in {"Interim", "Final"})
    assert ("dividends" in body["data"]) == ("results" in body["data"])
    assert sum(runner["favourite"] for runner in runners) <= 1
    for runner in runners:
        assert (runner["scratch_time"] > 0) == runner["is_scratched"] == (runner["scr_time"] is not None)
        assert "deduction" not in runner or runner["is_scratched"]
        assert not runner["odds"]["fixed_win"] or 1 < runner["odds"]["fixed_win"] <= 401
        assert runner["odds"].get("pool_win", 1) >= 1


@settings(max_examples=40, deadline=None)
@given(seeds, places, st.lists(st.integers(-600, 2400), min_size=2, max_size=8))
def test_status_goes_forward_but_for_a_false_start(seed: int, place: int, offsets_s: list[int]) -> None:
    script = day(seed).imported_races()[place].script
    statuses = [script.status(script.last_start_s + offset) for offset in sorted(offsets_s)]
    phases = [PHASES[status] for status in statuses if status != "Abandoned"]
    if script.reopen_s is None:
        assert phases == sorted(phases)
    assert "Abandoned" not in statuses or statuses == sorted(statuses, key=lambda status: status == "Abandoned")


@given(st.integers(0, 2**61))
def test_stamps_drop_trailing_zeros_only(unix_ns: int) -> None:
    unix_ns %= 4_000_000_000 * 10**9
    stamp = nano_stamp(unix_ns)
    whole, _, fraction = stamp.removesuffix("Z").partition(".")
    assert not fraction.endswith("0")
    assert int(fraction.ljust(9, "0") or 0) == unix_ns % 10**9
    assert whole == (instant(0) + timedelta(seconds=unix_ns // 10**9)).strftime("%Y-%m-%dT%H:%M:%S")


@given(st.integers(-(10**6), 10**6))
def test_whole_numbers_lose_their_fraction(number: int) -> None:
    assert isinstance(plain(float(number)), int)
    assert isinstance(plain(number + 0.5), float)
