"""From a row event to notifications: what is read, who is told, and what a sweep finds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from alert_steps import EVERYBODY, NOBODY_ELSE, NotedExecutions, alert_ports, handled, swept, written_runners
from contract.store_examples import IMPORTED, START, event, race, runner, scratched
from contract.store_steps import imported, polled, run
from contract.suite_alerts import config_row
from raceday.domain.odds import Odds
from raceday.jobs.evaluate_alerts import AlertPlan, evaluate_runners_of
from raceday.jobs.sweep_alerts import resume_alerts
from raceday.store.events import RowEvent
from raceday.store.rows.owners import OWN_CONFIG, owner_permissions
from raceday.store.sqlite import SqliteStore
from raceday.store.tables import USER_ALERT_CONFIGS

EARLY, BEFORE, AFTER = START - timedelta(minutes=11), START - timedelta(minutes=6), START - timedelta(minutes=4.5)
RACE = race()
RUNNER = runner(1, RACE).entrant_id
SHORTENING = {"alertType": "odds_shortening", "threshold": 20.0, "timeWindowSeconds": 600}
RANGE = {"alertType": None, "indicatorType": "percentage_range", "percentageRangeMin": 25.0, "percentageRangeMax": 50.0}


class Alerts:
    """A race whose first runner went from 12 to 7 in the last bucket, and the events that it raised."""

    def __init__(self) -> None:
        self.events: list[RowEvent] = []
        self.store = SqliteStore.open(":memory:", self.events.append)

    async def from_twelve_to_seven(self) -> None:
        await imported(self.store)
        for at, price in ((EARLY, 12.0), (BEFORE, 12.0), (AFTER, 7.0)):
            await self.poll(at, price)

    async def poll(self, at: datetime, price: float, **changes: object) -> None:
        first = runner(1, RACE, odds=Odds(fixed_win=price))
        entrants = changes.pop("entrants", (first, runner(2, RACE), runner(3, RACE)))
        await polled(self.store, event(RACE, at, entrants=entrants, **changes))

    @property
    def event(self) -> RowEvent:
        return self.events[-1]

    def rows(self, columns: str = "*", table: str = "notifications") -> list[dict[str, object]]:
        return [dict(row) for row in self.store._db.rows(f'SELECT {columns} FROM {table} ORDER BY "$id"')]

    def told(self) -> list[tuple[object, object]]:
        return sorted((row["userId"], row["title"]) for row in self.rows())


@pytest.fixture
def alerts() -> Iterator[Alerts]:
    made = Alerts()
    run(made.from_twelve_to_seven())
    yield made
    run(made.store.close())


def save(alerts: Alerts, *rows: dict[str, object], at: datetime = IMPORTED) -> None:
    for row in rows:
        run(alerts.store.save_alert_config(row, at))


TOLD = "1 Runner 1 shortened 41.7 %"


def test_twelve_to_seven_is_told_to_those_who_asked(alerts: Alerts):
    save(alerts, config_row("a", "ann", **SHORTENING), config_row("b", "ben", **SHORTENING | {"threshold": 42.0}))
    save(alerts, config_row("c", "cat", **RANGE, displayOrder=5, color="#123456"))
    save(alerts, config_row("d", "dan", **SHORTENING, entrantId=runner(2, RACE).entrant_id))
    save(alerts, config_row("e", "eve", **SHORTENING, enabled=False))
    ports = run(handled(alerts.store, alerts.event, AFTER, NOBODY_ELSE))
    assert alerts.told() == [("ann", TOLD), ("cat", TOLD)]
    [of_cat] = [row for row in alerts.rows() if row["userId"] == "cat"]
    assert (of_cat["color"], of_cat["configId"], of_cat["timeInterval"], of_cat["type"]) == (
        "#123456",
        "c",
        5,
        "odds_shortening",
    )
    assert (ports.report.processed, ports.report.details["notifications"]) == (1, 2)
    assert ports.report.details["titles"] == [TOLD, TOLD]


def test_the_same_event_again_tells_nothing_new_and_changes_nothing(alerts: Alerts):
    save(alerts, config_row("a", "ann", **SHORTENING))
    run(handled(alerts.store, alerts.event, AFTER, NOBODY_ELSE))
    before = alerts.rows()
    again = run(handled(alerts.store, alerts.event, START, NOBODY_ELSE))
    assert alerts.rows() == before
    assert (again.report.skipped, again.report.details["notifications"]) == (1, 0)


def test_the_default_user_has_the_six_ranges_as_long_as_there_is_no_row_of_that_name(alerts: Alerts):
    run(handled(alerts.store, alerts.event, AFTER))
    assert [(row["userId"], row["color"], row["$permissions"]) for row in alerts.rows()] == [
        ("Default User", "#FECACA", "[]")
    ]
    other = Alerts()
    run(other.from_twelve_to_seven())
    save(other, config_row("t", "Default User"))
    run(handled(other.store, other.event, AFTER))
    assert other.told() == [], "thresholds alone bring no ranges"
    run(other.store.close())


def test_a_user_with_some_of_the_six_has_the_others_too(alerts: Alerts):
    save(alerts, config_row("a", "ann", **RANGE | {"percentageRangeMax": 30.0}, displayOrder=1))
    save(alerts, config_row("b", "ben", **RANGE, displayOrder=5, enabled=False))
    for page in (2000, 1):
        run(handled(alerts.store, alerts.event, AFTER, replace(NOBODY_ELSE, configs_a_page=page)))
        assert alerts.told() == [("ann", TOLD)], "ann's own range ends at 30, so her fifth is the default's"


def test_a_scratching_is_told_with_what_the_row_says(alerts: Alerts):
    save(alerts, config_row("s", "ann", raceId=RACE.race_id))
    out = (scratched(RACE, 1, START - timedelta(minutes=3)), runner(2, RACE), runner(3, RACE))
    run(alerts.poll(START - timedelta(minutes=2), 0, entrants=out))
    assert [written.entrant_id for written in written_runners(alerts.event)] == [RUNNER]
    ports = run(handled(alerts.store, alerts.event, START, NOBODY_ELSE))
    assert alerts.told() == [("ann", "1 Runner 1 scratched")]
    assert ports.store.calls == 2, "the row says it all: one read, one write"


def test_the_owner_is_the_stored_configurations_whatever_an_event_says(alerts: Alerts):
    save(alerts, config_row("a", "ann", **SHORTENING))
    forged = {"userId": "mallory", "$permissions": ['read("user:mallory")'], "owner": "mallory"}
    run(handled(alerts.store, replace(alerts.event, row=dict(alerts.event.row) | forged), AFTER, NOBODY_ELSE))
    [row] = alerts.rows()
    assert row["userId"] == "ann"
    assert "mallory" not in str(row)


def test_two_users_read_each_their_own(alerts: Alerts):
    save(alerts, config_row("a", "ann", **SHORTENING), config_row("b", "ben", **SHORTENING))
    run(handled(alerts.store, alerts.event, AFTER, NOBODY_ELSE))
    for user_id in ("ann", "ben"):
        [mine] = run(alerts.store.notifications_of(user_id, 10))
        assert mine.user_id == user_id
    grants = {row["userId"]: row["$permissions"] for row in alerts.rows()}
    assert "ben" not in str(grants["ann"])
    assert "ann" not in str(grants["ben"])


@pytest.mark.parametrize("permissions", [None, "[]", '["read(\\"user:ann\\")"]'])
def test_a_configuration_made_for_somebody_else_is_left_out(alerts: Alerts, permissions: str | None):
    save(alerts, config_row("a", "ann", **SHORTENING))
    with alerts.store._db.writing():
        alerts.store._db.write('UPDATE user_alert_configs SET "userId" = \'ben\', "$permissions" = ?', (permissions,))
    ports = run(handled(alerts.store, alerts.event, AFTER, NOBODY_ELSE))
    assert alerts.rows() == []
    assert ports.report.details["brokenConfigurations"] == 1


def test_nobody_takes_the_default_user_its_ranges_by_that_name(alerts: Alerts):
    save(alerts, config_row("a", "ann", **SHORTENING))
    with alerts.store._db.writing():
        alerts.store._db.write('UPDATE user_alert_configs SET "userId" = ?', ("Default User",))
    ports = run(handled(alerts.store, alerts.event, AFTER))
    assert alerts.told() == [("Default User", TOLD)], "by its default ranges, not by what ann wrote"
    assert {row["configId"] for row in alerts.rows()}.isdisjoint({"a"})
    assert ports.report.details["brokenConfigurations"] == 1


def test_what_was_crossed_before_a_configuration_was_made_is_not_told(alerts: Alerts):
    save(alerts, config_row("a", "ann", **SHORTENING), at=AFTER)
    run(handled(alerts.store, alerts.event, START, NOBODY_ELSE))
    assert alerts.rows() == []


def test_nobody_asks_costs_one_read_and_nothing_else(alerts: Alerts):
    save(alerts, config_row("a", "ann", raceId="another race"), config_row("b", "ben", entrantId="another runner"))
    ports = run(handled(alerts.store, alerts.event, AFTER, NOBODY_ELSE))
    assert (ports.store.calls, ports.report.skipped, alerts.rows()) == (1, 1, [])


@pytest.mark.parametrize(
    ("columns", "reads"),
    [
        ({"alertType": "scratching"}, 1),
        ({"alertType": "odds_drifting", "threshold": 50.0}, 2),
        ({"alertType": "money_flow", "threshold": 50.0}, 2),
        (RANGE | {"percentageRangeMin": 50.0, "percentageRangeMax": None}, 3),
    ],
)
def test_a_thousand_configurations_cost_at_most_three_reads(alerts: Alerts, columns: dict, reads: int):
    with alerts.store._db.writing():
        for number in range(1000):
            row = {"$id": f"c{number}", "userId": f"u{number}", "enabled": True} | columns
            row["$permissions"] = owner_permissions(f"u{number}", OWN_CONFIG)
            # All of them at once: a write of its own for each would take most of the test.
            alerts.store._db.insert_missing(USER_ALERT_CONFIGS, [row], "2026-11-21T00:00:00.000+00:00")
    ports = run(handled(alerts.store, alerts.event, AFTER, NOBODY_ELSE))
    assert ports.store.calls == reads
    assert alerts.rows() == []


def test_a_sweep_finds_what_no_event_told_and_then_nothing_more(alerts: Alerts):
    save(alerts, config_row("a", "ann", **SHORTENING), config_row("s", "ben"))
    out = (runner(1, RACE, odds=Odds(fixed_win=7.0)), scratched(RACE, 2, START - timedelta(minutes=4)), runner(3, RACE))
    run(alerts.poll(START - timedelta(minutes=3), 0, entrants=out))
    first = run(swept(alerts.store, START, NOBODY_ELSE))
    assert alerts.told() == [("ann", TOLD), ("ben", "2 Runner 2 scratched")]
    assert (first.report.processed, first.report.remaining) == (1, 0)
    second = run(swept(alerts.store, START + timedelta(minutes=5), NOBODY_ELSE))
    assert (second.report.processed, len(alerts.rows())) == (0, 2), "nothing was touched since"
    before = alerts.rows()
    run(handled(alerts.store, alerts.event, START + timedelta(minutes=6), NOBODY_ELSE))
    assert alerts.rows() == before


def test_an_event_looks_a_quarter_of_an_hour_back_and_the_sweep_over_the_whole_race(alerts: Alerts):
    save(alerts, config_row("a", "ann", **SHORTENING | {"cooldownSeconds": 0}))
    run(alerts.poll(AFTER + timedelta(minutes=16), 4.0))
    run(handled(alerts.store, alerts.event, AFTER + timedelta(minutes=16), NOBODY_ELSE))
    later = ("ann", "1 Runner 1 shortened 42.9 %")
    assert alerts.told() == [later]
    run(swept(alerts.store, AFTER + timedelta(minutes=17), NOBODY_ELSE))
    assert alerts.told() == [("ann", TOLD), later]


def test_what_an_event_does_not_tell_again_still_counts_for_the_cool_down(alerts: Alerts):
    save(alerts, config_row("a", "ann", **SHORTENING | {"cooldownSeconds": 1800}))
    run(alerts.poll(AFTER + timedelta(minutes=16), 4.0))
    run(handled(alerts.store, alerts.event, AFTER + timedelta(minutes=16), NOBODY_ELSE))
    assert alerts.told() == []
    run(swept(alerts.store, AFTER + timedelta(minutes=17), NOBODY_ELSE))
    assert alerts.told() == [("ann", TOLD)]


def test_one_event_tells_of_every_runner_that_a_poll_moved(alerts: Alerts):
    save(alerts, config_row("a", "ann", **SHORTENING), config_row("s", "ben"))
    shorter = (runner(1, RACE, odds=Odds(fixed_win=5.0)), runner(2, RACE, odds=Odds(fixed_win=2.0)))
    moved = (*shorter, scratched(RACE, 3, START - timedelta(minutes=2)))
    run(alerts.poll(START - timedelta(minutes=1), 0, entrants=moved))
    ports = run(handled(alerts.store, alerts.event, START, NOBODY_ELSE))
    assert {title for _, title in alerts.told()} >= {"2 Runner 2 shortened 50.0 %", "3 Runner 3 scratched"}
    assert ports.store.calls == 3, "two reads and a write for all of them"


def test_a_sweep_sees_a_price_that_was_written_by_hand(alerts: Alerts):
    save(alerts, config_row("a", "ann", **SHORTENING | {"cooldownSeconds": 0}))
    run(swept(alerts.store, START, NOBODY_ELSE))
    with alerts.store._db.writing():
        at = "2026-11-22T04:01:00.000+00:00"
        alerts.store._db.write(
            'UPDATE entrants SET "fixedWinOdds" = 3.5, "$updatedAt" = ? WHERE "$id" = ?', (at, RUNNER)
        )
    run(swept(alerts.store, START + timedelta(minutes=2), NOBODY_ELSE))
    assert alerts.told() == [("ann", TOLD), ("ann", "1 Runner 1 shortened 70.8 %")]


def test_new_notifications_start_one_delivery_and_a_refusal_costs_nothing(alerts: Alerts):
    save(alerts, config_row("a", "ann", **SHORTENING), config_row("b", "ben", **SHORTENING))
    plan = AlertPlan("", 300, deliver=True)
    executions = NotedExecutions()
    ports = alert_ports(alerts.store, AFTER, executions=executions)
    run(evaluate_runners_of(ports, written_runners(alerts.event), plan))
    assert executions.started == [("alert-evaluator", {"deliver": True})]
    assert {row["deliveryState"] for row in alerts.rows()} == {"pending"}
    run(evaluate_runners_of(ports, written_runners(alerts.event), plan))
    assert len(executions.started) == 1, "nothing was new"
    refused = alert_ports(alerts.store, AFTER, executions=NotedExecutions(refuses=True))
    save(alerts, config_row("c", "cat", **SHORTENING))
    run(evaluate_runners_of(refused, written_runners(alerts.event), plan))
    assert refused.report.status_code == 200
    assert [action for action, _ in refused.log.lines] == ["alerts_raised", "execution_refused"]


def test_a_price_that_was_written_and_then_polled_is_told_once(alerts: Alerts):
    save(alerts, config_row("a", "ann", **SHORTENING))
    row = alerts.store._db.row('SELECT * FROM entrants WHERE "$id" = ?', (RUNNER,)) or {}
    for seconds, price in ((100, 4.0), (102, 3.9)):
        at = AFTER + timedelta(seconds=seconds)
        text = at.isoformat(timespec="milliseconds")
        written = {**row, "fixedWinOdds": price, "lastUpdated": text, "$updatedAt": text}
        run(handled(alerts.store, RowEvent("entrants", RUNNER, "update", written), at, NOBODY_ELSE))
    run(alerts.poll(AFTER + timedelta(seconds=120), 4.0))
    run(handled(alerts.store, alerts.event, AFTER + timedelta(seconds=120), NOBODY_ELSE))
    run(swept(alerts.store, AFTER + timedelta(minutes=4), NOBODY_ELSE))
    crossed = sorted(str(row["crossedAt"]) for row in alerts.rows())
    instants = [datetime.fromisoformat(text) for text in crossed]
    assert len(instants) >= 1
    assert all(later - earlier >= timedelta(seconds=300) for earlier, later in pairwise(instants))


def test_what_an_event_has_no_cpu_time_for_is_resumed_and_ends_the_same(alerts: Alerts):
    save(alerts, *(config_row(f"c{number:02}", f"user{number:02}", **SHORTENING) for number in range(40)))
    bounded = replace(EVERYBODY, event_cpu_s=0.0)
    first = run(handled(alerts.store, alerts.event, AFTER, bounded))
    assert first.report.remaining == 1
    assert first.executions.started == [("alert-evaluator", {"resume": True})]
    assert len(alerts.rows()) < 20
    assert len(alerts.rows(table="alert_backlog")) == 1
    run(resume_alerts(alert_ports(alerts.store, AFTER), EVERYBODY))
    assert alerts.rows(table="alert_backlog") == []
    bounded_rows = alerts.rows()

    whole = Alerts()
    run(whole.from_twelve_to_seven())
    save(whole, *(config_row(f"c{number:02}", f"user{number:02}", **SHORTENING) for number in range(40)))
    run(handled(whole.store, whole.event, AFTER, EVERYBODY))
    assert bounded_rows == whole.rows()
    assert len(bounded_rows) == 41
    run(whole.store.close())


def test_an_event_that_is_stopped_among_the_users_begins_anew_with_the_last_it_looked_at(alerts: Alerts):
    save(alerts, *(config_row(f"c{number:02}", f"user{number:02}", **SHORTENING) for number in range(40)))
    run(handled(alerts.store, alerts.event, AFTER, replace(NOBODY_ELSE, event_cpu_s=0.0)))
    told = {row["userId"] for row in alerts.rows()}
    [note] = alerts.rows(table="alert_backlog")
    assert note["fromUserId"] == max(told), "that user may have more, and lacks its missing ranges"
    run(resume_alerts(alert_ports(alerts.store, AFTER), NOBODY_ELSE))
    assert {row["userId"] for row in alerts.rows()} == {f"user{number:02}" for number in range(40)}
