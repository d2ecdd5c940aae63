"""Measures what the quality score is made of, from one response and what was known before."""

from __future__ import annotations

from collections.abc import Mapping

from raceday.domain.flow import MoneyFlow
from raceday.domain.money_flow import HoldShare
from raceday.domain.pools import RACE_PRODUCTS, PoolTotals, shrunk_products
from raceday.domain.quality import QualityInputs
from raceday.domain.race_poll import PollTiming, RaceEvent, RaceState


def measure(event: RaceEvent, state: RaceState, flow: MoneyFlow, timing: PollTiming) -> QualityInputs:
    """Return the measurements of one poll.

    The money tracker is expected wherever pools are: NZ TAB sends both, its Australian sister feed neither.
    """
    live = [entrant for entrant in event.entrants if not entrant.is_scratched]
    priced = [entrant for entrant in live if entrant.odds and (entrant.odds.fixed_win or entrant.odds.pool_win)]
    return QualityInputs(
        live_runners=len(live),
        runners_with_price=len(priced),
        hold_sum_pct=_hold_sum(event),
        hold_against_implied_pp=_distance(event.holds, flow),
        pools_present=_pools_present(event.pools),
        shrunk_pools=len(shrunk_products(state.pools, event.pools)) if event.pools is not None else 0,
        payload_age_s=max(0.0, (timing.polled_at - event.generated_at).total_seconds()),
        duplicates=event.duplicates,
        tracker_expected=event.pools is not None,
    )


def _hold_sum(event: RaceEvent) -> float | None:
    """Return the holds of this race's own runners together, in percent."""
    if not event.holds:
        return None
    own = {entrant.entrant_id for entrant in event.entrants}
    return sum(share.hold_pct for entrant_id, share in event.holds.items() if entrant_id in own)


def _distance(holds: Mapping[str, HoldShare] | None, flow: MoneyFlow) -> float | None:
    if not holds or not flow.implied_pct:
        return None
    distances = [
        abs(holds[entrant_id].hold_pct - implied)
        for entrant_id, implied in flow.implied_pct.items()
        if entrant_id in holds
    ]
    return sum(distances) / len(distances) if distances else None


def _pools_present(pools: PoolTotals | None) -> int:
    """Return how many of the race's own products the response itself gave money for."""
    if pools is None:
        return 0
    return sum(1 for product in RACE_PRODUCTS if product not in pools.unlisted and getattr(pools, product) > 0)
