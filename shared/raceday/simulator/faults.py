"""What can go wrong with a feed, how often, and in a way that can be repeated.

Whether a request fails depends on the seed, its path and how many requests for that path came before it; not on the
order in which requests for different races happen to arrive.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from raceday.simulator.chance import generator

if TYPE_CHECKING:
    from random import Random


class Fault(Enum):
    """One way in which an answer can go wrong; the value names its share in a profile."""

    STALL = "stall"
    SERVER_ERROR = "server_error"
    BAD_JSON = "bad_json"
    RESET = "reset"
    THROTTLE = "throttle"
    MISSING_EVENT = "missing_event"


class BadJson(Enum):
    """How a body is spoilt."""

    HTML = "html"
    TRUNCATED = "truncated"
    WRONG_SHAPE = "wrong shape"


@dataclass(frozen=True, slots=True)
class FaultProfile:
    """Shares (0 to 1) of requests that fail in each way, and how long any answer takes."""

    stall: float = 0.0
    server_error: float = 0.0
    bad_json: float = 0.0
    reset: float = 0.0
    throttle: float = 0.0
    missing_event: float = 0.0
    latency_ms: float = 0.0
    stall_s: float = 60.0
    retry_after_s: int = 2

    def __post_init__(self) -> None:
        """Refuse shares that are no shares."""
        shares = [getattr(self, fault.value) for fault in Fault]
        if min(shares) < 0 or sum(shares) > 1:
            raise ValueError(f"shares of faults must be positive and at most 1 in sum, not {shares}")


PROFILES = {
    "none": FaultProfile(),
    "rough": FaultProfile(stall=0.05, server_error=0.05, bad_json=0.02, reset=0.01),
    "throttled": FaultProfile(throttle=0.10),
    "slow": FaultProfile(latency_ms=900, stall=0.01),
    "flaky-events": FaultProfile(missing_event=0.05, server_error=0.02),
    "spoilt": FaultProfile(bad_json=0.15),
    "down": FaultProfile(server_error=1.0),
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What happens to one request; `detail` chooses among variants of the fault."""

    fault: Fault | None
    latency_s: float
    detail: Random


@dataclass(slots=True)
class FaultDice:
    """Decides request by request; keeps how many requests each path has had."""

    profile: FaultProfile
    seed: int
    _seen: Counter[str] = field(default_factory=Counter)

    def verdict(self, path: str, *, is_event: bool) -> Verdict:
        """Return what happens to the next request for a path."""
        self._seen[path] += 1
        rng = generator(self.seed, "fault", path, self._seen[path])
        latency_s = self.profile.latency_ms / 1000 * rng.uniform(0.5, 1.5)
        return Verdict(self._fault(rng.random(), is_event=is_event), latency_s, rng)

    def _fault(self, drawn: float, *, is_event: bool) -> Fault | None:
        for fault in Fault:
            share = getattr(self.profile, fault.value)
            if drawn < share:
                return None if fault is Fault.MISSING_EVENT and not is_event else fault
            drawn -= share
        return None
