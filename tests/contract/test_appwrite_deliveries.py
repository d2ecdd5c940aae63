"""What waits on Appwrite: deliveries that one run takes, and notes of what is still to be evaluated."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from contract.appwrite_steps import BEFORE_STAGING, calls_of, meddle
from contract.appwrite_store import StandInStore, appwrite_rows, open_appwrite_store
from contract.store_steps import LATER, SOON
from contract.suite_alerts import RACE, RUNNER, told
from raceday.domain.alerts.delivery import AlertChannels, Channel, Outcome, after_attempt
from raceday.errors import StoreConflict, StoreUnavailable
from raceday.simulator.appwrite.faults import Fault
from raceday.store.alert_ports import AlertBacklog
from raceday.store.tables import NOTIFICATIONS

run = asyncio.run
UNTIL = LATER + timedelta(minutes=2)
ALIKE = ("bob", "Bob", "BOB ", "é", "e", "zed")
"""Six users; to the platform they are three."""
SHORTENING = {"alertType": "odds_shortening", "threshold": 20.0, "timeWindowSeconds": 600}
RISING = {"alertType": "money_share_rise", "threshold": 90.0}


@pytest.fixture
def store() -> StandInStore:
    return open_appwrite_store()


def test_of_two_runs_that_take_the_same_one_gets_it(store: StandInStore, monkeypatch: pytest.MonkeyPatch) -> None:
    due = [told(slot=str(slot)) for slot in range(20)]
    run(store.save_notifications(due, SOON, deliver=True))
    other = store.beside()
    taken: list[str] = []

    async def take(run_: StandInStore) -> None:
        taken.extend(each.notification.notification_id for each in await run_.take_deliveries(LATER, UNTIL, 15))

    meddle(monkeypatch, store, ("PATCH", ""), lambda: take(other))
    run(take(store))
    run(take(store))
    assert sorted(taken) == sorted(each.notification_id for each in due)
    assert run(store.take_deliveries(LATER, UNTIL, 10)) == []
    assert {row["deliveryAttempts"] for row in appwrite_rows(store, "notifications")} == {1}


def test_one_that_cannot_be_taken_costs_not_the_others(store: StandInStore) -> None:
    two = [told(slot="5"), told(slot="4")]
    run(store.save_notifications(two, SOON, deliver=True))
    store.faults.next_calls(Fault(503), 4, "PATCH", two[0].notification_id)
    [taken] = run(store.take_deliveries(LATER, UNTIL, 10))
    assert taken.notification.notification_id == two[1].notification_id
    store.faults.next_calls(Fault(503), 4, "PATCH", two[0].notification_id)
    with pytest.raises(StoreUnavailable):
        run(store.take_deliveries(LATER, UNTIL, 10))
    [left] = run(store.take_deliveries(LATER, UNTIL, 10))
    assert left.notification.notification_id == two[0].notification_id


def test_what_became_of_deliveries_is_written_together_and_silently(store: StandInStore) -> None:
    run(store.save_notifications([told(slot=str(slot)) for slot in range(5)], SOON, deliver=True))
    taken = run(store.take_deliveries(LATER, UNTIL, 10))
    outcomes = [{Channel.WEBHOOK: (Outcome.DELIVERED, "")}] * 4 + [{Channel.WEBHOOK: (Outcome.UNAVAILABLE, "no")}]
    tried = [after_attempt(each, outcome, LATER) for each, outcome in zip(taken, outcomes, strict=True)]
    run(store._rows.delete(NOTIFICATIONS, taken[0].notification.notification_id))
    store.log.calls.clear()
    store.events.clear()
    run(store.save_deliveries(tried, LATER))
    assert len(calls_of(store)) == 3
    assert store.events == []
    rows = appwrite_rows(store, "notifications")
    assert sorted(row["deliveryState"] for row in rows) == ["delivered"] * 3 + ["pending"]
    run(store.save_deliveries(tried[-1:], LATER))
    assert len(calls_of(store)) == 1
    run(store.save_deliveries(tried[:1], LATER))
    assert len(appwrite_rows(store, "notifications")) == 4, "one that was dropped meanwhile does not come back"


def test_deliveries_are_written_though_somebody_writes_their_rows(
    store: StandInStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(store.save_notifications([told(slot="5"), told(slot="4")], SOON, deliver=True))
    taken = run(store.take_deliveries(LATER, UNTIL, 10))
    tried = [after_attempt(each, {Channel.PUSH: (Outcome.DELIVERED, "")}, LATER) for each in taken]
    other, row_id = store.beside(), taken[0].notification.notification_id
    meddle(monkeypatch, store, ("PATCH", ""), lambda: other._rows.update(NOTIFICATIONS, row_id, {"read": True}))
    run(store.save_deliveries(tried, LATER))
    rows = {row["$id"]: row for row in appwrite_rows(store, "notifications")}
    assert {row["pushState"] for row in rows.values()} == {"delivered"}
    assert rows[row_id]["read"] is True


def test_channels_of_another_name_are_another_user(store: StandInStore) -> None:
    run(store.save_alert_channels(AlertChannels("Default User", push=True), SOON))
    assert run(store.alert_channels(["default user"])) == {}
    assert set(run(store.alert_channels(["Default User", "default user"]))) == {"Default User"}


def note(from_user: str, at: datetime = SOON) -> AlertBacklog:
    return AlertBacklog(RACE, RUNNER, from_user, at)


def test_a_note_is_made_with_one_call(store: StandInStore) -> None:
    run(store.save_alert_backlog(note("ann")))
    assert calls_of(store) == ["POST alert-backlog/rows"]


@pytest.mark.parametrize(("first", "second"), [("ann", "Ben"), ("a_b", "ab"), ("é", "z"), ("bob", "Bob")])
def test_a_note_begins_anew_when_only_the_platform_knows_which_goes_further_back(
    store: StandInStore, first: str, second: str
) -> None:
    run(store.save_alert_backlog(note(first)))
    run(store.save_alert_backlog(note(second)))
    assert [each.from_user for each in run(store.alert_backlog(10))] == [""]


@pytest.mark.parametrize("rest", [None, note("dan", LATER)])
def test_a_note_that_went_further_back_meanwhile_stays(
    store: StandInStore, monkeypatch: pytest.MonkeyPatch, rest: AlertBacklog | None
) -> None:
    run(store.save_alert_backlog(note("ben")))
    other = store.beside()
    before = BEFORE_STAGING if rest is None else ("PATCH", "")
    meddle(monkeypatch, store, before, lambda: other.save_alert_backlog(note("ann")))
    run(store.settle_alert_backlog(note("ben"), rest))
    assert [each.from_user for each in run(store.alert_backlog(10))] == ["ann"]


def test_a_note_that_was_settled_meanwhile_is_made_again(store: StandInStore, monkeypatch: pytest.MonkeyPatch) -> None:
    run(store.save_alert_backlog(note("ben")))
    other = store.beside()
    meddle(monkeypatch, store, ("PATCH", ""), lambda: other.settle_alert_backlog(note("ben"), None))
    run(store.save_alert_backlog(note("ann")))
    assert [each.from_user for each in run(store.alert_backlog(10))] == ["ann"]
    run(store.settle_alert_backlog(note("ann"), None))
    run(store.settle_alert_backlog(note("ann"), note("ben")))
    assert [each.from_user for each in run(store.alert_backlog(10))] == ["ben"], "nothing was there to be replaced"


def test_a_note_that_changes_all_the_time_is_a_conflict(store: StandInStore, monkeypatch: pytest.MonkeyPatch) -> None:
    run(store.save_alert_backlog(note("zed")))
    ask, turns = store._rest.call, iter("yxwvut")
    other = store.beside()

    async def call(method: str, path: str, **more: object) -> object:
        if method == "PATCH":
            await other.save_alert_backlog(note(next(turns)))
        return await ask(method, path, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(store._rest, "call", call)
    with pytest.raises(StoreConflict):
        run(store.save_alert_backlog(note("ann")))
