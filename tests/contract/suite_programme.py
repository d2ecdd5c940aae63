"""What every store must do with the programme and with RaceDay's own books."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from contract.store_examples import (
    DAY,
    IMPORTED,
    START,
    event,
    meeting,
    pools,
    race,
    result,
    runner,
    uid,
)
from contract.store_steps import (
    ALL_DAY,
    LATER,
    SOON,
    StoreTests,
    imported,
    polled,
    run,
    state_of,
    target_of,
    unstamped,
)
from raceday.domain.meeting import Meeting
from raceday.domain.money_flow import HoldShare
from raceday.domain.racing_day import DailyStage, StageProgress
from raceday.domain.status import RaceStatus
from raceday.store.ports import RaceStore
from raceday.store.values import PollFailure, RunEntry


class ProgrammeSuite(StoreTests):
    """Meetings, races, stages, runs, failures and counts."""

    async def meetings(self, store: RaceStore, racing_date: date) -> list[Meeting]:
        """Return the meetings of a date as they were said."""
        return [summary.meeting for summary in await store.meetings_on(racing_date)]

    def test_meetings_come_back_as_they_were_saved_and_in_order_of_name(self, store: RaceStore) -> None:
        said = [meeting(2), meeting(1), meeting(3, meeting_date=DAY + timedelta(days=1))]
        run(store.save_meetings(said, IMPORTED))
        assert run(self.meetings(store, DAY)) == [said[1], said[0]]
        assert run(self.meetings(store, DAY + timedelta(days=1))) == [said[2]]
        assert run(self.meetings(store, DAY - timedelta(days=1))) == []

    def test_saving_meetings_twice_leaves_the_same_rows(self, store: RaceStore) -> None:
        run(store.save_meetings([meeting()], IMPORTED))
        once = unstamped(self.rows(store, "meetings"))
        run(store.save_meetings([meeting()], IMPORTED))
        assert unstamped(self.rows(store, "meetings")) == once

    def test_what_a_meeting_does_not_say_is_kept_and_what_it_says_is_taken(self, store: RaceStore) -> None:
        run(store.save_meetings([meeting()], IMPORTED))
        silent = meeting(track_condition="Soft6", weather=None, rail_position=None, quaddie=(), video_channels=())
        run(store.save_meetings([silent], IMPORTED + timedelta(hours=1)))
        assert run(self.meetings(store, DAY)) == [meeting(track_condition="Soft6")]

    def test_how_far_the_races_of_a_meeting_were_imported_survives_another_import(self, store: RaceStore) -> None:
        run(store.save_meetings([meeting(1), meeting(2)], IMPORTED))
        assert [(one.races_imported, one.races_attempts) for one in run(store.meetings_on(DAY))] == [(False, 0)] * 2
        run(store.note_races_imported(meeting(1).meeting_id, IMPORTED))
        run(store.note_races_attempt(meeting(2).meeting_id))
        run(store.note_races_attempt(meeting(2).meeting_id))
        run(store.save_meetings([meeting(1), meeting(2)], LATER))
        first, second = run(store.meetings_on(DAY))
        assert (first.meeting, first.races_imported, first.races_attempts) == (meeting(1), True, 0)
        assert (second.meeting, second.races_imported, second.races_attempts) == (meeting(2), False, 2)

    def test_a_meeting_date_is_the_new_zealand_date_at_midnight_utc(self, store: RaceStore) -> None:
        run(store.save_meetings([meeting()], IMPORTED))
        [row] = self.rows(store, "meetings")
        assert row["date"] == "2026-11-22T00:00:00.000+00:00"
        assert row["$id"] == row["meetingId"] == uid("meeting", 1)

    def test_races_are_listed_by_start_for_the_date_of_their_meeting(self, store: RaceStore) -> None:
        run(store.save_meetings([meeting(1), meeting(2, meeting_date=DAY + timedelta(days=1))], IMPORTED))
        run(store.save_races([race(2), race(1)], IMPORTED))
        run(store.save_races([race(1, 2)], IMPORTED))
        assert [summary.race_number for summary in run(store.races_on(DAY))] == [1, 2]
        [first, _] = run(store.races_on(DAY))
        assert (first.race_id, first.meeting_id, first.name) == (race(1).race_id, uid("meeting", 1), "Maiden 1")
        assert (first.advertised_start, first.status) == (START, RaceStatus.OPEN)
        assert (first.entrants_imported, first.entrants_attempts) == (False, 0)

    def test_one_race_by_id_or_none(self, store: RaceStore) -> None:
        run(imported(store))
        found = run(store.race(race().race_id))
        assert found is not None
        assert found.race_number == 1
        assert run(store.race(uid("nowhere"))) is None

    def test_every_imported_race_has_a_pools_row_of_zeros_that_is_not_a_state(self, store: RaceStore) -> None:
        run(imported(store))
        [row] = self.rows(store, "race-pools")
        assert (row["$id"], row["winPoolTotal"], row["totalRacePool"]) == (race().race_id, 0, 0)
        assert (row["currency"], row["hasData"]) == ("$", False)
        assert run(state_of(store, race().race_id)).pools is None

    def test_importing_races_again_leaves_the_same_rows_and_keeps_filled_pools(self, store: RaceStore) -> None:
        run(imported(store))
        once = {table: unstamped(rows) for table, rows in self.everything(store).items()}
        run(store.save_races([race()], IMPORTED))
        assert {table: unstamped(rows) for table, rows in self.everything(store).items()} == once
        run(polled(store, event(race(), SOON)))
        run(store.save_races([race()], LATER))
        assert run(state_of(store, race().race_id)).pools == pools()

    def test_what_a_race_does_not_say_is_kept(self, store: RaceStore) -> None:
        run(imported(store))
        silent = replace(race(), name="Renamed", status=None, distance_m=None, comment=None, video_channels=())
        run(store.save_races([silent], LATER))
        [row] = self.rows(store, "races")
        assert (row["name"], row["distance"], row["comment"]) == ("Renamed", 1400, "Open and even.")
        assert (row["status"], row["videoChannels"]) == ("Open", '["TRACKSIDE1"]')

    def test_a_name_that_is_not_said_is_empty_at_first_and_kept_afterwards(self, store: RaceStore) -> None:
        nameless = race(name=None, race_number=None)
        run(store.save_meetings([meeting(name=None)], IMPORTED))
        run(store.save_races([nameless], IMPORTED))
        assert [(row["name"], row["raceNumber"]) for row in self.rows(store, "races")] == [("", 0)]
        run(imported(store))
        run(store.save_meetings([meeting(name=None)], LATER))
        run(store.save_races([nameless], LATER))
        assert [(row["name"], row["raceNumber"]) for row in self.rows(store, "races")] == [("Maiden 1", 1)]
        assert [row["meetingName"] for row in self.rows(store, "meetings")] == ["Course 1"]

    def test_a_race_without_status_starts_open(self, store: RaceStore) -> None:
        run(imported(store, race(status=None)))
        assert run(target_of(store, race().race_id)).status is RaceStatus.OPEN

    @pytest.mark.parametrize("terminal", [RaceStatus.FINAL, RaceStatus.ABANDONED])
    def test_an_import_never_moves_a_terminal_status_back(self, store: RaceStore, terminal: RaceStatus) -> None:
        run(imported(store))
        run(polled(store, event(race(status=terminal), SOON)))
        run(store.save_races([race()], LATER))
        assert run(target_of(store, race().race_id)).status is terminal

    def test_an_import_leaves_the_status_of_a_polled_race_alone(self, store: RaceStore) -> None:
        run(imported(store))
        run(polled(store, event(race(status=RaceStatus.INTERIM), SOON)))
        for said in (RaceStatus.OPEN, RaceStatus.FINAL):
            run(store.save_races([race(status=said)], LATER))
            assert run(target_of(store, race().race_id)).status is RaceStatus.INTERIM

    def test_an_import_abandons_a_race_even_when_it_was_polled(self, store: RaceStore) -> None:
        run(imported(store))
        run(polled(store, event(race(), SOON)))
        run(store.save_races([race(status=RaceStatus.ABANDONED)], LATER))
        assert run(target_of(store, race().race_id)).status is RaceStatus.ABANDONED
        [row] = self.rows(store, "races")
        assert row["abandonedAt"] == row["lastStatusChange"] == "2026-11-22T03:40:30.000+00:00"

    def test_an_import_moves_nothing_of_a_polled_race_but_its_abandonment(self, store: RaceStore) -> None:
        """Otherwise the next poll, finding nothing new, would leave the list's older word standing."""
        run(imported(store))
        jumped = START + timedelta(minutes=1)
        run(polled(store, event(race(actual_start=jumped, weather="Rain"), SOON)))
        [before] = self.rows(store, "races")
        listed = race(name="Old name", advertised_start=START + timedelta(hours=1), actual_start=START, weather="Fine")
        run(store.save_races([listed], LATER))
        run(polled(store, event(race(actual_start=jumped, weather="Rain"), LATER)))
        [after] = self.rows(store, "races")
        changed = {name for name in before if before[name] != after[name]}
        assert changed <= {"importedAt", "last_poll_time", "$updatedAt", "lastUpdated", "apiGeneratedTime",
                           "contentHash"}  # fmt: skip
        assert run(target_of(store, race().race_id)).advertised_start == START

    @pytest.mark.parametrize("again", [RaceStatus.OPEN, RaceStatus.CLOSED, RaceStatus.INTERIM])
    @pytest.mark.parametrize("was_polled", [False, True])
    def test_an_abandonment_that_the_list_takes_back_is_undone(
        self, store: RaceStore, again: RaceStatus, was_polled: bool
    ) -> None:
        run(imported(store))
        if was_polled:
            run(polled(store, event(race(), SOON)))
        run(store.save_races([race(status=RaceStatus.ABANDONED)], LATER))
        [row] = self.rows(store, "races")
        assert (row["status"], row["abandonedBy"]) == ("Abandoned", "list")
        run(store.save_races([race(status=again)], LATER + timedelta(minutes=10)))
        [row] = self.rows(store, "races")
        assert (row["status"], row["abandonedAt"], row["abandonedBy"]) == (again.value, None, None)
        assert [target.race_id for target in run(store.races_to_poll(ALL_DAY))] == [race().race_id]

    def test_a_race_first_listed_as_abandoned_may_come_back_too(self, store: RaceStore) -> None:
        run(imported(store, race(status=RaceStatus.ABANDONED)))
        run(store.save_races([race()], LATER))
        assert run(target_of(store, race().race_id)).status is RaceStatus.OPEN

    def test_an_abandonment_that_the_event_confirms_stays(self, store: RaceStore) -> None:
        run(imported(store, race(status=RaceStatus.ABANDONED)))
        run(polled(store, event(race(status=RaceStatus.ABANDONED), SOON)))
        run(store.save_races([race()], LATER))
        [row] = self.rows(store, "races")
        assert (row["status"], row["abandonedBy"]) == ("Abandoned", "event")

    def test_a_race_that_moves_to_another_meeting_moves_whole(self, store: RaceStore) -> None:
        run(store.save_meetings([meeting(1), meeting(2)], IMPORTED))
        run(store.save_races([race()], IMPORTED))
        run(store.save_races([race(meeting_id=meeting(2).meeting_id)], LATER))
        [row] = self.rows(store, "races")
        assert row["meeting"] == row["meetingId"] == meeting(2).meeting_id

    def test_an_import_moves_the_status_of_a_race_never_polled(self, store: RaceStore) -> None:
        run(imported(store))
        run(store.save_races([race(status=RaceStatus.CLOSED)], LATER))
        assert run(target_of(store, race().race_id)).status is RaceStatus.CLOSED

    def test_import_attempts_are_counted_and_survive_another_import(self, store: RaceStore) -> None:
        run(imported(store))
        run(store.note_import_attempt(race().race_id))
        run(store.note_import_attempt(race().race_id))
        run(store.save_races([race()], LATER))
        found = run(store.race(race().race_id))
        assert found is not None
        assert (found.entrants_attempts, found.entrants_imported) == (2, False)

    def test_a_poll_imports_the_runners(self, store: RaceStore) -> None:
        run(imported(store))
        run(polled(store, event(race(), SOON)))
        found = run(store.race(race().race_id))
        assert found is not None
        assert found.entrants_imported

    def test_a_stage_is_none_until_it_is_started_and_stays_complete(self, store: RaceStore) -> None:
        begun = StageProgress(DAY, DailyStage.ENTRANTS, complete=False, started_at=IMPORTED, done=20, processed=20,
                              remaining=76)  # fmt: skip
        assert run(store.stage(DAY, DailyStage.ENTRANTS)) is None
        run(store.save_stage(begun))
        assert run(store.stage(DAY, DailyStage.ENTRANTS)) == begun
        done = replace(begun, complete=True, finished_at=LATER, done=96, remaining=0)
        run(store.save_stage(done))
        run(store.save_stage(begun))
        assert run(store.stage(DAY, DailyStage.ENTRANTS)) == done
        assert run(store.stage(DAY, DailyStage.RACES)) is None
        assert run(store.stage(date(2026, 11, 23), DailyStage.ENTRANTS)) is None

    def test_the_same_run_twice_leaves_one_row(self, store: RaceStore) -> None:
        entry = RunEntry("exec-1", "daily-races", "schedule", IMPORTED, 1500, 200, 12, 1, 0, 0, 13, 25, 48.5, "ok")
        run(store.log_run(entry))
        run(store.log_run(entry))
        run(store.log_run(replace(entry, execution_id="exec-2")))
        rows = self.rows(store, "function-runs")
        assert sorted(str(row["executionId"]) for row in rows) == ["exec-1", "exec-2"]
        assert (rows[0]["startedAt"], rows[0]["peakRssMb"]) == ("2026-11-21T17:00:00.000+00:00", 48.5)

    def test_failed_polls_are_logged_with_the_start_of_their_payload(self, store: RaceStore) -> None:
        failure = PollFailure(race().race_id, SOON, "enhanced-race-poller", "exec-1", "FeedContractError", "bad JSON",
                              latency_ms=120, payload=b"{\xff" + b"x" * 5000)  # fmt: skip
        run(store.log_poll(failure))
        run(store.log_poll(failure))
        [row] = self.rows(store, "poll_logs")
        assert (row["error"], row["message"], row["latencyMs"]) == ("FeedContractError", "bad JSON", 120)
        assert str(row["payload"]).startswith("{\ufffdxx")
        assert len(str(row["payload"])) == 2000

    def test_counts_of_what_is_stored(self, store: RaceStore) -> None:
        run(imported(store, race(1), race(2)))
        run(polled(store, event(race(1), SOON, runners=2)))
        run(polled(store, event(race(1, status=RaceStatus.FINAL), LATER, runners=2, result=result(race(1), LATER))))
        run(store.log_poll(PollFailure(race(2).race_id, SOON, "f", "e", "FeedUnavailable", "timed out")))
        counts = run(store.day_counts())
        assert (counts.meetings, counts.races, counts.entrants) == (1, 2, 2)
        assert counts.races_by_status == {"Open": 1, "Final": 1}
        assert (counts.polls, counts.failed_polls) == (2, 1)
        assert (counts.odds_ticks, counts.money_flow_buckets) == (8, 2)
        assert (counts.race_pools, counts.results) == (1, 1)

    def test_a_call_is_counted_for_each_operation(self, store: RaceStore) -> None:
        run(imported(store))
        before = store.calls
        run(store.races_to_poll(ALL_DAY))
        assert store.calls > before

    def test_texts_too_long_for_their_column_are_cut_and_cost_nothing_else(self, store: RaceStore) -> None:
        long = "x" * 5000
        run(imported(store, race(comment=long)))
        wordy = runner(1, race(), gear=long, silk_colours=long)
        holds = {wordy.entrant_id: HoldShare(100.0, 100.0)}
        run(polled(store, replace(event(race(comment=long), SOON, runners=1), entrants=(wordy,), holds=holds)))
        assert len(str(self.rows(store, "races")[0]["comment"])) == 2000
        assert len(str(self.rows(store, "entrants")[0]["gear"])) == 500
