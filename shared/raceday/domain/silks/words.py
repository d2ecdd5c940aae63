"""The words of silk texts: what each means, in one list that `docs/silks.md` shows.

Singular and plural mean different shapes where it shows (a star, stars). What a shape is put on is fixed for some
(a sash lies on the jacket, armbands on the sleeves, a pom pom on the cap); the others go where the text has got to.
"""

from __future__ import annotations

from collections.abc import Mapping

from raceday.domain.silks.shapes import Shape
from raceday.domain.silks.silk import PartName

SHAPE_WORDS: Mapping[Shape, tuple[str, ...]] = {
    Shape.STRIPES: ("stripes", "striped", "strips", "vertical stripes", "vertical striped"),
    Shape.STRIPE: ("stripe", "vertical stripe", "strip"),
    Shape.DIAGONAL_STRIPES: ("diagonal stripes", "diagonal striped", "diagonal stripe"),
    Shape.HOOPS: ("hoops", "hooped", "hoop", "horizontal stripes", "jagged hoops"),
    Shape.BAND: ("band", "bands", "circlet"),
    Shape.ZIGZAG: ("zigzag", "zig zag", "zigzags"),
    Shape.THIRDS: ("thirds", "horizontal thirds"),
    Shape.VERTICAL_THIRDS: ("vertical thirds",),
    Shape.CHECKS: (
        "checks",
        "check",
        "checked",
        "chequers",
        "chequered",
        "checkered",
        "checkers",
        "diagonal check",
        "diagonal checks",
    ),
    Shape.TARTAN: ("tartan",),
    Shape.DIAMONDS: (
        "diamonds",
        "diamond check",
        "diamond checks",
        "diamond checked",
        "diamond chequers",
        "diamond chequered",
        "chequered diamonds",
    ),
    Shape.DIAMOND: ("diamond",),
    Shape.TRIANGLES: ("triangles", "triangle"),
    Shape.HALVES: ("halves", "halved", "half", "vertical halves", "gradient halves", "wavy halves"),
    Shape.HORIZONTAL_HALVES: ("horizontal halves",),
    Shape.DIAGONAL_HALVES: ("diagonal halves", "diagonal halved", "diagonal half"),
    Shape.QUARTERS: ("quarters", "quartered"),
    Shape.DIABOLO: ("diabolo", "diablo", "hourglass"),
    Shape.SASH: ("sash",),
    Shape.CROSSED_SASHES: ("crossed sashes", "cross sashes", "cross belts", "sashes"),
    Shape.CROSS: ("cross", "crosses", "celtic cross", "cross of lorraine", "st georges cross", "st andrews cross"),
    Shape.MALTESE_CROSS: ("maltese cross", "maltese crosses"),
    Shape.SPOTS: ("spots", "spotted", "dots", "polka dots", "polka dot", "discs", "circles"),
    Shape.SPOT: ("spot", "disc", "circle", "roundel", "ball"),
    Shape.STARS: ("stars", "starred", "southern cross"),
    Shape.STAR: ("star", "starburst"),
    Shape.CHEVRONS: ("chevrons", "chevron"),
    Shape.VEE: ("v", "vee", "vees", "inverted v"),
    Shape.LIGHTNING: ("lightning bolt", "lightning bolts", "lightning", "lightning strike", "laser beams"),
    Shape.HORSESHOE: ("horseshoe", "horseshoes", "horse shoe", "horse shoes", "shoe"),
    Shape.FIGURES: (
        "arrows",
        "card suit shapes",
        "card suits",
        "clovers",
        "crowns",
        "frogs",
        "grapes",
        "hearts",
        "horseheads",
        "horses",
        "raindrops",
        "ribbons",
        "shamrocks",
        "feathers",
        "whips",
    ),
    Shape.FIGURE: (
        "ace of diamonds card",
        "anchor",
        "ancient helmet",
        "arrow",
        "bird",
        "bird of paradise flower",
        "chicken silhouette",
        "chimney stack",
        "clover",
        "crescent",
        "crown",
        "desert flower",
        "dice",
        "dollar sign",
        "eagle",
        "emu",
        "eyelashes",
        "fern",
        "fernleaf",
        "fleur de lis",
        "fleur de lys",
        "flower",
        "harp",
        "heart",
        "helmet",
        "horse",
        "horse face",
        "horse head",
        "horse silhouette",
        "horsehead",
        "kangaroo",
        "kiwi",
        "knight",
        "lily",
        "lion",
        "lotus flower",
        "maple leaf",
        "marlin",
        "milling wheel",
        "mountains",
        "moon",
        "musical note",
        "obelisk",
        "omega",
        "palm tree",
        "prince of wales feathers",
        "question mark",
        "rooster",
        "sail",
        "seahorse",
        "shamrock",
        "shield",
        "silver fern",
        "stickman",
        "sturt desert rose",
        "sun",
        "swan",
        "treble clef",
        "trident",
        "unicorn",
        "union jack",
        "water truck",
        "wheel",
        "whip",
        "wolf head",
        "yorkshire rose",
    ),
    Shape.BRACES: ("braces", "brace"),
    Shape.YOKE: ("yoke", "yolk", "shoulders"),
    Shape.EPAULETTES: ("epaulettes", "epaulets", "epaulette"),
    Shape.BRAID: ("braid", "braids"),
    Shape.SEAMS: ("seams", "seam", "piping", "trim", "outline", "outlines"),
    Shape.PANEL: ("panel", "panels", "background", "back ground"),
    Shape.COLLAR: ("collar",),
    Shape.WAISTBAND: ("waistband", "waist band", "belt"),
    Shape.ARMBANDS: ("armbands", "armband", "arm bands", "arm band"),
    Shape.CUFFS: ("cuffs", "cuff"),
    Shape.PEAK: ("peak",),
    Shape.POM_POM: ("pom pom", "pompom", "pom poms", "tassel"),
}

PLACES: Mapping[Shape, PartName] = {
    Shape.SASH: PartName.BODY,
    Shape.CROSSED_SASHES: PartName.BODY,
    Shape.BRACES: PartName.BODY,
    Shape.YOKE: PartName.BODY,
    Shape.EPAULETTES: PartName.BODY,
    Shape.BRAID: PartName.BODY,
    Shape.PANEL: PartName.BODY,
    Shape.COLLAR: PartName.BODY,
    Shape.WAISTBAND: PartName.BODY,
    Shape.ARMBANDS: PartName.SLEEVES,
    Shape.CUFFS: PartName.SLEEVES,
    Shape.PEAK: PartName.CAP,
    Shape.POM_POM: PartName.CAP,
}

PART_WORDS: Mapping[str, PartName] = {
    "body": PartName.BODY,
    "jacket": PartName.BODY,
    "sleeve": PartName.SLEEVES,
    "sleeves": PartName.SLEEVES,
    "cap": PartName.CAP,
}

EMBLEM_WORDS = frozenset(
    {"brand", "emblem", "initials", "letter", "logo", "logos", "motif", "motifs", "symbol", "writing"}
)
"""Words before one of these are the emblem's name, whatever they are."""

COUNT_WORDS = frozenset(
    {"one", "two", "three", "four", "five", "six", "seven", "eight"} | {"single", "double", "twin", "triple", "treble"}
)

FILLERS = frozenset(
    {
        "a",
        "all",
        "an",
        "back",
        "conjoined",
        "diagonal",
        "entwined",
        "framed",
        "front",
        "gradient",
        "horizontal",
        "inside",
        "interlocking",
        "inverted",
        "jagged",
        "large",
        "linked",
        "outlined",
        "over",
        "side",
        "small",
        "stylised",
        "stylized",
        "the",
        "vertical",
        "wavy",
    }
)
"""Words that say nothing that a small drawing could show."""

JOINING_WORDS = {"and": "and", "to": "and", "with": "with", "in": "with", "on": "on", "down": "on"}
"""Words that join, by what they do: `and` goes on, `with` puts on what follows, `on` puts onto what follows."""

ADJECTIVES = frozenset(
    {
        "checked",
        "checkered",
        "chequered",
        "diagonal halved",
        "diagonal striped",
        "half",
        "halved",
        "hooped",
        "quartered",
        "spotted",
        "starred",
        "striped",
    }
)
"""Shape words that stand before the part they describe: after another shape they begin something new."""

MAX_PHRASE_WORDS = 4

_SHAPES = {word: shape for shape, words in SHAPE_WORDS.items() for word in words}


def shape_of(phrase: str) -> Shape | None:
    """Return the shape that a word or phrase means, or None."""
    return _SHAPES.get(phrase)
