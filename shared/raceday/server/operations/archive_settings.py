"""Where archives go, from the environment: the storage's address is ours, its credentials are AWS's own variables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from raceday.errors import ConfigError

URL_VARIABLE = "RACEDAY_ARCHIVE_URL"
ENDPOINT_VARIABLE = "RACEDAY_ARCHIVE_ENDPOINT"
_URL = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/([A-Za-z0-9!_.*'()/-]*))?")


@dataclass(frozen=True, slots=True)
class ArchiveSettings:
    """A bucket of an S3-compatible storage and the prefix within it. Without `endpoint` it is Amazon's."""

    bucket: str
    prefix: str
    endpoint: str
    region: str


def load_archive_settings(environment: Mapping[str, str]) -> ArchiveSettings:
    """Read `RACEDAY_ARCHIVE_URL`, `RACEDAY_ARCHIVE_ENDPOINT` and AWS's region.

    Raises `ConfigError` that names every variable that is missing or wrong, with an example.
    """
    url = environment.get(URL_VARIABLE, "").strip()
    endpoint = environment.get(ENDPOINT_VARIABLE, "").strip()
    wrong = []
    match = _URL.fullmatch(url)
    if match is None:
        said = f"{url} is no address of a bucket" if url else "says where archives go and is not set"
        wrong.append(f"{URL_VARIABLE}: {said}; example: s3://my-bucket/raceday")
    if endpoint and not re.fullmatch(r"https?://[^/\s]+/?", endpoint):
        wrong.append(f"{ENDPOINT_VARIABLE}: {endpoint} is no http address; example: https://minio.example.org:9000")
    if wrong or match is None:
        raise ConfigError("; ".join(wrong))
    region = environment.get("AWS_REGION", "") or environment.get("AWS_DEFAULT_REGION", "") or "us-east-1"
    return ArchiveSettings(match[1], (match[2] or "").strip("/"), endpoint, region)
