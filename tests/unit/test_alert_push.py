"""A push is asked of the platform's messaging with the run's key, and goes out once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from alert_steps import alert_ports
from appwrite_platform import START, Platform
from raceday.domain.alerts.delivery import AlertChannels, Channel, Delivery
from raceday.domain.alerts.notification import StoredNotification
from raceday.errors import OutboundRefused, OutboundUnavailable
from raceday.runtime.alert_senders import open_senders
from raceday.runtime.functions import FUNCTIONS
from raceday.runtime.handler import Run
from raceday.runtime.ports import ProcessPorts, using
from raceday.runtime.push import NoPush, PushSender
from raceday.runtime.request import RunRequest
from raceday.runtime.settings import load_settings
from raceday.simulator.appwrite.faults import DROPPED, Fault
from raceday.store.appwrite.rest import AppwriteRest
from raceday.store.appwrite.settings import AppwriteSettings
from raceday.store.sqlite import SqliteStore
from raceday.transport import InProcess

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
TOLD = StoredNotification(
    "n1", "ann", "7 Cérise shortened 41.7 %" * 20, "Win price …", "odds_shortening", "r", "e", "c", NOW, 41.7, 12.0, 7.0
)
DELIVERY = Delivery(TOLD, owned=True)
TO = AlertChannels("ann", push=True)
KEY = "ephemeral_k3y"


@pytest.fixture
def platform() -> Platform:
    """A project whose one more key may do what alert-evaluator's may."""
    made = Platform()
    made.project.keys.add(KEY, scopes=FUNCTIONS["alert-evaluator"].scopes)
    return made


def push(platform: Platform, key: str = KEY, delivery: Delivery = DELIVERY) -> None:
    settings = AppwriteSettings("http://appwrite.test/v1", platform.project.project_id, key)
    asyncio.run(PushSender(AppwriteRest(settings, InProcess(platform.app))).send(delivery, TO))


def test_a_push_names_its_user_and_bears_the_notifications_id(platform: Platform) -> None:
    push(platform)
    [message] = platform.project.messages.values()
    assert (message.message_id, message.users) == ("n1", ["ann"])
    assert message.content == {
        "title": TOLD.title[:256],
        "body": TOLD.message,
        "data": {"raceId": "r", "entrantId": "e"},
    }


def test_a_push_that_the_platform_has_already_is_delivered(platform: Platform) -> None:
    platform.faults.next_calls(Fault(DROPPED, after_effect=True))
    with pytest.raises(OutboundUnavailable):
        push(platform)
    push(platform)
    assert [call.status for call in platform.log.of("POST", "push")] == [0, 409]
    assert len(platform.project.messages) == 1


@pytest.mark.parametrize("status", [429, 500, 503, DROPPED])
def test_a_platform_that_does_not_answer_is_asked_again_by_the_next_try(platform: Platform, status: int) -> None:
    platform.faults.next_calls(Fault(status, has_content_type=False))
    with pytest.raises(OutboundUnavailable):
        push(platform)
    assert len(platform.log.calls) == 1


def test_a_key_without_the_scope_is_refused_and_the_log_is_told_what_to_do(platform: Platform) -> None:
    platform.project.keys.add("narrow", scopes=["rows.read"])
    with pytest.raises(OutboundRefused, match="401 general_unauthorized_scope") as refused:
        push(platform, "narrow")
    assert "appwrite.json" in refused.value.detail
    assert "appwrite.json" not in str(refused.value), "its user is told this"


def test_a_key_that_ended_leaves_the_push_to_the_next_run(platform: Platform) -> None:
    platform.project.keys.expire(KEY, START)
    with pytest.raises(OutboundUnavailable, match="401"):
        push(platform)


def test_a_push_that_the_platform_cannot_take_is_not_tried_again(platform: Platform) -> None:
    with pytest.raises(OutboundRefused, match="400"):
        push(platform, delivery=replace(DELIVERY, notification=replace(TOLD, notification_id="_no id")))


@pytest.mark.parametrize(("database", "sender"), [("", PushSender), ("day.sqlite", NoPush)])
def test_a_run_pushes_over_the_process_connections_with_its_own_key(
    platform: Platform, database: str, sender: type[object]
) -> None:
    environment = {
        "APPWRITE_FUNCTION_API_ENDPOINT": "http://appwrite.test/v1",
        "APPWRITE_FUNCTION_PROJECT_ID": platform.project.project_id,
        "RACEDAY_ALERT_CHANNELS": "push",
        "RACEDAY_DB": database,
    }
    request = RunRequest("http", "e", {}, api_key=SecretStr(KEY))
    run = Run(alert_ports(SqliteStore.open(":memory:"), NOW), load_settings(environment), request)

    async def sent() -> None:
        async with open_senders(run) as senders:
            assert {channel: type(each) for channel, each in senders.items()} == {Channel.PUSH: sender}
            if sender is NoPush:
                with pytest.raises(OutboundRefused, match="no platform"):
                    await senders[Channel.PUSH].send(DELIVERY, TO)
            else:
                await senders[Channel.PUSH].send(DELIVERY, TO)

    with using(ProcessPorts(platform=InProcess(platform.app), environment=environment)):
        asyncio.run(sent())
    assert [call.key_id for call in platform.log.calls] == ([] if sender is NoPush else [KEY])
