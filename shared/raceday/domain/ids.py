"""Row ids derived from what a row describes, so that doing something twice leaves one row.

Appwrite allows 36 characters of `[A-Za-z0-9._-]`; a derived id is 32 hexadecimal digits.
"""

from __future__ import annotations

import hashlib
import re

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)


def derived_id(*parts: object) -> str:
    """Return the id of the row that these parts describe; the same parts always give the same id."""
    text = "\x1f".join(str(part) for part in parts)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def is_uuid(text: str) -> bool:
    """Whether a text is a UUID as the feed writes its ids."""
    return _UUID.fullmatch(text) is not None
