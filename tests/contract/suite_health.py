"""What every store must do so that an operator can see how it goes, and so that history does not grow for ever."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta

from contract.store_examples import DAY, IMPORTED, START, event, poll, pools, race, result, scratched, uid
from contract.store_steps import LATER, SOON, Rows, StoreTests, claimed, imported, polled, run, state_of, unstamped
from raceday.domain.closing import closing_of
from raceday.domain.quality import PollQuality
from raceday.domain.race import Race
from raceday.domain.race_poll import RacePoll
from raceday.domain.result import ResultStatus
from raceday.domain.status import RaceStatus
from raceday.store.ports import RaceStore
from raceday.store.values import PollFailure, RunEntry

HALF_HOUR = timedelta(minutes=30)
AFTER = START + timedelta(hours=6)
TWO_DAYS = (START - timedelta(days=1), START + timedelta(days=1))
SECOND = timedelta(seconds=1)


def run_entry(function: str, at: datetime, status_code: int = 200, duration_ms: int = 40_000, message: str = ""):
    return RunEntry(
        f"{function}-{at}", function, "schedule", at, duration_ms, status_code, 1, 0, 0, 0, 1, 1, 40.0, message
    )


def failure(of: Race, at: datetime, error: str = "FeedUnavailable") -> PollFailure:
    return PollFailure(of.race_id, at, "enhanced-race-poller", "e", error, "timed out")


async def degraded(store: RaceStore, of: Race, at: datetime) -> RacePoll:
    """Poll a race with a response that is kept and marked."""
    claim = await claimed(store, of.race_id, at)
    made = replace(
        poll(event(of, at), await state_of(store, of.race_id)),
        quality=PollQuality(20.0, 0.0, 10.0, 15.0, 0.0, 5.0),
        degraded=True,
    )
    await store.save_poll(made, claim)
    return made


async def ended(store: RaceStore, of: Race, status: ResultStatus = ResultStatus.FINAL, at: datetime = AFTER) -> None:
    """Poll a race to its end."""
    over = replace(of, status=RaceStatus.FINAL)
    await polled(store, event(over, at, result=result(of, at, status)))


async def health_operations(store: RaceStore) -> None:
    """Call everything that `HealthStore` offers; of a day on which race 1 of meeting 1 was polled to its end."""
    of = race(1, 1)
    await store.followed_races(*TWO_DAYS)
    await store.buckets_present([of.race_id, race(2, 1).race_id])
    await store.function_runs(["f", "g"], IMPORTED, AFTER)
    await store.degraded_polls(IMPORTED, AFTER)
    await store.poll_failures(IMPORTED, AFTER)
    await store.backlog(AFTER)
    await store.races_to_close(*TWO_DAYS, AFTER)
    history = await store.race_history(of.race_id)
    assert history is not None
    await store.save_closing(closing_of(history, AFTER))
    begin = await store.first_start(None)
    assert begin is not None
    await store.first_start(begin)
    await store.count_races(*TWO_DAYS)
    await store.drop_history(of.race_id, 10)
    await store.drop_logs(AFTER, 10)
    await store.note_swept("keep-history", begin, AFTER)
    await store.swept_to("keep-history")


class HealthSuite(StoreTests):
    """Figures for the operator, closing snapshots, and retention."""

    def to_close(self, store: RaceStore, final_before: datetime = START - timedelta(days=1)) -> list[str]:
        return run(store.races_to_close(*TWO_DAYS, final_before))

    def closing(self, store: RaceStore, of: Race) -> dict[str, object]:
        """The snapshot of a race as it is stored."""
        return next(row for row in unstamped(self.rows(store, "race-closings")) if row["$id"] == of.race_id)

    def kept_for_people(self, store: RaceStore) -> dict[str, Rows]:
        """Everything but what a store keeps for itself: when it last wrote a row, what a poll begins with."""
        own = ("state", "pendingRows")
        return {
            table: [{name: value for name, value in row.items() if name not in own} for row in unstamped(rows)]
            for table, rows in self.everything(store).items()
        }

    def close(self, store: RaceStore, of: Race, at: datetime = AFTER) -> None:
        history = run(store.race_history(of.race_id))
        assert history is not None
        run(store.save_closing(closing_of(history, at)))

    def test_followed_races_are_those_that_start_in_the_span(self, store: RaceStore) -> None:
        run(imported(store, race(1), race(2), race(3)))
        [first, second] = run(store.followed_races(START, START + 2 * HALF_HOUR))
        assert (first.race_id, first.meeting_name, first.race_number) == (race(1).race_id, "Course 1", 1)
        assert (second.advertised_start, second.status) == (race(2).advertised_start, RaceStatus.OPEN)
        assert (first.label, first.abandoned_at, first.closed) == ("Course 1 R1", None, False)

    def test_an_abandoned_race_says_since_when_and_a_closed_one_that_it_is(self, store: RaceStore) -> None:
        run(imported(store, race(1)))
        run(polled(store, event(race(1, status=RaceStatus.ABANDONED), SOON)))
        self.close(store, race(1))
        [followed] = run(store.followed_races(*TWO_DAYS))
        assert (followed.status, followed.abandoned_at, followed.closed) == (RaceStatus.ABANDONED, SOON, True)

    def test_the_buckets_of_each_race_are_told_apart(self, store: RaceStore) -> None:
        run(imported(store, race(1), race(2), race(3)))
        for minutes in (70, 61, 34, 1):
            run(polled(store, event(race(1), START - timedelta(minutes=minutes))))
        run(polled(store, event(race(1), START + timedelta(minutes=2))))
        run(polled(store, event(race(2), SOON)))
        ids = [race(number).race_id for number in (1, 2, 3)]
        assert run(store.buckets_present(ids)) == {ids[0]: {60, 30, 1}, ids[1]: {50}}
        assert run(store.buckets_present([])) == {}

    def test_runs_are_counted_within_the_span_and_the_newest_is_known_in_any_case(self, store: RaceStore) -> None:
        for at, code, took in ((SOON, 200, 1000), (LATER, 500, 2000), (LATER + SECOND, 424, 3000)):
            run(store.log_run(run_entry("f", at, code, took)))
        run(store.log_run(run_entry("f", LATER + 2 * SECOND, 502, message="r1: FeedThrottled: asked to wait")))
        run(store.log_run(run_entry("old", SOON - timedelta(days=9))))
        found = run(store.function_runs(["f", "old", "none"], SOON + SECOND, LATER + 2 * SECOND))
        assert (found["f"].runs, found["f"].failed, found["f"].throttled) == (3, 2, 1)
        assert (found["f"].mean_s, found["f"].longest_s) == (15.0, 40.0)
        last = found["f"].last
        assert last is not None
        assert (last.started_at, last.ended_at, last.status_code) == (
            LATER + 2 * SECOND, LATER + 42 * SECOND, 502,
        )  # fmt: skip
        assert (found["old"].runs, found["old"].mean_s) == (0, None)
        assert found["old"].last is not None
        assert (found["none"].runs, found["none"].last) == (0, None)

    def test_a_run_after_the_span_is_not_the_newest(self, store: RaceStore) -> None:
        run(store.log_run(run_entry("f", SOON)))
        run(store.log_run(run_entry("f", LATER)))
        last = run(store.function_runs(["f"], IMPORTED, SOON))["f"].last
        assert last is not None
        assert last.started_at == SOON

    def test_degraded_polls_come_with_their_points(self, store: RaceStore) -> None:
        run(imported(store, race(1)))
        run(polled(store, event(race(1), SOON)))
        made = run(degraded(store, race(1), LATER))
        assert run(store.degraded_polls(SOON, LATER)) == [made.quality]
        assert run(store.degraded_polls(SOON, LATER - SECOND)) == []

    def test_failures_are_counted_by_kind_with_the_last_of_each(self, store: RaceStore) -> None:
        run(imported(store, race(1)))
        for at, error in ((SOON, "FeedThrottled"), (LATER, "FeedThrottled"), (LATER, "FeedUnavailable")):
            run(store.log_poll(failure(race(1), at, error)))
        found = run(store.poll_failures(SOON, LATER))
        assert [(tally.kind, tally.polls, tally.last_at) for tally in found] == [
            ("FeedThrottled", 2, LATER), ("FeedUnavailable", 1, LATER),
        ]  # fmt: skip
        assert run(store.poll_failures(SOON + SECOND, LATER - SECOND)) == []

    def test_an_empty_backlog(self, store: RaceStore) -> None:
        backlog = run(store.backlog(AFTER))
        assert (backlog.alerts, backlog.deliveries) == (0, 0)
        assert (backlog.oldest_alert_at, backlog.oldest_due_at) == (None, None)

    def test_a_race_is_over_with_its_final_result_or_when_it_is_abandoned(self, store: RaceStore) -> None:
        said = [race(number) for number in range(1, 6)]
        run(imported(store, *said))
        run(polled(store, event(replace(said[0], status=RaceStatus.ABANDONED), SOON)))
        run(ended(store, said[1]))
        run(ended(store, said[2], ResultStatus.INTERIM))
        run(polled(store, event(replace(said[3], status=RaceStatus.INTERIM), AFTER)))
        assert self.to_close(store) == [said[0].race_id, said[1].race_id]
        assert self.to_close(store, final_before=AFTER - SECOND) == [said[0].race_id, said[1].race_id]
        long_after = self.to_close(store, final_before=AFTER)
        assert long_after == [of.race_id for of in said[:3]], "Final for long enough, whatever its result"

    def test_a_race_that_was_imported_final_is_over_an_hour_after_its_start(self, store: RaceStore) -> None:
        run(imported(store, race(1, status=RaceStatus.FINAL)))
        assert self.to_close(store, final_before=START - SECOND) == []
        assert self.to_close(store, final_before=START) == [race(1).race_id]

    def test_a_closed_race_is_left_alone_until_its_result_is_amended(self, store: RaceStore) -> None:
        run(imported(store, race(1)))
        run(ended(store, race(1)))
        self.close(store, race(1))
        assert self.to_close(store, final_before=AFTER) == []
        again = AFTER + timedelta(minutes=20)
        amended = result(race(1), again)
        swapped = replace(amended, placings=tuple(reversed(amended.placings)), protest_lodged=True)
        run(polled(store, event(race(1, status=RaceStatus.FINAL), again, result=swapped)))
        assert self.to_close(store) == [race(1).race_id]
        self.close(store, race(1), again)
        assert self.to_close(store) == []
        assert self.closing(store, race(1))["closedAt"] == again.isoformat(timespec="milliseconds")

    def test_a_snapshot_made_anew_keeps_what_was_measured_before_the_history_went(self, store: RaceStore) -> None:
        run(imported(store, race(1)))
        run(polled(store, event(race(1), SOON)))
        run(store.log_poll(failure(race(1), LATER)))
        run(ended(store, race(1)))
        self.close(store, race(1))
        first = self.closing(store, race(1))
        run(store.drop_history(race(1).race_id, 1000))
        run(store.drop_logs(AFTER + SECOND, 10))
        again = AFTER + timedelta(days=2)
        self.close(store, race(1), again)
        assert self.closing(store, race(1)) == first | {"closedAt": again.isoformat(timespec="milliseconds")}

    def test_an_abandonment_taken_back_makes_the_snapshot_anew_at_the_end(self, store: RaceStore) -> None:
        run(imported(store, race(1)))
        run(store.save_races([race(1, status=RaceStatus.ABANDONED)], SOON))
        self.close(store, race(1))
        run(store.save_races([race(1)], LATER))
        assert self.to_close(store, final_before=AFTER) == [], "it is not over"
        run(ended(store, race(1)))
        assert self.to_close(store) == [race(1).race_id]
        self.close(store, race(1))
        assert self.closing(store, race(1))["status"] == "Final"

    def test_everything_of_a_race_is_in_its_snapshot(self, store: RaceStore) -> None:
        run(imported(store, race(1), race(2)))
        run(polled(store, event(race(1), SOON), due_at=SOON - 3 * SECOND))
        run(degraded(store, race(1), LATER))
        run(polled(store, event(race(2), LATER)))
        run(store.log_poll(failure(race(1), LATER)))
        run(store.log_poll(failure(race(2), LATER)))
        runners = (*event(race(1), AFTER).entrants[:2], scratched(race(1), 3, LATER))
        over = race(1, status=RaceStatus.FINAL)
        run(polled(store, event(over, AFTER, win_cents=4_000_000, entrants=runners, result=result(race(1), AFTER))))
        self.close(store, race(1))
        row = self.closing(store, race(1))
        assert (row["raceId"], row["raceDateNz"], row["status"]) == (race(1).race_id, DAY.isoformat(), "Final")
        assert (row["polls"], row["failedPolls"], row["degradedPolls"]) == (3, 1, 1)
        assert (row["winPoolTotal"], row["totalRacePool"]) == (4_000_000, pools(4_000_000).race_total_cents)
        assert (row["qualityP5"], row["latenessP95S"]) == (50, 3.0)
        assert row["coveragePct"] == round(100 / 17, 1), "bucket 20 of the 17"
        first, second, third = json.loads(str(row["runners"]))
        assert (first["id"], first["position"], second["position"]) == (uid("runner", race(1).race_id, 1), 2, 1)
        assert (first["fixed_win"], first["tote_win"], first["opening_fixed_win"]) == (3.0, 3.1, 3.5)
        assert (third["scratched"], third["fixed_win"], third["position"]) == (True, None, None)
        assert first["win_cents"] > 0
        assert (first["hold_pct"] > 0, first["implied_pct"] > 0) == (True, True)

    def test_the_history_of_a_race_never_polled_is_empty_and_of_an_unknown_one_none(self, store: RaceStore) -> None:
        run(imported(store, race(1)))
        history = run(store.race_history(race(1).race_id))
        assert history is not None
        assert (history.polls, history.buckets, history.pools, history.runners) == ((), frozenset(), None, ())
        assert run(store.race_history(uid("nobody"))) is None

    def test_dropping_takes_the_history_of_one_race_and_nothing_else(self, store: RaceStore) -> None:
        run(imported(store, race(1), race(2)))
        for of in (race(1), race(2)):
            run(polled(store, event(of, SOON)))
            run(polled(store, event(of, LATER, win_cents=2_000_000)))
        before = self.kept_for_people(store)
        history = ("odds-history", "money-flow-history", "race-polls")
        dropped = run(store.drop_history(race(1).race_id, 1000))
        assert dropped == {table: sum(row["raceId"] == race(1).race_id for row in before[table]) for table in history}
        after = self.kept_for_people(store)
        for table in history:
            assert after[table] == [row for row in before[table] if row["raceId"] == race(2).race_id]
        assert {name: rows for name, rows in after.items() if name not in history} == {
            name: rows for name, rows in before.items() if name not in history
        }
        assert run(store.drop_history(race(1).race_id, 1000)) == {}

    def test_dropping_goes_in_steps(self, store: RaceStore) -> None:
        run(imported(store, race(1)))
        run(polled(store, event(race(1), SOON)))
        ticks = len(self.rows(store, "odds-history"))
        assert ticks > 5
        assert run(store.drop_history(race(1).race_id, 5))["odds-history"] == 5
        assert len(self.rows(store, "odds-history")) == ticks - 5

    def test_logs_are_dropped_by_their_time(self, store: RaceStore) -> None:
        run(imported(store, race(1)))
        for at in (SOON, LATER):
            run(store.log_poll(failure(race(1), at)))
            run(store.log_run(run_entry("f", at)))
        assert run(store.drop_logs(SOON, 10)) == {}, "what happened at that very time is kept"
        assert run(store.drop_logs(LATER, 10)) == {"poll_logs": 1, "function-runs": 1}
        assert run(store.drop_logs(LATER, 10)) == {}
        assert len(self.rows(store, "poll_logs")) == len(self.rows(store, "function-runs")) == 1

    def test_logs_are_dropped_in_steps(self, store: RaceStore) -> None:
        for number in range(7):
            run(store.log_run(run_entry("f", SOON + number * SECOND)))
        taken = [run(store.drop_logs(LATER, 3)).get("function-runs", 0) for _ in range(4)]
        assert taken == [3, 3, 1, 0]

    def test_starts_are_found_and_counted(self, store: RaceStore) -> None:
        assert run(store.first_start(None)) is None
        run(imported(store, race(1), race(2), race(3)))
        assert run(store.first_start(None)) == START
        assert run(store.first_start(START + SECOND)) == START + HALF_HOUR
        assert run(store.first_start(START + 2 * HALF_HOUR)) == START + 2 * HALF_HOUR
        assert run(store.first_start(AFTER)) is None
        assert run(store.count_races(START, START + 2 * HALF_HOUR)) == 2

    def test_the_mark_of_what_was_dropped_is_kept(self, store: RaceStore) -> None:
        assert run(store.swept_to("keep-history")) is None
        for mark in (START, AFTER):
            run(store.note_swept("keep-history", mark, AFTER))
            assert run(store.swept_to("keep-history")) == mark
