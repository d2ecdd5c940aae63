"""Keeps meetings and races in step with the feed's list, which alone knows of every abandonment."""

from __future__ import annotations

from datetime import date

from raceday.domain.meeting import MeetingFilter
from raceday.jobs.ports import JobPorts

REFRESH_MINUTES = 10


async def refresh_meetings(ports: JobPorts, racing_date: date, wanted: MeetingFilter) -> int:
    """Store what the meeting list says now of the followed meetings and their races; return how many races.

    Event details have been seen to stay Open for ever after a card was called off, or to vanish (404).
    """
    listed = await ports.feed.meetings(racing_date, racing_date)
    followed = [(meeting, races) for meeting, races in listed if wanted.follows(meeting)]
    await ports.store.save_meetings([meeting for meeting, _ in followed], ports.clock.now())
    for _, races in followed:
        await ports.store.save_races(races, ports.clock.now())
    return sum(len(races) for _, races in followed)
