"""Which races of a day are called off, and when.

Share of Australian races seen abandoned: 3.8 % of gallops, 0.7 % of harness (index of 74,663 captures, 2025/26).
Most belong to a card that is stopped half way, a few to a whole card that is washed out before its first race.
Every day has at least one card stopped half way, so that every day exercises it; that lifts a Thursday slightly.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from raceday.simulator.chance import generator

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from raceday.simulator.race_script import AbandonedEvent, RaceScript

_EVENT_AFTERWARDS: tuple[AbandonedEvent, ...] = ("abandoned", "abandoned", "open", "missing")
_WASHOUT_SHARE = 0.05
_HARNESS_STOP_SHARE = 0.25
_GALLOPS_SHARE = 0.038
_RACES_LOST_MEAN = 1.6

Card = tuple[str, "list[RaceScript]"]
"""The code of a meeting (T or H; others are never called off here) and the scripts of its races in order."""


def call_off(seed: int, cards: Sequence[Card]) -> list[list[RaceScript]]:
    """Return the scripts of every card, those of the called-off races with the moment and manner added."""
    rng = generator(seed, "abandonments")
    scripts = [list(card) for _, card in cards]
    gallops = [place for place, (category, _) in enumerate(cards) if category == "T"]
    harness = [place for place, (category, _) in enumerate(cards) if category == "H"]
    if gallops:
        races = sum(len(scripts[place]) for place in gallops)
        stops = max(1, round(_GALLOPS_SHARE * races / _RACES_LOST_MEAN))
        stopped = rng.sample(gallops, min(stops, len(gallops)))
        for place in stopped:
            _stop(rng, scripts[place], lost=rng.choice((1, 1, 2, 2, 3)))
        others = [place for place in gallops if place not in stopped]
        if others and rng.random() < _WASHOUT_SHARE:
            _wash_out(rng, scripts[rng.choice(others)])
    if harness and rng.random() < _HARNESS_STOP_SHARE:
        _stop(rng, scripts[rng.choice(harness)], lost=1)
    return scripts


def _stop(rng: Random, card: list[RaceScript], lost: int) -> None:
    """Call off the last races of a card, some minutes after the last one that was run."""
    first_lost = max(1, len(card) - lost)
    previous, following = card[first_lost - 1], card[first_lost]
    earliest_s = previous.jump_s + 300
    latest_s = max(earliest_s + 60, following.first_start_s - 60)
    moment_s = rng.randint(earliest_s, latest_s)
    _mark(rng, card, first_lost, min(moment_s, following.jump_s - 30))


def _wash_out(rng: Random, card: list[RaceScript]) -> None:
    """Call off a whole card one to eight hours before its first race."""
    _mark(rng, card, 0, card[0].first_start_s - rng.randint(3600, 8 * 3600))


def _mark(rng: Random, card: list[RaceScript], first_lost: int, moment_s: int) -> None:
    for place in range(first_lost, len(card)):
        card[place] = replace(card[place], abandoned_s=moment_s, abandoned_event=rng.choice(_EVENT_AFTERWARDS))
