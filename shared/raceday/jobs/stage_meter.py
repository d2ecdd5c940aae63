"""How long the stages of one poll take, by a stopwatch that whoever polls brings along."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Stopwatch = Callable[[], float]
"""Returns seconds that only ever grow; from when is of no matter."""


class StageMeter:
    """Measures one poll: what its stages took, and what it took in all. Real time, also on a virtual clock."""

    def __init__(self, stopwatch: Stopwatch) -> None:
        """Begin now."""
        self._stopwatch = stopwatch
        self._began_s = stopwatch()
        self.stages_s: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure what is done inside; a stage that fails is measured as well."""
        began_s = self._stopwatch()
        try:
            yield
        finally:
            self.stages_s[name] = self.stages_s.get(name, 0.0) + self._stopwatch() - began_s

    @property
    def total_s(self) -> float:
        """Seconds since the meter was made."""
        return self._stopwatch() - self._began_s

    def milliseconds(self) -> dict[str, float]:
        """Return the stages as the fields of a log line: `fetch_ms`, `transform_ms`, `write_ms`, `total_ms`."""
        stages = {f"{name}_ms": round(self.stages_s.get(name, 0.0) * 1000, 2) for name in STAGES}
        return stages | {"total_ms": round(self.total_s * 1000, 2)}


STAGES = ("fetch", "transform", "write")
"""Asking the feed and reading its answer; deriving what changed; writing it. Claim and last state are in the total."""
UNMEASURED = StageMeter(lambda: 0.0)
"""For whoever does not want to know."""
