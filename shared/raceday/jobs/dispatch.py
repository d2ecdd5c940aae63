"""Who polls what the scheduler finds due, and how much: what scheduler, pollers and configuration agree on."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

FOLLOW = timedelta(seconds=50)
"""How long a looping poller follows its races: less than a minute, so that runs do not pile up."""
MAX_RACE_IDS = 50
"""The most races that one execution is asked to poll."""


class Dispatch(StrEnum):
    """Who polls the due races."""

    ENHANCED = "enhanced"
    """One execution of enhanced-race-poller for all of them, which loops inside until the next minute."""
    SINGLE_OR_BATCH = "single-or-batch"
    """Seed 003: one due race goes to single-race-poller, several to batch-race-poller."""
