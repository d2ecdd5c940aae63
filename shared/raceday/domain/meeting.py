"""A race meeting: one course, one day, one code of racing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

AU_NZ = frozenset({"AUS", "AU", "NZ"})
"""Country codes of Australian and New Zealand meetings; the feed says AUS, `AU` only in case it ever comes."""


class RaceCode(StrEnum):
    """The code of racing, as the feed's one-letter category."""

    THOROUGHBRED = "T"
    HARNESS = "H"
    GREYHOUND = "G"


HORSE_CODES = frozenset({RaceCode.THOROUGHBRED, RaceCode.HARNESS})

CATEGORY_NAMES = {
    RaceCode.THOROUGHBRED: "Thoroughbred Horse Racing",
    RaceCode.HARNESS: "Harness Horse Racing",
    RaceCode.GREYHOUND: "Greyhound Racing",
}


def parse_code(text: str) -> RaceCode | None:
    """Return the code that a category letter, name or long text means, or None."""
    wanted = text.strip().lower()
    for code, long_name in CATEGORY_NAMES.items():
        if wanted in {code.value.lower(), code.name.lower(), long_name.lower()}:
            return code
    return None


@dataclass(frozen=True, slots=True)
class Meeting:
    """A meeting as listed by the feed; None means that the response does not say.

    `meeting_date` is its New Zealand racing date.
    """

    meeting_id: str
    name: str | None
    country: str | None
    category: str | None
    category_name: str | None
    meeting_date: date
    state: str | None = None
    track_condition: str | None = None
    track_direction: str | None = None
    track_surface: str | None = None
    rail_position: str | None = None
    weather: str | None = None
    tote_status: str | None = None
    tote_meeting_number: int | None = None
    video_channels: tuple[str, ...] = ()
    quaddie: tuple[int, ...] = ()
    early_quaddie: tuple[int, ...] = ()
    tote_running_doubles: tuple[tuple[int, ...], ...] = ()
    tote_trebles: tuple[tuple[int, ...], ...] = ()
    generated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class MeetingFilter:
    """Which meetings are followed; `countries` None means all."""

    countries: frozenset[str] | None = AU_NZ
    codes: frozenset[RaceCode] = field(default_factory=lambda: HORSE_CODES)

    def follows(self, meeting: Meeting) -> bool:
        """Whether a meeting is followed; the letter decides, the long name when the letter is missing."""
        code = parse_code(meeting.category or "") or parse_code(meeting.category_name or "")
        here = self.countries is None or (meeting.country or "").upper() in self.countries
        return here and code in self.codes

    def select(self, meetings: Iterable[Meeting]) -> list[Meeting]:
        """Return the meetings that are followed, in the given order."""
        return [meeting for meeting in meetings if self.follows(meeting)]
