"""How the platform's database compares: text without case, accents or trailing spaces, and PHP's loose equality."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_NUMBER = re.compile(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)


@lru_cache(maxsize=65_536)
def folded(text: str) -> str:
    """Return the form in which two texts are the same to MariaDB's general collation."""
    return without_case(text).rstrip(" ")


def without_case(text: str) -> str:
    """Return the text without case and accents, its spaces kept: the form that LIKE compares."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFD", text)
    return "".join(sign for sign in decomposed if not unicodedata.combining(sign)).casefold()


def loosely_equal(old: object, new: object) -> bool:
    """Return PHP's `==`, by which an upsert decides whether a row would change.

    Null equals everything that is falsy, a truth value equals everything of the same truth, and a text equals the
    number that it spells. It is why an upsert of a new row whose values are all falsy writes nothing.
    """
    if type(old) is type(new) and old == new:
        return True
    if old is None or new is None:
        other = new if old is None else old
        return other in (None, "") if isinstance(other, str | None) else not other
    if isinstance(old, bool) or isinstance(new, bool):
        return _is_true(old) == _is_true(new)
    if isinstance(old, str) and isinstance(new, str):
        numbers = _spelt(old), _spelt(new)
        return None not in numbers and numbers[0] == numbers[1]
    if isinstance(old, str) or isinstance(new, str):
        text, number = (old, new) if isinstance(old, str) else (new, old)
        spelt = _spelt(str(text))
        return str(number) == text if spelt is None else spelt == number
    return old == new


def _is_true(value: object) -> bool:
    return bool(value) and value != "0"


def _spelt(text: str) -> float | None:
    """Return the number that a text spells."""
    return float(text) if _NUMBER.fullmatch(text) else None
