"""Safe outgoing HTTP: https to public addresses, no redirects, bounded in time and size.

The only modules that know which library does it are this one and `network.py`.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass

import httpcore

from raceday.errors import OutboundRefused, OutboundUnavailable
from raceday.outbound.addresses import Resolver, resolved
from raceday.outbound.network import CheckedNetwork
from raceday.outbound.target import Target, target_of

MAX_CONNECTIONS = 10
KEEP_IDLE_S = 15.0
MAX_REASON = 200
"""How much is kept of an error's words, which may quote what the server sent."""
_NO_HEADERS: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class OutboundAnswer:
    """What the other server said: any status, redirects too. `content_type` is in lower case, without parameters."""

    status: int
    content_type: str
    body: bytes


class OutboundHttp:
    """Asks servers that somebody else named. It belongs to the event loop it is first used in.

    `allow_private` lets requests go to private addresses and over plain http, for a network of one's own.
    `resolve` and `network` stand in for the system's in tests.
    """

    def __init__(
        self,
        *,
        allow_private: bool = False,
        timeout_s: float = 5.0,
        max_body_bytes: int = 512 * 1024,
        resolve: Resolver | None = None,
        network: httpcore.AsyncNetworkBackend | None = None,
    ) -> None:
        self.allow_private = allow_private
        self._timeout_s = timeout_s
        self._max_body_bytes = max_body_bytes
        self._network = CheckedNetwork(
            resolve or resolved, network or httpcore.AnyIOBackend(), allow_private=allow_private
        )
        self._open: httpcore.AsyncConnectionPool | None = None

    async def get(self, url: str, headers: Mapping[str, str] = _NO_HEADERS) -> OutboundAnswer:
        """Fetch a URL.

        Raises `OutboundRefused` when a rule forbids the request or its answer is too long, `OutboundUnavailable`
        when no whole answer came in time.
        """
        return await self._exchange("GET", url, headers, None)

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> OutboundAnswer:
        """Send a body to a URL; errors as those of `get`."""
        return await self._exchange("POST", url, headers, body)

    async def aclose(self) -> None:
        """Close what connections are open."""
        if self._open is not None:
            await self._open.aclose()

    async def _exchange(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> OutboundAnswer:
        target = target_of(url, allow_private=self.allow_private)
        try:
            # One limit around everything: a server that sends a byte a second is never idle, and still too slow.
            async with asyncio.timeout(self._timeout_s):
                return await self._answer(method, target, headers, body)
        except TimeoutError:
            raise OutboundUnavailable(f"{target.host} did not answer within {self._timeout_s:g} s") from None
        except httpcore.LocalProtocolError:
            # The library's own words would quote the header, which may be a secret.
            raise OutboundRefused(f"the request to {target.host} cannot be sent: a header is not valid") from None
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError) as error:
            raise OutboundUnavailable(f"{target.host}: {str(error)[:MAX_REASON] or type(error).__name__}") from None

    async def _answer(
        self, method: str, target: Target, headers: Mapping[str, str], body: bytes | None
    ) -> OutboundAnswer:
        url = httpcore.URL(scheme=target.scheme, host=target.host, port=target.port, target=target.path)
        async with self._pool().stream(method, url, headers=[*headers.items()], content=body) as response:
            received = bytearray()
            async for chunk in response.aiter_stream():
                received += chunk
                if len(received) > self._max_body_bytes:
                    raise OutboundRefused(f"{target.host} answers with more than {self._max_body_bytes} bytes")
            return OutboundAnswer(response.status, _content_type(response), bytes(received))

    def _pool(self) -> httpcore.AsyncConnectionPool:
        if self._open is None:
            self._open = httpcore.AsyncConnectionPool(
                # Reading the system's certificates takes tens of milliseconds, so not before they are needed.
                ssl_context=ssl.create_default_context(),
                max_connections=MAX_CONNECTIONS,
                keepalive_expiry=KEEP_IDLE_S,
                network_backend=self._network,
            )
        return self._open


def _content_type(response: httpcore.Response) -> str:
    told = next((value for name, value in response.headers if name.lower() == b"content-type"), b"")
    return told.decode("latin-1").partition(";")[0].strip().lower()
