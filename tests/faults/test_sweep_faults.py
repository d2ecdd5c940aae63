"""What another writer left in one row, a race that nobody foresaw, a day that is long: the sweeps go on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from alert_steps import NOBODY_ELSE, alert_ports, handled, swept
from contract.store_examples import IMPORTED, START, event, race, runner, scratched
from contract.store_steps import imported, polled, run
from contract.suite_alerts import config_row, told
from raceday.clock import Clock
from raceday.domain.alerts.delivery import AlertChannels, Channel, Delivery
from raceday.domain.entrant_update import EntrantUpdate
from raceday.domain.money_flow import Estimator
from raceday.domain.odds import Odds
from raceday.errors import StoreUnavailable
from raceday.jobs.deliver_notifications import deliver_notifications
from raceday.jobs.sweep_alerts import sweep_alerts
from raceday.jobs.sweep_flow import sweep_money_flow, sweep_pools
from raceday.store.events import RowEvent
from raceday.store.rows.values import instant_text
from raceday.store.sqlite import SqliteStore

SHORTENING = {"alertType": "odds_shortening", "threshold": 20.0, "timeWindowSeconds": 600}
EARLY, AFTER = START - timedelta(minutes=8), START - timedelta(minutes=4.5)
SWEEP = timedelta(minutes=5)


@dataclass
class Followed:
    """A store, and the row events that it raised."""

    events: list[RowEvent] = field(default_factory=list)
    store: SqliteStore = field(init=False)

    def __post_init__(self) -> None:
        self.store = SqliteStore.open(":memory:", self.events.append)

    def write(self, sql: str, *values: object) -> None:
        self.store._db.write(sql, values)

    def told(self) -> list[tuple[str, str]]:
        """Who was told of which race."""
        rows = self.store._db.rows('SELECT "userId", "raceId" FROM notifications ORDER BY "raceId", "userId"')
        return [(row["userId"], row["raceId"]) for row in rows]

    def ids(self) -> set[str]:
        return {row["$id"] for row in self.store._db.rows('SELECT "$id" FROM notifications')}


@pytest.fixture
def followed() -> Iterator[Followed]:
    """Two races; the first runner of each went from 12 to 7, of which ann wants to be told."""
    made = Followed()
    run(imported(made.store, race(1), race(2)))
    run(made.store.save_alert_config(config_row("a", "ann", **SHORTENING), IMPORTED))
    for of in (race(1), race(2)):
        for at, price in ((EARLY, 12.0), (AFTER, 7.0)):
            run(polled(made.store, event(of, at, entrants=(runner(1, of, odds=Odds(fixed_win=price)), runner(2, of)))))
    yield made
    run(made.store.close())


def test_a_scratching_in_milliseconds_stops_no_sweep(followed: Followed):
    written = instant_text(AFTER + timedelta(seconds=10))
    followed.write(
        'UPDATE entrants SET "isScratched" = 1, "scratchTime" = 1795318200000, "lastUpdated" = ?, "$updatedAt" = ? '
        'WHERE "$id" = ?',
        written, written, runner(2, race(1)).entrant_id,
    )  # fmt: skip
    at = AFTER + timedelta(minutes=1)
    alerts = run(swept(followed.store, at, NOBODY_ELSE)).report
    assert (alerts.processed, alerts.failed) == (2, 0)
    assert followed.told() == sorted([("ann", race(1).race_id), ("ann", race(2).race_id)], key=lambda who: who[1])
    for sweep in (sweep_money_flow, sweep_pools):
        report = run(sweep(alert_ports(followed.store, at, function=sweep.__name__), Estimator.HOLD))
        assert (report.failed, report.details["sweptTo"]) == (0, instant_text(at))


@pytest.mark.parametrize("error", [ValueError("year 57860 is out of range"), StoreUnavailable("disk I/O error")])
def test_a_race_that_nobody_foresaw_costs_no_other_race_its_alerts(
    followed: Followed, monkeypatch: pytest.MonkeyPatch, error: Exception
):
    whole = SqliteStore.alert_runners

    async def broken(self: SqliteStore, race_id: str) -> list[EntrantUpdate]:
        if race_id == race(1).race_id:
            raise error
        return await whole(self, race_id)

    monkeypatch.setattr(SqliteStore, "alert_runners", broken)
    report = run(swept(followed.store, AFTER, NOBODY_ELSE)).report
    assert (report.processed, report.failed, report.status_code) == (1, 1, 200)
    assert [failure.subject for failure in report.failures] == [race(1).race_id]
    assert followed.told() == [("ann", race(2).race_id)]
    assert [note.race_id for note in run(followed.store.alert_backlog(10))] == [race(1).race_id]
    assert run(followed.store.swept_to("alert-evaluator")) == AFTER

    monkeypatch.undo()
    run(swept(followed.store, AFTER + timedelta(minutes=30), NOBODY_ELSE))
    assert len(followed.told()) == 2, "the next sweep makes good, however late"
    assert run(followed.store.alert_backlog(10)) == []


def far_scratching(made: Followed) -> datetime:
    """Withdraw a runner two and a half hours before the start and lose the event; return when."""
    run(imported(made.store))
    run(made.store.save_alert_config(config_row("a", "ann"), IMPORTED))
    out_at = START - timedelta(minutes=150)
    run(polled(made.store, event(race(1), out_at - timedelta(minutes=30), runners=2)))
    runners = (runner(1, race(1)), scratched(race(1), 2, out_at - timedelta(minutes=1)))
    run(polled(made.store, event(race(1), out_at, entrants=runners)))
    return out_at


def sweeps(made: Followed, since: datetime, every: timedelta, until: datetime) -> list[datetime]:
    """Sweep every few minutes; return when something new was told."""
    news = []
    at = since
    while at < until:
        before = len(made.told())
        run(swept(made.store, at, NOBODY_ELSE))
        news += [at] if len(made.told()) > before else []
        at += every
    return news


@pytest.mark.parametrize("every", [timedelta(minutes=1), SWEEP, timedelta(minutes=60)])
def test_an_event_lost_long_before_the_start_is_told_when_the_race_comes_near(every: timedelta):
    made = Followed()
    out_at = far_scratching(made)
    [told_at] = sweeps(made, out_at + timedelta(minutes=3), every, START + timedelta(minutes=20))
    assert timedelta() <= told_at - (START - timedelta(minutes=70)) <= every
    without_loss = Followed()
    far_scratching(without_loss)
    run(handled(without_loss.store, without_loss.events[-1], out_at, NOBODY_ELSE))
    assert made.ids() == without_loss.ids() != set()


def test_a_race_that_came_near_while_time_was_short_is_swept_next_time():
    made = Followed()
    out_at = far_scratching(made)
    run(swept(made.store, out_at + timedelta(minutes=3), NOBODY_ELSE))
    near = START - timedelta(minutes=68)
    short = alert_ports(made.store, near)
    cut = run(swept(made.store, near, NOBODY_ELSE, deadline=replace(short.deadline, at=near)))
    assert (cut.report.remaining, made.told()) == (1, [])
    assert run(made.store.swept_to("alert-evaluator")) == START - timedelta(minutes=70), "when it came near"
    run(swept(made.store, near + SWEEP, NOBODY_ELSE))
    assert made.told() == [("ann", race(1).race_id)]


@dataclass
class Sent:
    """Takes what is sent."""

    sent: list[str] = field(default_factory=list)

    async def send(self, delivery: Delivery, to: AlertChannels) -> None:
        self.sent.append(delivery.notification.notification_id)


def slowed(seconds: float, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the reading of each race's runners take so long."""
    whole = SqliteStore.alert_runners

    async def slow(self: SqliteStore, race_id: str) -> list[EntrantUpdate]:
        await clock.sleep(seconds)
        return await whole(self, race_id)

    monkeypatch.setattr(SqliteStore, "alert_runners", slow)


@pytest.mark.parametrize("seconds", [1.0, 4.0, 6.5])
def test_a_sweep_that_uses_up_its_time_leaves_enough_to_deliver(seconds: float, monkeypatch: pytest.MonkeyPatch):
    made = Followed()
    races = [race(number, advertised_start=START + timedelta(seconds=number)) for number in range(1, 61)]
    run(imported(made.store, *races))
    for of in races:
        run(polled(made.store, event(of, AFTER, runners=1)))
    run(made.store.save_notifications([told("ann")], AFTER, deliver=True))
    run(made.store.save_alert_channels(AlertChannels("ann", "https://hooks.example/ann", "s"), AFTER))
    ports, sender = alert_ports(made.store, AFTER), Sent()
    slowed(seconds, ports.clock, monkeypatch)

    async def evaluated() -> None:
        await sweep_alerts(ports, replace(NOBODY_ELSE, deliver=True))
        await deliver_notifications(ports, {Channel.WEBHOOK: sender})

    run(evaluated())
    assert ports.report.remaining > 0
    assert len(sender.sent) == 1
