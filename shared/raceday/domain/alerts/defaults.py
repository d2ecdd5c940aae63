"""The six percentage ranges that a user has who set none, or not all of them.

Ranges and colours are those of the original dashboard, which makes the missing rows when it reads them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from raceday.domain.alerts.config import AlertConfig, AlertKind
from raceday.domain.ids import derived_id

DEFAULT_RANGES = {
    1: (5.0, 10.0, "#E5E7EB"),
    2: (10.0, 15.0, "#BFDBFE"),
    3: (15.0, 20.0, "#FEF3C7"),
    4: (20.0, 25.0, "#BBF7D0"),
    5: (25.0, 50.0, "#FECACA"),
    6: (50.0, None, "#F3E8FF"),
}
"""By display order: percent or percentage points from (inclusive) and to (exclusive), and the colour."""


def default_ranges(user_id: str, present: Collection[int] = ()) -> list[AlertConfig]:
    """Return the ranges of a user whose display orders are not among those `present`."""
    return [
        AlertConfig(
            config_id=derived_id("default range", user_id, order),
            user_id=user_id,
            kind=AlertKind.PERCENTAGE_RANGE,
            at_least=lowest,
            below=highest,
            colour=colour,
            display_order=order,
        )
        for order, (lowest, highest, colour) in DEFAULT_RANGES.items()
        if order not in present
    ]


def default_colour(display_order: int | None) -> str:
    """Return the colour of a configuration that has none of its own."""
    return DEFAULT_RANGES[display_order if display_order in DEFAULT_RANGES else 1][2]


class RangeGaps:
    """Completes users' ranges while their configurations pass by, user after user.

    A user with one of the six ranges has the others too; one who switched a range off has it, switched off. A user
    with thresholds alone gets none.
    """

    def __init__(self) -> None:
        self._user_id = ""
        self._present: set[int] = set()

    def completed(self, configs: Iterable[AlertConfig]) -> Iterator[AlertConfig]:
        """Yield the configurations, which come in the order of their users, with each user's missing ranges."""
        for config in configs:
            if config.user_id != self._user_id:
                yield from self.rest()
                self._user_id = config.user_id
            if config.kind is AlertKind.PERCENTAGE_RANGE and config.for_everything and config.display_order:
                self._present.add(config.display_order)
            yield config

    def rest(self) -> list[AlertConfig]:
        """Return the missing ranges of the last user."""
        present, self._present = self._present, set()
        return default_ranges(self._user_id, present) if present else []
