"""What a caller may ask an event to carry besides the usual."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_WITH = (
    "with_money_tracker", "with_tote_trends_data", "with_will_pays", "with_big_bets", "with_live_bets",
    "with_biggest_bet",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class EventOptions:
    """The `with_…` parameters of `/events/{id}`."""

    money_tracker: bool = False
    tote_trends: bool = False
    will_pays: bool = False
    big_bets: bool = False
    live_bets: bool = False
    biggest_bet: bool = False

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> EventOptions:
        """Read the options out of a query; unknown parameters (`will_pays`, `with_results`, …) are ignored."""
        return cls(*(query.get(name, "").lower() in {"true", "1", "t"} for name in _WITH))

    def query(self) -> str:
        """Return the options as the feed repeats them in `header.url`: sorted, only the set ones."""
        chosen = sorted(name for name, asked in zip(_WITH, self._asked(), strict=True) if asked)
        return "&".join(f"{name}=true" for name in chosen)

    def echo(self, event_id: str) -> dict[str, object]:
        """Return `params`, in which `with_will_pays` comes back as `will_pays`."""
        return {
            "enc": "json",
            "id": event_id,
            "present_overlay": False,
            "with_big_bets": self.big_bets,
            "with_live_bets": self.live_bets,
            "with_money_tracker": self.money_tracker,
            "with_biggest_bet": self.biggest_bet,
            "will_pays": self.will_pays,
            "with_tote_trends_data": self.tote_trends,
            "bet_type_filter": "",
            "bets_limit": 10,
        }

    def _asked(self) -> tuple[bool, ...]:
        return (
            self.money_tracker, self.tote_trends, self.will_pays, self.big_bets, self.live_bets, self.biggest_bet,
        )  # fmt: skip
