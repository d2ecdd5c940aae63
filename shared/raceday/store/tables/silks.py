"""The colours that jockeys wear."""

from __future__ import annotations

from raceday.store.tables.shapes import PUBLIC, Index, Table, instant, text

JOCKEY_SILKS = Table(
    "jockey-silks",
    (
        text("silkId", 50, required=True),
        text("description", 500),
        text("primaryColor", 500),
        text("secondaryColor", 500),
        text("pattern", 50),
        text("iconUrl", 500),
        text("jockeyName", 255),
        text("svgData", 20000, about="the silk as a drawing"),
        instant("lastUpdated"),
    ),
    (
        Index("idx_silk_id", ("silkId",), "unique"),
        Index("idx_jockey_name", ("jockeyName",)),
    ),
    PUBLIC,
    about="The colours that a jockey wears.",
)
