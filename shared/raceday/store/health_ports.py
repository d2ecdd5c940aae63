"""What the operator looks at: runs, quality, coverage; and what keeps the history from growing for ever.

Errors of every operation: `StoreUnavailable` when the store does not answer (nothing was written).
"""

from __future__ import annotations

from typing import Protocol


class HealthStore(Protocol):
    """What the operator looks at: runs, quality, coverage; and what keeps the history from growing for ever."""
