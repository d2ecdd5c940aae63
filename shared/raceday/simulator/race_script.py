"""When what happens to one race: starts that are put back, the jump, closing, interim and final, or nothing at all.

All moments are whole Unix seconds, fixed when the day is planned. Distributions are fitted to the feed captures of
July 2025 to March 2026: delay of the jump by code, Closed within 1.5 min of it, Interim after 1 to 3 min, Final after
3 to 10 min and more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from raceday.simulator.chance import from_quantiles, generator

if TYPE_CHECKING:
    from random import Random

Status = Literal["Open", "Closed", "Interim", "Final", "Abandoned"]
AbandonedEvent = Literal["abandoned", "open", "missing"]
Protest = Literal["upheld", "dismissed"]

_JUMP_DELAY_S = {
    "T": ((0, 15), (0.05, 28), (0.25, 41), (0.5, 61), (0.75, 101), (0.95, 235), (1, 420)),
    "G": ((0, 15), (0.05, 28), (0.25, 37), (0.5, 44), (0.75, 55), (0.95, 88), (1, 180)),
    "H": ((0, 40), (0.05, 65), (0.25, 68), (0.5, 78), (0.75, 107), (0.95, 169), (1, 300)),
}
_CLOSE_AFTER_JUMP_S = ((0, 0), (0.5, 15), (0.9, 45), (1, 90))
_INTERIM_AFTER_JUMP_S = {
    "T": ((0, 95), (0.5, 150), (0.9, 230), (1, 320)),
    "G": ((0, 50), (0.5, 75), (0.9, 130), (1, 200)),
    "H": ((0, 140), (0.5, 175), (0.9, 230), (1, 300)),
}
_FINAL_AFTER_JUMP_S = {
    "T": ((0, 300), (0.25, 420), (0.5, 520), (0.75, 600), (0.95, 840), (1, 960)),
    "G": ((0, 170), (0.25, 215), (0.5, 260), (0.75, 330), (0.95, 420), (1, 520)),
    "H": ((0, 320), (0.25, 370), (0.5, 410), (0.75, 460), (0.95, 600), (1, 780)),
}
_MARKET_OPEN_BEFORE_H = {"T": (20, 62), "G": (6, 50), "H": (7, 30)}
_PUT_BACK_SHARE, _FALSE_START_SHARE, _PROTEST_SHARE = 0.06, 0.03, 0.015


@dataclass(frozen=True, slots=True)
class RaceScript:
    """The fixed course of one race; every moment in Unix seconds."""

    market_open_s: int
    first_start_s: int
    put_back_at_s: int | None
    last_start_s: int
    false_close_s: int | None
    reopen_s: int | None
    jump_s: int
    closed_s: int
    interim_s: int
    final_s: int
    protest: Protest | None
    abandoned_s: int | None = None
    abandoned_event: AbandonedEvent = "abandoned"

    def advertised_start_s(self, at_s: int) -> int:
        """Return the advertised start as the feed states it at that moment."""
        if self.put_back_at_s is not None and at_s >= self.put_back_at_s:
            return self.last_start_s
        return self.first_start_s

    def actual_start_s(self, at_s: int) -> int:
        """Return the actual start, which equals the advertised one until the jump."""
        jumped = at_s >= self.jump_s and not self.is_abandoned(at_s)
        return self.jump_s if jumped else self.advertised_start_s(at_s)

    def is_abandoned(self, at_s: int) -> bool:
        """Return whether the race has been called off by then."""
        return self.abandoned_s is not None and at_s >= self.abandoned_s

    def status(self, at_s: int) -> Status:
        """Return the status that the meetings list states."""
        if self.is_abandoned(at_s):
            return "Abandoned"
        if at_s >= self.final_s:
            return "Final"
        if at_s >= self.interim_s:
            return "Interim"
        return "Closed" if self._is_closed(at_s) else "Open"

    def event_status(self, at_s: int) -> Status | None:
        """Return the status inside the event, None when the feed has taken the event away.

        Seen on the real feed: details of called-off races that stay Open or vanish, while the meetings list says
        Abandoned.
        """
        if not self.is_abandoned(at_s):
            return self.status(at_s)
        return {"abandoned": "Abandoned", "open": "Open", "missing": None}[self.abandoned_event]

    def betting_ends_s(self) -> int:
        """Return when the last money counts: the close, or the moment the race was called off."""
        return self.closed_s if self.abandoned_s is None else min(self.closed_s, self.abandoned_s)

    def _is_closed(self, at_s: int) -> bool:
        if at_s >= self.closed_s:
            return True
        if self.false_close_s is None or self.reopen_s is None:
            return False
        return self.false_close_s <= at_s < self.reopen_s


def _put_back(rng: Random, start_s: int, gap_s: int) -> tuple[int | None, int]:
    """Return when a later start is announced (None: never) and the start that counts."""
    if rng.random() >= _PUT_BACK_SHARE:
        return None, start_s
    later_s = max(120, min(60 * rng.randint(2, 20), gap_s - 600))
    return start_s - rng.randint(60, 720), start_s + later_s


def _closing(rng: Random, start_s: int, jump_s: int) -> tuple[int | None, int | None, int]:
    """Return a close that is taken back, its end, and the jump, which a false start delays."""
    if rng.random() >= _FALSE_START_SHARE:
        return None, None, jump_s
    false_close_s = start_s + rng.randint(20, 60)
    reopen_s = false_close_s + rng.randint(45, 120)
    return false_close_s, reopen_s, max(jump_s, reopen_s + rng.randint(45, 150))


def plan_script(seed: int, race_id: str, category: str, start_s: int, gap_s: int) -> RaceScript:
    """Return the course of a race that is advertised for `start_s`, the next of its meeting `gap_s` later."""
    rng = generator(seed, race_id, "script")
    opens_h = rng.uniform(*_MARKET_OPEN_BEFORE_H[category])
    put_back_at_s, last_start_s = _put_back(rng, start_s, gap_s)
    jump_s = last_start_s + round(from_quantiles(rng, _JUMP_DELAY_S[category]))
    false_close_s, reopen_s, jump_s = _closing(rng, last_start_s, jump_s)
    closed_s = jump_s + round(from_quantiles(rng, _CLOSE_AFTER_JUMP_S))
    interim_s = max(closed_s + 20, jump_s + round(from_quantiles(rng, _INTERIM_AFTER_JUMP_S[category])))
    protest: Protest | None = None
    if category != "G" and rng.random() < _PROTEST_SHARE:
        protest = rng.choice(("upheld", "dismissed", "dismissed"))
    final_s = max(interim_s + 60, jump_s + round(from_quantiles(rng, _FINAL_AFTER_JUMP_S[category])))
    return RaceScript(
        market_open_s=start_s - round(opens_h * 3600),
        first_start_s=start_s,
        put_back_at_s=put_back_at_s,
        last_start_s=last_start_s,
        false_close_s=false_close_s,
        reopen_s=reopen_s,
        jump_s=jump_s,
        closed_s=closed_s,
        interim_s=interim_s,
        final_s=final_s + (240 if protest else 0),
        protest=protest,
    )
