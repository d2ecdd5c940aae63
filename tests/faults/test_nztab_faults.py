"""A feed that misbehaves: how often it is asked again, after which pauses, and what is said in the end."""

from __future__ import annotations

import asyncio
import gzip
from datetime import timedelta
from email.utils import format_datetime
from typing import NoReturn

import httpx
import pytest

from nztab_feed import EPOCH, ScriptedFeed, Trickle, json_answer, never
from nztab_samples import MEETING_ID, RACE_ID, encoded, event
from raceday.clock import Clock, SystemClock
from raceday.errors import (
    FeedContractError,
    FeedError,
    FeedNotFound,
    FeedThrottled,
    FeedUnavailable,
)
from raceday.host.virtual_time import run_virtual
from raceday.nztab.client import NzTabClient
from raceday.nztab.settings import FeedSettings

GOOD = json_answer(encoded(event()))
BAD_GATEWAY = json_answer(b"<html>Bad gateway</html>", 502)
RESET = httpx.ReadError("connection reset by peer")


def ask(feed: ScriptedFeed) -> object:
    return feed.ask(lambda client: client.event(RACE_ID))


def refused(feed: ScriptedFeed) -> FeedError:
    with pytest.raises(FeedError) as caught:
        ask(feed)
    return caught.value


def test_a_feed_that_never_answers_is_asked_for_fifteen_seconds() -> None:
    feed = ScriptedFeed(never)
    error = refused(feed)

    assert type(error) is FeedUnavailable
    assert "within 15.0 s and 3 attempts" in str(error)
    assert feed.asked_at_s == pytest.approx([0, 5.1, 10.3])
    assert feed.took_s == pytest.approx(15)
    assert [fields["error"] for fields in feed.attempts] == [
        "no complete answer within 5.0 s",
        "no complete answer within 5.0 s",
        "cut off by the time limit of the call",
    ]
    assert [fields["ms"] for fields in feed.attempts] == [5000, 5000, 4700]


def test_a_body_that_only_trickles_is_cut_off_like_one_that_never_comes() -> None:
    slow = Trickle([b"x"] * 1000, pause_s=0.5)
    feed = ScriptedFeed(httpx.Response(200, stream=slow), GOOD)
    ask(feed)

    assert slow.sent < 11
    assert feed.asked_at_s == pytest.approx([0, 5.1])


@pytest.mark.parametrize("failure", [RESET, httpx.ConnectError("refused"), httpx.RemoteProtocolError(""), BAD_GATEWAY])
def test_after_failures_that_pass_the_answer_comes_with_rising_pauses(failure: httpx.Response | Exception) -> None:
    feed = ScriptedFeed(failure, failure, failure, GOOD)
    ask(feed)

    assert feed.asked_at_s == pytest.approx([0, 0.1, 0.3, 0.7])
    assert feed.calls == 4


@pytest.mark.parametrize("failure", [RESET, BAD_GATEWAY])
def test_four_failures_are_the_end(failure: httpx.Response | Exception) -> None:
    feed = ScriptedFeed(failure)
    error = refused(feed)

    assert type(error) is FeedUnavailable
    assert feed.calls == 4
    assert feed.took_s == pytest.approx(0.7)


def test_a_reset_in_the_middle_of_the_body_is_tried_again() -> None:
    half = encoded(event())[:400]
    feed = ScriptedFeed(httpx.Response(200, stream=Trickle([half], ends_with=RESET)), GOOD)
    ask(feed)
    assert feed.calls == 2


@pytest.mark.parametrize(
    ("status", "expected"), [(404, FeedNotFound), (400, FeedContractError), (403, FeedUnavailable)]
)
def test_a_refusal_is_never_repeated(status: int, expected: type[FeedError]) -> None:
    feed = ScriptedFeed(json_answer(encoded({"header": {"error": "Unknown event"}}), status))
    error = refused(feed)

    assert type(error) is expected
    assert "Unknown event" in str(error)
    assert feed.calls == 1


TRUNCATED = json_answer(encoded(event())[:-100])
HTML = httpx.Response(200, html="<html>We are down for maintenance</html>")
OTHER_RACE = json_answer(encoded(event(race_changes={"event_id": MEETING_ID})))
NOT_GZIP = json_answer(encoded(event()), **{"content-encoding": "gzip"})
HALF_GZIP = json_answer(gzip.compress(encoded(event()))[:-50], **{"content-encoding": "gzip"})
ODD_ENCODING = json_answer(encoded(event()), **{"content-encoding": "br"})
REDIRECT = httpx.Response(302, headers={"location": "https://elsewhere.example/"})


@pytest.mark.parametrize("answer", [TRUNCATED, HTML, OTHER_RACE, NOT_GZIP, HALF_GZIP, ODD_ENCODING, REDIRECT])
def test_an_answer_that_cannot_be_understood_is_not_asked_for_again(answer: httpx.Response) -> None:
    feed = ScriptedFeed(answer)

    assert type(refused(feed)) is FeedContractError
    assert feed.calls == 1


def test_the_payload_of_a_senseless_answer_is_kept() -> None:
    error = refused(ScriptedFeed(HTML))
    assert isinstance(error, FeedContractError)
    assert b"maintenance" in error.payload


def test_an_endless_answer_is_stopped_at_the_bound() -> None:
    endless = Trickle([b"[" * 65_536] * 1000)
    feed = ScriptedFeed(httpx.Response(200, stream=endless), settings=FeedSettings(max_body_bytes=1_000_000))

    assert "longer than 1000000 bytes" in str(refused(feed))
    assert endless.sent == 16
    assert feed.calls == 1


def test_a_gzip_bomb_is_stopped_at_the_bound() -> None:
    bomb = gzip.compress(bytes(50 * 1024 * 1024), compresslevel=1)
    feed = ScriptedFeed(json_answer(bomb, **{"content-encoding": "gzip"}))

    assert isinstance(refused(feed), FeedContractError)
    assert feed.calls == 1


AT_2_S = format_datetime(EPOCH + timedelta(seconds=2), usegmt=True)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("retry_after", ["2", AT_2_S])
def test_a_pause_the_feed_asks_for_is_kept_when_it_fits(retry_after: str, status: int) -> None:
    feed = ScriptedFeed(json_answer(b"", status, **{"retry-after": retry_after}), GOOD)
    ask(feed)

    assert feed.asked_at_s == pytest.approx([0, 2])


AT_20_S = format_datetime(EPOCH + timedelta(seconds=20), usegmt=True)


@pytest.mark.parametrize("retry_after", ["20", AT_20_S])
def test_a_longer_pause_holds_off_every_caller_and_is_told_at_once(retry_after: str) -> None:
    feed = ScriptedFeed(json_answer(b"", 429, **{"retry-after": retry_after}), GOOD)

    async def main(clock: Clock) -> None:
        client = feed.client(clock)
        with pytest.raises(FeedThrottled) as first:
            await client.event(RACE_ID)
        assert first.value.retry_after_s == pytest.approx(20)
        await clock.sleep(3)
        another = feed.client(clock)
        with pytest.raises(FeedThrottled) as second:
            await another.event(RACE_ID)
        assert second.value.retry_after_s == pytest.approx(17)
        assert feed.asked_at_s == [0]
        await clock.sleep(7)
        await another.event(RACE_ID)
        assert feed.asked_at_s == pytest.approx([0, 20])
        await client.aclose()
        await another.aclose()

    run_virtual(main, EPOCH)


@pytest.mark.parametrize("retry_after", ["7200", "9" * 400, "Fri, 31 Dec 9999 23:59:59 -1200"])
def test_no_pause_that_the_feed_asks_for_is_longer_than_an_hour(retry_after: str) -> None:
    error = refused(ScriptedFeed(json_answer(b"", 429, **{"retry-after": retry_after})))

    assert isinstance(error, FeedThrottled)
    assert error.retry_after_s == 3600


def test_too_many_requests_without_a_word_on_when_uses_the_usual_pauses_then_one_refresh() -> None:
    feed = ScriptedFeed(json_answer(b"", 429))
    error = refused(feed)

    assert isinstance(error, FeedThrottled)
    assert error.retry_after_s == 15
    assert feed.asked_at_s == pytest.approx([0, 0.1, 0.3, 0.7])


def test_one_bad_race_does_not_stop_the_others() -> None:
    async def by_race(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("1"):
            return await never(request)
        return json_answer(encoded(event(race_changes={"event_id": request.url.path.rsplit("/", 1)[1]})))

    feed = ScriptedFeed(by_race)

    async def main(clock: Clock) -> None:
        client = feed.client(clock)
        ids = [f"{RACE_ID[:-1]}{number}" for number in range(6)]
        outcomes = await asyncio.gather(*(client.event(id_) for id_ in ids), return_exceptions=True)
        await client.aclose()
        assert [isinstance(outcome, FeedUnavailable) for outcome in outcomes] == [id_[-1] == "1" for id_ in ids]

    run_virtual(main, EPOCH)


def test_two_hundred_stalled_calls_all_end_in_time() -> None:
    feed = ScriptedFeed(never)

    async def main(clock: Clock) -> None:
        client = feed.client(clock)
        outcomes = await asyncio.gather(*(client.event(RACE_ID) for _ in range(200)), return_exceptions=True)
        assert all(isinstance(outcome, FeedUnavailable) for outcome in outcomes)
        assert asyncio.get_running_loop().time() <= 15.5
        await client.aclose()

    run_virtual(main, EPOCH)


def test_a_cancelled_call_stops_asking() -> None:
    feed = ScriptedFeed(never)

    async def main(clock: Clock) -> None:
        client = feed.client(clock)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await client.event(RACE_ID)
        await clock.sleep(60)
        await client.aclose()

    run_virtual(main, EPOCH)
    assert feed.asked_at_s == [0]


def test_every_attempt_is_logged_and_no_log_or_error_shows_a_header() -> None:
    secrets = {"contact_email": "canary-mail@example.org", "partner": "canary-partner", "partner_id": "canary-id"}
    feed = ScriptedFeed(RESET, BAD_GATEWAY, HTML, settings=FeedSettings(**secrets))
    error = refused(feed)

    assert [fields | {"ms": 0} for fields in feed.attempts] == [
        {
            "endpoint": "event",
            "race_id": RACE_ID,
            "attempt": 1,
            "error": "ReadError: connection reset by peer",
            "ms": 0,
        },
        {
            "endpoint": "event",
            "race_id": RACE_ID,
            "attempt": 2,
            "status": 502,
            "bytes": 24,
            "error": f"the feed answered 502 to event {RACE_ID}",
            "ms": 0,
        },
        {"endpoint": "event", "race_id": RACE_ID, "attempt": 3, "status": 200, "bytes": 40, "ms": 0},
    ]
    assert "canary" not in repr((feed.log, error, error.__dict__, feed.settings.partner_id and ""))


class RawServer:
    """A server on the loopback that sends raw bytes, for what only real sockets can do."""

    def __init__(self, *scripts: list[bytes | float]) -> None:
        self.scripts = list(scripts)
        self.connections = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        script = self.scripts.pop(0)
        try:
            await reader.readuntil(b"\r\n\r\n")
            for step in script:
                if isinstance(step, bytes):
                    writer.write(step)
                    await writer.drain()
                else:
                    await asyncio.sleep(step)
        except ConnectionError:
            pass
        finally:
            writer.transport.abort()


def answered_over_sockets(server: RawServer, settings: dict[str, float]) -> object:
    async def main() -> object:
        listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        client = NzTabClient(FeedSettings(base_url=f"http://127.0.0.1:{port}", **settings), SystemClock())
        try:
            return await client.event(RACE_ID)
        finally:
            await client.aclose()
            listening.close()
            await listening.wait_closed()

    return asyncio.run(main())


BODY = gzip.compress(encoded(event()))
HEAD = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BODY)


def test_over_real_sockets_a_stall_a_reset_and_a_short_body_are_survived() -> None:
    server = RawServer([HEAD, BODY[:50], 60.0], [], [HEAD, BODY[:50]], [HEAD, BODY])
    mapped = answered_over_sockets(server, {"attempt_timeout_s": 0.1, "first_retry_wait_s": 0.01})

    assert server.connections == 4
    assert len(mapped.entrants) == 3  # type: ignore[attr-defined]


def test_over_real_sockets_nobody_listening_is_unavailable() -> None:
    async def main() -> NoReturn:
        listening = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        listening.close()
        await listening.wait_closed()
        settings = FeedSettings(base_url=f"http://127.0.0.1:{port}", first_retry_wait_s=0.01)
        client = NzTabClient(settings, SystemClock())
        try:
            await client.event(RACE_ID)
        finally:
            await client.aclose()
        raise AssertionError("somebody answered")

    with pytest.raises(FeedUnavailable, match="ConnectError"):
        asyncio.run(main())
