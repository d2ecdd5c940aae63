"""How many meetings a day has, of which kind, and when their first race starts.

Shapes of a real Thursday (12 AU/NZ gallops and harness meetings, 96 races: NZ TAB list of 17 July 2025) and of the
busiest Saturday that the captures allow (26 meetings, 209 races). Beside them a few light cards that an importer of
AU/NZ thoroughbreds and harness has to leave out.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CardShape:
    """One meeting to plan; the start is minutes after midnight of the racing day in New Zealand."""

    country: str
    state: str
    category: str
    races: int
    first_start_min: int
    gap_min: int


def _nz(hour: int, minute: int = 0) -> int:
    return hour * 60 + minute


THURSDAY = (
    CardShape("NZ", "NZ", "H", 10, _nz(11, 35), 30),
    CardShape("NZ", "NZ", "T", 7, _nz(12, 20), 38),
    CardShape("NZ", "NZ", "H", 7, _nz(17, 35), 27),
    CardShape("AUS", "NSW", "T", 8, _nz(14, 40), 37),
    CardShape("AUS", "VIC", "T", 8, _nz(14, 25), 36),
    CardShape("AUS", "QLD", "T", 7, _nz(15, 15), 38),
    CardShape("AUS", "SA", "T", 7, _nz(15, 0), 37),
    CardShape("AUS", "WA", "T", 7, _nz(17, 50), 35),
    CardShape("AUS", "NSW", "H", 9, _nz(15, 35), 30),
    CardShape("AUS", "VIC", "H", 9, _nz(18, 55), 30),
    CardShape("AUS", "QLD", "H", 9, _nz(19, 40), 28),
    CardShape("AUS", "WA", "H", 8, _nz(21, 15), 27),
)
SATURDAY = (
    CardShape("NZ", "NZ", "T", 9, _nz(11, 40), 36),
    CardShape("NZ", "NZ", "T", 9, _nz(12, 5), 36),
    CardShape("NZ", "NZ", "H", 10, _nz(17, 30), 27),
    *(CardShape("AUS", state, "T", 8, _nz(13, 20) + 20 * place, 37)
      for place, state in enumerate(("VIC", "NSW", "QLD", "NSW", "VIC", "SA", "QLD", "TAS", "VIC", "NSW", "NT"))),
    *(CardShape("AUS", state, "T", 7, _nz(15, 10) + 29 * place, 36)
      for place, state in enumerate(("WA", "QLD", "WA", "NSW", "WA"))),
    *(CardShape("AUS", state, "H", races, _nz(17, 50) + 36 * place, 28)
      for place, (state, races) in enumerate(
          (("NSW", 9), ("TAS", 8), ("VIC", 9), ("QLD", 8), ("SA", 8), ("VIC", 8), ("WA", 8)))),
)  # fmt: skip
LEFT_OUT = (
    CardShape("AUS", "VIC", "G", 12, _nz(13, 5), 20),
    CardShape("AUS", "NSW", "G", 10, _nz(20, 5), 22),
    CardShape("NZ", "NZ", "G", 12, _nz(12, 0), 18),
    CardShape("HK", "HK", "T", 8, _nz(22, 15), 30),
    CardShape("UK", "GBR", "T", 6, _nz(24, 50), 30),
    CardShape("FR", "FR", "T", 7, _nz(23, 30), 32),
    CardShape("USA", "KY", "T", 8, _nz(28, 45), 28),
)


def day_shape(*, saturday: bool) -> tuple[CardShape, ...]:
    """Return the cards of a day, the ones an importer wants first."""
    return (SATURDAY if saturday else THURSDAY) + LEFT_OUT
