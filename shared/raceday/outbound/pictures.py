"""Fetches pictures of silks from the hosts that may be asked for them."""

from __future__ import annotations

from collections.abc import Collection

from raceday.domain.silks.check import ImageColour
from raceday.errors import OutboundRefused, OutboundUnavailable
from raceday.outbound.http import OutboundHttp
from raceday.outbound.images import CONTENT_TYPES, image_colours
from raceday.outbound.target import host_matches, target_of


class PictureSource:
    """Fetches pictures from a list of hosts; `*.example.org` on it stands for one or more labels."""

    def __init__(self, http: OutboundHttp, hosts: Collection[str]) -> None:
        self._http = http
        self._hosts = frozenset(hosts)

    async def colours(self, url: str) -> tuple[ImageColour, ...]:
        """Return the dominant colours of the picture at a URL.

        Raises `OutboundRefused` when the host is not on the list, a rule forbids the request or what came is no
        picture, `OutboundUnavailable` when nothing came.
        """
        host = target_of(url, allow_private=self._http.allow_private).host
        if not host_matches(host, self._hosts):
            raise OutboundRefused(f"{host} is not on the list of hosts for silk pictures")
        answer = await self._http.get(url, {"Accept": ", ".join(sorted(CONTENT_TYPES))})
        if answer.status >= 500:
            raise OutboundUnavailable(f"{host} answers with status {answer.status}")
        if answer.status != 200:
            raise OutboundRefused(f"{host} answers with status {answer.status}")
        if answer.content_type not in CONTENT_TYPES:
            raise OutboundRefused(f"{host} answers with {answer.content_type or 'no content type'}")
        return image_colours(answer.body)

    async def aclose(self) -> None:
        """Close its connections."""
        await self._http.aclose()
