"""Outgoing HTTP against real servers on this machine, and against a network that records where it is led."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

import httpcore
import pytest

from raceday.errors import OutboundRefused, OutboundUnavailable
from raceday.outbound.http import OutboundAnswer, OutboundHttp

Story = Callable[[str, list[bytes]], Awaitable[Any]]
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: Image/PNG; x=y\r\nContent-Length: 5\r\n\r\nhello"


def on_a_server(story: Story, *pieces: bytes, pause_s: float = 0.0) -> Any:
    """Run a story with the URL of a server that answers every request with these pieces, and what it was asked."""

    async def live() -> Any:
        asked: list[bytes] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                asked.append(await reader.readuntil(b"\r\n\r\n"))
                if b"content-length" in asked[-1].lower():
                    asked.append(await reader.read(1000))
                for piece in pieces:
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(pause_s)
            except (ConnectionError, asyncio.IncompleteReadError):
                pass
            finally:
                writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            return await story(f"http://localhost:{port}/hook?a=1", asked)

    return asyncio.run(live())


async def got(url: str, **settings: Any) -> OutboundAnswer:
    """Fetch a URL with a client of its own."""
    http = OutboundHttp(**({"allow_private": True} | settings))
    try:
        return await http.get(url)
    finally:
        await http.aclose()


def test_an_answer_has_its_status_type_and_body() -> None:
    async def story(url: str, asked: list[bytes]) -> None:
        assert await got(url) == OutboundAnswer(200, "image/png", b"hello")
        assert asked[0].startswith(b"GET /hook?a=1 HTTP/1.1\r\n")

    on_a_server(story, ANSWER)


def test_a_body_is_posted_with_its_headers() -> None:
    async def story(url: str, asked: list[bytes]) -> None:
        http = OutboundHttp(allow_private=True)
        answer = await http.post(url, b'{"alert":1}', {"Content-Type": "application/json", "X-Signature": "abc"})
        await http.aclose()
        assert answer.status == 200
        assert asked[0].startswith(b"POST /hook?a=1 HTTP/1.1\r\n")
        assert b"X-Signature: abc" in asked[0]
        assert asked[1] == b'{"alert":1}'

    on_a_server(story, ANSWER)


def test_a_header_cannot_smuggle_another() -> None:
    async def story(url: str, asked: list[bytes]) -> None:
        http = OutboundHttp(allow_private=True)
        with pytest.raises(OutboundRefused, match="cannot be sent"):
            await http.post(url, b"", {"X-Name": "a\r\nX-Other: b"})
        await http.aclose()
        assert asked == []

    on_a_server(story, ANSWER)


def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    async def story(url: str, asked: list[bytes]) -> None:
        assert (await got(url)).status == 302
        assert len(asked) == 1

    on_a_server(story, b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n")


def test_a_private_address_is_refused_before_anything_is_sent() -> None:
    async def story(url: str, asked: list[bytes]) -> None:
        https = url.replace("http://", "https://")
        with pytest.raises(OutboundRefused, match="localhost does not lead to public addresses alone"):
            await got(https, allow_private=False)
        with pytest.raises(OutboundRefused, match="not https"):
            await got(url, allow_private=False)
        assert asked == []

    on_a_server(story, ANSWER)


def test_a_body_that_is_too_long_is_refused_whether_it_says_its_length_or_not() -> None:
    async def story(url: str, asked: list[bytes]) -> None:
        with pytest.raises(OutboundRefused, match="more than 2000 bytes"):
            await got(url, max_body_bytes=2000)

    body = b"x" * 2001
    on_a_server(story, b"HTTP/1.1 200 OK\r\nContent-Length: 2001\r\n\r\n" + body)
    on_a_server(story, b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", body, body, body)

    async def fits(url: str, asked: list[bytes]) -> None:
        assert len((await got(url, max_body_bytes=2001)).body) == 2001

    on_a_server(fits, b"HTTP/1.1 200 OK\r\nContent-Length: 2001\r\n\r\n" + body)


@pytest.mark.parametrize(
    "drip",
    [
        [b"H", b"T", b"T", b"P"] * 20,
        [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", *[b"x"] * 80],
    ],
    ids=["head", "body"],
)
def test_a_server_that_drips_is_cut_off_as_a_whole(drip: list[bytes]) -> None:
    async def story(url: str, asked: list[bytes]) -> None:
        with pytest.raises(OutboundUnavailable, match=r"localhost did not answer within 0\.1 s"):
            await got(url, timeout_s=0.1)

    on_a_server(story, *drip, pause_s=0.02)


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", b"SSH-2.0-OpenSSH\r\n\r\n"]
)
def test_an_answer_that_is_none_is_worth_another_try(answer: bytes) -> None:
    async def story(url: str, asked: list[bytes]) -> None:
        with pytest.raises(OutboundUnavailable, match="localhost"):
            await got(url)

    on_a_server(story, answer)


def test_a_port_where_nobody_listens_and_a_name_without_address_are_worth_another_try() -> None:
    async def free_port() -> int:
        server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
        port = int(server.sockets[0].getsockname()[1])
        server.close()
        return port

    async def story() -> None:
        with pytest.raises(OutboundUnavailable, match="does not accept connections"):
            await got(f"http://127.0.0.1:{await free_port()}/")

        async def nowhere(host: str, port: int) -> list[str]:
            raise OutboundUnavailable(f"{host} has no address")

        with pytest.raises(OutboundUnavailable, match="no address"):
            await got("https://nowhere.example/", resolve=nowhere)

    asyncio.run(story())


class Tape(httpcore.AsyncNetworkStream):
    """A connection that answers once; it notes the name that TLS is to check."""

    def __init__(self, network: RecordingNetwork) -> None:
        self.network = network
        self.answers = [ANSWER]

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        return self.answers.pop() if self.answers else b""

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        self.network.written += buffer

    async def aclose(self) -> None:
        """Nothing is open."""

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> Tape:
        self.network.tls.append((server_hostname, ssl_context.check_hostname, ssl_context.verify_mode))
        return self

    def get_extra_info(self, info: str) -> Any:
        return False if info == "is_readable" else None


class RecordingNetwork(httpcore.AsyncNetworkBackend):
    """A network that only notes where connections go; addresses in `deaf` do not answer."""

    def __init__(self, deaf: frozenset[str] = frozenset()) -> None:
        self.deaf = deaf
        self.connected: list[tuple[str, int]] = []
        self.tls: list[tuple[str | None, bool, ssl.VerifyMode]] = []
        self.written = b""

    async def connect_tcp(self, host: str, port: int, *more: Any, **settings: Any) -> Tape:
        self.connected.append((host, port))
        if host in self.deaf:
            raise httpcore.ConnectError("refused")
        return Tape(self)


def test_the_connection_goes_to_the_checked_address_and_the_certificate_to_the_name() -> None:
    resolved: list[str] = []

    async def rebinding(host: str, port: int) -> list[str]:
        """Lead to a public address first and into our own network from then on."""
        resolved.append(host)
        return ["93.184.216.34"] if len(resolved) == 1 else ["127.0.0.1"]

    network = RecordingNetwork()
    answer = asyncio.run(
        got("https://silks.example.org/a.png", allow_private=False, resolve=rebinding, network=network)
    )
    assert answer.body == b"hello"
    assert resolved == ["silks.example.org"]
    assert network.connected == [("93.184.216.34", 443)]
    assert network.tls == [("silks.example.org", True, ssl.CERT_REQUIRED)]
    assert b"\r\nHost: silks.example.org\r\n" in network.written


def test_every_new_connection_is_checked_anew() -> None:
    answers = [["93.184.216.34"], ["127.0.0.1"]]

    async def rebinding(host: str, port: int) -> list[str]:
        return answers.pop(0)

    async def story() -> None:
        network = RecordingNetwork()
        http = OutboundHttp(resolve=rebinding, network=network)
        await http.get("https://silks.example.org/a.png")
        await http.aclose()
        with pytest.raises(OutboundRefused) as refused:
            await http.get("https://silks.example.org/a.png")
        assert "127.0.0.1" in refused.value.detail
        assert network.connected == [("93.184.216.34", 443)]
        await http.aclose()

    asyncio.run(story())


def test_one_private_address_among_others_is_enough_and_nobody_is_spoken_to() -> None:
    async def mixed(host: str, port: int) -> list[str]:
        return ["93.184.216.34", "10.0.0.1"]

    network = RecordingNetwork()
    with pytest.raises(OutboundRefused, match="public addresses"):
        asyncio.run(got("https://silks.example.org/", allow_private=False, resolve=mixed, network=network))
    assert network.connected == []


def test_the_next_address_is_tried_when_one_is_deaf() -> None:
    async def two(host: str, port: int) -> list[str]:
        return ["2606:4700::1111", "93.184.216.34"]

    network = RecordingNetwork(deaf=frozenset({"2606:4700::1111"}))
    asyncio.run(got("https://silks.example.org:8443/", allow_private=False, resolve=two, network=network))
    assert network.connected == [("2606:4700::1111", 8443), ("93.184.216.34", 8443)]


def test_a_host_whose_addresses_are_all_deaf_is_unavailable() -> None:
    async def two(host: str, port: int) -> list[str]:
        return ["93.184.216.34", "93.184.216.35"]

    network = RecordingNetwork(deaf=frozenset({"93.184.216.34", "93.184.216.35"}))
    with pytest.raises(OutboundUnavailable, match="does not accept connections"):
        asyncio.run(got("https://silks.example.org/", allow_private=False, resolve=two, network=network))
    assert len(network.connected) == 2
