"""What a response does not say neither erases what is known nor passes for a change."""

from __future__ import annotations

from dataclasses import replace

import pytest

from builders import FIRST, SECOND, entrant, event, fresh_state, state_after, timing
from raceday.domain.derive import derive_poll
from raceday.domain.odds import Odds, OddsKind
from raceday.domain.pools import PoolTotals, TotePool, pool_totals
from raceday.domain.result import Placing, RaceResult, ResultStatus
from raceday.domain.settle import settled
from raceday.domain.status import RaceStatus

WIN, PLACE = TotePool("Win", 100_000), TotePool("Place", 40_000)


def poll(happening, state):
    return derive_poll(happening, state, timing(happening.generated_at))


def known(**first):
    """The state after a first response."""
    return state_after(poll(event(**first), fresh_state()), fresh_state())


@pytest.mark.parametrize("kind", list(OddsKind))
def test_a_price_that_is_not_said_stays_and_one_that_is_withdrawn_goes(kind):
    before = Odds(4.0, 1.8, 4.2, 1.9)
    without = replace(before, **{kind.value: None})
    silent = event(entrants=(entrant(odds=without, odds_unsaid=(kind,)), entrant(SECOND, 2)))
    withdrawn = event(entrants=(entrant(odds=without), entrant(SECOND, 2)))

    assert settled(silent, known()).entrants[0].odds == before
    assert settled(withdrawn, known()).entrants[0].odds == without
    assert not poll(silent, known()).changed


def test_a_scratched_runner_keeps_its_fixed_price_but_no_tote_price():
    scratched = entrant(odds=Odds(), odds_unsaid=tuple(OddsKind), is_scratched=True)
    nothing_said = replace(scratched, odds=None, odds_unsaid=())

    for runner in (scratched, nothing_said):
        assert settled(event(entrants=(runner,)), known()).entrants[0].odds == Odds(4.0, 1.8)


def test_a_scratched_runner_stays_scratched_while_nothing_else_is_said():
    state = known(entrants=(entrant(is_scratched=True), entrant(SECOND, 2)))
    silent = poll(event(minutes=50, entrants=(entrant(is_scratched=None), entrant(SECOND, 2))), state)

    assert [bucket.entrant_id for bucket in silent.buckets] == [SECOND]
    assert state_after(silent, state).entrants[FIRST].scratched


def test_a_pool_that_is_not_listed_keeps_its_total_in_the_pools_and_in_the_money_flow():
    state = known(minutes=62, pools=pool_totals([WIN, PLACE, TotePool("Quinella", 7000), TotePool("Treble", 500)]))
    made = poll(event(minutes=52, pools=pool_totals([TotePool("Win", 120_000)])), state)

    assert (made.pools.win_cents, made.pools.place_cents, made.pools.quinella_cents) == (120_000, 40_000, 7000)
    assert made.pools.multi_leg_cents == 500
    assert [(b.place_cents, b.place_increment_cents) for b in made.buckets] == [(20_000, 0), (20_000, 0)]
    assert made.consistent, "no pool fell"
    assert made.quality.completeness < poll(event(pools=pool_totals([WIN, PLACE])), fresh_state()).quality.completeness


def test_a_pool_that_is_listed_with_nothing_in_it_is_empty():
    state = known(pools=pool_totals([WIN, PLACE]))
    made = poll(event(minutes=52, pools=pool_totals([WIN, TotePool("Place", 0)])), state)

    assert made.pools == PoolTotals(win_cents=100_000)
    assert not made.consistent


def test_a_response_without_its_status_makes_a_final_result_no_less_final():
    final = RaceResult("race", ResultStatus.FINAL, (Placing(1, 1, FIRST, "Runner 1"),), (), event().generated_at)
    state = known(status=RaceStatus.FINAL, result=final)
    silent = event(minutes=50, status=None, result=replace(final, status=ResultStatus.INTERIM))

    assert poll(silent, state).result is None
    assert settled(silent, state).result == final
