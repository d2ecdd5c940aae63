"""The order of names on the platform. Only the platform knows it whole: it depends on the database's collation.

Names that differ in nothing but case, accents or trailing spaces are one name there, so their rows come mixed.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from typing import TypeVar

Named = TypeVar("Named")


def one_name(name: str) -> str:
    """Return what the platform's spellings of one name have in common."""
    if not name.isascii():
        decomposed = unicodedata.normalize("NFKD", name)
        name = "".join(sign for sign in decomposed if not unicodedata.combining(sign))
    return name.casefold().rstrip(" ")


def by_name(rows: Iterable[Named], name_of: Callable[[Named], str]) -> list[Named]:
    """Return rows that come in the platform's order with those of each exact name together.

    Names stay where the platform has them, their spellings come in the order of their characters, and rows of one
    spelling as they came.
    """
    in_order = list(rows)
    places: dict[str, int] = {}
    for row in in_order:
        places.setdefault(one_name(name_of(row)), len(places))
    return sorted(in_order, key=lambda row: (places[one_name(name_of(row))], name_of(row)))


def further_back(one: str, other: str) -> str:
    """Return which of two names comes first; "", which comes before every name, when only the platform can tell.

    Any collation has digits before letters, letters of one case in their order, and a name before those that it begins.
    """
    first, second = sorted((one, other))
    if second.startswith(first):
        return first
    signs = next(one_sign + other for one_sign, other in zip(first, second, strict=False) if one_sign != other)
    is_certain = signs.isascii() and signs.isalnum() and signs in {signs.lower(), signs.upper()}
    return first if is_certain else ""
