"""A feed that echoes our partner id brings it into no error, no payload and no log."""

from __future__ import annotations

import json
import traceback
from collections.abc import Awaitable, Callable
from datetime import date

import httpx
import pytest

from nztab_feed import ScriptedFeed, json_answer
from nztab_samples import MEETING_ID, RACE_ID
from raceday.errors import PAYLOAD_BYTES, FeedContractError, FeedError
from raceday.nztab.client import NzTabClient
from raceday.nztab.settings import FeedSettings

CANARY = 'canary "7/7" & Shne'
SETTINGS = FeedSettings(partner_id=CANARY, contact_email="ops@example.org", attempts=2)
ECHO = json.dumps({"header": {"error": f"bad header X-Partner-ID: {CANARY}", "error_code": 7}}).encode()
QUESTIONS: list[Callable[[NzTabClient], Awaitable[object]]] = [
    lambda client: client.event(RACE_ID),
    lambda client: client.meeting(MEETING_ID),
    lambda client: client.meetings(date(2025, 7, 17)),
    lambda client: client.races_list(date(2025, 7, 17)),
]


def everything_said(answer: httpx.Response, question: Callable[[NzTabClient], Awaitable[object]]) -> str:
    feed = ScriptedFeed(answer, settings=SETTINGS)
    with pytest.raises(FeedError) as refused:
        feed.ask(question)
    error = refused.value
    payload = error.payload.decode() if isinstance(error, FeedContractError) else ""
    assert feed.attempts, "every attempt is logged"
    return repr(feed.log) + repr(error.__dict__) + payload + "".join(traceback.format_exception_only(error))


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 429, 500, 503])
@pytest.mark.parametrize("question", QUESTIONS)
def test_no_refusal_tells_the_partner_id(status: int, question: Callable[[NzTabClient], Awaitable[object]]) -> None:
    said = everything_said(json_answer(ECHO, status), question)

    assert "canary" not in said
    assert "[redacted]" in said
    assert "bad header X-Partner-ID" in said, "the rest of the feed's words is kept"


@pytest.mark.parametrize(
    "body",
    [
        b"<html>" + CANARY.encode() + b"</html>",
        b"<html>X-Partner-ID: canary &quot;7/7&quot; &amp; Shne</html>",
        ECHO,
        b"{" + CANARY.encode(),
    ],
)
@pytest.mark.parametrize("question", QUESTIONS)
def test_no_answer_that_cannot_be_understood_tells_it(
    body: bytes, question: Callable[[NzTabClient], Awaitable[object]]
) -> None:
    said = everything_said(json_answer(body), question)

    assert "canary" not in said
    assert "[redacted]" in said


@pytest.mark.parametrize("seen", [1, 3, 10, 18])
def test_not_even_a_part_of_it_stands_where_a_payload_is_cut(seen: int) -> None:
    body = b"<" * (PAYLOAD_BYTES - seen) + CANARY.encode() + b">" * 100
    feed = ScriptedFeed(json_answer(body), settings=SETTINGS)
    with pytest.raises(FeedContractError) as refused:
        feed.ask(QUESTIONS[0])

    assert refused.value.payload == b"<" * (PAYLOAD_BYTES - seen)


@pytest.mark.parametrize("place", range(150, 205, 5))
def test_not_even_a_part_of_it_stands_where_the_feeds_words_are_cut(place: int) -> None:
    words = json.dumps({"header": {"error": "x" * place + CANARY}}).encode()
    assert "cana" not in everything_said(json_answer(words, 400), QUESTIONS[0])


def test_an_address_that_a_redirect_points_to_tells_nothing_either() -> None:
    answer = json_answer(b"", 302, location="https://elsewhere.example/?id=canary%20%227%2F7%22%20%26%20Shne")
    assert "canary" not in everything_said(answer, QUESTIONS[0])


def test_without_a_partner_id_nothing_is_changed() -> None:
    feed = ScriptedFeed(json_answer(ECHO, 400))
    with pytest.raises(FeedContractError, match="canary"):
        feed.ask(QUESTIONS[0])
