"""Every error that RaceDay raises, named by what to do about it.

RaceDayError
├── ConfigError          fix the configuration; says which variable and why
├── InvalidRequest       the caller's mistake (400); names the field
├── UnknownRace          the caller asked for a race that is not stored (404)
├── FeedError
│   ├── FeedUnavailable  retry later
│   │   └── FeedThrottled  retry after `retry_after_s`
│   ├── FeedNotFound     the feed does not have it (404); ask the meeting list
│   └── FeedContractError  do not retry; keep the payload and look at it
├── OutboundRefused      do not retry: a rule for outgoing requests, or what came back, forbids it
├── OutboundUnavailable  retry later
├── StoreConflict        someone was first; re-read
├── StoreUnavailable     retry later
└── ExecutionRefused     the platform did not start the function; the next run will
"""

from __future__ import annotations

PAYLOAD_BYTES = 2000
"""How much of a response that cannot be understood is kept."""


class RaceDayError(Exception):
    """The root of all errors raised on purpose."""


class ConfigError(RaceDayError):
    """The configuration is missing something or holds a value that cannot be used."""


class InvalidRequest(RaceDayError):
    """The caller's input cannot be used.

    `field` names what was wrong, so that the answer can point at it.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


class UnknownRace(RaceDayError):
    """A race was asked for that is not stored."""

    def __init__(self, race_id: str) -> None:
        super().__init__(f"race {race_id} is not stored: run daily-meetings and daily-races for its day first")
        self.race_id = race_id


class FeedError(RaceDayError):
    """Something about the feed."""


class FeedUnavailable(FeedError):
    """The feed did not answer, or answered with a server error, through all tries."""


class FeedThrottled(FeedUnavailable):
    """The feed asked us to slow down; nothing is asked of it for `retry_after_s` seconds."""

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class FeedNotFound(FeedError):
    """The feed does not know this meeting or event (404)."""


class FeedContractError(FeedError):
    """The feed answered with something that cannot be understood.

    `payload` keeps the start of what came, for whoever looks into it.
    """

    def __init__(self, message: str, payload: bytes = b"") -> None:
        super().__init__(message)
        self.payload = payload[:PAYLOAD_BYTES]


class OutboundRefused(RaceDayError):
    """An outgoing request that is not made, or an answer that is not taken; says which rule forbids it.

    `detail` is for the log alone: what whoever chose the address must not learn from us.
    """

    def __init__(self, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.detail = detail


class OutboundUnavailable(RaceDayError):
    """Another server did not answer, or not in time."""


class StoreConflict(RaceDayError):
    """Someone else wrote first, or a claim is no longer held; re-read before doing anything."""


class StoreUnavailable(RaceDayError):
    """The store did not answer; nothing was written."""


class ExecutionRefused(RaceDayError):
    """The platform did not start a function."""
