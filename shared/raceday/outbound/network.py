"""Opens connections to addresses that were checked, so that a name cannot lead elsewhere between check and use."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING

import httpcore

from raceday.errors import OutboundUnavailable
from raceday.outbound.addresses import Resolver, check_addresses

if TYPE_CHECKING:
    from httpcore import SOCKET_OPTION

CONNECT_S = 2.0
"""How long one of a host's addresses may take before the next is tried."""
MAX_ADDRESSES = 4


class CheckedNetwork(httpcore.AsyncNetworkBackend):
    """Resolves a host once, checks all of its addresses, and connects to these and to nothing else.

    The certificate is checked against the host's name all the same: the name is what HTTP asks TLS for.
    """

    def __init__(self, resolve: Resolver, network: httpcore.AsyncNetworkBackend, *, allow_private: bool) -> None:
        self._resolve = resolve
        self._network = network
        self._allow_private = allow_private

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 (the library's interface)
        local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address that answers.

        Raises `OutboundRefused` for a host that leads to an address that is not public, `OutboundUnavailable` when
        none of its addresses answers.
        """
        addresses = await self._resolve(host, port)
        if not self._allow_private:
            check_addresses(host, addresses)
        for address in addresses[:MAX_ADDRESSES]:
            try:
                async with asyncio.timeout(CONNECT_S):
                    return await self._network.connect_tcp(
                        address, port, timeout, local_address=local_address, socket_options=socket_options
                    )
            except (httpcore.ConnectError, httpcore.ConnectTimeout, TimeoutError):
                continue
        raise OutboundUnavailable(f"{host} does not accept connections")

    async def sleep(self, seconds: float) -> None:
        """Wait, as the library asks between its tries."""
        await self._network.sleep(seconds)
