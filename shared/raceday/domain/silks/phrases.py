"""Groups the tokens of a silk text into phrases: colours, then what is made in them, then the part that wears it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from raceday.domain.silks.colours import SilkColour
from raceday.domain.silks.shapes import Shape
from raceday.domain.silks.silk import PartName
from raceday.domain.silks.tokens import Kind, Token
from raceday.domain.silks.words import ADJECTIVES, PLACES


@dataclass(slots=True)
class Phrase:
    """One statement of the text, such as `black and gold striped cap` or `white stars on sleeves`.

    `link` is how it follows the one before; `part` is what it describes, `onto` what its marks are put on.
    """

    link: Kind
    colours: list[SilkColour] = field(default_factory=list)
    shapes: list[Token] = field(default_factory=list)
    part: PartName | None = None
    onto: list[PartName] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    @property
    def only_colours(self) -> bool:
        """Whether it has colours and nothing yet that is made in them."""
        return bool(self.colours) and not self.shapes and self.part is None

    @property
    def is_empty(self) -> bool:
        """Whether it says nothing."""
        return not (self.colours or self.shapes or self.part or self.onto or self.unknown)

    @property
    def shape(self) -> Shape | None:
        """What is made: the last shape named, of which those before are the make (a diamond sash is a sash)."""
        said = [token.meaning for token in self.shapes if isinstance(token.meaning, Shape)]
        outlined = said[:-1] if len(said) > 1 and said[-1] is Shape.SEAMS else said
        return outlined[-1] if outlined else None

    @property
    def term(self) -> str:
        """The words for what is made."""
        return " ".join(token.text for token in self.shapes)


def silk_phrases(tokens: Sequence[Token]) -> list[Phrase]:
    """Return the phrases of a text; the first one is of the jacket."""
    phrases = [Phrase(Kind.COMMA)]
    putting_on = False
    for token in tokens:
        if token.kind is Kind.FILLER:
            continue
        if token.kind is Kind.COMMA:
            putting_on = False
        if putting_on and _put_on(phrases[-1], token):
            continue
        putting_on = token.kind is Kind.ON
        if not putting_on:
            _take(phrases, token)
    return [phrase for phrase in phrases if not phrase.is_empty]


def _put_on(phrase: Phrase, token: Token) -> bool:
    """Note what a phrase's marks are put on, as in `on sleeves and cap`; False when the token says something else."""
    if token.kind is Kind.AND:
        return True
    place = token.meaning if isinstance(token.meaning, PartName) else PLACES.get(token.meaning)  # type: ignore[arg-type]
    if place is None:
        return False
    phrase.onto.append(place)
    return True


def _take(phrases: list[Phrase], token: Token) -> None:
    current = phrases[-1]
    match token.kind:
        case Kind.COMMA | Kind.AND | Kind.WITH:
            if not _goes_on(current, token.kind, first=len(phrases) == 1):
                phrases.append(Phrase(token.kind))
        case Kind.COLOUR:
            if current.shapes or current.part or current.onto:
                current = _next(phrases)
            if isinstance(token.meaning, SilkColour):
                current.colours.append(token.meaning)
        case Kind.SHAPE:
            if current.part or (token.text in ADJECTIVES and _is_complete(current)):
                current = _next(phrases)
            current.shapes.append(token)
        case Kind.PART:
            if current.part:
                current = _next(phrases)
            current.part = token.meaning if isinstance(token.meaning, PartName) else None
        case _:
            current.unknown.append(token.text)


def _next(phrases: list[Phrase]) -> Phrase:
    phrases.append(Phrase(Kind.WITH))
    return phrases[-1]


def _goes_on(phrase: Phrase, joint: Kind, *, first: bool) -> bool:
    """Whether a list of colours goes on over a comma, an `and` or a `with`.

    The jacket's colour, which comes first, ends at the first comma.
    """
    return phrase.is_empty or (phrase.only_colours and (joint is Kind.AND or not first))


def _is_complete(phrase: Phrase) -> bool:
    """Whether a phrase names a thing already, so that an adjective begins the next (`hearts quartered cap`)."""
    return bool(phrase.shapes) and phrase.shapes[-1].text not in ADJECTIVES
