"""A bucket of an S3-compatible storage: files in and out, every failure said in words.

Objects are compared by our own hash after they were read back. The storage's optional checksums stay off, because
not every storage that speaks S3 knows them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from boto3.exceptions import S3UploadFailedError
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    ResponseStreamingError,
)

from raceday.errors import ConfigError
from raceday.server.operations.archive_settings import URL_VARIABLE, ArchiveSettings
from raceday.server.operations.errors import ArchiveDamaged, ArchiveUnavailable

_CHUNK_BYTES = 1 << 20
_CONNECT_TIMEOUT_S = 5
_READ_TIMEOUT_S = 60
_ATTEMPTS = 3
_NOT_THERE = {"NoSuchKey", "404", "NotFound"}
_NOT_ALLOWED = {
    "403",
    "AccessDenied",
    "AuthorizationHeaderMalformed",
    "ExpiredToken",
    "Forbidden",
    "InvalidAccessKeyId",
    "InvalidToken",
    "SignatureDoesNotMatch",
}


class ObjectStorage:
    """The part of a bucket under a prefix. Keys are relative to the prefix."""

    def __init__(self, settings: ArchiveSettings) -> None:
        self._settings = settings
        self._client = _client(settings)

    def address(self, key: str) -> str:
        """Return the `s3://` address of an object."""
        return f"s3://{self._settings.bucket}/{self._full(key)}"

    def put_file(self, key: str, path: Path) -> None:
        """Upload a file, in parts when it is large."""
        with self._explained(key):
            self._client.upload_file(str(path), self._settings.bucket, self._full(key))

    def put_text(self, key: str, text: str) -> None:
        """Upload a short JSON text."""
        with self._explained(key):
            self._client.put_object(
                Bucket=self._settings.bucket,
                Key=self._full(key),
                Body=text.encode(),
                ContentType="application/json",
            )

    def text(self, key: str) -> str | None:
        """Return a short text, None when there is no such object."""
        try:
            with self._explained(key):
                answer = self._client.get_object(Bucket=self._settings.bucket, Key=self._full(key))
                body: bytes = answer["Body"].read()
        except KeyError:
            return None
        return body.decode(errors="replace")

    def fetch(self, key: str, path: Path) -> tuple[int, str]:
        """Read an object into a file; returns its bytes and its SHA-256. `ArchiveDamaged` when it is not there."""
        digest, size_bytes = hashlib.sha256(), 0
        try:
            with self._explained(key), path.open("wb") as file:
                answer = self._client.get_object(Bucket=self._settings.bucket, Key=self._full(key))
                for chunk in answer["Body"].iter_chunks(_CHUNK_BYTES):
                    file.write(chunk)
                    digest.update(chunk)
                    size_bytes += len(chunk)
        except KeyError:
            raise ArchiveDamaged(f"{self.address(key)} is not there, although its manifest is") from None
        return size_bytes, digest.hexdigest()

    def keys(self, prefix: str) -> list[str]:
        """Return the keys that begin like this, in their order."""
        start = len(self._full(""))
        with self._explained(prefix):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._settings.bucket, Prefix=self._full(prefix)
            )
            return sorted(entry["Key"][start:] for page in pages for entry in page.get("Contents", ()))

    def _full(self, key: str) -> str:
        return f"{self._settings.prefix}/{key}" if self._settings.prefix else key

    @contextmanager
    def _explained(self, key: str) -> Iterator[None]:
        """Say what a failure of the storage means; `KeyError` for an object that is not there."""
        try:
            yield
        except (ClientError, S3UploadFailedError) as cause:
            raise self._refusal(key, cause) from cause
        except (NoCredentialsError, PartialCredentialsError, ProfileNotFound) as cause:
            raise ConfigError(
                f"no credentials for {self.address(key)} ({cause}): set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
                "or AWS_PROFILE"
            ) from cause
        except (IncompleteReadError, ConnectionClosedError, ResponseStreamingError) as cause:
            raise ArchiveUnavailable(f"{self.address(key)} broke off: {cause}") from cause
        except (HTTPClientError, BotoCoreError) as cause:
            where = self._settings.endpoint or "Amazon S3"
            raise ArchiveUnavailable(f"the archive's storage at {where} does not answer: {cause}") from cause

    def _refusal(self, key: str, cause: ClientError | S3UploadFailedError) -> Exception:
        refused = cause if isinstance(cause, ClientError) else cause.__context__
        code = str(refused.response["Error"].get("Code", "")) if isinstance(refused, ClientError) else ""
        if code == "NoSuchBucket":
            return ConfigError(f"there is no bucket {self._settings.bucket}: make it, or correct {URL_VARIABLE}")
        if code in _NOT_THERE:
            return KeyError(key)
        if code in _NOT_ALLOWED:
            return ConfigError(
                f"the storage refuses {self.address(key)} ({code}): check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and "
                "the rights of their owner"
            )
        return ArchiveUnavailable(f"the storage refuses {self.address(key)}: {cause}")


def _client(settings: ArchiveSettings) -> Any:  # noqa: ANN401 (the client's classes are made when it runs)
    config = Config(
        connect_timeout=_CONNECT_TIMEOUT_S,
        read_timeout=_READ_TIMEOUT_S,
        retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        s3={"addressing_style": "path" if settings.endpoint else "auto"},
    )
    return boto3.client("s3", region_name=settings.region, endpoint_url=settings.endpoint or None, config=config)
