"""The programme on Appwrite: what an import costs, what it must not disturb, and where the platform sets traps."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from contract.appwrite_steps import BEFORE_STAGING, calls_of, meddle
from contract.appwrite_store import StandInStore, appwrite_rows, open_appwrite_store
from contract.store_examples import DAY, IMPORTED, START, event, meeting, race
from contract.store_steps import ALL_DAY, LATER, SOON, claimed, imported, polled, run, state_of, target_of
from raceday.domain.race import Race
from raceday.domain.status import RaceStatus
from raceday.errors import StoreConflict
from raceday.store.appwrite.snapshot import OUTDATED

HALF_AN_HOUR = timedelta(minutes=30)


@pytest.fixture
def store() -> StandInStore:
    return open_appwrite_store()


def claim_row(store: StandInStore, of: Race) -> dict[str, object]:
    return next(row for row in appwrite_rows(store, "poll-claims") if row["$id"] == of.race_id)


def told(store: StandInStore, *tables: str) -> list[tuple[str, str]]:
    """The events of some tables since the last question."""
    events = [(notice.table_id, notice.action) for notice in store.events if notice.table_id in tables]
    store.events.clear()
    return events


def card(races: int, meetings: int = 1) -> list[Race]:
    return [race(number, which) for which in range(1, meetings + 1) for number in range(1, races + 1)]


def test_an_import_raises_no_event_that_anybody_listens_to(store: StandInStore) -> None:
    run(imported(store, race(1), race(2)))
    assert told(store, "races", "race-pools", "poll-claims") == []
    run(polled(store, event(race(1), SOON)))
    store.events.clear()
    abandoned = [race(1, status=RaceStatus.ABANDONED), race(2, name="Renamed"), race(3)]
    run(store.save_races(abandoned, LATER))
    run(store.save_races([race(1), race(2), race(3)], LATER + HALF_AN_HOUR))
    run(store.note_import_attempt(race(2).race_id))
    assert told(store, "races", "entrants") == []


def test_what_is_listed_again_and_again_costs_one_call_and_changes_nothing(store: StandInStore) -> None:
    said = [race(number) for number in range(1, 9)]
    run(imported(store, *said))
    for of in said:
        run(polled(store, event(of, SOON)))
    before = {table: appwrite_rows(store, table) for table in ("races", "race-pools", "poll-claims")}
    store.log.calls.clear()
    run(store.save_races(said, LATER))
    assert calls_of(store) == ["GET poll-claims/rows"]
    assert {table: appwrite_rows(store, table) for table in before} == before


def test_new_races_cost_seven_calls_however_many_they_are(store: StandInStore) -> None:
    run(store.save_meetings([meeting()], IMPORTED))
    store.log.calls.clear()
    run(store.save_races(card(12), IMPORTED))
    assert [call.split()[0] for call in calls_of(store)] == ["GET", "GET", "GET", "POST", "POST", "GET", "PATCH"]
    assert len(appwrite_rows(store, "race-pools")) == len(appwrite_rows(store, "poll-claims")) == 12


def test_more_races_than_fit_a_transaction_are_stored_all_the_same(store: StandInStore) -> None:
    run(store.save_meetings([meeting(number) for number in range(1, 11)], IMPORTED))
    said = card(20, meetings=10)
    run(store.save_races([*said, said[0]], IMPORTED))
    later = [replace(of, advertised_start=of.advertised_start + HALF_AN_HOUR) for of in said]
    run(store.save_races(later, LATER))
    assert len(run(store.races_on(DAY))) == len(appwrite_rows(store, "race-pools")) == 200
    assert [target.advertised_start for target in run(store.races_to_poll(ALL_DAY))] == sorted(
        of.advertised_start for of in later
    )


def test_the_same_list_again_leaves_the_claims_of_races_never_polled_alone(store: StandInStore) -> None:
    run(imported(store, race()))
    before = claim_row(store, race())
    store.events.clear()
    run(store.save_races([race(name="Renamed", weather="Rain")], LATER))
    assert claim_row(store, race()) == before
    assert told(store, "poll-claims") == []
    assert appwrite_rows(store, "races")[0]["name"] == "Renamed"


def test_a_start_put_off_before_the_first_poll_reaches_everything_that_polls_begin_with(store: StandInStore) -> None:
    run(imported(store, race()))
    put_off = START + HALF_AN_HOUR
    run(store.save_races([race(advertised_start=put_off)], LATER))
    beside = store.beside()
    assert run(target_of(beside, race().race_id)).advertised_start == put_off
    assert run(state_of(beside, race().race_id)).advertised_start == put_off


def test_an_abandonment_reaches_the_state_that_the_next_poll_begins_with(store: StandInStore) -> None:
    run(imported(store, race()))
    run(polled(store, event(race(), SOON)))
    assert claim_row(store, race())["state"]
    run(store.save_races([race(status=RaceStatus.ABANDONED)], LATER))
    row = claim_row(store, race())
    assert (row["status"], row["toPoll"], row["state"]) == ("Abandoned", False, OUTDATED)
    state = run(state_of(store.beside(), race().race_id))
    assert (state.status, len(state.entrants)) == (RaceStatus.ABANDONED, 3)


def test_a_race_listed_as_final_is_still_polled_for_its_result(store: StandInStore) -> None:
    run(imported(store, race(1, status=RaceStatus.FINAL), race(2)))
    run(polled(store, event(race(2), SOON)))
    for status in (RaceStatus.ABANDONED, RaceStatus.FINAL):
        run(store.save_races([race(2, status=status)], LATER))
    for of in (race(1), race(2)):
        row = claim_row(store, of)
        assert (row["status"], row["toPoll"], row["resultPending"]) == ("Final", True, True)


@pytest.mark.parametrize("before", [BEFORE_STAGING, ("GET", "/poll-claims/rows"), ("PATCH", "")])
def test_a_first_poll_that_comes_between_is_not_overwritten(
    store: StandInStore, monkeypatch: pytest.MonkeyPatch, before: tuple[str, str]
) -> None:
    run(imported(store))
    poller = store.beside()
    of = race(status=RaceStatus.INTERIM, name="As polled")

    async def poll_it() -> None:
        await polled(poller, event(of, SOON))

    meddle(monkeypatch, store, before, poll_it)
    run(store.save_races([race(name="As listed")], LATER))
    [row] = appwrite_rows(store, "races")
    assert (row["name"], row["status"]) == ("As polled", "Interim")
    assert claim_row(store, of)["status"] == "Interim"
    assert run(state_of(store, of.race_id)).entrants


@pytest.mark.parametrize("before", [BEFORE_STAGING, ("PATCH", "")])
def test_another_import_that_comes_between_makes_no_second_claim(
    store: StandInStore, monkeypatch: pytest.MonkeyPatch, before: tuple[str, str]
) -> None:
    run(store.save_meetings([meeting()], IMPORTED))
    other = store.beside()

    async def import_and_claim() -> None:
        await other.save_races([race()], IMPORTED)
        await claimed(other, race().race_id, SOON)

    meddle(monkeypatch, store, before, import_and_claim)
    run(store.save_races([race()], IMPORTED))
    [row] = appwrite_rows(store, "poll-claims")
    assert (row["token"], row["owner"]) == (1, "run-1")


def test_an_import_that_others_beat_again_and_again_gives_up_and_has_written_nothing(
    store: StandInStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(imported(store))
    starts = iter(range(1, 100))
    other = store.beside()

    async def put_off() -> None:
        await other.save_races([race(advertised_start=START + next(starts) * HALF_AN_HOUR)], IMPORTED)
        meddle(monkeypatch, store, BEFORE_STAGING, put_off)

    meddle(monkeypatch, store, BEFORE_STAGING, put_off)
    with pytest.raises(StoreConflict):
        run(store.save_races([race(name="As listed")], LATER))
    assert appwrite_rows(store, "races")[0]["name"] == "Maiden 1"


def test_a_run_that_imports_forgets_what_it_knew_of_a_claim(store: StandInStore) -> None:
    run(imported(store))
    run(polled(store, event(race(), SOON)))
    run(claimed(store, race().race_id, LATER))
    run(store.save_races([race(status=RaceStatus.ABANDONED)], LATER))
    assert run(state_of(store, race().race_id)).status is RaceStatus.ABANDONED


def test_meetings_cost_one_call_and_two_when_one_leaves_out_what_every_write_needs(store: StandInStore) -> None:
    def asked(*said: object) -> list[str]:
        store.log.calls.clear()
        run(store.save_meetings(said, IMPORTED))  # type: ignore[arg-type]
        return calls_of(store)

    assert asked(*(meeting(number) for number in range(1, 101))) == ["PUT meetings/rows"]
    assert asked(meeting(1, name=None), meeting(101, name=None)) == ["GET meetings/rows", "PUT meetings/rows"]
    names = {row["$id"]: row["meetingName"] for row in appwrite_rows(store, "meetings")}
    assert (names[meeting(1).meeting_id], names[meeting(101).meeting_id]) == ("Course 1", "")
    assert asked() == []


def test_more_meetings_than_a_bulk_takes_are_stored_in_one_transaction(store: StandInStore) -> None:
    run(store.save_meetings([meeting(number) for number in range(1, 151)], IMPORTED))
    assert len(run(store.meetings_on(DAY))) == 150
    assert store.calls == 3 + 1


def test_ids_and_names_are_told_apart_as_they_are_written_and_not_as_the_platform_compares_them(
    store: StandInStore,
) -> None:
    shouted = [meeting(1, name="abbey"), meeting(2, name="Zeal"), meeting(3, name="\u00c9toile")]
    run(store.save_meetings(shouted, IMPORTED))
    assert [one.meeting.name for one in run(store.meetings_on(DAY))] == ["Zeal", "abbey", "\u00c9toile"]
    astray = race(2, meeting_id=meeting(1).meeting_id.upper())
    run(store.save_races([race(), astray], IMPORTED))
    assert [one.race_id for one in run(store.races_on(DAY))] == [race().race_id]
    assert run(store.race(race().race_id.upper())) is None


def test_tries_that_are_counted_at_once_are_all_counted(store: StandInStore) -> None:
    run(imported(store))

    async def count() -> None:
        of, at = race().race_id, meeting().meeting_id
        stores = [store, store.beside()]
        await asyncio.gather(*(one.note_import_attempt(of) for one in stores))
        await asyncio.gather(*(one.note_races_attempt(at) for one in stores))

    run(count())
    found = run(store.race(race().race_id))
    assert found is not None
    assert (found.entrants_attempts, run(store.meetings_on(DAY))[0].races_attempts) == (2, 2)


@pytest.mark.parametrize("before", [BEFORE_STAGING, ("PATCH", "")])
def test_a_try_counted_by_another_run_is_not_lost(
    store: StandInStore, monkeypatch: pytest.MonkeyPatch, before: tuple[str, str]
) -> None:
    run(imported(store))
    other = store.beside()
    meddle(monkeypatch, store, before, lambda: other.note_import_attempt(race().race_id))
    run(store.note_import_attempt(race().race_id))
    found = run(store.race(race().race_id))
    assert found is not None
    assert found.entrants_attempts == 2


def test_what_is_noted_of_something_unknown_makes_no_row(store: StandInStore) -> None:
    run(store.note_import_attempt("nobody"))
    run(store.note_races_attempt("nobody"))
    run(store.note_races_imported("nobody", LATER))
    assert appwrite_rows(store, "races") == appwrite_rows(store, "meetings") == []


def in_order(starts: Sequence[object]) -> bool:
    return all(str(one) <= str(other) for one, other in pairwise(starts))


def test_the_races_of_a_big_day_come_in_few_calls_and_in_order(store: StandInStore) -> None:
    run(store.save_meetings([meeting(number) for number in range(1, 13)], IMPORTED))
    run(store.save_races(card(10, meetings=12), IMPORTED))
    store.log.calls.clear()
    found = run(store.races_on(DAY))
    assert len(found) == 120
    assert in_order([one.advertised_start.isoformat() for one in found])
    assert calls_of(store) == ["GET meetings/rows", "GET races/rows"]
