"""Keeps meetings and races in step with the feed's list, which alone knows of every abandonment."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from raceday.domain.meeting import MeetingFilter
from raceday.jobs.ports import Feed

if TYPE_CHECKING:
    from raceday.store.ports import RaceStore

REFRESH_MINUTES = 10


async def refresh_meetings(feed: Feed, store: RaceStore, at: datetime, racing_date: date, wanted: MeetingFilter) -> int:
    """Store what the meeting list says at `at` of the followed meetings and their races; return how many races.

    Event details have been seen to stay Open for ever after a card was called off, or to vanish (404).
    """
    listed = await feed.meetings(racing_date, racing_date)
    followed = [(meeting, races) for meeting, races in listed if wanted.follows(meeting)]
    await store.save_meetings([meeting for meeting, _ in followed], at)
    for _, races in followed:
        await store.save_races(races, at)
    return sum(len(races) for _, races in followed)
