"""Reads a silk text (`Cerise & gold hoops, cerise sleeves & quartered cap`) into jacket, sleeves and cap.

What the text leaves unsaid follows the customs of racing silks (feed captures of July 2025 to July 2026):
- a phrase without a part goes on about the part that was named last, the jacket first;
- a shape or part without a colour has the colour of the phrase before it: `red, white band and cap`;
- a pattern before a part needs a second colour: told one, the cloth is the jacket's; told none, it takes the
  jacket's two colours;
- sleeves that are not mentioned are cut from the jacket's cloth, a cap from its colour.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from raceday.domain.silks.colours import SilkColour
from raceday.domain.silks.phrases import Phrase, silk_phrases
from raceday.domain.silks.shapes import Shape
from raceday.domain.silks.silk import Garment, Mark, PartName, Silk, silk_id
from raceday.domain.silks.tokens import Kind, silk_tokens
from raceday.domain.silks.words import PLACES

Colours = tuple[SilkColour, ...]

_ALWAYS_SHOWS = frozenset(
    {Shape.TARTAN, Shape.EMBLEM, Shape.FIGURE, Shape.COLLAR, Shape.CUFFS, Shape.WAISTBAND, Shape.PEAK, Shape.POM_POM}
)
"""What can be seen although it has no colour of its own: many-coloured things, and edges."""

MAX_MARKS = 6
"""More on one part than any real silks have (4 were seen) is not understood."""
MAX_WORD = 40
"""How much of a word that was not understood is kept."""


def read_silk(text: str) -> Silk:
    """Return what a silk text means; a text that is not understood says which words are to blame."""
    phrases = silk_phrases(silk_tokens(text))
    reading = _Reading()
    for number, phrase in enumerate(phrases):
        reading.unresolved += phrase.unknown
        if number == 0:
            reading.jacket(phrase)
        else:
            reading.phrase(phrase)
    return reading.silk(text)


@dataclass(slots=True)
class _Part:
    """A part while it is being read."""

    ground: SilkColour | None = None
    marks: list[Mark] = field(default_factory=list)


@dataclass(slots=True)
class _Reading:
    """How far a text has been read.

    `part` is what a phrase without a part is about, `colours` what a phrase without a colour has, and `copied` the
    part that a bare `and cap` is made like, when the phrase before was about a whole part.
    """

    parts: dict[PartName, _Part] = field(default_factory=lambda: {name: _Part() for name in PartName})
    part: PartName = PartName.BODY
    colours: Colours = ()
    copied: PartName | None = None
    unresolved: list[str] = field(default_factory=list)

    def jacket(self, phrase: Phrase) -> None:
        """Read the first phrase: the jacket's cloth, and what is made on it in the other colours."""
        body = self.parts[PartName.BODY]
        if not phrase.colours or phrase.part not in {None, PartName.BODY}:
            self._unclear(phrase)
            return
        body.ground, *others = phrase.colours
        self.colours = tuple(others) or (body.ground,)
        self.copied = PartName.BODY if others else None
        if phrase.shape is not None:
            self._mark(PartName.BODY, phrase, tuple(others))
        elif others:
            self.unresolved += [colour.name for colour in others]

    def phrase(self, phrase: Phrase) -> None:
        """Read a phrase about a part, or about what is put on one."""
        if phrase.onto:
            self._put_on(phrase)
        elif phrase.part is not None:
            self._wear(phrase, phrase.part)
        elif phrase.shape is not None:
            self._put(phrase, phrase.shape)
        elif not phrase.unknown:
            self._unclear(phrase)

    def silk(self, text: str) -> Silk:
        """Return the silk, with what was not said filled in from the jacket."""
        body = self.parts[PartName.BODY]
        if body.ground is None and not self.unresolved:
            self.unresolved.append("no colour")
        garments = {} if self.unresolved or body.ground is None else self._garments(body.ground)
        told = None if body.ground is None else Garment(body.ground)
        return Silk(
            silk_id(text),
            text,
            garments.get(PartName.BODY, told),
            garments.get(PartName.SLEEVES),
            garments.get(PartName.CAP),
            tuple(dict.fromkeys(word[:MAX_WORD] for word in self.unresolved)),
        )

    def _garments(self, ground: SilkColour) -> dict[PartName, Garment]:
        body, sleeves, cap = (self.parts[name] for name in PartName)
        marks = sleeves.marks
        if sleeves.ground is None and all(mark.shape.is_trim for mark in marks):
            marks = [mark for mark in body.marks if mark.shape.covers] + marks
        return {
            PartName.BODY: Garment(ground, tuple(body.marks)),
            PartName.SLEEVES: Garment(sleeves.ground or ground, tuple(marks), _is_stated(sleeves)),
            PartName.CAP: Garment(cap.ground or ground, tuple(cap.marks), _is_stated(cap)),
        }

    def _put_on(self, phrase: Phrase) -> None:
        """Read `white stars on sleeves and cap`."""
        if phrase.shape is None:
            self._unclear(phrase)
            return
        colours = tuple(phrase.colours) or self.colours
        for part in dict.fromkeys(phrase.onto):
            self._mark(part, phrase, colours)
        self._now_at(phrase.onto[-1], colours, None)

    def _wear(self, phrase: Phrase, part: PartName) -> None:
        """Read `white sleeves`, `black and gold striped cap`, `quartered cap` or the bare `cap` after `sleeves and`."""
        colours = phrase.colours or self._two_colours(phrase.link)
        if phrase.shape is None:
            self._wear_plain(phrase, part)
            return
        if not colours or PLACES.get(phrase.shape, part) is not part:
            self._unclear(phrase)
            return
        ground, *others = colours
        if len(phrase.colours) == 1 and phrase.shape is not Shape.TARTAN:
            ground, others = self._cloth_under(ground), [ground]
        self._dress(part, ground)
        self._mark(part, phrase, tuple(others))
        self._now_at(part, tuple(others) or (ground,), part)

    def _wear_plain(self, phrase: Phrase, part: PartName) -> None:
        worn = self.parts[part]
        if phrase.colours:
            ground, *others = phrase.colours
            self._dress(part, ground)
            self.unresolved += [colour.name for colour in others]
        elif self.copied is not None:
            like = self.parts[self.copied]
            self._dress(part, like.ground)
            worn.marks += [mark for mark in like.marks if mark.shape not in PLACES and mark not in worn.marks]
        elif len(self.colours) == 1:
            self._dress(part, self.colours[0])
        else:
            self._unclear(phrase)
        self._now_at(part, (worn.ground,) if worn.ground else (), part)

    def _dress(self, part: PartName, cloth: SilkColour | None) -> None:
        """Give a part its cloth; two different ones cannot be, nor a mark already told that would not show on it."""
        worn = self.parts[part]
        if cloth is None:
            return
        if worn.ground not in {None, cloth}:
            self.unresolved.append(cloth.name)
        worn.ground = cloth
        for mark in worn.marks:
            if set(mark.colours) == {cloth} and mark.shape not in _ALWAYS_SHOWS:
                self.unresolved += mark.term.split()

    def _put(self, phrase: Phrase, shape: Shape) -> None:
        """Read what is put on the part in hand, or on the only part it can be on."""
        colours = tuple(phrase.colours) or self.colours
        part = PLACES.get(shape, self.part)
        if not phrase.colours and colours == (self.parts[part].ground,) and shape not in PLACES:
            # `black sleeves and maltese cross`: black on black cannot be meant, so it is on the jacket.
            part = PartName.BODY
        self._mark(part, phrase, colours)
        self._now_at(part, colours, None)

    def _mark(self, part: PartName, phrase: Phrase, colours: Colours) -> None:
        """Put a phrase's shape on a part; one that would not show there is not understood.

        An emblem or figure may keep its colours to itself, and edges may be of the cloth. A mark in the colour of the
        cloth lies on an earlier mark: `red, black yoke, red diamonds`.
        """
        shape, worn = phrase.shape, self.parts[part]
        if shape is None:
            return
        ground = worn.ground or self.parts[PartName.BODY].ground
        shows = bool(set(colours) - {ground}) or (bool(phrase.colours) and bool(worn.marks))
        if shape is Shape.EMBLEM or (shape is Shape.FIGURE and not shows):
            colours = tuple(phrase.colours)
        if (shows or shape in _ALWAYS_SHOWS) and len(worn.marks) < MAX_MARKS:
            worn.marks.append(Mark(shape, colours, phrase.term))
        else:
            self.unresolved += phrase.term.split()

    def _now_at(self, part: PartName, colours: Colours, copied: PartName | None) -> None:
        self.part, self.colours, self.copied = part, colours, copied

    def _two_colours(self, link: Kind) -> list[SilkColour]:
        """Return the colours of a pattern that has none of its own: `stars sleeves`, `and stars cap`.

        After an `and` they are those just told, where these are two; else the jacket's.
        """
        like = self.parts[self.copied or PartName.BODY].ground
        if link is Kind.AND and like is not None and like not in self.colours:
            return [like, *self.colours]
        return self._jacket_colours()

    def _jacket_colours(self) -> list[SilkColour]:
        """Return the jacket's two colours: its cloth, and that of its first mark or else of the sleeves."""
        body, sleeves = self.parts[PartName.BODY], self.parts[PartName.SLEEVES]
        if body.ground is None:
            return []
        marks = [mark.colours for mark in (*body.marks, *sleeves.marks)]
        told = [*marks[: len(body.marks)], (sleeves.ground,), *marks[len(body.marks) :]]
        others = [colour for colours in told for colour in colours if colour not in {None, body.ground}]
        return [body.ground, *[colour for colour in others[:1] if colour is not None]]

    def _cloth_under(self, colour: SilkColour) -> SilkColour:
        """Return the jacket's cloth, or its second colour for a mark in the colour of the cloth."""
        ours = [other for other in self._jacket_colours() if other != colour]
        return ours[0] if ours else colour

    def _unclear(self, phrase: Phrase) -> None:
        said = [colour.name for colour in phrase.colours] + phrase.term.split()
        self.unresolved += said + [name.value for name in ([phrase.part] if phrase.part else [])]


def _is_stated(part: _Part) -> bool:
    return part.ground is not None or bool(part.marks)
