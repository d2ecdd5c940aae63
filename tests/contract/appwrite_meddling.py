"""Somebody else, who does something exactly between two calls of an operation."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from contract.appwrite_store import StandInStore


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
