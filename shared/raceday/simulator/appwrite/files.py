"""Buckets and files, whole or in chunks."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import md5
from typing import TYPE_CHECKING

from starlette.responses import Response

from raceday.simulator.appwrite import params
from raceday.simulator.appwrite.call import answer, no_content
from raceday.simulator.appwrite.errors import refused
from raceday.simulator.appwrite.instants import stamp
from raceday.simulator.appwrite.permissions import ROW_ACTIONS, TABLE_ACTIONS, guest_may_read, permissions_of
from raceday.simulator.appwrite.resource_lists import listed
from raceday.simulator.appwrite.uploads import CHUNK_BYTES, arrived

if TYPE_CHECKING:
    from datetime import datetime

    from raceday.simulator.appwrite.call import Call

LARGEST_FILE = 30_000_000


@dataclass(frozen=True, slots=True)
class File:
    """One file; `content` is empty while chunks are missing, of which `chunks_here` are here."""

    file_id: str
    bucket_id: str
    name: str
    content_type: str
    content: bytes
    size: int
    chunks_here: int
    permissions: list[str]
    created_at: datetime

    def body(self) -> dict[str, object]:
        """Return the file as the API shows it."""
        return {
            "$id": self.file_id,
            "bucketId": self.bucket_id,
            "$createdAt": stamp(self.created_at),
            "$updatedAt": stamp(self.created_at),
            "$permissions": self.permissions,
            "name": self.name,
            "signature": md5(self.content, usedforsecurity=False).hexdigest(),
            "mimeType": self.content_type,
            "sizeOriginal": self.size,
            "chunksTotal": -(-self.size // CHUNK_BYTES),
            "chunksUploaded": self.chunks_here,
            "encryption": True,
            "compression": "none",
        }


@dataclass(slots=True)
class Bucket:
    """One bucket with its limits and files."""

    bucket_id: str
    name: str
    permissions: list[str]
    file_security: bool
    enabled: bool
    maximum_size: int
    extensions: list[str]
    created_at: datetime
    updated_at: datetime
    files: dict[str, File] = field(default_factory=dict)

    def body(self) -> dict[str, object]:
        """Return the bucket as the API shows it."""
        return {
            "$id": self.bucket_id,
            "$createdAt": stamp(self.created_at),
            "$updatedAt": stamp(self.updated_at),
            "$permissions": self.permissions,
            "fileSecurity": self.file_security,
            "name": self.name,
            "enabled": self.enabled,
            "maximumFileSize": self.maximum_size,
            "allowedFileExtensions": self.extensions,
            "compression": "none",
            "encryption": True,
            "antivirus": True,
            "transformations": True,
            "totalSize": sum(file.size for file in self.files.values()),
        }


def create_bucket(call: Call) -> Response:
    """Answer POST /storage/buckets."""
    bucket_id = params.checked_id(params.required(call.body, "bucketId"), "bucketId")
    if bucket_id == params.GENERATED:
        bucket_id = call.project.new_id()
    if bucket_id in call.project.buckets:
        raise refused("storage_bucket_already_exists")
    params.required(call.body, "name")
    bucket = Bucket(bucket_id, "", [], False, True, LARGEST_FILE, [], call.at, call.at)
    _read_into(bucket, call)
    call.project.buckets[bucket_id] = bucket
    return answer(bucket.body(), 201)


def update_bucket(call: Call) -> Response:
    """Answer PUT /storage/buckets/{bucketId}; what is not given stays."""
    bucket = _bucket(call)
    _read_into(bucket, call)
    bucket.updated_at = call.at
    return answer(bucket.body())


def list_buckets(call: Call) -> Response:
    """Answer GET /storage/buckets."""
    shown = [bucket.body() for bucket in call.project.buckets.values()]
    return answer(listed("buckets", shown, call.query.get("queries")))


def get_bucket(call: Call) -> Response:
    """Answer GET /storage/buckets/{bucketId}."""
    return answer(_bucket(call).body())


def create_file(call: Call) -> Response:
    """Answer POST …/files: multipart, at most 5 MiB a request; 409 for an id that is there."""
    bucket = _bucket(call)
    file_id = params.checked_id(params.required(call.body, "fileId"), "fileId")
    if file_id == params.GENERATED:
        file_id = call.headers.get("x-appwrite-id") or call.project.new_id()
    part = call.files.get("file")
    if part is None or not part.content:
        raise refused("storage_file_empty")
    if bucket.extensions and part.name.rsplit(".", 1)[-1].lower() not in bucket.extensions:
        raise refused("storage_file_type_unsupported")
    if file_id in bucket.files:
        raise refused("storage_file_already_exists")
    name = f"{bucket.bucket_id}/{file_id}"
    arriving = arrived(call.project.arriving, name, part, call.headers)
    if arriving.size > bucket.maximum_size:
        raise refused("storage_invalid_file_size")
    content = arriving.whole()
    file = File(
        file_id=file_id,
        bucket_id=bucket.bucket_id,
        name=part.name,
        content_type=part.content_type,
        content=content or b"",
        size=arriving.size,
        chunks_here=len(arriving.chunks),
        permissions=permissions_of(call.body.get("permissions") or [], ROW_ACTIONS),
        created_at=call.at,
    )
    if content is not None:
        call.project.arriving.pop(name, None)
        bucket.files[file_id] = file
    return answer(file.body(), 201)


def list_files(call: Call) -> Response:
    """Answer GET …/files."""
    shown = [file.body() for file in _bucket(call).files.values()]
    return answer(listed("files", shown, call.query.get("queries")))


def get_file(call: Call) -> Response:
    """Answer GET …/files/{fileId}."""
    return answer(_file(call).body())


def view_file(call: Call) -> Response:
    """Answer GET …/files/{fileId}/view and /download: the bytes as they came."""
    file = _file(call)
    return Response(file.content, 200, {"content-type": file.content_type})


def delete_file(call: Call) -> Response:
    """Answer DELETE …/files/{fileId}."""
    del _bucket(call).files[_file(call).file_id]
    return no_content()


def _bucket(call: Call) -> Bucket:
    bucket = call.project.buckets.get(call.path["bucketId"])
    if bucket is None:
        raise refused("storage_bucket_not_found")
    return bucket


def _file(call: Call) -> File:
    """Return a file that the caller may read; what he may not read does not exist for him."""
    bucket = _bucket(call)
    file = bucket.files.get(call.path["fileId"])
    if file is None:
        raise refused("storage_file_not_found")
    own = file.permissions if bucket.file_security else []
    if call.key is None and not guest_may_read([*bucket.permissions, *own]):
        raise refused("storage_file_not_found")
    return file


def _read_into(bucket: Bucket, call: Call) -> None:
    bucket.name = params.text(call.body, "name", bucket.name)
    if call.body.get("permissions") is not None:
        bucket.permissions = permissions_of(call.body["permissions"], TABLE_ACTIONS)
    bucket.file_security = params.flag(call.body, "fileSecurity", default=bucket.file_security)
    bucket.enabled = params.flag(call.body, "enabled", default=bucket.enabled)
    bucket.maximum_size = params.whole(call.body, "maximumFileSize", bucket.maximum_size, 1, LARGEST_FILE)
    bucket.extensions = params.texts(call.body, "allowedFileExtensions") or bucket.extensions
