"""What one response changes against what is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from builders import FIRST, SECOND, START, both_runners, entrant, event, fresh_state, state_after, timing
from raceday.domain.derive import derive_poll
from raceday.domain.entrant import PricePoint
from raceday.domain.money_flow import HoldShare
from raceday.domain.odds import Odds, OddsKind
from raceday.domain.pools import PoolTotals
from raceday.domain.result import Placing, RaceResult, ResultStatus, ToteDividend
from raceday.domain.status import RaceStatus


def poll(happening, state):
    return derive_poll(happening, state, timing(happening.generated_at))


def test_the_first_response_writes_everything():
    made = poll(event(), fresh_state())

    assert made.changed
    assert len(made.entrants) == 2
    assert {(tick.kind, tick.odds) for tick in made.odds_ticks if tick.entrant_id == FIRST} == {
        (OddsKind.FIXED_WIN, 4.0),
        (OddsKind.FIXED_PLACE, 1.8),
        (OddsKind.POOL_WIN, 4.2),
        (OddsKind.POOL_PLACE, 1.9),
    }
    assert [bucket.win_increment_cents for bucket in made.buckets] == [50_000, 50_000]
    assert made.moved == frozenset(), "nobody moved: everybody is new"


def test_the_feeds_own_price_history_becomes_the_first_ticks():
    opening = PricePoint(START - timedelta(days=1), 6.0)
    later = PricePoint(START - timedelta(hours=3), 5.0)
    runner = entrant(opening=opening, price_history=(opening, later))

    first = poll(event(entrants=(runner,)), fresh_state())
    again = poll(event(minutes=50, entrants=(runner,)), state_after(first, fresh_state()))

    fixed = [(tick.odds, tick.opening) for tick in first.odds_ticks if tick.kind is OddsKind.FIXED_WIN]
    assert fixed == [(6.0, True), (5.0, False), (4.0, False)]
    assert again.odds_ticks == ()


def test_the_same_response_again_changes_nothing():
    first = poll(event(), fresh_state())
    again = poll(event(minutes=59.9), state_after(first, fresh_state()))

    assert not again.changed
    assert (again.entrants, again.odds_ticks, again.buckets, again.pools, again.result) == ((), (), (), None, None)


def test_unchanged_pools_still_fill_the_next_bucket():
    first = poll(event(minutes=57), fresh_state())
    next_bucket = poll(event(minutes=52), state_after(first, fresh_state()))

    assert [(bucket.bucket, bucket.win_increment_cents) for bucket in next_bucket.buckets] == [(50, 0), (50, 0)]
    assert next_bucket.entrants == ()


def test_only_runners_that_changed_are_written_and_only_prices_that_moved_tick():
    first = poll(event(), fresh_state())
    moved = (entrant(FIRST, 1, Odds(3.8, 1.8, 4.2, 1.9)), entrant(SECOND, 2))
    second = poll(event(minutes=55, entrants=moved), state_after(first, fresh_state()))

    assert [runner.entrant_id for runner in second.entrants] == [FIRST]
    assert [(tick.kind, tick.odds) for tick in second.odds_ticks] == [(OddsKind.FIXED_WIN, 3.8)]
    assert second.moved == {FIRST}, "4.0 to 3.8 is exactly the five percent that an alert may ask for"


def test_a_withdrawn_price_is_no_price_but_a_missing_one_keeps_the_last():
    first = poll(event(), fresh_state())
    silent_about_the_tote = (OddsKind.POOL_WIN, OddsKind.POOL_PLACE)
    withdrawn = (entrant(FIRST, 1, Odds(), odds_unsaid=silent_about_the_tote), replace(entrant(SECOND, 2), odds=None))
    second = poll(event(minutes=55, entrants=withdrawn), state_after(first, fresh_state()))

    odds = {runner.entrant_id: runner.odds for runner in second.entrants}
    assert odds[FIRST] == Odds(None, None, 4.2, 1.9)
    assert SECOND not in odds, "a runner without odds in the response is as it was"
    assert second.odds_ticks == ()


def test_a_scratched_runner_has_no_tote_price_no_bucket_and_marks_everyone_elses_increment():
    first = poll(event(), fresh_state())
    scratched = (entrant(FIRST, 1, Odds(4.0, 1.8), is_scratched=True), entrant(SECOND, 2))
    second = poll(event(minutes=52, entrants=scratched), state_after(first, fresh_state()))

    assert second.entrants[0].odds == Odds(4.0, 1.8, None, None)
    assert [(bucket.entrant_id, bucket.after_scratching) for bucket in second.buckets] == [(SECOND, True)]
    assert FIRST in second.moved


def test_a_response_cut_short_erases_nothing():
    first = poll(event(minutes=62), fresh_state())
    state = state_after(first, fresh_state())
    short = replace(event(minutes=61, entrants=(entrant(FIRST, 1),)), pools=None, holds=None)
    second = poll(short, state)

    kept = state_after(second, state)
    assert set(kept.entrants) == {FIRST, SECOND}
    assert kept.pools == first.pools
    assert second.pools is None
    assert second.buckets == (), "the bucket's known amounts are not overwritten"
    assert second.quality.score < first.quality.score


def test_an_older_response_never_turns_the_race_back():
    first = poll(event(minutes=10), fresh_state())
    late = poll(event(minutes=12, pools=PoolTotals(win_cents=90_000)), state_after(first, fresh_state()))

    assert not late.changed
    assert late.buckets == ()


def test_status_moves_are_recorded_and_unknown_words_change_nothing():
    first = poll(event(minutes=5), fresh_state())
    state = state_after(first, fresh_state())
    closed = poll(event(minutes=-1, status=RaceStatus.CLOSED), state)
    state = state_after(closed, state)
    reopened = poll(event(minutes=-2, status=RaceStatus.OPEN), state)
    unknown = poll(event(minutes=-3, status=None), state_after(reopened, state))

    assert (closed.transition.before, closed.transition.after) == (RaceStatus.OPEN, RaceStatus.CLOSED)
    assert reopened.transition.backward
    assert (unknown.status, unknown.transition) == (RaceStatus.OPEN, None)


def test_an_event_that_stays_open_does_not_reopen_an_abandoned_race_but_one_that_was_run_does():
    abandoned = fresh_state(status=RaceStatus.ABANDONED)
    assert poll(event(), abandoned).status is RaceStatus.ABANDONED
    assert poll(event(), abandoned).buckets == ()
    assert poll(event(status=RaceStatus.INTERIM), abandoned).status is RaceStatus.INTERIM


def result(status=ResultStatus.INTERIM, placings=4, dividend=7.6):
    return RaceResult(
        event().race.race_id,
        status,
        tuple(Placing(n + 1, n + 1, f"e{n}", f"Runner {n + 1}") for n in range(placings)),
        (ToteDividend("d", "NZ", "Pool Win", "Interim", dividend, 100.0, 0.0, "1", ((1, 1),)),),
        START + timedelta(minutes=3),
    )


def test_results_are_written_when_they_appear_and_whenever_they_change():
    closed = poll(event(minutes=-1, status=RaceStatus.CLOSED), fresh_state())
    state = state_after(closed, fresh_state())
    interim = poll(event(minutes=-3, status=RaceStatus.INTERIM, result=result()), state)
    state = state_after(interim, state)
    same = poll(event(minutes=-3.5, status=RaceStatus.INTERIM, result=replace(result(), seen_at=START)), state)
    corrected = poll(event(minutes=-4, status=RaceStatus.INTERIM, result=result(dividend=8.1)), state)
    final = poll(event(minutes=-9, status=RaceStatus.FINAL, result=result(ResultStatus.FINAL, 9)), state)
    lost = poll(event(minutes=-9.5, status=RaceStatus.FINAL, result=None), state_after(final, state))

    assert closed.result is None
    assert len(interim.result.placings) == 4
    assert not same.changed
    assert corrected.result.dividends[0].dividend == 8.1
    assert len(final.result.placings) == 9
    assert lost.result is None


def test_a_substitute_that_is_named_later_is_written_too():
    first = poll(event(status=RaceStatus.INTERIM, result=result()), fresh_state())
    named = replace(result(), substitutes=(FIRST,))
    second = poll(event(minutes=59, status=RaceStatus.INTERIM, result=named), state_after(first, fresh_state()))

    assert second.result == named


def test_a_late_payload_is_marked_stale_and_costs_points():
    happening = event(minutes=10)
    prompt = derive_poll(happening, fresh_state(), timing(happening.generated_at + timedelta(seconds=2)))
    stale = derive_poll(happening, fresh_state(), timing(happening.generated_at + timedelta(minutes=3)))

    assert not prompt.stale
    assert stale.stale
    assert stale.quality.payload_age < prompt.quality.payload_age


def test_a_pool_that_fell_is_inconsistent():
    first = poll(event(), fresh_state())
    fallen = poll(event(minutes=58, pools=PoolTotals(win_cents=99_000)), state_after(first, fresh_state()))

    assert first.consistent
    assert not fallen.consistent


def test_money_of_entrants_that_do_not_run_here_counts_for_nobody():
    foreign = {FIRST: HoldShare(60, 60), SECOND: HoldShare(33, 30), "elsewhere": HoldShare(8, 8)}
    made = poll(event(entrants=both_runners(), holds=foreign), fresh_state())

    assert {bucket.entrant_id for bucket in made.buckets} == {FIRST, SECOND}
    assert sum(bucket.win_cents for bucket in made.buckets) == 93_000
