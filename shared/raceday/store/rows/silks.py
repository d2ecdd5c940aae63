"""Silks as rows of `jockey-silks`, and back; runners as far as silks need them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import orjson

from raceday.domain.silks.check import ColourCheck, Verdict
from raceday.domain.silks.colours import SilkColour
from raceday.domain.silks.jockey_silks import JockeySilks, client_colour
from raceday.domain.silks.shapes import Shape
from raceday.domain.silks.silk import Garment, Mark, Silk
from raceday.store.rows.values import Row, StoredRow, fitted, instant_text, json_text
from raceday.store.silk_ports import SilkRunner
from raceday.store.tables import JOCKEY_SILKS
from raceday.store.tables.silks import PART_SIZE

RUNNER_COLUMNS = ("$id", "silkColours", "jockey", "silkUrl128", "silkUrl64")


def silk_row(kept: JockeySilks, at: datetime) -> Row:
    """Return silks as a row."""
    silk = kept.silk
    row: Row = {
        "$id": silk.silk_id,
        "silkId": silk.silk_id,
        "description": silk.text,
        "primaryColor": _optional_json(client_colour(silk.primary)),
        "secondaryColor": _optional_json(client_colour(silk.secondary)),
        "pattern": silk.pattern.value if silk.pattern is not None else None,
        "iconUrl": kept.icon_url,
        "jockeyName": kept.jockey_name or None,
        "svgData": kept.svg,
        "lastUpdated": instant_text(at),
        "body": _garment_text(silk.body),
        "sleeves": _garment_text(silk.sleeves),
        "cap": _garment_text(silk.cap),
        "resolved": silk.resolved,
        "unresolvedWords": json_text(silk.unresolved, JOCKEY_SILKS.column("unresolvedWords").size),
        "colourCheck": kept.check.verdict.value,
        "colourCheckReason": kept.check.reason,
        "imageUrl": kept.image_url or None,
    }
    return fitted(JOCKEY_SILKS, row)


def silk_of(row: StoredRow) -> JockeySilks:
    """Return the silks of a stored row."""
    silk = Silk(
        silk_id=row["$id"],
        text=row["description"],
        body=_garment(row["body"]),
        sleeves=_garment(row["sleeves"]),
        cap=_garment(row["cap"]),
        unresolved=tuple(orjson.loads(row["unresolvedWords"])),
    )
    return JockeySilks(
        silk=silk,
        svg=row["svgData"],
        icon_url=row["iconUrl"],
        jockey_name=row["jockeyName"] or "",
        check=ColourCheck(Verdict(row["colourCheck"]), row["colourCheckReason"]),
        image_url=row["imageUrl"] or "",
    )


def silk_runner(row: StoredRow) -> SilkRunner:
    """Return a runner from a stored row with `RUNNER_COLUMNS`."""
    entrant_id, *texts = (row[column] or "" for column in RUNNER_COLUMNS)
    return SilkRunner(entrant_id, *texts)


def _optional_json(value: object) -> str | None:
    return None if value is None else orjson.dumps(value).decode()


def _garment_text(garment: Garment | None) -> str | None:
    """Return a part as JSON that fits its column; of more marks than fit the last ones are left off."""
    if garment is None:
        return None
    marks = [_mark_json(mark) for mark in garment.marks]
    told = {"ground": _colour_json(garment.ground), "stated": garment.stated, "marks": marks}
    while len(text := orjson.dumps(told).decode()) > PART_SIZE:
        marks.pop()
    return text


def _mark_json(mark: Mark) -> dict[str, object]:
    return {
        "shape": mark.shape.value,
        "term": mark.term,
        "colours": [_colour_json(colour) for colour in mark.colours],
    }


def _colour_json(colour: SilkColour) -> dict[str, str]:
    return {"name": colour.name, "hex": colour.hex}


def _garment(text: str | None) -> Garment | None:
    if text is None:
        return None
    told: dict[str, Any] = orjson.loads(text)
    marks = [
        Mark(Shape(mark["shape"]), tuple(SilkColour(**colour) for colour in mark["colours"]), mark["term"])
        for mark in told["marks"]
    ]
    return Garment(SilkColour(**told["ground"]), tuple(marks), told["stated"])
