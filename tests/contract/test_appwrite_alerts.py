"""Alerts on Appwrite: names that are alike, calls counted, runs at once, and who hears of what."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import groupby

import pytest

from alert_steps import EVERYBODY, NOBODY_ELSE, alert_ports
from appwrite_platform import MovedClock
from contract.appwrite_steps import BEFORE_STAGING, calls_of, meddle
from contract.appwrite_store import StandInStore, appwrite_rows, open_appwrite_store
from contract.store_examples import IMPORTED, START, event, race, runner, uid
from contract.store_steps import LATER, SOON, imported, polled
from contract.suite_alerts import RACE, RUNNER, SUBJECT, config_row, pages, told
from raceday.domain.odds import Odds
from raceday.jobs.evaluate_alerts import AlertPlan, evaluate_runners_of
from raceday.jobs.ports import JobPorts
from raceday.store.alert_ports import AlertSubject, ConfigCursor
from raceday.store.appwrite.name_order import by_name, further_back, one_name
from raceday.store.appwrite.notifications import TOLD_AT_ONCE, creations
from raceday.store.appwrite.operations import OPERATIONS_AT_ONCE, ROWS_AT_ONCE
from raceday.store.rows.alerts import config_row as stored_config
from raceday.store.rows.alerts import notification_row
from raceday.store.rows.owners import OWN_CONFIG, OWN_NOTIFICATION, owner_permissions
from raceday.store.tables import ENTRANTS, USER_ALERT_CONFIGS

run = asyncio.run
UNTIL = LATER + timedelta(minutes=2)
ALIKE = ("bob", "Bob", "BOB ", "é", "e", "zed")
"""Six users; to the platform they are three."""
SHORTENING = {"alertType": "odds_shortening", "threshold": 20.0, "timeWindowSeconds": 600}
RISING = {"alertType": "money_share_rise", "threshold": 90.0}


@pytest.fixture
def store() -> StandInStore:
    return open_appwrite_store()


def save(store: StandInStore, *rows: dict[str, object]) -> None:
    """Store configurations all at once."""
    run(store._rows.upsert(USER_ALERT_CONFIGS, [stored_config(row) | row for row in rows]))


async def shortened(store: StandInStore, price: float = 7.0) -> None:
    """Let the first runner go from 12 to a price in the last bucket."""
    await imported(store)
    for minutes, odds in ((11, 12.0), (6, 12.0), (4.5, price)):
        entrants = (runner(1, race(), odds=Odds(fixed_win=odds)), runner(2, race()), runner(3, race()))
        await polled(store, event(race(), START - timedelta(minutes=minutes), entrants=entrants))


def evaluated(store: StandInStore, plan: AlertPlan = NOBODY_ELSE) -> JobPorts:
    """Evaluate the first runner as an event does; the log has the calls of that alone."""
    runners = [update for update in run(store.alert_runners(RACE)) if update.entrant_id == RUNNER]
    ports = alert_ports(store, START - timedelta(minutes=4))
    store.log.calls.clear()
    store.events.clear()
    run(evaluate_runners_of(ports, runners, plan))
    return ports


def ranges_of(number: int, user_id: str) -> list[dict[str, object]]:
    """The six ranges, the one that was crossed switched off, and a threshold; the ids mix the users."""
    rows: list[dict[str, object]] = [{"$id": f"0-{number}", "userId": user_id, **SHORTENING}]
    for order in range(1, 7):
        limits = {"percentageRangeMin": 5.0 * order, "percentageRangeMax": 5.0 * order + 5}
        kind = {"indicatorType": "percentage_range", "displayOrder": order, "enabled": order != 5}
        rows.append({"$id": f"{order}-{number}", "userId": user_id, **kind, **limits})
    return rows


@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7, 8, 20, 21, 22, 41, 42, 43])
def test_pages_over_names_that_are_alike_have_neither_gap_nor_repetition(store: StandInStore, limit: int) -> None:
    rows = [row for number, user_id in enumerate(ALIKE) for row in ranges_of(number, user_id)]
    save(store, *rows)
    read = run(pages(store, SUBJECT, limit))
    assert sorted(config_id for page in read for config_id in page) == sorted(str(row["$id"]) for row in rows)
    assert max(map(len, read)) <= limit


@pytest.mark.parametrize("limit", [22, 30, 36, 100])
def test_users_whose_names_are_alike_come_one_after_the_other(store: StandInStore, limit: int) -> None:
    save(store, *(row for number, user_id in enumerate(ALIKE) for row in ranges_of(number, user_id)))
    users: list[str] = []
    after: ConfigCursor | None = None
    while True:
        page = run(store.alert_configs(SUBJECT, after, limit))
        users += [user_id for user_id, _ in groupby(page.configs, key=lambda config: config.user_id)]
        assert page.first_user == page.configs[0].user_id
        after = page.after
        if after is None:
            break
    assert users == ["BOB ", "Bob", "bob", "e", "é", "zed"]


@pytest.mark.parametrize("configs_a_page", [22, 25, 35, 36, 100])
def test_nobody_gets_a_default_in_place_of_a_range_that_another_page_holds(
    store: StandInStore, configs_a_page: int
) -> None:
    run(shortened(store))
    save(store, *(row for number, user_id in enumerate(ALIKE) for row in ranges_of(number, user_id)))
    evaluated(store, replace(NOBODY_ELSE, configs_a_page=configs_a_page))
    assert sorted(row["configId"] for row in appwrite_rows(store, "notifications")) == [f"0-{n}" for n in range(6)]


@pytest.mark.parametrize("configs_a_page", [1, 5, 7, 15])
def test_a_name_that_fills_a_page_alone_is_cut_off_and_holds_up_nobody_behind(
    store: StandInStore, configs_a_page: int
) -> None:
    run(shortened(store))
    save(store, *(row for number, user_id in enumerate(ALIKE) for row in ranges_of(number, user_id)))
    ports = evaluated(store, replace(NOBODY_ELSE, configs_a_page=configs_a_page))
    told_to = {row["userId"] for row in appwrite_rows(store, "notifications")}
    assert "zed" in told_to
    assert ports.report.details["brokenConfigurations"] == {1: 3, 5: 3, 7: 2, 15: 1}[configs_a_page]


def test_a_page_goes_on_behind_a_configuration_that_is_gone(store: StandInStore) -> None:
    save(store, *(config_row(f"c{number}", "ann") for number in range(5)))
    page = run(store.alert_configs(SUBJECT, None, 2))
    assert page.after == ConfigCursor("ann", "c1")
    run(store._rows.delete(USER_ALERT_CONFIGS, "c1"))
    page = run(store.alert_configs(SUBJECT, page.after, 2))
    assert [config.config_id for config in page.configs] == ["c2", "c3"]


def test_ids_and_words_that_are_alike_are_not_the_same(store: StandInStore) -> None:
    save(
        store,
        config_row("runner", "ann", entrantId=RUNNER.upper()),
        config_row("race", "ann", raceId=f"{RACE} "),
        config_row("race-of-runner", "ann", raceId=RACE, entrantId=" "),
        config_row("off", "ann", alertType=" ", enabled=False),
    )
    page = run(store.alert_configs(SUBJECT, None, 10))
    assert (page.configs, page.broken, page.first_user) == ((), (), None)


def test_the_default_user_is_told_of_with_the_page_and_fills_none(store: StandInStore) -> None:
    subject = AlertSubject(RACE, (RUNNER,), "Default User")
    save(store, config_row("x", "default user"), config_row("y", "ann"))
    store.log.calls.clear()
    page = run(store.alert_configs(subject, None, 2))
    assert not page.default_user_has_rows, "another name, though the platform takes it for the same"
    assert calls_of(store) == ["GET user-alert-configs/rows"]
    hers = owner_permissions("mallory", OWN_CONFIG)
    save(store, config_row("z", "Default User", raceId=uid("other")) | {"$permissions": hers})
    assert not run(store.alert_configs(subject, None, 3)).default_user_has_rows, "it is not the default user's"
    old = [config_row(f"old-{number}", "Default User", raceId=uid("other")) for number in range(9)]
    save(store, *old)
    store.log.calls.clear()
    page = run(store.alert_configs(subject, None, 3))
    assert page.default_user_has_rows
    assert len(calls_of(store)) == 1
    assert run(pages(store, subject, 3)) == [["y"], ["x"]]
    assert len(run(store.alert_configs(subject, None, 100)).configs) == 2


def test_what_the_default_user_has_for_other_races_crowds_nobody_out(store: StandInStore) -> None:
    subject = AlertSubject(RACE, (RUNNER,), "Default User")
    save(store, config_row("x", "zed"), *(config_row(f"w{number}", "ann") for number in range(4)))
    store.log.calls.clear()
    page = run(store.alert_configs(subject, None, 4))
    assert (len(page.configs), page.default_user_has_rows) == (4, False)
    assert len(calls_of(store)) == 2, "the page does not say that there are none"
    for number in range(4):
        run(store._rows.delete(USER_ALERT_CONFIGS, f"w{number}"))
    save(store, *(config_row(f"old-{number}", "Default User", raceId=uid("other")) for number in range(9)))
    page = run(store.alert_configs(subject, None, 4))
    assert [config.config_id for config in page.configs] == ["x"]
    assert (page.first_user, page.after, page.default_user_has_rows) == ("zed", None, True)


def test_an_event_that_tells_nobody_reads_at_most_three_times(store: StandInStore) -> None:
    run(shortened(store))
    evaluated(store)
    assert calls_of(store) == ["GET user-alert-configs/rows"]
    save(store, config_row("a", "ann") | SHORTENING | {"threshold": 50.0}, config_row("b", "ben") | RISING)
    ports = evaluated(store)
    assert ports.store.calls == 3
    assert ports.report.details["notifications"] == 0


@pytest.mark.parametrize(("users", "heard"), [(1, 1), (100, 100), (150, 99)])
def test_an_event_tells_with_four_calls_however_many_it_tells(store: StandInStore, users: int, heard: int) -> None:
    run(shortened(store))
    save(store, *(config_row(f"c{n:03}", f"user{n:03}") | SHORTENING for n in range(users)))
    save(store, config_row("money", "zed") | RISING)
    ports = evaluated(store)
    assert ports.store.calls == 7
    rows = appwrite_rows(store, "notifications")
    assert [row["configId"] for row in sorted(rows, key=lambda row: row["userId"])] == [
        f"c{n:03}" for n in range(users)
    ]
    assert all(row["$permissions"] == owner_permissions(row["userId"], OWN_NOTIFICATION) for row in rows)
    notices = [(notice.table_id, notice.action) for notice in store.events if notice.table_id == "notifications"]
    assert notices == [("notifications", "create")] * heard, "dashboards hear of single ones alone"
    evaluated(store)
    assert len(calls_of(store)) == 4, "nothing is new: it looks once"


@pytest.mark.parametrize("count", [1, 99, 100, 101, 199, 200, 400, TOLD_AT_ONCE])
def test_notifications_fit_one_transaction_the_newest_one_by_one(count: int) -> None:
    rows = [notification_row(told(slot=f"{n}"), SOON, deliver=True) for n in range(count)]
    operations = creations(rows)
    assert len(operations) <= OPERATIONS_AT_ONCE
    single = [operation.row_id for operation in operations if operation.action == "create"]
    bulks = [operation.content for operation in operations if operation.action == "bulkCreate"]
    in_bulk = [row["$id"] for rows_of_bulk in bulks for row in rows_of_bulk]  # type: ignore[attr-defined]
    assert in_bulk + single == [row["$id"] for row in rows]
    assert all(len(bulk) <= ROWS_AT_ONCE for bulk in bulks)  # type: ignore[arg-type]
    assert len(single) == min(count, OPERATIONS_AT_ONCE - len(bulks))


def test_what_another_run_tells_at_once_is_told_once(store: StandInStore, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = [told(slot=str(slot)) for slot in range(30)]
    theirs = [told(slot=str(slot)) for slot in range(20, 50)]
    other = store.beside()
    won: list[str] = []

    async def tell() -> None:
        won.extend(await other.save_notifications(theirs, LATER, deliver=True))

    meddle(monkeypatch, store, BEFORE_STAGING, tell)
    new = run(store.save_notifications(mine, SOON, deliver=False))
    assert sorted(new) == sorted(each.notification_id for each in mine[:20])
    assert len(won) == 30
    rows = {row["$id"]: row["deliveryState"] for row in appwrite_rows(store, "notifications")}
    assert len(rows) == 50
    assert all(rows[row_id] == "pending" for row_id in won), "what was there first stays as it is"


def test_after_a_conflict_the_cool_downs_are_looked_at_again(
    store: StandInStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = (replace(told(slot=str(at), minutes=at), cooldown_s=90) for at in (9, 8, 5))
    other = store.beside()
    meddle(monkeypatch, store, BEFORE_STAGING, lambda: other.save_notifications([first, third], SOON, deliver=False))
    assert run(store.save_notifications([second, third], SOON, deliver=False)) == []


def test_of_many_configurations_all_that_is_stored_of_the_runner_is_looked_at(store: StandInStore) -> None:
    many = [replace(told(f"user{n}"), cooldown_s=60) for n in range(120)]
    assert len(run(store.save_notifications(many[:70], SOON, deliver=False))) == 70
    assert len(run(store.save_notifications(many, SOON, deliver=False))) == 50
    assert run(store.save_notifications([told("user5", slot="4"), many[5]], SOON, deliver=False)) == [
        told("user5", slot="4").notification_id
    ]


def test_users_with_names_that_are_alike_read_their_own_notifications(store: StandInStore) -> None:
    names = ("Default User", "default user")
    rows = [told(names[slot % 2], slot=str(slot), minutes=slot + 1) for slot in range(7)]
    run(store.save_notifications(rows, SOON, deliver=False))
    read = run(store.notifications_of("default user", 2))
    assert [each.notification_id for each in read] == [rows[1].notification_id, rows[3].notification_id]
    assert len(run(store.notifications_of("Default User", 10))) == 4


@pytest.mark.parametrize("names", [["b", "a", "A", "b", "B", "c"], ["e", "é", "E ", "e"], []])
def test_rows_of_one_name_are_put_together_where_the_name_stands(names: Sequence[str]) -> None:
    rows = list(enumerate(names))
    grouped = by_name(rows, lambda row: row[1])
    assert sorted(grouped) == rows
    assert len([name for name, _ in groupby(grouped, key=lambda row: row[1])]) == len(set(names))
    firsts = list(dict.fromkeys(one_name(name) for name in names))
    assert list(dict.fromkeys(one_name(name) for _, name in grouped)) == firsts


@pytest.mark.parametrize(
    ("one", "other", "first"),
    [("ben", "dan", "ben"), ("be", "ben", "be"), ("", "x", ""), ("u9", "ua", "u9"), ("U9", "UA", "U9"),
     ("Zoe", "ann", ""), ("a-b", "ab", ""), ("é", "f", ""), ("same", "same", "same")],
)  # fmt: skip
def test_which_name_goes_further_back(one: str, other: str, first: str) -> None:
    assert further_back(one, other) == further_back(other, one) == first


def test_races_are_touched_by_whoever_writes_a_runner() -> None:
    clock = MovedClock(IMPORTED)
    store = open_appwrite_store(clock)
    old = race(3, advertised_start=SOON - timedelta(days=2, minutes=1))
    run(imported(store, race(1), race(2), old))
    for number in (1, 2):
        clock.instant = SOON + timedelta(seconds=1)
        run(polled(store, event(race(number), SOON)))
    run(polled(store, event(old, SOON - timedelta(seconds=1))))
    before = SOON + timedelta(days=1)
    store.log.calls.clear()
    assert run(store.races_touched(SOON, before)) == sorted([(RACE, SOON), (race(2).race_id, SOON)])
    assert len(store.log.calls) == 3
    assert run(store.races_touched(SOON + timedelta(milliseconds=500), before)) == [], "they are as the polls left them"
    clock.instant = corrected_at = SOON + timedelta(seconds=40)
    for of in (race(2), old):
        run(store._rows.update(ENTRANTS, runner(1, of).entrant_id, {"fixedWinOdds": 9.9}))
    [(touched, at)] = run(store.races_touched(SOON + timedelta(seconds=20), before))
    assert (touched, at - corrected_at < timedelta(seconds=1)) == (race(2).race_id, True), "the old race is over"
    clock.instant = SOON + timedelta(minutes=10)
    stamped = {"fixedWinOdds": 8.8, "lastUpdated": (SOON + timedelta(minutes=9.9)).isoformat()}
    run(store._rows.update(ENTRANTS, runner(1, race(2)).entrant_id, stamped))
    touched_at = [(race(2).race_id, SOON + timedelta(minutes=9.9))]
    assert run(store.races_touched(SOON + timedelta(minutes=5), before)) == touched_at
    assert run(store.races_touched(SOON, SOON)) == [], "races that start later are left out"


def test_the_default_user_has_the_six_ranges_as_long_as_no_row_is_theirs(store: StandInStore) -> None:
    run(shortened(store))
    evaluated(store, EVERYBODY)
    [row] = appwrite_rows(store, "notifications")
    assert (row["userId"], row["change"]) == ("Default User", pytest.approx(41.67, abs=0.01))
