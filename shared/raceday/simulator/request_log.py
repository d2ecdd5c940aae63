"""What the stand-in feed was asked, so that a test can count the calls for each race."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class FeedRequest:
    """One request; status 0 stands for a connection that was dropped or left hanging without an answer."""

    at: datetime
    path: str
    event_id: str | None
    status: int


@dataclass(slots=True)
class RequestLog:
    """All requests in the order in which they came in."""

    requests: list[FeedRequest] = field(default_factory=list)

    def add(self, request: FeedRequest) -> None:
        """Note a request."""
        self.requests.append(request)

    def of_event(self, event_id: str) -> list[FeedRequest]:
        """Return the requests for one race."""
        return [request for request in self.requests if request.event_id == event_id]

    def by_status(self) -> Counter[int]:
        """Return how often each status was answered."""
        return Counter(request.status for request in self.requests)
