"""Steps of tests on the stand-in Appwrite: somebody else between two calls, polls that wait, calls counted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from contract.appwrite_store import StandInStore
from contract.store_examples import event, poll
from contract.store_steps import claimed, state_of
from raceday.domain.race import Race
from raceday.domain.race_poll import RacePoll


def meddle(
    monkeypatch: pytest.MonkeyPatch,
    store: StandInStore,
    before: tuple[str, str],
    what: Callable[[], Awaitable[object]],
) -> None:
    """Let `what` happen once, before the store's next call of this method whose path ends like this."""
    method, end_of_path = before
    ask = store._rest.call
    waiting = [what]

    async def call(asked: str, path: str, **more: Any) -> Any:
        if waiting and asked == method and path.endswith(end_of_path):
            await waiting.pop()()
        return await ask(asked, path, **more)

    monkeypatch.setattr(store._rest, "call", call)


BEFORE_STAGING = ("POST", "/operations")
"""Everything was read, nothing is staged."""


def calls_of(store: StandInStore) -> list[str]:
    """The calls so far as `METHOD path behind the database`, oldest first; the list is emptied."""
    seen = [f"{call.method} {call.path.rsplit('/tables/', 1)[-1]}" for call in store.log.calls]
    store.log.calls.clear()
    return seen


async def polled_without_news(
    store: StandInStore, of: Race, heard_at: datetime, at: datetime, *, degraded: bool = False
) -> RacePoll:
    """Poll a race at `at` and get the response of `heard_at` again: what the poll leaves waits in the claim."""
    claim = await claimed(store, of.race_id, at)
    made = poll(event(of, heard_at), await state_of(store, of.race_id))
    made = replace(made, timing=replace(made.timing, polled_at=at), degraded=degraded)
    assert not made.changed
    await store.save_poll(made, claim)
    return made
