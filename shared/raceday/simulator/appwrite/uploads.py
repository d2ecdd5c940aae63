"""Multipart bodies, and files that arrive in chunks."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from raceday.simulator.appwrite.errors import refused

if TYPE_CHECKING:
    from collections.abc import Mapping

CHUNK_BYTES = 5 * 1024 * 1024
"""The most that one request may carry of a file; all but the last chunk are exactly this long."""
_BOUNDARY = re.compile(r'boundary="?([^";]+)"?')
_NAME = re.compile(rb'[; ]name="([^"]*)"')
_FILE_NAME = re.compile(rb'filename="([^"]*)"')
_PART_TYPE = re.compile(rb"content-type:\s*([^\r\n]+)", re.IGNORECASE)
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


@dataclass(frozen=True, slots=True)
class FilePart:
    """A file in a multipart body."""

    name: str
    content_type: str
    content: bytes


@dataclass(slots=True)
class Arriving:
    """A file of which not every chunk is here yet: its size in bytes, its chunks by the byte they begin at."""

    size: int
    chunks: dict[int, bytes] = field(default_factory=dict)

    def whole(self) -> bytes | None:
        """Return the file once all of it is here."""
        content = b"".join(self.chunks[start] for start in sorted(self.chunks))
        return content if len(content) == self.size else None


def form_of(content_type: str, body: bytes) -> tuple[dict[str, object], dict[str, FilePart]]:
    """Return the fields and the files of a multipart body; fields named `x[0]` or `x[]` make a list."""
    boundary = _BOUNDARY.search(content_type)
    if boundary is None:
        return {}, {}
    fields: dict[str, object] = {}
    files: dict[str, FilePart] = {}
    for part in (b"\r\n" + body).split(b"\r\n--" + boundary[1].encode())[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        named = _NAME.search(head)
        if named is None:
            continue
        name, file_name = named[1].decode(), _FILE_NAME.search(head)
        if file_name is not None:
            kind = _PART_TYPE.search(head)
            files[name] = FilePart(
                file_name[1].decode(), kind[1].decode() if kind else "application/octet-stream", content
            )
        else:
            _add_field(fields, name, content.decode())
    return fields, files


def _add_field(fields: dict[str, object], name: str, value: str) -> None:
    listed = re.fullmatch(r"(.+)\[\d*\]", name)
    if listed is None:
        fields[name] = value
        return
    values = fields.setdefault(listed[1], [])
    if isinstance(values, list):
        values.append(value)


def arrived(arriving: dict[str, Arriving], name: str, part: FilePart, headers: Mapping[str, str]) -> Arriving:
    """Add a chunk to the file that `name` stands for; raises storage_invalid_content_range.

    Without a content-range header the part is the whole file.
    """
    span = headers.get("content-range")
    if span is None:
        return Arriving(len(part.content), {0: part.content})
    read = _RANGE.fullmatch(span)
    if read is None:
        raise refused("storage_invalid_content_range")
    start, end, size = map(int, read.groups())
    length = end - start + 1
    if length != len(part.content) or length > CHUNK_BYTES or (end + 1 < size and length != CHUNK_BYTES):
        raise refused("storage_invalid_content_range")
    file = arriving.setdefault(name, Arriving(size))
    if start and not file.chunks:
        raise refused("storage_invalid_content_range")
    file.chunks[start] = part.content
    return file
