"""What a race's last known state is once a poll was written: for stores that keep it in one piece."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from raceday.domain.derive import result_print
from raceday.domain.entrant import Entrant
from raceday.domain.money_flow import BucketAmounts
from raceday.domain.odds import Odds
from raceday.domain.race_poll import KnownEntrant, RacePoll, RaceState
from raceday.domain.result import KnownResult, RaceResult, settled_dividends


def state_after(state: RaceState, poll: RacePoll) -> RaceState:
    """Return what is known after `poll`, which was derived from `state`: what a store would read back."""
    if not poll.changed:
        return state
    entrants = dict(state.entrants)
    for entrant in poll.entrants:
        entrants[entrant.entrant_id] = _known(entrants.get(entrant.entrant_id), entrant, poll)
    written: dict[str, list[BucketAmounts]] = defaultdict(list)
    for bucket in poll.buckets:
        written[bucket.entrant_id].append(BucketAmounts(bucket.bucket, bucket.win_cents, bucket.place_cents))
    for entrant_id, amounts in written.items():
        if entrant_id in entrants:
            entrants[entrant_id] = _with_buckets(entrants[entrant_id], amounts)
    return RaceState(
        race_id=state.race_id,
        status=poll.status,
        advertised_start=poll.race.advertised_start,
        fingerprint=poll.fingerprint,
        entrants=entrants,
        pools=replace(poll.pools, unlisted=()) if poll.pools is not None else state.pools,
        result=known_result(poll.result) if poll.result is not None else state.result,
        generated_at=poll.generated_at,
    )


def known_result(result: RaceResult) -> KnownResult:
    """Return a result as far as the next one is compared with it."""
    return KnownResult(
        status=result.status,
        placings=len(result.placings),
        dividends=len(settled_dividends(result.dividends)),
        fingerprint=result_print(result),
    )


def _known(before: KnownEntrant | None, entrant: Entrant, poll: RacePoll) -> KnownEntrant:
    """Return a runner after it was written: what the response does not say stays."""
    known = before or KnownEntrant(entrant.entrant_id, Odds(), scratched=False, fingerprint="")
    return replace(
        known,
        odds=known.odds if entrant.odds is None else entrant.odds,
        scratched=known.scratched if entrant.is_scratched is None else entrant.is_scratched,
        fingerprint=poll.entrant_fingerprints[entrant.entrant_id],
        alert_odds=poll.alert_odds.get(entrant.entrant_id, known.alert_odds),
    )


def _with_buckets(known: KnownEntrant, written: list[BucketAmounts]) -> KnownEntrant:
    """Return a runner with its buckets, of which the last poll wins."""
    by_bucket = {amounts.bucket: amounts for amounts in (*known.buckets, *written)}
    return replace(known, buckets=tuple(by_bucket.values()))
