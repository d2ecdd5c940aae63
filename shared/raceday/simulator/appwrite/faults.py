"""What a test makes go wrong: the next calls, a share of all calls, slowness, or a time of being down."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from raceday.simulator.chance import generator

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

DROPPED = 0
"""In place of a status: the connection breaks and no answer arrives."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong with one call.

    `after_effect` lets the call do its work first, so that only its answer is spoilt or lost. Without
    `has_content_type` the answer is bare, as errors of the platform's own front end are.
    """

    status: int
    after_effect: bool = False
    has_content_type: bool = True


@dataclass(slots=True)
class FaultPlan:
    """All faults of a run; nothing goes wrong until a test says so.

    `share` (0 to 1) of all calls gets one of `faults`, the same calls for the same `seed` and order. `latency_s`
    delays every call. `slow_share` of all calls takes `slow_s` (from, to) longer, half of them before they do their
    work and half before they answer. From `down_from` to `down_until` every call gets `down`.
    """

    share: float = 0.0
    faults: Sequence[Fault] = (Fault(500), Fault(503))
    seed: int = 1
    latency_s: float = 0.0
    slow_share: float = 0.0
    slow_s: tuple[float, float] = (1.0, 5.0)
    down_from: datetime | None = None
    down_until: datetime | None = None
    down: Fault = Fault(503, has_content_type=False)
    _next: deque[tuple[Fault, str, str]] = field(default_factory=deque)
    _seen: int = 0

    def next_calls(self, fault: Fault, count: int = 1, method: str = "", part_of_path: str = "") -> None:
        """Let the next calls fail, all or those of a method and path."""
        self._next.extend([(fault, method, part_of_path)] * count)

    def verdict(self, method: str, path: str, now: datetime) -> Fault | None:
        """Return what goes wrong with this call, if anything."""
        self._seen += 1
        for place, (fault, wanted_method, part_of_path) in enumerate(self._next):
            if wanted_method in {"", method} and part_of_path in path:
                del self._next[place]
                return fault
        if self.down_from is not None and self.down_from <= now and (self.down_until is None or now < self.down_until):
            return self.down
        if self.share:
            rng = generator(self.seed, "appwrite fault", self._seen)
            if rng.random() < self.share:
                return rng.choice(self.faults)
        return None

    def pauses_s(self) -> tuple[float, float]:
        """Return how long the call asked about last waits before its work, and its answer after it."""
        if self.slow_share:
            rng = generator(self.seed, "appwrite pause", self._seen)
            if rng.random() < self.slow_share:
                pause_s = rng.uniform(*self.slow_s)
                return (self.latency_s + pause_s, 0.0) if rng.random() < 0.5 else (self.latency_s, pause_s)
        return self.latency_s, 0.0
