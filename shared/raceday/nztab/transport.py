"""One HTTP request to the feed, in the feed's errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from raceday.errors import FeedContractError, FeedUnavailable
from raceday.transport import AsyncTransport, HttpAnswer, NoAnswer, UnreadableBody, exchange, pooled

if TYPE_CHECKING:
    from raceday.nztab.settings import FeedSettings


class FeedTransport:
    """Sends what the settings say over connections to the feed, and keeps bodies within their bound."""

    def __init__(self, settings: FeedSettings, transport: AsyncTransport | None) -> None:
        """Connect through `transport`, which stays its owner's to close, or over connections of its own."""
        self._connections = transport if transport is not None else pooled()
        self._owns_connections = transport is None
        self._max_body_bytes = settings.max_body_bytes
        self._base_url = settings.base_url.rstrip("/")
        self._headers = settings.headers()

    async def get(self, path: str, query: Mapping[str, str | int]) -> HttpAnswer:
        """Ask once and return the answer, whatever its status.

        No time limit here: the caller bounds the whole attempt. Raises FeedUnavailable when there was no answer
        (connection, reset, broken protocol), FeedContractError when its body is too long or does not decompress.
        """
        question = f"?{urlencode(query)}" if query else ""
        try:
            return await exchange(
                self._connections,
                "GET",
                f"{self._base_url}/{path}{question}",
                self._headers,
                max_body_bytes=self._max_body_bytes,
            )
        except NoAnswer as error:
            raise FeedUnavailable(str(error)) from error
        except UnreadableBody as error:
            raise FeedContractError(f"the feed's answer {error}", error.start) from error

    async def aclose(self) -> None:
        """Close the connections that are its own."""
        if self._owns_connections:
            await self._connections.aclose()
