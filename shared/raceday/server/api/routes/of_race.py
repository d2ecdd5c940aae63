"""What all endpoints about one race share."""

from __future__ import annotations

from pydantic import Field

from raceday.server.api.errors import NotStored
from raceday.server.api.parameters import Asked, StoredId


class OfRace(Asked):
    """Which race is asked about."""

    race_id: StoredId = Field(description="The race.", examples=["5b1c3a70-62aa-4f4e-8f6d-0c6f0d6a1f10"])


def unknown_race(race_id: str) -> NotStored:
    """Return the error of a race that is not stored."""
    return NotStored(f"race {race_id} is not stored: /api/races lists the races of a meeting")
