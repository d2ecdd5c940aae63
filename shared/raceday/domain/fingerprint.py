"""Whether two responses say the same: a short hash of what would be stored."""

from __future__ import annotations

import hashlib

import orjson


def fingerprint(*values: object) -> str:
    """Return 16 hexadecimal digits that are equal for equal values (dataclasses, dictionaries, numbers, text)."""
    canonical = orjson.dumps(values, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
    return hashlib.blake2b(canonical, digest_size=8).hexdigest()
