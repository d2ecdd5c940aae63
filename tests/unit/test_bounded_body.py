from __future__ import annotations

import gzip
import tracemalloc

import pytest

from raceday.transport import BoundedBody, UnreadableBody

TEXT = b'{"data": "' + b"racing " * 1000 + b'"}'


@pytest.mark.parametrize(("encoding", "sent"), [("", TEXT), ("identity", TEXT), ("gzip", gzip.compress(TEXT, mtime=0))])
@pytest.mark.parametrize("step", [1, 7, 100_000])
def test_a_body_arrives_whole_in_any_pieces(encoding: str, sent: bytes, step: int) -> None:
    body = BoundedBody(encoding, len(TEXT))
    for start in range(0, len(sent), step):
        body.feed(sent[start : start + step])
    assert body.complete() == TEXT


def test_nothing_at_all_is_an_empty_body() -> None:
    assert BoundedBody("gzip", 10).complete() == b""


@pytest.mark.parametrize(("encoding", "sent"), [("", TEXT), ("gzip", gzip.compress(TEXT, mtime=0))])
def test_one_byte_too_many_is_refused(encoding: str, sent: bytes) -> None:
    body = BoundedBody(encoding, len(TEXT) - 1)
    with pytest.raises(UnreadableBody, match="longer than"):
        body.feed(sent)


def test_a_small_body_that_would_fill_the_memory_is_stopped_at_the_bound() -> None:
    bomb = gzip.compress(bytes(300 * 1024 * 1024), compresslevel=1)
    body = BoundedBody("gzip", 1024 * 1024)
    tracemalloc.start()
    try:
        with pytest.raises(UnreadableBody, match="longer than"):
            body.feed(bomb)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 8 * 1024 * 1024


def test_a_gzip_stream_cut_short_is_refused() -> None:
    body = BoundedBody("gzip", 100_000)
    body.feed(gzip.compress(TEXT, mtime=0)[:-9])
    with pytest.raises(UnreadableBody, match="cut short"):
        body.complete()


def test_what_is_not_what_it_says_is_refused() -> None:
    with pytest.raises(UnreadableBody, match="does not decompress"):
        BoundedBody("gzip", 1000).feed(TEXT)
    with pytest.raises(UnreadableBody, match="br"):
        BoundedBody("br", 1000)
