"""Silks as they are kept: what the text means, the icon, who wears them, and what came of looking at a picture."""

from __future__ import annotations

from dataclasses import dataclass

from raceday.domain.silks.check import ColourCheck
from raceday.domain.silks.colours import SilkColour
from raceday.domain.silks.silk import Silk


@dataclass(frozen=True, slots=True)
class JockeySilks:
    """One row of `jockey-silks`; `jockey_name` is the first jockey or driver seen in them, "" when nobody is known."""

    silk: Silk
    svg: str
    icon_url: str
    jockey_name: str
    check: ColourCheck
    image_url: str = ""


def client_silk(kept: JockeySilks) -> dict[str, object]:
    """Return silks as the client's type has them, and with what it lacks: whether and what was not understood."""
    silk = kept.silk
    return {
        "silkId": silk.silk_id,
        "jockeyName": kept.jockey_name,
        "primaryColor": client_colour(silk.primary),
        "secondaryColor": client_colour(silk.secondary),
        "pattern": silk.pattern.value if silk.pattern is not None else None,
        "iconUrl": kept.icon_url,
        "svgData": kept.svg,
        "description": silk.text,
        "resolved": silk.resolved,
        "unresolvedWords": list(silk.unresolved),
        "colourCheck": kept.check.verdict.value,
        "colourCheckReason": kept.check.reason,
    }


def client_colour(colour: SilkColour | None) -> dict[str, object] | None:
    """Return a colour as the client's type has it: name, hex, rgb and whether dark writing reads on it."""
    if colour is None:
        return None
    red, green, blue = colour.rgb
    return {
        "name": colour.name,
        "hex": colour.hex,
        "rgb": {"r": red, "g": green, "b": blue},
        "isLight": colour.is_light,
    }
