"""What one response changes, compared with what is known: the heart of RaceDay, and pure.

`derive_poll` is the one place where a `RaceEvent` and a `RaceState` become a `RacePoll`; every poller, the
daily import and the replay go through it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from raceday.domain.alerts.moves import AlertMoves, alert_moves
from raceday.domain.entrant import Entrant
from raceday.domain.fingerprint import fingerprint
from raceday.domain.flow import MoneyFlow, RaceMoney, money_flow
from raceday.domain.money_flow import Estimator, bucket_of, minutes_to_start
from raceday.domain.odds import Odds, OddsKind, OddsTick, moved_prices
from raceday.domain.quality import STALE_AFTER_S, consistent, poll_quality
from raceday.domain.quality_inputs import measure
from raceday.domain.race import StatusTransition
from raceday.domain.race_poll import KnownEntrant, PollTiming, RaceEvent, RacePoll, RaceState
from raceday.domain.result import KnownResult, RaceResult, supersedes
from raceday.domain.settle import settled
from raceday.domain.status import RaceStatus, is_backward


@dataclass(frozen=True, slots=True)
class DeriveSettings:
    """The choices that an operator has.

    A move of `alert_move_pct` percent raises an event for the runner; a poll that scores less than
    `quality_threshold` is marked as degraded.
    """

    estimator: Estimator = Estimator.HOLD
    alert_move_pct: float = 5.0
    quality_threshold: int = 75


def derive_poll(
    event: RaceEvent, state: RaceState, timing: PollTiming, settings: DeriveSettings | None = None
) -> RacePoll:
    """Return everything that a response changes against the last known state of its race.

    A response older than the one last written changes nothing: the live rows never go back in time.
    """
    settings = settings or DeriveSettings()
    status = next_status(state.status, event.race.status)
    event = settled(event, state)
    entrants = event.entrants
    money = _race_money(event, state)
    flow = _flow(money, state, status, settings)
    measured = measure(event, state, flow, timing)
    prints = {entrant.entrant_id: _entrant_print(entrant, event, flow) for entrant in entrants}
    race_print = _race_print(event, status, prints)
    outdated = state.generated_at is not None and event.generated_at < state.generated_at
    opens_bucket = _fills_new_bucket(flow, state)
    changed = not outdated and (race_print != state.fingerprint or opens_bucket)
    known = state.entrants
    changed_entrants = tuple(
        entrant for entrant in entrants if changed and _differs(known.get(entrant.entrant_id), entrant, prints)
    )
    moves = (
        alert_moves(entrants, known, settings.alert_move_pct, opens_bucket=opens_bucket) if changed else AlertMoves()
    )
    quality = poll_quality(measured)
    return RacePoll(
        race=event.race,
        timing=timing,
        changed=changed,
        fingerprint=race_print if changed else state.fingerprint,
        generated_at=event.generated_at,
        status=status if changed else state.status,
        transition=_transition(state, status, event) if changed else None,
        runners=entrants,
        entrants=changed_entrants,
        entrant_fingerprints=prints,
        moved=moves.moved,
        alert_odds=moves.references,
        odds_ticks=_odds_ticks(changed_entrants, state, event) if changed else (),
        buckets=flow.buckets if changed else (),
        repairs=flow.repairs if changed else (),
        pools=event.pools if changed else None,
        result=_new_result(event.result, state.result) if changed else None,
        quality=quality,
        consistent=consistent(measured),
        stale=measured.payload_age_s > STALE_AFTER_S,
        degraded=quality.score < settings.quality_threshold and status is not RaceStatus.ABANDONED,
        implied_pct=flow.implied_pct,
        holds=event.holds or {},
        drift=event.drift,
    )


def next_status(known: RaceStatus, said: RaceStatus | None) -> RaceStatus:
    """Return the status after a response.

    An unknown status keeps what was known. An abandoned race stays abandoned while its event still says Open:
    the meeting list knows of abandonments that event details never learn of.
    """
    if said is None:
        return known
    if known is RaceStatus.ABANDONED and said is RaceStatus.OPEN:
        return known
    return said


def _transition(state: RaceState, status: RaceStatus, event: RaceEvent) -> StatusTransition | None:
    if status is state.status:
        return None
    return StatusTransition(state.status, status, event.generated_at, is_backward(state.status, status))


def _race_money(event: RaceEvent, state: RaceState) -> RaceMoney:
    scratched_before = {known.entrant_id for known in state.entrants.values() if known.scratched}
    newly_scratched = any(
        entrant.is_scratched and entrant.entrant_id in state.entrants and entrant.entrant_id not in scratched_before
        for entrant in event.entrants
    )
    return RaceMoney(
        race_id=event.race.race_id,
        advertised_start=event.race.advertised_start,
        at=event.generated_at,
        odds={entrant.entrant_id: entrant.odds or Odds() for entrant in event.entrants if not entrant.is_scratched},
        holds=event.holds,
        pools=event.pools,
        after_scratching=newly_scratched,
    )


def _flow(money: RaceMoney, state: RaceState, status: RaceStatus, settings: DeriveSettings) -> MoneyFlow:
    if status is RaceStatus.ABANDONED:
        return MoneyFlow()
    stored = {entrant_id: known.buckets for entrant_id, known in state.entrants.items()}
    return money_flow(money, stored, settings.estimator)


def _fills_new_bucket(flow: MoneyFlow, state: RaceState) -> bool:
    """Whether a runner gets a bucket it does not have yet, so that unchanged pools still leave no gap."""
    for bucket in flow.buckets:
        known = state.entrants.get(bucket.entrant_id)
        if known is None or all(amounts.bucket != bucket.bucket for amounts in known.buckets):
            return True
    return False


def _entrant_print(entrant: Entrant, event: RaceEvent, flow: MoneyFlow) -> str:
    share = event.holds.get(entrant.entrant_id) if event.holds else None
    # The price history comes with the first response only, and is no news about the runner.
    plain = replace(entrant, price_history=()) if entrant.price_history else entrant
    return fingerprint(plain, share, flow.implied_pct.get(entrant.entrant_id))


def _race_print(event: RaceEvent, status: RaceStatus, entrant_prints: Mapping[str, str]) -> str:
    result = replace(event.result, seen_at=event.race.advertised_start) if event.result else None
    return fingerprint(event.race, status, entrant_prints, event.pools, result)


def _differs(known: KnownEntrant | None, entrant: Entrant, prints: Mapping[str, str]) -> bool:
    return known is None or known.fingerprint != prints[entrant.entrant_id]


def _odds_ticks(entrants: tuple[Entrant, ...], state: RaceState, event: RaceEvent) -> tuple[OddsTick, ...]:
    ticks: list[OddsTick] = []
    race_id = event.race.race_id
    bucket = bucket_of(minutes_to_start(event.race.advertised_start, event.generated_at))
    for entrant in entrants:
        known = state.entrants.get(entrant.entrant_id)
        if known is None:
            ticks.extend(
                OddsTick(
                    race_id,
                    entrant.entrant_id,
                    OddsKind.FIXED_WIN,
                    point.odds,
                    point.at,
                    opening=point == entrant.opening,
                    from_history=True,
                )
                for point in entrant.price_history
                if point.at < event.generated_at
            )
        ticks.extend(
            OddsTick(race_id, entrant.entrant_id, kind, odds, event.generated_at, bucket=bucket)
            for kind, odds in moved_prices(known.odds if known else None, entrant.odds or Odds())
        )
    return tuple(ticks)


def _new_result(result: RaceResult | None, known: KnownResult | None) -> RaceResult | None:
    """Return the result when it is to be written: it is new or different, and says no less than the stored one."""
    if result is None or not supersedes(result, known):
        return None
    return result if known is None or known.fingerprint != result_print(result) else None


def result_print(result: RaceResult) -> str:
    """Return the fingerprint of a result, whatever the time it was seen at."""
    return fingerprint(
        result.status,
        result.placings,
        result.dividends,
        result.protest_lodged,
        result.protest_reason,
        result.substitutes,
    )
