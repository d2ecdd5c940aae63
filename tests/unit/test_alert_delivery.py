"""What becomes of a notification on its way out, try after try."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from raceday.domain.alerts.delivery import (
    MAX_ATTEMPTS,
    AlertChannels,
    Channel,
    Delivery,
    DeliveryState,
    Outcome,
    after_attempt,
    retry_after,
)
from raceday.domain.alerts.notification import StoredNotification

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
DELIVERED, REFUSED, UNAVAILABLE = (Outcome.DELIVERED, ""), (Outcome.REFUSED, "no"), (Outcome.UNAVAILABLE, "silent")


def delivery(**changes: object) -> Delivery:
    told = StoredNotification("n", "ann", "t", "m", "k", "r", "e", "c", NOW)
    return Delivery(told, owned=True, **changes)  # type: ignore[arg-type]


def test_the_pauses_double():
    assert [retry_after(attempt) / timedelta(minutes=1) for attempt in range(1, 6)] == [1, 2, 4, 8, 16]


def test_a_delivery_ends_when_every_channel_has_it():
    done = after_attempt(delivery(), {Channel.WEBHOOK: DELIVERED, Channel.PUSH: DELIVERED}, NOW)
    assert (done.state, done.next_at, done.reason) == (DeliveryState.DELIVERED, None, "")


def test_only_the_channel_that_failed_is_tried_again():
    tried = after_attempt(delivery(), {Channel.WEBHOOK: DELIVERED, Channel.PUSH: UNAVAILABLE}, NOW)
    assert (tried.state, tried.next_at, tried.reason) == (
        DeliveryState.PENDING,
        NOW + timedelta(minutes=1),
        "push: silent",
    )
    assert tried.open_channels(frozenset(Channel)) == [Channel.PUSH]


def test_what_is_refused_is_not_tried_again():
    refused = after_attempt(delivery(), {Channel.WEBHOOK: REFUSED}, NOW)
    assert (refused.state, refused.next_at, refused.reason) == (DeliveryState.FAILED, None, "webhook: no")
    mixed = after_attempt(delivery(), {Channel.WEBHOOK: REFUSED, Channel.PUSH: UNAVAILABLE}, NOW)
    assert (mixed.state, mixed.open_channels(frozenset(Channel))) == (DeliveryState.PENDING, [Channel.PUSH])
    assert mixed.reason == "push: silent; webhook: no"


def test_a_refusal_is_not_forgotten_when_the_other_channel_comes_through():
    mixed = after_attempt(delivery(), {Channel.WEBHOOK: REFUSED, Channel.PUSH: UNAVAILABLE}, NOW)
    ended = after_attempt(mixed, {Channel.PUSH: DELIVERED}, NOW)
    assert ended.state is DeliveryState.FAILED
    assert ended.reason == "webhook: no"


def test_a_refusal_is_not_forgotten_while_the_other_channel_is_tried_in_vain():
    tried = after_attempt(delivery(), {Channel.WEBHOOK: (Outcome.REFUSED, "a; b: c"), Channel.PUSH: UNAVAILABLE}, NOW)
    for attempt in range(2, MAX_ATTEMPTS + 1):
        now = delivery(attempts=attempt, settled=tried.settled, reason=tried.reason)
        tried = after_attempt(now, {Channel.PUSH: UNAVAILABLE}, NOW)
        assert tried.reason == "push: silent; webhook: a; b: c"
    assert tried.state is DeliveryState.FAILED
    again = after_attempt(delivery(reason="push: silent"), {Channel.PUSH: DELIVERED}, NOW)
    assert (again.state, again.reason) == (DeliveryState.DELIVERED, "")


def test_what_is_handed_back_is_due_at_once_and_counts_no_attempt():
    back = delivery(attempts=3, reason="push: silent").handed_back(NOW)
    assert (back.attempts, back.next_at, back.state, back.reason) == (2, NOW, DeliveryState.PENDING, "push: silent")


def test_after_six_tries_it_has_failed():
    tried = delivery()
    due: list[float] = []
    for attempt in range(1, MAX_ATTEMPTS + 1):
        assert tried.state is DeliveryState.PENDING
        tried = after_attempt(delivery(attempts=attempt, settled=tried.settled), {Channel.WEBHOOK: UNAVAILABLE}, NOW)
        due += [(tried.next_at - NOW) / timedelta(minutes=1)] if tried.next_at else []
    assert due == [1, 2, 4, 8, 16]
    assert (tried.state, tried.next_at, tried.reason) == (DeliveryState.FAILED, None, "webhook: silent")


@pytest.mark.parametrize(("minutes", "late"), [(0, False), (15, False), (15.01, True)])
def test_after_a_quarter_of_an_hour_it_helps_nobody(minutes: float, late: bool):
    assert delivery().out_of_date(NOW + timedelta(minutes=minutes)) is late
    assert not delivery(attempts=2).out_of_date(NOW + timedelta(minutes=minutes)), "it was begun in time"


def test_a_channel_is_wanted_when_it_is_set_up():
    assert AlertChannels("ann", "https://hooks.example").wanted() == {Channel.WEBHOOK}
    assert AlertChannels("ann", push=True).wanted() == {Channel.PUSH}
    assert AlertChannels("ann").wanted() == frozenset()


def test_a_secret_is_not_shown_by_accident():
    assert "s3cr3t" not in repr(AlertChannels("ann", "https://hooks.example/s3cr3t", "s3cr3t"))
