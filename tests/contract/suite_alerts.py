"""What every store must do for alerts: configurations by page, notifications once and for their owner alone."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from alert_steps import EVERYBODY
from contract.store_examples import IMPORTED, START, event, race, runner, scratched, uid
from contract.store_steps import LATER, SOON, StoreTests, imported, polled, run
from raceday.domain.alerts.config import AlertConfig, AlertKind
from raceday.domain.alerts.crossings import Crossing
from raceday.domain.alerts.delivery import AlertChannels, Channel, Delivery, Outcome, after_attempt
from raceday.domain.alerts.notification import Notification, notification
from raceday.domain.entrant_update import EntrantUpdate
from raceday.domain.odds import Odds, OddsKind
from raceday.store.alert_ports import AlertBacklog, AlertSubject, ConfigCursor
from raceday.store.ports import RaceStore

RACE, RUNNER = race().race_id, runner(1, race()).entrant_id
SUBJECT = AlertSubject(RACE, (RUNNER,))
SCRATCHING = AlertKind.SCRATCHING


def config_row(config_id: str, user_id: str, **columns: object) -> dict[str, object]:
    """A configuration as people's tools write it; unless told otherwise a scratching of any runner."""
    return {"$id": config_id, "userId": user_id, "alertType": "scratching", "enabled": True} | columns


def crossing(slot: str = "5", minutes: float = 4) -> Crossing:
    """A price that shortened from 12 to 7."""
    at = START - timedelta(minutes=minutes)
    return Crossing(AlertKind.ODDS_SHORTENING, at, slot, 5, 12.0, 7.0, 41.666667)


def told(user_id: str = "ann", slot: str = "5", minutes: float = 4) -> Notification:
    """A notification of one user."""
    config = AlertConfig(f"config-of-{user_id}", user_id, AlertKind.ODDS_SHORTENING, 5.0)
    update = EntrantUpdate(RUNNER, RACE, "Cerise Dancer", 7, Odds(7.0), LATER)
    return notification(config, update, crossing(slot, minutes))


async def pages(store: RaceStore, subject: AlertSubject, limit: int) -> list[list[str]]:
    """Read all pages; return the ids of each."""
    read: list[list[str]] = []
    after: ConfigCursor | None = None
    while True:
        page = await store.alert_configs(subject, after, limit)
        read.append([config.config_id for config in page.configs])
        if page.after is None:
            return read
        after = page.after


async def alert_operations(store: RaceStore) -> None:
    """Call every operation that alerts need, on a store where `contract.store_examples` has a polled race."""
    await store.save_alert_config(config_row("a", "ann"), IMPORTED)
    page = await store.alert_configs(AlertSubject(RACE, (RUNNER, uid("x")), "Default User"), None, 1)
    await store.alert_configs(SUBJECT, ConfigCursor("ann", "a"), 10)
    assert page.configs
    await store.win_ticks(RACE, [RUNNER])
    await store.bucket_money(RACE)
    assert await store.alert_runners(RACE)
    await store.races_touched(SOON, SOON + timedelta(days=2))
    await store.save_notifications([told()], SOON, deliver=True)
    await store.notifications_of("ann", 10)
    await store.save_alert_channels(AlertChannels("ann", "https://hooks.example/1", "secret"), IMPORTED)
    await store.alert_channels(["ann"])
    taken = await store.take_deliveries(LATER, LATER + timedelta(minutes=2), 10)
    await store.save_deliveries(taken, LATER)
    note = AlertBacklog(RACE, RUNNER, "ann", SOON)
    await store.save_alert_backlog(note)
    assert await store.alert_backlog(10) == [note]
    await store.settle_alert_backlog(note, None)
    await store.note_swept("alert-evaluator", SOON, SOON)
    await store.swept_to("alert-evaluator")


class AlertSuite(StoreTests):
    """The promises of `AlertStore`."""

    def save_configs(self, store: RaceStore, *rows: dict[str, object]) -> None:
        for row in rows:
            run(store.save_alert_config(row, IMPORTED))

    def test_a_runner_has_its_own_configurations_those_of_its_race_and_those_for_all(self, store: RaceStore) -> None:
        self.save_configs(
            store,
            config_row("all", "ann"),
            config_row("all-empty", "ann", raceId="", entrantId=""),
            config_row("race", "ben", raceId=RACE),
            config_row("race-empty", "ben", raceId=RACE, entrantId=""),
            config_row("runner", "cat", entrantId=RUNNER),
            config_row("runner-and-race", "cat", entrantId=RUNNER, raceId=RACE),
            config_row("other-race", "dan", raceId=uid("other")),
            config_row("other-runner", "dan", entrantId=uid("other")),
            config_row("other-runner-of-race", "dan", entrantId=uid("other"), raceId=RACE),
            config_row("off", "dan", enabled=False),
        )
        wanted = ["all", "all-empty", "race", "race-empty", "runner", "runner-and-race"]
        assert run(pages(store, SUBJECT, 100)) == [wanted]
        page = run(store.alert_configs(SUBJECT, None, 100))
        assert [config.entrant_id for config in page.configs] == [None] * 4 + [RUNNER] * 2
        both = AlertSubject(RACE, (RUNNER, uid("other")))
        assert len(run(pages(store, both, 100))[0]) == len(wanted) + 2

    def test_pages_follow_one_another_by_user_without_gap_or_repetition(self, store: RaceStore) -> None:
        rows = [config_row(f"{user}-{number}", user) for user in ("ann", "ben", "cat") for number in range(3)]
        rows += [config_row("ben-9", "ben", entrantId=RUNNER), config_row("ben-8", "ben", raceId=RACE)]
        self.save_configs(store, *rows)
        in_order = sorted(str(row["$id"]) for row in rows)
        for limit in (1, 2, 4, 11, 12):
            read = run(pages(store, SUBJECT, limit))
            assert [config_id for page in read for config_id in page] == in_order
            assert max(map(len, read)) <= limit
        again = run(store.alert_configs(SUBJECT, ConfigCursor("ben"), 100))
        assert [config.user_id for config in again.configs] == ["ben"] * 5 + ["cat"] * 3
        assert (again.first_user, again.after) == ("ben", None)
        behind = run(store.alert_configs(SUBJECT, ConfigCursor("ben", None), 2))
        assert [config.user_id for config in behind.configs] == ["cat"] * 2
        assert (behind.first_user, behind.after) == ("cat", ConfigCursor("cat", "cat-1"))
        assert run(store.alert_configs(SUBJECT, ConfigCursor("cat", None), 2)).first_user is None
        assert run(store.alert_configs(SUBJECT, None, 11)).after is None, "nothing is behind a page that is just full"

    def test_a_configuration_says_all_that_its_row_does(self, store: RaceStore) -> None:
        columns = {
            "alertType": "Odds Drop",
            "threshold": 12.5,
            "timeWindowSeconds": 120,
            "cooldownSeconds": 60,
            "raceId": RACE,
            "color": "#A1B2C3",
            "displayOrder": 3,
        }
        self.save_configs(store, config_row("a", "ann", **columns))
        [config] = run(store.alert_configs(SUBJECT, None, 10)).configs
        assert config == AlertConfig(
            "a", "ann", AlertKind.ODDS_SHORTENING, 12.5, None, 120, None, RACE, 60, "#A1B2C3", 3, changed_at=IMPORTED
        )

    def test_ranges_are_read_even_when_they_are_switched_off(self, store: RaceStore) -> None:
        indicator = {"alertType": None, "indicatorType": "percentage_range", "percentageRangeMin": 5.0}
        on = config_row("on", "ann", **indicator, percentageRangeMax=10.0, displayOrder=1)
        self.save_configs(store, on, config_row("off", "ann", **indicator, displayOrder=6, enabled=False))
        off, on_read = run(store.alert_configs(SUBJECT, None, 10)).configs
        assert (on_read.enabled, on_read.at_least, on_read.below) == (True, 5.0, 10.0)
        assert (off.enabled, off.below) == (False, None)

    def test_broken_configurations_are_named_and_the_others_are_there(self, store: RaceStore) -> None:
        ranges = {"alertType": "", "indicatorType": "percentage_range"}
        self.save_configs(
            store,
            config_row("good", "ann"),
            config_row("no-kind", "ann", alertType="weather"),
            config_row("no-threshold", "ann", alertType="drift"),
            config_row("endless", "ann", alertType="drift", threshold=float("inf")),
            config_row("negative", "ann", alertType="drift", threshold=-5.0),
            config_row("no-window", "ann", timeWindowSeconds=0),
            config_row("years", "ann", timeWindowSeconds=10**12),
            config_row("upside-down", "ann", **ranges, percentageRangeMin=10.0, percentageRangeMax=5.0),
            config_row("not-a-number", "ann", **ranges, percentageRangeMin=float("nan")),
            config_row("nobody's", ""),
            config_row("no-shape", "ann", alertType=None),
        )
        page = run(store.alert_configs(SUBJECT, None, 100))
        assert [config.config_id for config in page.configs] == ["good"]
        assert len(page.broken) == 10
        assert all(reason for _, reason in page.broken)
        small = [run(store.alert_configs(SUBJECT, None, 3))]
        while small[-1].after is not None:
            small.append(run(store.alert_configs(SUBJECT, small[-1].after, 3)))
        assert sum(len(page.configs) + len(page.broken) for page in small) == 11

    def test_the_page_says_whether_the_default_user_has_any_row(self, store: RaceStore) -> None:
        subject = AlertSubject(RACE, (RUNNER,), "ann")
        assert not run(store.alert_configs(subject, None, 10)).default_user_has_rows
        self.save_configs(store, config_row("elsewhere", "ann", raceId=uid("other"), enabled=False))
        assert run(store.alert_configs(subject, None, 10)).default_user_has_rows
        assert not run(store.alert_configs(SUBJECT, None, 10)).default_user_has_rows

    def test_a_changed_configuration_knows_when_it_was_changed(self, store: RaceStore) -> None:
        self.save_configs(store, config_row("a", "ann"))
        run(store.save_alert_config(config_row("a", "ann", color="#000000"), LATER))
        [config] = run(store.alert_configs(SUBJECT, None, 10)).configs
        assert (config.changed_at, config.colour, config.kind) == (LATER, "#000000", SCRATCHING)

    def test_what_a_race_says_to_alerts(self, store: RaceStore) -> None:
        run(imported(store))
        run(polled(store, event(race(), SOON)))
        moved = (runner(1, race(), odds=Odds(2.0, 1.3, None, 1.4)), scratched(race(), 2, LATER), runner(3, race()))
        run(polled(store, event(race(), LATER, win_cents=2_000_000, entrants=moved)))
        ticks = run(store.win_ticks(RACE, [RUNNER]))[RUNNER]
        fixed = [(tick.at, tick.odds, tick.bucket) for tick in ticks if tick.kind is OddsKind.FIXED_WIN]
        assert fixed == [(SOON, 3.0, 20), (LATER, 2.0, 20)]
        assert {tick.kind for tick in ticks} == {OddsKind.FIXED_WIN, OddsKind.POOL_WIN}
        money = {row.entrant_id: row for row in run(store.bucket_money(RACE))}
        assert len(money) == 3
        assert (money[RUNNER].bucket, money[RUNNER].at) == (20, LATER)
        assert (money[RUNNER].fixed_win, money[RUNNER].pool_win) == (2.0, None)
        runners = {update.runner_number: update for update in run(store.alert_runners(RACE))}
        assert (runners[1].entrant_id, runners[1].odds.fixed_win, runners[1].scratched) == (RUNNER, 2.0, False)
        assert (runners[2].scratched, runners[2].scratched_at) == (True, LATER)
        assert run(store.win_ticks(uid("nowhere"), [RUNNER])) == {}
        assert run(store.bucket_money(uid("nowhere"))) == run(store.alert_runners(uid("nowhere"))) == []

    def test_races_are_touched_by_polls_the_longest_untouched_first(self, store: RaceStore) -> None:
        run(imported(store, race(1), race(2), race(3)))
        for number, at in ((1, SOON), (2, LATER), (1, LATER + timedelta(seconds=30))):
            run(polled(store, event(race(number), at)))
        touched = run(store.races_touched(SOON, SOON + timedelta(days=2)))
        assert touched == [(race(2).race_id, LATER), (race(1).race_id, LATER + timedelta(seconds=30))]
        assert run(store.races_touched(LATER + timedelta(seconds=1), SOON + timedelta(days=2))) == touched[1:]
        assert run(store.races_touched(LATER + timedelta(seconds=31), SOON + timedelta(days=2))) == []
        assert run(store.races_touched(SOON, SOON)) == [], "races that start later are left out"

    def test_a_notification_within_the_cool_down_of_another_is_left_out(self, store: RaceStore) -> None:
        first, second, third = (replace(told(slot=str(at), minutes=at), cooldown_s=120) for at in (9, 8, 7))
        assert run(store.save_notifications([first], LATER, deliver=False)) == [first.notification_id]
        assert run(store.save_notifications([third, second], LATER, deliver=False)) == [third.notification_id]
        assert run(store.save_notifications([second], LATER, deliver=False)) == []
        ben = replace(told("ben", slot="8", minutes=8), cooldown_s=120)
        assert run(store.save_notifications([ben], LATER, deliver=False)) == [ben.notification_id]

    def test_a_notification_is_inserted_once_and_stays_as_it_is(self, store: RaceStore) -> None:
        first, second = told(slot="5"), told(slot="4")
        assert run(store.save_notifications([first], SOON, deliver=False)) == [first.notification_id]
        again = run(store.save_notifications([first, second, second], LATER, deliver=True))
        assert again == [second.notification_id]
        rows = {row["$id"]: row for row in self.rows(store, "notifications")}
        assert len(rows) == 2
        row = rows[first.notification_id]
        assert row["title"] == "7 Cerise Dancer shortened 41.7 %"
        assert (row["userId"], row["configId"], row["raceId"], row["entrantId"]) == (
            "ann",
            "config-of-ann",
            RACE,
            RUNNER,
        )
        assert (row["valueBefore"], row["valueAfter"], row["timeInterval"], row["read"]) == (12.0, 7.0, 5, False)
        assert row["deliveryState"] is None
        assert run(store.save_notifications([], LATER, deliver=True)) == []

    def test_many_at_once_insert_each_notification_once(self, store: RaceStore) -> None:
        async def storm() -> list[list[str]]:
            many = [told(slot=str(slot)) for slot in range(40)]
            return await asyncio.gather(*(store.save_notifications(many, SOON, deliver=False) for _ in range(10)))

        new = [row_id for ids in run(storm()) for row_id in ids]
        assert len(new) == len(set(new)) == len(self.rows(store, "notifications")) == 40

    def test_users_read_their_own_notifications_alone_newest_first(self, store: RaceStore) -> None:
        mine = [told("ann", slot=str(slot), minutes=slot) for slot in range(1, 4)]
        theirs = [told("ben", slot=str(slot), minutes=slot) for slot in range(1, 3)]
        run(store.save_notifications([*mine, *theirs], SOON, deliver=False))
        read = run(store.notifications_of("ann", 2))
        assert [each.notification_id for each in read] == [mine[0].notification_id, mine[1].notification_id]
        assert {each.user_id for each in run(store.notifications_of("ben", 10))} == {"ben"}
        assert run(store.notifications_of("an", 10)) == run(store.notifications_of("", 10)) == []

    @pytest.mark.parametrize("user_id", ["Default User", "user:ben", '") or read("any', "-ann", "a" * 37])
    def test_a_name_that_is_no_user_of_the_platform_grants_nobody_anything(
        self, store: RaceStore, user_id: str
    ) -> None:
        run(store.save_notifications([told(user_id)], SOON, deliver=False))
        assert [row["$permissions"] for row in self.rows(store, "notifications")] == ["[]"]

    def test_a_row_belongs_to_its_owner_alone(self, store: RaceStore) -> None:
        run(store.save_notifications([told("ann")], SOON, deliver=False))
        run(store.save_alert_config(config_row("c", "ann"), SOON))
        run(store.save_alert_channels(AlertChannels("ann", "https://hooks.example", "s"), SOON))
        granted = {
            "notifications": '["read(\\"user:ann\\")","delete(\\"user:ann\\")"]',
            "user-alert-configs": '["read(\\"user:ann\\")","update(\\"user:ann\\")","delete(\\"user:ann\\")"]',
            "user-alert-channels": '["read(\\"user:ann\\")"]',
        }
        for table, owned in granted.items():
            assert [row["$permissions"] for row in self.rows(store, table)] == [owned]

    def test_deliveries_are_taken_by_one_when_they_are_due_and_count_an_attempt(self, store: RaceStore) -> None:
        run(store.save_notifications([told(slot="5"), told(slot="4")], SOON, deliver=True))
        until = LATER + timedelta(minutes=2)
        assert run(store.take_deliveries(SOON - timedelta(seconds=1), until, 10)) == []
        [one] = run(store.take_deliveries(LATER, until, 1))
        [other] = run(store.take_deliveries(LATER, until, 10))
        assert run(store.take_deliveries(LATER, until, 10)) == []
        assert {one.notification.notification_id, other.notification.notification_id} == {
            told(slot=slot).notification_id for slot in ("5", "4")
        }
        assert (one.attempts, one.owned, one.notification.user_id) == (1, True, "ann")
        assert one.notification.title == "7 Cerise Dancer shortened 41.7 %"
        assert sorted(each.attempts for each in run(store.take_deliveries(until, until, 10))) == [2, 2]

    def test_what_became_of_a_delivery_is_kept_by_channel(self, store: RaceStore) -> None:
        run(store.save_notifications([told()], SOON, deliver=True))
        until = LATER + timedelta(minutes=2)
        [taken] = run(store.take_deliveries(LATER, until, 10))
        outcomes = {Channel.WEBHOOK: (Outcome.DELIVERED, ""), Channel.PUSH: (Outcome.UNAVAILABLE, "no answer")}
        run(store.save_deliveries([after_attempt(taken, outcomes, LATER)], LATER))
        assert run(store.take_deliveries(LATER + timedelta(seconds=59), until, 10)) == []
        [again] = run(store.take_deliveries(LATER + timedelta(seconds=60), until, 10))
        assert again.open_channels(frozenset(Channel)) == [Channel.PUSH]
        assert (again.attempts, again.reason) == (2, "push: no answer")
        done: Delivery = after_attempt(again, {Channel.PUSH: (Outcome.DELIVERED, "")}, until)
        run(store.save_deliveries([done], until))
        assert run(store.take_deliveries(until + timedelta(days=1), until, 10)) == []
        [row] = self.rows(store, "notifications")
        assert (row["deliveryState"], row["webhookState"], row["pushState"]) == ("delivered", "delivered", "delivered")
        assert (row["deliveryMessage"], row["deliveryAttempts"]) == (None, 2)

    def test_what_was_taken_and_not_tried_is_handed_back_as_if_it_had_not_been_taken(self, store: RaceStore) -> None:
        run(store.save_notifications([told()], SOON, deliver=True))
        until = LATER + timedelta(minutes=2)
        [taken] = run(store.take_deliveries(LATER, until, 10))
        run(store.save_deliveries([taken.handed_back(LATER)], LATER))
        [again] = run(store.take_deliveries(LATER, until, 10))
        assert (again.attempts, again.notification) == (1, taken.notification)

    def test_channels_are_those_of_their_user(self, store: RaceStore) -> None:
        channels = AlertChannels("ann", "https://hooks.example/1", "secret", push=True)
        run(store.save_alert_channels(channels, SOON))
        run(store.save_alert_channels(AlertChannels("ben", push=True), SOON))
        found = run(store.alert_channels(["ann", "cat"]))
        assert found == {"ann": channels}
        assert found["ann"].wanted() == frozenset(Channel)
        run(store.save_alert_channels(AlertChannels("ann"), LATER))
        assert run(store.alert_channels(["ann"]))["ann"].wanted() == frozenset()
        assert run(store.alert_channels([])) == {}

    def test_of_two_notes_on_a_runner_the_one_that_goes_further_back_stays(self, store: RaceStore) -> None:
        early, late = AlertBacklog(RACE, RUNNER, "ben", LATER), AlertBacklog(RACE, RUNNER, "dan", SOON)
        whole_race = AlertBacklog(RACE, "", "", SOON)
        for note in (late, early, late, whole_race):
            run(store.save_alert_backlog(note))
        assert run(store.alert_backlog(10)) == [whole_race, early]
        assert run(store.alert_backlog(1)) == [whole_race]
        run(store.settle_alert_backlog(late, None))
        assert early in run(store.alert_backlog(10)), "it was replaced meanwhile"
        run(store.settle_alert_backlog(early, late))
        assert run(store.alert_backlog(10)) == [whole_race, late]
        run(store.settle_alert_backlog(late, None))
        run(store.settle_alert_backlog(whole_race, None))
        assert run(store.alert_backlog(10)) == []

    def test_the_sweep_knows_how_far_it_came(self, store: RaceStore) -> None:
        assert run(store.swept_to("alert-evaluator")) is None
        run(store.note_swept("alert-evaluator", SOON, LATER))
        run(store.note_swept("alert-evaluator", LATER, LATER))
        assert run(store.swept_to("alert-evaluator")) == LATER

    def test_reads_of_an_event_are_one_call_each(self, store: RaceStore) -> None:
        seen = store.session()
        run(seen.alert_configs(AlertSubject(RACE, (RUNNER,), EVERYBODY.default_user), None, 2000))
        run(seen.win_ticks(RACE, [RUNNER]))
        run(seen.bucket_money(RACE))
        assert seen.calls == 3
