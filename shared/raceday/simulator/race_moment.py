"""One race at one moment: what every part of the event body is rendered from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from raceday.simulator.dividends import paid_places

if TYPE_CHECKING:
    from collections.abc import Sequence

    from raceday.simulator.event_options import EventOptions
    from raceday.simulator.multi_legs import MultiLegPool
    from raceday.simulator.race_model import RaceModel
    from raceday.simulator.race_script import Status


@dataclass(frozen=True, slots=True)
class RaceMoment:
    """A race as it stands; `shares` are the runners' shares of the win pool, 0 for the scratched."""

    model: RaceModel
    multi_legs: Sequence[MultiLegPool]
    status: Status
    at_s: int
    options: EventOptions
    shares: Sequence[float]
    starters: int

    @property
    def places(self) -> int:
        """How many places the tote pays."""
        return paid_places(self.starters)

    @property
    def has_outcome(self) -> bool:
        """Whether results and dividends are shown."""
        return self.status in {"Interim", "Final"}


def race_moment(
    model: RaceModel, multi_legs: Sequence[MultiLegPool], status: Status, at_s: int, options: EventOptions
) -> RaceMoment:
    """Return a race at a moment; `multi_legs` are the pools over several races of which it is a leg."""
    starters = sum(1 for runner in model.runners if not runner.runner.is_scratched(at_s))
    return RaceMoment(model, multi_legs, status, at_s, options, model.tote.shares(at_s), starters)
