"""What the stand-in was asked, so that a test can count calls."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class PlatformCall:
    """One call; `key_id` is empty without a key, and status 0 stands for an answer that never arrived.

    `route` is the path with the names of its ids, `scopes` are those of which a key needed one.
    """

    at: datetime
    method: str
    path: str
    key_id: str
    status: int
    route: str
    scopes: tuple[str, ...]


class CallObserver(Protocol):
    """Hears of every call when it has been answered."""

    def add(self, call: PlatformCall) -> None:
        """Take one more call."""
        ...


@dataclass(slots=True)
class CallLog:
    """All calls in the order in which they came in."""

    calls: list[PlatformCall] = field(default_factory=list)

    def add(self, call: PlatformCall) -> None:
        """Note a call."""
        self.calls.append(call)

    def by_status(self) -> Counter[int]:
        """Return how often each status was answered."""
        return Counter(call.status for call in self.calls)

    def of(self, method: str, part_of_path: str = "") -> list[PlatformCall]:
        """Return the calls of a method whose path contains a part."""
        return [call for call in self.calls if call.method == method and part_of_path in call.path]
