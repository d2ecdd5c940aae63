"""The buckets: where files are kept on a platform that has no folders.

Declared beside the tables, so that set-up and appwrite.json make both from one catalogue.
"""

from __future__ import annotations

from dataclasses import dataclass

from raceday.store.tables.shapes import PUBLIC


@dataclass(frozen=True, slots=True)
class Bucket:
    """One bucket. `permissions` are Appwrite's; `allowed_extensions` are without the dot."""

    bucket_id: str
    permissions: tuple[str, ...]
    maximum_file_size_bytes: int
    allowed_extensions: tuple[str, ...]
    about: str = ""


SILK_ICONS = Bucket(
    "silk-icons",
    PUBLIC,
    # Drawings take one or two KB; the column that holds the same drawing ends at 20,000 characters.
    100_000,
    ("svg",),
    about="The icons of jockeys' silks: `<silkId>.svg`, readable by anyone.",
)

BUCKETS = (SILK_ICONS,)
