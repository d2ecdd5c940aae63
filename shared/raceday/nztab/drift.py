"""How far a response strays from what the feed was seen to send.

The feed may grow values and lose fields without notice. Neither stops a poll; both are counted by name, such as
`race.status=Postponed`, `runner.odds missing` or `pool.total unusable`, so that a change shows before it hurts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping

_LONGEST_VALUE = 40
_MOST_NAMES = 100
_OVERFLOW = "other drift"


class DriftCounter:
    """Counts the oddities of one response by name; bounded, whatever the response holds."""

    def __init__(self) -> None:
        """Start with nothing counted."""
        self._counts: Counter[str] = Counter()

    @property
    def counts(self) -> Mapping[str, int]:
        """How often each oddity was met."""
        return dict(self._counts)

    def count(self, name: str, times: int = 1) -> None:
        """Count one oddity."""
        known = name in self._counts or len(self._counts) < _MOST_NAMES
        self._counts[name if known else _OVERFLOW] += times

    def missing(self, owner: str, expected: Collection[str], present: Collection[str]) -> None:
        """Count every expected field that is not among the present ones."""
        for name in expected:
            if name not in present:
                self.count(f"{owner}.{name} missing")

    def unknown_value(self, field: str, value: str | None, known: Collection[str]) -> None:
        """Count a value that is outside the vocabulary; no value at all is not counted here."""
        if value and value not in known:
            self.count(f"{field}={value[:_LONGEST_VALUE]}")
