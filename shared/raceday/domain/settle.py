"""A response completed with what is known: where it is silent, the stored values stand.

Responses come cut short: a runner without its prices, a list of pools without one of them. What they do not say
must neither erase what is stored nor pass for a change.
"""

from __future__ import annotations

from dataclasses import replace

from raceday.domain.entrant import Entrant
from raceday.domain.odds import TOTE_KINDS, Odds, OddsKind
from raceday.domain.race_poll import KnownEntrant, RaceEvent, RaceState
from raceday.domain.result import KnownResult, RaceResult


def settled(event: RaceEvent, state: RaceState) -> RaceEvent:
    """Return the response with what is known wherever it is silent, so that silence changes nothing.

    A response without any pools stays without: amounts of money are not made out of old totals alone.
    """
    known = state.entrants
    return replace(
        event,
        entrants=tuple(_settled_runner(entrant, known.get(entrant.entrant_id)) for entrant in event.entrants),
        pools=event.pools.merged(state.pools) if event.pools is not None else None,
        result=_settled_result(event, state.result),
    )


def _settled_runner(entrant: Entrant, known: KnownEntrant | None) -> Entrant:
    if known is not None and entrant.is_scratched is None:
        entrant = replace(entrant, is_scratched=known.scratched)
    unsaid = tuple(OddsKind) if entrant.odds is None else entrant.odds_unsaid
    if not unsaid:
        return entrant
    return replace(entrant, odds=_settled_odds(entrant, known), odds_unsaid=())


def _settled_odds(entrant: Entrant, known: KnownEntrant | None) -> Odds:
    """Return the odds that are to be stored.

    A price that is not said stays as it is known, except that a scratched runner has no tote price.
    """
    unsaid = tuple(OddsKind) if entrant.odds is None else entrant.odds_unsaid
    kept = [kind for kind in unsaid if not (entrant.is_scratched and kind in TOTE_KINDS)]
    before = known.odds if known is not None else Odds()
    return replace(entrant.odds or Odds(), **{kind.value: getattr(before, kind.value) for kind in kept})


def _settled_result(event: RaceEvent, known: KnownResult | None) -> RaceResult | None:
    """Return the result as firm as it is known to be when the response has no status of its race to tell by."""
    if event.result is None or event.race.status is not None or known is None:
        return event.result
    return replace(event.result, status=known.status)
