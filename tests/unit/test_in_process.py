"""Requests that stay in the process: an ASGI application is told all that a server would tell it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson

from raceday.transport import InProcess


async def echo(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answers with the request's body in its own."""
    asked = await receive()
    answer = orjson.dumps({"method": scope["method"], "body": asked["body"].decode(), "more": asked["more_body"]})
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": answer})


async def deaf(_scope: dict[str, Any], _receive: Any, send: Any) -> None:
    """Answers without having asked for the body."""
    await send({"type": "http.response.start", "status": 413, "headers": []})


def asked(app: Any, method: str, **request: Any) -> httpx.Response:
    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=InProcess(app), base_url="https://platform.invalid") as client:
            return await client.request(method, "/rows", **request)

    return asyncio.run(ask())


async def chunks(sent: list[bytes]) -> AsyncIterator[bytes]:
    for chunk in (b"of ", b"two parts"):
        sent.append(chunk)
        yield chunk


def test_a_body_reaches_the_application() -> None:
    assert asked(echo, "PUT", json={"a": 1}).json() == {"method": "PUT", "body": '{"a":1}', "more": False}


def test_a_body_in_parts_arrives_as_one() -> None:
    assert asked(echo, "POST", content=chunks([])).json() == {"method": "POST", "body": "of two parts", "more": False}


def test_a_request_without_a_body_has_an_empty_one() -> None:
    assert asked(echo, "GET").json() == {"method": "GET", "body": "", "more": False}


def test_a_body_is_not_read_for_an_application_that_does_not_ask() -> None:
    sent: list[bytes] = []
    assert asked(deaf, "POST", content=chunks(sent)).status_code == 413
    assert sent == []
