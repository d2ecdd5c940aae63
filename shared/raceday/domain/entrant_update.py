"""What a row event says about a runner: the row as some writer left it, at the time it was written.

The pollers derive everything inline; the event functions work for every other writer (an older poller, a correction
by hand). All that they derive comes from such updates, so that the order in which events arrive does not matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from raceday.domain.money_flow import HoldShare
from raceday.domain.odds import Odds


@dataclass(frozen=True, slots=True)
class EntrantUpdate:
    """One runner as a writer left it. Amounts in cents, shares in percent; None is what the row does not say.

    `written_at` is when the writer saw what it wrote: the row's own `lastUpdated`, or the time of the write itself
    where the writer did not care to set it (a correction by hand).
    """

    entrant_id: str
    race_id: str
    name: str
    runner_number: int | None
    odds: Odds
    written_at: datetime
    scratched: bool = False
    scratched_at: datetime | None = None
    hold: HoldShare | None = None
    implied_pct: float | None = None
    win_cents: int | None = None
    place_cents: int | None = None
