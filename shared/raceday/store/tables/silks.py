"""The colours that jockeys wear."""

from __future__ import annotations

from raceday.store.tables.shapes import PUBLIC, Index, Table, boolean, instant, text

PART_SIZE = 2000
_PART = "`ground` and `marks`, each with `shape`, `term` and `colours`; `stated` says whether the text tells it"

JOCKEY_SILKS = Table(
    "jockey-silks",
    (
        text("silkId", 50, required=True),
        text("description", 500, about="the feed's silk text"),
        text("primaryColor", 500, about="JSON: `name`, `hex`, `rgb`, `isLight`"),
        text("secondaryColor", 500, about="as `primaryColor`; empty for silks of one colour"),
        text("pattern", 50, about="one of the client's ten; empty for a text that was not understood"),
        text("iconUrl", 500),
        text("jockeyName", 255, about="the first jockey seen in them"),
        text("svgData", 20000, about="the silk as a drawing"),
        instant("lastUpdated"),
        text("body", PART_SIZE, about=f"JSON: {_PART}"),
        text("sleeves", PART_SIZE, about="JSON as `body`"),
        text("cap", PART_SIZE, about="JSON as `body`"),
        boolean("resolved", about="every word of the text was understood"),
        text("unresolvedWords", 500, about="JSON list"),
        text("colourCheck", 20, about="`agrees`, `differs`, `unavailable` or `none`: the text against a picture"),
        text("colourCheckReason", 300),
        text("imageUrl", 500, about="the picture"),
    ),
    (
        Index("idx_silk_id", ("silkId",), "unique"),
        Index("idx_jockey_name", ("jockeyName",)),
    ),
    PUBLIC,
    about="The colours that a jockey wears, one row for each silk text however it is written; see docs/silks.md.",
)
