"""Where the platform is, as whom it is asked, how patiently."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from raceday import __version__
from raceday.errors import ConfigError

MIB = 1024 * 1024
DATABASE_ID = "raceday-db"
"""The original's database id: dashboards ask for it."""


@dataclass(frozen=True, slots=True)
class AppwriteSettings:
    """Everything about asking the platform.

    `endpoint` ends in `/v1`. A call may take `call_budget_s` in all and each of its attempts `attempt_timeout_s`; after
    a failed attempt it pauses for `first_retry_wait_s`, twice that after the next, and so on.
    """

    endpoint: str
    project_id: str
    key: str = field(repr=False)
    database_id: str = DATABASE_ID
    attempt_timeout_s: float = 8.0
    call_budget_s: float = 15.0
    attempts: int = 4
    first_retry_wait_s: float = 0.25
    max_body_bytes: int = 64 * MIB

    def __post_init__(self) -> None:
        """Refuse what cannot work; raises ConfigError that says which part."""
        address = urlsplit(self.endpoint)
        if address.scheme not in {"http", "https"} or not address.netloc:
            raise ConfigError(f"the endpoint of Appwrite must be an http(s) address such as https://host/v1, not "
                              f"{self.endpoint!r}")  # fmt: skip
        for name, value in (("project id", self.project_id), ("API key", self.key)):
            if not value or not value.isascii() or not value.isprintable():
                raise ConfigError(f"the {name} of Appwrite is missing, or not printable ASCII")

    def headers(self) -> dict[str, str]:
        """Return the headers of every request."""
        return {
            "x-appwrite-project": self.project_id,
            "x-appwrite-key": self.key,
            "user-agent": f"raceday/{__version__}",
            "accept": "application/json",
            "accept-encoding": "gzip",
        }
