"""What alerts need of the store: configurations, a runner's past, notifications and what is still to be done.

Errors of every operation: `StoreUnavailable` when the store does not answer (nothing was written).
"""

from __future__ import annotations

from typing import Protocol


class AlertStore(Protocol):
    """What alerts need of the store: configurations, a runner's past, notifications and what is still to be done."""
