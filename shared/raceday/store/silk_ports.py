"""What silks need of the store.

Errors of every operation: `StoreUnavailable` when the store does not answer (nothing was written).
"""

from __future__ import annotations

from typing import Protocol


class SilkStore(Protocol):
    """What silks need of the store."""
