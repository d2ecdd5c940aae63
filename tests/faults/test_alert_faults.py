"""What goes wrong with the evaluation of alerts: poisoned configurations, storms, deadlines, stores that fail."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from alert_steps import NOBODY_ELSE, CountedDeadline, alert_ports, handled, swept, written_runners
from contract.store_examples import IMPORTED, START, event, race, runner, scratched
from contract.store_steps import imported, polled, run
from contract.suite_alerts import config_row
from raceday.domain.money_flow import HoldShare
from raceday.domain.odds import Odds
from raceday.errors import StoreUnavailable
from raceday.jobs.evaluate_alerts import evaluate_runners_of
from raceday.store.events import RowEvent
from raceday.store.sqlite import SqliteStore

RACE = race()
SHORTENING = {"alertType": "odds_shortening", "threshold": 20.0, "timeWindowSeconds": 600}
EARLY, AFTER = START - timedelta(minutes=8), START - timedelta(minutes=4.5)


@dataclass
class Stored:
    """A store, and the row events that it raised."""

    store: SqliteStore = field(init=False)
    events: list[RowEvent] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.store = SqliteStore.open(":memory:", self.events.append)

    def save(self, *rows: dict[str, object]) -> None:
        for row in rows:
            run(self.store.save_alert_config(row, IMPORTED))

    def notifications(self) -> list[dict[str, object]]:
        return [dict(row) for row in self.store._db.rows('SELECT * FROM notifications ORDER BY "$id"')]

    def told(self) -> set[object]:
        return {row["userId"] for row in self.notifications()}


@pytest.fixture
def stored() -> Iterator[Stored]:
    """Two races; the first runner of each went from 12 to 7."""
    made = Stored()
    run(imported(made.store, race(1), race(2)))
    for of in (race(1), race(2)):
        for at, price in ((EARLY, 12.0), (AFTER, 7.0)):
            runners = (runner(1, of, odds=Odds(fixed_win=price)), runner(2, of))
            run(polled(made.store, event(of, at, entrants=runners)))
    yield made
    run(made.store.close())


def test_one_users_broken_configurations_hurt_nobody_elses(stored: Stored):
    broken = [
        config_row(f"broken-{number}", "mallory", **columns)
        for number, columns in enumerate(
            [
                SHORTENING | {"threshold": float("nan")},
                SHORTENING | {"threshold": float("inf")},
                SHORTENING | {"threshold": -1e300},
                SHORTENING | {"timeWindowSeconds": 2**62},
                SHORTENING | {"cooldownSeconds": -1},
                {"alertType": "💥" * 20},
                {"alertType": "", "indicatorType": "percentage_range", "percentageRangeMin": 1e308},
            ]
        )
    ]
    stored.save(*broken, config_row("gone", "mallory", **SHORTENING, entrantId="a runner that is gone"))
    stored.save(config_row("good", "ann", **SHORTENING))
    ports = run(handled(stored.store, stored.events[-1], AFTER, NOBODY_ELSE))
    assert stored.told() == {"ann"}
    assert (ports.report.details["brokenConfigurations"], ports.report.failed, ports.report.status_code) == (7, 0, 200)
    [(_, logged)] = [line for line in ports.log.lines if line[0] == "broken_alert_configs"]
    assert logged["configs"] == 7
    assert len(logged["first"]) == 5


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("$permissions", 'read("user:mallory")'),
        ("$permissions", "5"),
        ("$permissions", '"read(\\"user:mallory\\")"'),
        ("$updatedAt", "yesterday"),
        ("$updatedAt", "0001-01-01T00:00:00+23:00"),
    ],
)
def test_a_row_that_cannot_be_read_stops_nobody_elses_evaluation(stored: Stored, column: str, value: str):
    stored.save(config_row("bad", "mallory", **SHORTENING), config_row("good", "ann", **SHORTENING))
    with stored.store._db.writing():
        stored.store._db.write(f'UPDATE user_alert_configs SET "{column}" = ? WHERE "$id" = \'bad\'', (value,))
    ports = run(handled(stored.store, stored.events[-1], AFTER, NOBODY_ELSE))
    assert stored.told() == {"ann"}
    assert ports.report.details["brokenConfigurations"] == 1


def test_a_user_with_more_configurations_than_a_page_holds_up_nobody_behind(stored: Stored):
    mallorys = [config_row(f"m{number:02}", "mallory", **SHORTENING) for number in range(30)]
    stored.save(*mallorys, config_row("a", "ann", **SHORTENING), config_row("z", "zed", **SHORTENING))
    plan = replace(NOBODY_ELSE, configs_a_page=7)
    runs = 0
    while runs == 0 or run(stored.store.alert_backlog(10)):
        ports = alert_ports(stored.store, AFTER)
        deadline = near_after(2, ports.clock)
        ports = run(swept(stored.store, AFTER, plan, deadline=deadline))
        runs += 1
        assert runs < 10
    assert runs > 1, "the deadline cut runs off"
    assert stored.told() == {"ann", "mallory", "zed"}
    of_mallory = {row["configId"] for row in stored.notifications() if row["userId"] == "mallory"}
    assert of_mallory == {f"m{number:02}" for number in range(7)}, "as many as a page holds"
    whole = run(handled(stored.store, stored.events[-1], AFTER, plan))
    [(_, logged)] = [line for line in whole.log.lines if line[0] == "broken_alert_configs"]
    assert logged["first"] == {"behind m06": "mallory has too many for one race: a page holds no more"}


def near_after(looks: int, ports_clock) -> CountedDeadline:
    """A deadline that is near after so many looks at it."""
    CountedDeadline.looks = looks
    return CountedDeadline(ports_clock.at, ports_clock)


def test_what_there_was_no_time_for_is_resumed_and_not_lost(stored: Stored):
    users = [f"user{number:02}" for number in range(30)]
    stored.save(*(config_row(f"{user}-{part}", user, **SHORTENING) for user in users for part in "abc"))
    plan = replace(NOBODY_ELSE, configs_a_page=7)
    ports = alert_ports(stored.store, AFTER)
    cut = replace(ports, deadline=near_after(3, ports.clock))
    run(evaluate_runners_of(cut, written_runners(stored.events[-1]), plan))
    some = len(stored.told())
    assert 0 < some < len(users)
    assert cut.report.remaining == 1
    [note] = run(stored.store.alert_backlog(10))
    assert note.from_user in users
    sweeps = 0
    while run(stored.store.alert_backlog(10)):
        ports = alert_ports(stored.store, AFTER)
        CountedDeadline.looks = 4
        run(swept(stored.store, AFTER, plan, deadline=CountedDeadline(ports.clock.at, ports.clock)))
        sweeps += 1
        assert sweeps < 30
    assert sweeps > 1
    run(swept(stored.store, AFTER, plan))
    assert stored.told() == set(users)
    assert len(stored.notifications()) == 2 * 3 * len(users), "both races, each configuration once"


def test_a_user_cut_in_the_middle_is_begun_anew_so_that_its_ranges_are_known_whole(stored: Stored):
    ranges = [(5.0, 10.0), (10.0, 15.0), (15.0, 20.0), (20.0, 25.0), (25.0, 30.0), (60.0, None)]
    for order, (lowest, highest) in enumerate(ranges, 1):
        row = {"alertType": None, "indicatorType": "percentage_range", "displayOrder": order}
        row |= {"percentageRangeMin": lowest, "percentageRangeMax": highest}
        stored.save(config_row(f"r{order}", "ann", **row))
    stored.save(*(config_row(f"aa{number}", "aaron", **SHORTENING | {"threshold": 90.0}) for number in range(3)))
    plan = replace(NOBODY_ELSE, configs_a_page=7)
    ports = alert_ports(stored.store, AFTER)
    cut = replace(ports, deadline=near_after(0, ports.clock))
    run(evaluate_runners_of(cut, written_runners(stored.events[-1]), plan))
    assert [note.from_user for note in run(stored.store.alert_backlog(10))] == ["ann"]
    run(swept(stored.store, AFTER, plan))
    assert stored.notifications() == [], "41.7 % is in none of ann's six, and she has all six"
    assert run(stored.store.alert_backlog(10)) == []


def test_a_race_that_cannot_be_read_is_noted_and_the_others_are_swept(stored: Stored):
    stored.save(config_row("a", "ann", **SHORTENING))
    read = type(stored.store).bucket_money
    stored.save(config_row("m", "ben", alertType="money", threshold=50.0))

    async def broken(store, race_id):
        if race_id == race(1).race_id:
            raise StoreUnavailable("disk I/O error")
        return await read(store, race_id)

    type(stored.store).bucket_money = broken
    try:
        ports = run(swept(stored.store, AFTER, NOBODY_ELSE))
    finally:
        type(stored.store).bucket_money = read
    assert (ports.report.processed, ports.report.failed, ports.report.status_code) == (1, 1, 200)
    assert [row["raceId"] for row in stored.notifications()] == [race(2).race_id]
    run(swept(stored.store, AFTER + timedelta(minutes=5), NOBODY_ELSE))
    assert len(stored.notifications()) == 2
    assert run(stored.store.alert_backlog(10)) == []


def test_a_sweep_that_runs_out_of_time_goes_on_where_it_stopped(stored: Stored):
    stored.save(config_row("a", "ann", **SHORTENING))
    ports = alert_ports(stored.store, AFTER)
    CountedDeadline.looks = 1
    cut = run(swept(stored.store, AFTER, NOBODY_ELSE, deadline=CountedDeadline(ports.clock.at, ports.clock)))
    assert (cut.report.processed, cut.report.remaining) == (1, 1)
    assert len(stored.notifications()) == 1
    run(swept(stored.store, AFTER + timedelta(minutes=30), NOBODY_ELSE))
    assert len(stored.notifications()) == 2


def test_a_storm_after_a_scratching_is_bounded_and_raises_no_events_of_its_own():
    """24 runners, the favourite is withdrawn, and for a minute every share and every price is another one."""
    storm = Stored()
    field_size, polls = 24, 50
    run(imported(storm.store))
    storm.save(config_row("all", "ann", alertType="odds_change", threshold=5.0), config_row("s", "ann"))
    storm.save(config_row("money", "ann", alertType="money", threshold=5.0, timeWindowSeconds=60))
    began = START - timedelta(minutes=3)
    for number in range(polls):
        out = scratched(RACE, 1, began) if number else runner(1, RACE)
        others = [
            runner(horse, RACE, odds=Odds(fixed_win=horse * (1.0 + 0.5 * ((number + horse) % 2))))
            for horse in range(2, field_size + 1)
        ]
        entrants = (out, *others)
        holds = {each.entrant_id: HoldShare(float((number * index) % 7), 1.0) for index, each in enumerate(entrants)}
        at = began + timedelta(seconds=1.2 * number)
        run(polled(storm.store, event(RACE, at, entrants=entrants, holds=holds, win_cents=100_000 + number)))
    events = list(storm.events)
    assert sum(len(written_runners(each)) for each in events) > (field_size - 2) * (polls - 2)
    for each in [*events[-3:], *events[:10], *events[-3:]]:
        run(handled(storm.store, each, began + timedelta(minutes=1)))
    run(swept(storm.store, began + timedelta(minutes=1)))
    rows = storm.notifications()
    mine = [row for row in rows if row["userId"] == "ann"]
    assert sum(row["type"] == "scratching" for row in mine) == 1
    # Two time buckets were touched, but the cool-down allows one notification a configuration and runner.
    by_subject = [(row["configId"], row["entrantId"]) for row in rows]
    assert len(by_subject) == len(set(by_subject))
    assert len(mine) >= field_size - 1
    assert len(storm.events) == len(events), "notifications are no rows that anybody listens to"
    run(storm.store.close())
