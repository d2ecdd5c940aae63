"""What silks need of the store, and of the place where icons are kept.

Errors of every operation: `StoreUnavailable` when the store does not answer (nothing was written).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from raceday.domain.silks.jockey_silks import JockeySilks


@dataclass(frozen=True, slots=True)
class SilkRunner:
    """A stored runner with its silks: the feed's text, the jockey and the pictures; "" for what is not known."""

    entrant_id: str
    silk_text: str
    jockey_name: str
    image_url_128: str
    image_url_64: str


class SilkStore(Protocol):
    """What silks need of the store."""

    async def silk_runners(self, race_id: str) -> list[SilkRunner]:
        """Return the runners of a race by number; none when the race or its runners are not stored."""
        ...

    async def silk_runners_by_id(self, entrant_ids: Sequence[str]) -> dict[str, SilkRunner]:
        """Return the stored runners among these ids."""
        ...

    async def silks(self, silk_ids: Sequence[str]) -> dict[str, JockeySilks]:
        """Return the stored silks among these ids."""
        ...

    async def save_silks(self, silks: Sequence[JockeySilks], at: datetime) -> None:
        """Insert or replace silks by id, all or none. The jockey of silks that are stored already is kept."""
        ...


class Icons(Protocol):
    """Where icons are kept: a folder here, a bucket on Appwrite."""

    async def save(self, silk_id: str, svg: str) -> str:
        """Keep an icon under the id of its silks, whole or not at all, and return its URL; twice is once."""
        ...
