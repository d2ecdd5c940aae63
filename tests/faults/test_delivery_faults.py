"""What goes wrong when notifications leave the house: forged rows, poisoned channels, slow and silent receivers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from alert_steps import CountedDeadline, NotedLog, StandingClock, alert_ports
from contract.store_examples import IMPORTED, START
from contract.store_steps import run
from contract.suite_alerts import told
from raceday.domain.alerts.delivery import AlertChannels, Channel, Delivery
from raceday.errors import OutboundRefused, OutboundUnavailable, StoreUnavailable
from raceday.jobs.deliver_notifications import deliver_notifications
from raceday.jobs.ports import JobPorts
from raceday.outbound.http import OutboundAnswer, OutboundHttp
from raceday.outbound.webhook import WebhookSender
from raceday.store.rows.values import instant_text
from raceday.store.sqlite import SqliteStore

AFTER = START - timedelta(minutes=4.5)
SECRET = "a secret of sixteen bytes or more"


class Outbox:
    """A store with notifications that wait for delivery."""

    def __init__(self) -> None:
        self.store = SqliteStore.open(":memory:")

    def pending(self, *users: str, each: int = 1, minutes: float = 4.5) -> None:
        many = [told(user, slot=str(slot), minutes=minutes) for user in users for slot in range(each)]
        run(self.store.save_notifications(many, AFTER, deliver=True))
        for user in users:
            self.give(AlertChannels(user, f"https://hooks.example/{user}", SECRET))

    def give(self, channels: AlertChannels) -> None:
        run(self.store.save_alert_channels(channels, IMPORTED))

    def forge(self, sql: str, *parameters: object) -> None:
        with self.store._db.writing():
            self.store._db.write(sql, parameters)

    def rows(self) -> list[dict[str, object]]:
        return [dict(row) for row in self.store._db.rows('SELECT * FROM notifications ORDER BY "$id"')]

    def states(self) -> dict[object, set[object]]:
        found: dict[object, set[object]] = {}
        for row in self.rows():
            found.setdefault(row["userId"], set()).add(row["deliveryState"])
        return found


@pytest.fixture
def outbox() -> Iterator[Outbox]:
    made = Outbox()
    yield made
    run(made.store.close())


@dataclass
class FakeSender:
    """Takes what is sent; some users' addresses are silent, some are refused, some answer just in time."""

    silent: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()
    slow: frozenset[str] = frozenset()
    clock: StandingClock | None = None
    sent: list[str] = field(default_factory=list)
    tried: list[str] = field(default_factory=list)

    async def send(self, delivery: Delivery, to: AlertChannels) -> None:
        self.tried.append(to.user_id)
        await asyncio.sleep(0)
        if to.user_id in self.slow and self.clock is not None:
            await self.clock.sleep(4.9)
        if to.user_id in self.silent:
            raise OutboundUnavailable("no answer within 5 s")
        if to.user_id in self.refused:
            raise OutboundRefused("10.0.0.1 is a private address")
        self.sent.append(delivery.notification.notification_id)


def near_after(looks: int, clock: StandingClock) -> CountedDeadline:
    """A deadline that is near after so many looks at it."""
    CountedDeadline.looks = looks
    return CountedDeadline(clock.at, clock)


def deliver(outbox: Outbox, sender: FakeSender, minutes: float = 0) -> JobPorts:
    ports = alert_ports(outbox.store, AFTER + timedelta(minutes=minutes))
    sender.clock = ports.clock
    run(deliver_notifications(ports, {Channel.WEBHOOK: sender}))
    return ports


def test_a_silent_address_holds_up_nobody_else_and_is_asked_once_a_run(outbox: Outbox):
    outbox.pending("ann", "ben", each=20)
    sender = FakeSender(silent=frozenset({"ann"}))
    ports = deliver(outbox, sender)
    assert sender.tried.count("ann") == 1
    assert len(sender.sent) == 20
    assert outbox.states() == {"ann": {"pending"}, "ben": {"delivered"}}
    logged = [fields for action, fields in ports.log.lines if action == "delivery_failed"]
    assert len(logged) == 1
    assert "hooks.example" not in str(logged), "an address may hold a secret"


def test_after_six_tries_it_failed_and_the_row_says_why(outbox: Outbox):
    outbox.pending("ann")
    sender = FakeSender(silent=frozenset({"ann"}))
    for minutes in (0, 0.9, 1, 3, 7, 15, 31, 63, 127):
        deliver(outbox, sender, minutes)
    [row] = outbox.rows()
    assert len(sender.tried) == 6
    assert (row["deliveryState"], row["deliveryAttempts"]) == ("failed", 6)
    assert row["deliveryMessage"] == "webhook: no answer within 5 s"


def test_a_refused_address_fails_at_once(outbox: Outbox):
    outbox.pending("ann")
    sender = FakeSender(refused=frozenset({"ann"}))
    deliver(outbox, sender)
    deliver(outbox, sender, 60)
    [row] = outbox.rows()
    assert (len(sender.tried), row["deliveryState"]) == (1, "failed")
    assert "private address" in str(row["deliveryMessage"])


def test_what_is_out_of_date_and_who_has_no_channel_get_nothing(outbox: Outbox):
    outbox.pending("ann", minutes=30)
    run(outbox.store.save_notifications([told("ben")], AFTER, deliver=True))
    sender = FakeSender()
    ports = deliver(outbox, sender)
    assert sender.tried == []
    reasons = {row["userId"]: row["deliveryMessage"] for row in outbox.rows()}
    assert reasons == {
        "ann": "it was crossed more than 15 minutes before the first try",
        "ben": "the user has no channel",
    }
    assert outbox.states() == {"ann": {"none"}, "ben": {"none"}}
    assert ports.report.details["none"] == 2


def test_two_deliveries_at_once_send_each_notification_once(outbox: Outbox):
    outbox.pending("ann", "ben", "cat", each=30)
    sender = FakeSender()

    async def both() -> None:
        await asyncio.gather(
            *(deliver_notifications(alert_ports(outbox.store, AFTER), {Channel.WEBHOOK: sender}) for _ in range(4))
        )

    run(both())
    assert len(sender.sent) == len(set(sender.sent)) == 90
    assert set.union(*outbox.states().values()) == {"delivered"}


def test_a_delivery_that_a_killed_run_took_is_taken_up_again(outbox: Outbox):
    outbox.pending("ann")
    taken = run(outbox.store.take_deliveries(AFTER, AFTER + timedelta(minutes=2), 10))
    assert len(taken) == 1
    sender = FakeSender()
    deliver(outbox, sender, 1)
    assert sender.sent == []
    deliver(outbox, sender, 2)
    assert len(sender.sent) == 1


def test_delivery_stops_before_the_deadline_and_leaves_the_rest_pending(outbox: Outbox):
    outbox.pending(*(f"user{number:02}" for number in range(60)))
    ports = alert_ports(outbox.store, AFTER)
    sender = FakeSender()
    run(deliver_notifications(replace(ports, deadline=near_after(51, ports.clock)), {Channel.WEBHOOK: sender}))
    assert len(sender.sent) == 50
    deliver(outbox, sender)
    assert len(set(sender.sent)) == 60


def attempts(outbox: Outbox) -> list[object]:
    return sorted(row["deliveryAttempts"] for row in outbox.rows())


def test_a_slow_receiver_does_not_time_the_run_out_and_what_was_not_tried_is_handed_back(outbox: Outbox):
    outbox.pending("ann", each=5)
    outbox.pending("mal", each=20)
    sender = FakeSender(slow=frozenset({"mal"}))
    ports = deliver(outbox, sender)
    assert ports.deadline.remaining_s() > 0
    assert outbox.states() == {"ann": {"delivered"}, "mal": {"delivered", "pending"}}
    tried = sender.tried.count("mal")
    assert 0 < tried < 20
    left = [row for row in outbox.rows() if row["deliveryState"] == "pending"]
    assert (len(left), ports.report.remaining, ports.report.processed) == (20 - tried, 20 - tried, 5 + tried)
    assert {row["deliveryAttempts"] for row in left} == {0}, "what was not tried counts no attempt"
    assert {row["nextDeliveryAt"] for row in left} == {instant_text(ports.clock.now())}, "due at once"
    deliver(outbox, sender, 1)
    deliver(outbox, sender, 2)
    assert outbox.states() == {"ann": {"delivered"}, "mal": {"delivered"}}
    assert len(sender.sent) == len(set(sender.sent)) == 25
    assert attempts(outbox) == [1] * 25


def test_each_user_is_noted_when_done_and_not_when_the_slowest_is(outbox: Outbox):
    outbox.pending("ann", "mal", each=3)

    class Cut(FakeSender):
        async def send(self, delivery: Delivery, to: AlertChannels) -> None:
            if to.user_id == "mal":
                await asyncio.sleep(60)
            await super().send(delivery, to)

    async def killed() -> None:
        ports = alert_ports(outbox.store, AFTER)
        async with asyncio.timeout(0.05):
            await deliver_notifications(ports, {Channel.WEBHOOK: Cut()})

    with pytest.raises(TimeoutError):
        run(killed())
    assert outbox.states() == {"ann": {"delivered"}, "mal": {"pending"}}


def test_a_silent_channel_is_asked_once_a_run_however_much_waits(outbox: Outbox):
    outbox.pending("ann", each=120)
    outbox.pending("zed")
    sender = FakeSender(silent=frozenset({"ann"}))
    deliver(outbox, sender)
    assert sender.tried.count("ann") == 1
    assert outbox.states() == {"ann": {"pending"}, "zed": {"delivered"}}


class FakeHttp(OutboundHttp):
    """Takes what goes to one host; everything else goes the real way."""

    async def post(self, url: str, body: bytes, headers: object) -> OutboundAnswer:
        if url.startswith("https://hooks.example/"):
            return OutboundAnswer(204, "", b"")
        return await super().post(url, body, headers)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("url", "secret", "reason"),
    [
        ("https://a..b/hook", SECRET, "no domain name"),
        (f"https://{'a' * 64}.example/hook", SECRET, "no domain name"),
        ("https://hooks.example/ben", "whsec_é", "no base64"),
        ("https://hooks.example/ben", "whsec_", "0 bytes"),
        ("https://localhost:8443/", SECRET, "public addresses"),
    ],
)
def test_a_poisoned_address_or_secret_costs_only_its_own_delivery(outbox: Outbox, url: str, secret: str, reason: str):
    outbox.pending("ann", "ben", "cat")
    outbox.give(AlertChannels("ben", url, secret))
    ports = alert_ports(outbox.store, AFTER)
    run(deliver_notifications(ports, {Channel.WEBHOOK: WebhookSender(FakeHttp(), ports.clock)}))
    assert outbox.states() == {"ann": {"delivered"}, "ben": {"failed"}, "cat": {"delivered"}}
    [row] = [row for row in outbox.rows() if row["userId"] == "ben"]
    assert reason in str(row["deliveryMessage"])


def test_an_error_that_nobody_foresaw_costs_only_its_own_delivery_and_is_logged(outbox: Outbox):
    outbox.pending("ann", "ben")

    class Broken(FakeSender):
        async def send(self, delivery: Delivery, to: AlertChannels) -> None:
            if to.user_id == "ann":
                raise KeyError("https://hooks.example/s3cr3t")
            await super().send(delivery, to)

    ports = deliver(outbox, Broken())
    assert outbox.states() == {"ann": {"failed"}, "ben": {"delivered"}}
    [row] = [row for row in outbox.rows() if row["userId"] == "ann"]
    assert row["deliveryMessage"] == "webhook: it cannot be sent (KeyError)"
    [(_, logged)] = ports.log.lines
    assert logged["error"] == "KeyError"
    assert "s3cr3t" not in str(logged)


def test_the_user_does_not_learn_where_a_name_leads_and_the_log_does(outbox: Outbox):
    outbox.pending("ann")
    outbox.give(AlertChannels("ann", "https://inside.example/hook", SECRET))

    async def inside(host: str, port: int) -> list[str]:
        return ["10.1.2.3"]

    log = NotedLog()
    ports = alert_ports(outbox.store, AFTER, log=log)
    http = OutboundHttp(resolve=inside)
    run(deliver_notifications(ports, {Channel.WEBHOOK: WebhookSender(http, ports.clock)}))
    [row] = outbox.rows()
    assert row["deliveryState"] == "failed"
    assert "10.1.2.3" not in str(row)
    assert "10.1.2.3" in str(log.lines)


def test_deliveries_that_cannot_be_noted_are_counted_and_the_others_are(outbox: Outbox):
    outbox.pending("ann", "ben")
    save = SqliteStore.save_deliveries

    async def failing(store: SqliteStore, deliveries: list[Delivery], at: object) -> None:
        if deliveries[0].notification.user_id == "ann":
            raise StoreUnavailable("disk I/O error")
        await save(store, deliveries, at)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SqliteStore, "save_deliveries", failing)
        ports = deliver(outbox, FakeSender())
    assert outbox.states() == {"ann": {"pending"}, "ben": {"delivered"}}
    assert (ports.report.processed, ports.report.failed, ports.report.status_code) == (1, 1, 200)


FORGED = "UPDATE notifications SET \"userId\" = ?, title = 'Call 0800 EVIL', \"deliveryState\" = 'pending', "


def test_a_notification_that_its_owner_made_somebody_elses_goes_to_nobody(outbox: Outbox):
    outbox.pending("ann", "ben")
    sender = FakeSender()
    deliver(outbox, sender)
    before = len(sender.sent)
    for user_id in ("ben", "Default User"):
        outbox.give(AlertChannels(user_id, "https://hooks.example/other", SECRET, push=True))
        outbox.forge(FORGED + '"nextDeliveryAt" = ? WHERE "userId" <> \'ben\'', user_id, instant_text(AFTER))
        ports = deliver(outbox, sender)
        assert len(sender.sent) == before
        assert [action for action, _ in ports.log.lines] == ["delivery_of_nobodys"]
        [forged] = [row for row in outbox.rows() if row["title"] == "Call 0800 EVIL"]
        assert forged["deliveryState"] == "none"
        assert "permissions" in str(forged["deliveryMessage"])
        assert all(each.title != "Call 0800 EVIL" for each in run(outbox.store.notifications_of(user_id, 10)))
        outbox.forge("UPDATE notifications SET \"userId\" = 'ann' WHERE title = 'Call 0800 EVIL'")


@pytest.mark.parametrize("permissions", ["[]", None, '["read(\\"user:ann\\")"]', '["read(\\"any\\")"]', "no JSON"])
def test_channels_that_do_not_name_their_user_are_nobodys(outbox: Outbox, permissions: str | None):
    outbox.give(AlertChannels("ann", "https://ann.example/", SECRET))
    run(outbox.store.save_notifications([told("ben")], AFTER, deliver=True))
    outbox.forge('UPDATE user_alert_channels SET "userId" = \'ben\', "$permissions" = ?', permissions)
    sender = FakeSender()
    deliver(outbox, sender)
    assert (sender.tried, outbox.states()) == ([], {"ben": {"none"}})
