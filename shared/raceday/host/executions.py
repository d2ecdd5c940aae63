"""What is asked of the platform and what came of it: one request, one result, and the record of many."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

Trigger = Literal["http", "schedule", "event"]

BODY_LIMIT_CHARS = 10_485_760
JSON_TYPE = "application/json"
RECENT_KEPT = 200
FAILURES_KEPT = 500


@dataclass(frozen=True, slots=True)
class ExecutionRequest:
    """A function to run: its trigger and body, and for a row event the event's name."""

    execution_id: str
    function_id: str
    trigger: Trigger
    body: str = ""
    event: str = ""
    content_type: str = ""

    def headers(self, key: str) -> dict[str, str]:
        """Return the request headers the platform sends.

        A cron has neither body nor content type. `key` is lent for the platform's API; empty where there is none.
        """
        headers = {"x-appwrite-trigger": self.trigger, "x-appwrite-execution-id": self.execution_id}
        if self.event:
            headers["x-appwrite-event"] = self.event
        if self.content_type:
            headers["content-type"] = self.content_type
        if key:
            headers["x-appwrite-key"] = key
        return headers


@dataclass(frozen=True, slots=True)
class ExecutionResult:
    """How an execution ended.

    `status_code` is the function's own, 500 for an exception or a timeout, 503 when it could not be imported, 408 when
    a synchronous caller stopped waiting, and 0 when it never began. 500 and above is failed. Times are aware UTC;
    `waited_s` is the time in the queue before `started_at`.
    """

    execution_id: str
    function_id: str
    trigger: Trigger
    status: Literal["completed", "failed"]
    status_code: int
    body: str
    logs: str
    errors: str
    started_at: datetime
    waited_s: float
    duration_s: float
    headers: Mapping[str, str] = field(default_factory=dict)


class ExecutionHistory:
    """Counts every execution; keeps the texts of the latest ones and of the latest failures."""

    def __init__(self, recent_kept: int = RECENT_KEPT, failures_kept: int = FAILURES_KEPT) -> None:
        """Begin empty, with bounds so that a long run cannot fill the memory."""
        self.recent: deque[ExecutionResult] = deque(maxlen=recent_kept)
        self.failures: deque[ExecutionResult] = deque(maxlen=failures_kept)
        self._counts: Counter[tuple[str, str]] = Counter()

    def add(self, result: ExecutionResult) -> None:
        """Take one more result."""
        self.recent.append(result)
        if result.status == "failed":
            self.failures.append(result)
        self._counts[result.function_id, result.status] += 1

    def count(self, function_id: str | None = None, status: str | None = None) -> int:
        """Return how many executions ended, of one function or all, with one status or any."""
        return sum(
            count
            for (counted_id, counted_status), count in self._counts.items()
            if function_id in {None, counted_id} and status in {None, counted_status}
        )
