"""What the event functions need of the store: a runner's buckets, a race's pools, and what events left out.

Errors of every operation: `StoreUnavailable` when the store does not answer (nothing was written).
"""

from __future__ import annotations

from typing import Protocol


class FlowStore(Protocol):
    """What the event functions need of the store: a runner's buckets, a race's pools, and what events left out."""
