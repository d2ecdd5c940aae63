"""Cuts a silk text into tokens: colours, shapes, parts and joining words, and the words that are none of these."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from raceday.domain.silks.colours import SPELLINGS, SilkColour, named_colour
from raceday.domain.silks.shapes import Shape
from raceday.domain.silks.silk import PartName, normalised_silk
from raceday.domain.silks.words import (
    COUNT_WORDS,
    EMBLEM_WORDS,
    FILLERS,
    JOINING_WORDS,
    MAX_PHRASE_WORDS,
    PART_WORDS,
    shape_of,
)

_WORD = re.compile(r"'[^',]*'|\"[^\",]*\"|\([^)]*\)|,|[^\s,]+")
_VOWELS = frozenset("aeiouy")
_IN_BRACKETS = frozenset({"(b and f)", "(front and back)", "(body and sleeves)"})
"""On the front and on the back, and all over: so is everything that nothing else is said of."""


class Kind(Enum):
    """What a token is."""

    COLOUR = auto()
    SHAPE = auto()
    PART = auto()
    COMMA = auto()
    AND = auto()
    WITH = auto()
    ON = auto()
    FILLER = auto()
    UNKNOWN = auto()


@dataclass(frozen=True, slots=True)
class Token:
    """A word or phrase, and what it means: a colour, a shape or a part."""

    kind: Kind
    text: str
    meaning: SilkColour | Shape | PartName | None = None


_JOINS = {"and": Kind.AND, "with": Kind.WITH, "on": Kind.ON}


def silk_tokens(text: str) -> list[Token]:
    """Return the tokens of a silk text; the longest phrase that means something wins."""
    words = [_spelled(word) for word in _WORD.findall(normalised_silk(text))]
    tokens: list[Token] = []
    position = 0
    while position < len(words):
        token, length = _longest(words, position)
        tokens.append(token)
        position += length
    return _with_named_emblems(tokens)


def _spelled(word: str) -> str:
    if word[0] in "'\"(":
        return word
    word = word.strip(".;:!")
    return SPELLINGS.get(word, word)


def _longest(words: Sequence[str], position: int) -> tuple[Token, int]:
    for length in range(min(MAX_PHRASE_WORDS, len(words) - position), 1, -1):
        phrase = " ".join(words[position : position + length])
        token = _known_phrase(phrase)
        if token is not None:
            return token, length
    return _single(words[position]), 1


def _known_phrase(phrase: str) -> Token | None:
    colour = named_colour(phrase)
    if colour is not None:
        return Token(Kind.COLOUR, phrase, colour)
    shape = shape_of(phrase)
    return None if shape is None else Token(Kind.SHAPE, phrase, shape)


def _single(word: str) -> Token:
    """Return the token of one word; in quotation marks it is a shape (`'v'`) or else letters."""
    known = _known_phrase(word.strip("'\""))
    if known is not None and (known.text == word or known.kind is Kind.SHAPE):
        return known
    if word in PART_WORDS:
        return Token(Kind.PART, word, PART_WORDS[word])
    if word in EMBLEM_WORDS:
        return Token(Kind.SHAPE, word, Shape.EMBLEM)
    kind = _joint_or_filler(word)
    if kind is None:
        return Token(Kind.SHAPE, word, Shape.EMBLEM) if _is_lettering(word) else Token(Kind.UNKNOWN, word)
    return Token(kind, word)


def _joint_or_filler(word: str) -> Kind | None:
    if word == ",":
        return Kind.COMMA
    if word in JOINING_WORDS:
        return _JOINS[JOINING_WORDS[word]]
    says_nothing = not word or word.isdecimal() or word in FILLERS | COUNT_WORDS | _IN_BRACKETS
    return Kind.FILLER if says_nothing else None


def _is_lettering(word: str) -> bool:
    """Whether a word is letters sewn on: quoted, one or two letters, or three without a vowel."""
    if word[0] in "'\"":
        return True
    return word.isalpha() and (len(word) <= 2 or (len(word) == 3 and not _VOWELS & set(word)))


def _with_named_emblems(tokens: Sequence[Token]) -> list[Token]:
    """Draw an emblem's name and the word for it (`sam houston logo`) into one token."""
    named: list[Token] = []
    for token in tokens:
        if token.text not in EMBLEM_WORDS:
            named.append(token)
            continue
        name: list[str] = [token.text]
        while named and _may_name_an_emblem(named[-1]):
            name.insert(0, named.pop().text)
        named.append(Token(Kind.SHAPE, " ".join(name), Shape.EMBLEM))
    return named


_NAMING = frozenset({Shape.EMBLEM, Shape.FIGURE, Shape.FIGURES, Shape.HORSESHOE})


def _may_name_an_emblem(token: Token) -> bool:
    return token.kind in {Kind.UNKNOWN, Kind.FILLER} or (token.kind is Kind.SHAPE and token.meaning in _NAMING)
