"""The API asked as its own document says, and as it says not: no 5xx, no answer that the document does not foresee."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api_day import FIRST, served
from contract.store_examples import DAY, meeting, uid

KNOWN: dict[str, Any] = {
    "raceId": FIRST.race_id,
    "meetingId": meeting().meeting_id,
    "entrants": [uid("runner", FIRST.race_id, 1)],
    "date": str(DAY),
}
"""What is stored, so that not every race that is asked about is unknown."""
MODES = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
FEW = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
OPERATIONS = [
    *[("GET", f"/api/{path}") for path in (
        "meetings", "meetings/{meetingId}", "races", "races/upcoming", "races/next-scheduled", "races/navigation",
        "races/{raceId}", "entrants", "race-pools", "pools", "race-results", "results", "money-flow-timeline",
        "user-alert-configs", "notifications",
    )],
    ("POST", "/api/user-alert-configs"),
    ("GET", "/health"),
    ("GET", "/metrics"),
]  # fmt: skip


UNSAID = [positive_data_acceptance]
"""A body's fields may each be right and not go together, which a schema cannot say."""


class OnItsLoop:
    """Takes requests from any loop to the one that the application's connections live on."""

    def __init__(self, app: ASGIApp, loop: asyncio.AbstractEventLoop) -> None:
        self._app = app
        self._loop = loop

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        sent = [await receive()]
        while sent[-1].get("more_body"):
            sent.append(await receive())
        answered = asyncio.run_coroutine_threadsafe(self._answer(scope, sent), self._loop)
        for message in await asyncio.wrap_future(answered):
            await send(message)

    async def _answer(self, scope: Scope, sent: list[Message]) -> list[Message]:
        answer: list[Message] = []

        async def receive() -> Message:
            return sent.pop(0) if sent else {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            answer.append(message)

        await self._app(scope, receive, send)
        return answer


@pytest.fixture(scope="module")
def api(postgres_server) -> Iterator[Any]:
    """The API's own document over the application, which is served from a thread."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    serving = served(postgres_server.new_database())
    day = asyncio.run_coroutine_threadsafe(serving.__aenter__(), loop).result()
    yield schemathesis.openapi.from_asgi("/openapi.json", OnItsLoop(day.app, loop))
    asyncio.run_coroutine_threadsafe(serving.__aexit__(None, None, None), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def test_every_documented_operation_is_fuzzed(api):
    documented = {(one.ok().method.upper(), one.ok().path) for one in api.get_all_operations()}
    assert documented == set(OPERATIONS)


@pytest.mark.parametrize("mode", MODES, ids=["as documented", "otherwise"])
@pytest.mark.parametrize(("method", "path"), OPERATIONS, ids=[" ".join(one) for one in OPERATIONS])
def test_no_answer_is_undocumented(api, method, path, mode):
    operation = api[path][method]
    if mode is GenerationMode.NEGATIVE and not (operation.query or operation.path_parameters or operation.body):
        mode = GenerationMode.POSITIVE

    @FEW
    @given(case=operation.as_strategy(generation_mode=mode), known=st.booleans())
    def ask(case: schemathesis.Case, known: bool) -> None:
        if known and mode is GenerationMode.POSITIVE:
            for given_by in (case.query, case.path_parameters):
                given_by.update({name: value for name, value in KNOWN.items() if name in given_by})
        case.call_and_validate(excluded_checks=UNSAID if method == "POST" else [])

    ask()
