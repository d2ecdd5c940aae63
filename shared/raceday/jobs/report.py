"""What a run did: counted while it runs, reported when it ends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from raceday.errors import FeedError, RaceDayError, StoreConflict, StoreUnavailable

MAX_FAILURES_LISTED = 20


@dataclass(frozen=True, slots=True)
class Failure:
    """One thing that failed, and why; `status_code` is what a run would answer that failed for this alone."""

    subject: str
    error: str
    message: str
    status_code: int


@dataclass(slots=True)
class RunReport:
    """The tally of one run. What was seen is processed, failed or skipped; `remaining` was not come to.

    `details` holds what the caller of this function wants to know beside the counts.
    """

    processed: int = 0
    failed: int = 0
    skipped: int = 0
    remaining: int = 0
    failures: list[Failure] = field(default_factory=list)
    details: dict[str, object] = field(default_factory=dict)
    drift: Counter[str] = field(default_factory=Counter)
    refused_status: int | None = None
    message: str = ""

    def done(self) -> None:
        """Count one that was processed."""
        self.processed += 1

    def skip(self) -> None:
        """Count one that needed nothing."""
        self.skipped += 1

    def fail(self, subject: str, error: BaseException) -> None:
        """Count one that failed; the others go on."""
        self.failed += 1
        status_code = failure_status(error) if isinstance(error, RaceDayError) else 500
        self.failures.append(Failure(subject, type(error).__name__, str(error), status_code))

    def refuse(self, status_code: int, message: str) -> RunReport:
        """Say that the run could not do its work at all, and why."""
        self.refused_status = status_code
        self.message = message
        return self

    def add_drift(self, drift: Mapping[str, int]) -> None:
        """Add up what strayed from the feed's usual shape."""
        for name, count in drift.items():
            self.drift[name] += count

    @property
    def first_failure(self) -> str:
        """The first thing that failed, in words; empty when nothing did."""
        if not self.failures:
            return ""
        first = self.failures[0]
        return f"{first.subject}: {first.error}: {first.message}"

    @property
    def everything_failed(self) -> bool:
        """Whether there was work and all of it failed."""
        return self.failed > 0 and self.processed + self.skipped == 0

    @property
    def status_code(self) -> int:
        """The HTTP status that this run deserves: if all failed, it failed; with 503 when for the store alone."""
        if self.refused_status is not None:
            return self.refused_status
        if not self.everything_failed:
            return 200
        return 503 if {failure.status_code for failure in self.failures} == {503} else 502

    def as_json(self) -> dict[str, object]:
        """Return the report as a JSON object."""
        answer: dict[str, object] = {
            "ok": self.status_code < 400,
            "processed": self.processed,
            "failed": self.failed,
            "skipped": self.skipped,
            "remaining": self.remaining,
            "failures": [
                {"subject": failure.subject, "error": failure.error, "message": failure.message}
                for failure in self.failures[:MAX_FAILURES_LISTED]
            ],
        }
        if self.drift:
            answer["drift"] = dict(self.drift)
        if self.message:
            answer["message"] = self.message
        return answer | dict(self.details)


def failure_status(error: RaceDayError) -> int:
    """Return the HTTP status for an error that ended a whole run."""
    match error:
        case FeedError():
            return 502
        case StoreConflict():
            return 409
        case StoreUnavailable():
            return 503
        case _:
            return 500
