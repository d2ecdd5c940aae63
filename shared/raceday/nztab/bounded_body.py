"""A response body that never grows beyond its bound, however small its compressed form was."""

from __future__ import annotations

import zlib

from raceday.errors import FeedContractError

_GZIP = zlib.MAX_WBITS | 16
_PLAIN = frozenset({"", "identity"})


class BoundedBody:
    """Collects and decompresses a body as it arrives; memory stays within the bound and one chunk."""

    def __init__(self, encoding: str, max_bytes: int) -> None:
        """Expect the given Content-Encoding. Raises FeedContractError for one that was not asked for."""
        if encoding != "gzip" and encoding not in _PLAIN:
            raise FeedContractError(f"the feed answered with Content-Encoding {encoding}, which was not asked for")
        self._decoder = None if encoding in _PLAIN else zlib.decompressobj(_GZIP)
        self._max_bytes = max_bytes
        self._chunks: list[bytes] = []
        self._size_bytes = 0

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes as they came. Raises FeedContractError when they are too many or no gzip."""
        if self._decoder is not None:
            room = self._max_bytes - self._size_bytes + 1
            try:
                chunk = self._decoder.decompress(chunk, room)
            except zlib.error as error:
                raise FeedContractError(f"the feed's answer does not decompress: {error}", self._start()) from error
        self._size_bytes += len(chunk)
        if self._size_bytes > self._max_bytes:
            raise FeedContractError(f"the feed's answer is longer than {self._max_bytes} bytes", self._start())
        self._chunks.append(chunk)

    def complete(self) -> bytes:
        """Return the whole body. Raises FeedContractError when the compressed stream was cut short."""
        if self._decoder is not None and self._chunks and not self._decoder.eof:
            raise FeedContractError("the feed's answer was cut short", self._start())
        return b"".join(self._chunks)

    def _start(self) -> bytes:
        return b"".join(self._chunks[:1])
