"""Runners as rows of `entrants`."""

from __future__ import annotations

from raceday.domain.entrant import Entrant
from raceday.domain.money_flow import HoldShare, MoneyFlowBucket
from raceday.domain.odds import Odds
from raceday.domain.race_poll import RacePoll
from raceday.store.rows.values import Row, fitted, instant_text, optional_instant_text, without_nones
from raceday.store.tables import ENTRANTS


def entrant_rows(poll: RacePoll) -> list[Row]:
    """Return the runners that a poll changed, each with its share and amounts of the same moment."""
    at = instant_text(poll.timing.polled_at)
    buckets = {bucket.entrant_id: bucket for bucket in poll.buckets}
    rows: list[Row] = []
    for entrant in poll.entrants:
        row = without_nones(_description(entrant))
        row["lastUpdated"] = at
        if poll.timing.due_at is None:
            row["importedAt"] = at
        row["contentHash"] = poll.entrant_fingerprints[entrant.entrant_id]
        row |= _scratching(entrant)
        if entrant.odds is not None:
            row |= odds_columns(entrant.odds)
        row |= _money(poll.holds.get(entrant.entrant_id), buckets.get(entrant.entrant_id))
        reference = poll.alert_odds.get(entrant.entrant_id)
        row |= without_nones({"impliedPercentage": poll.implied_pct.get(entrant.entrant_id), "alertOdds": reference})
        rows.append(fitted(ENTRANTS, row))
    return rows


def amount_rows(poll: RacePoll) -> list[Row]:
    """Return the newest amounts of the runners that a poll did not change otherwise, with what a row must have."""
    at = instant_text(poll.timing.polled_at)
    changed = {entrant.entrant_id for entrant in poll.entrants}
    buckets = {bucket.entrant_id: bucket for bucket in poll.buckets if bucket.win_cents is not None}
    rows: list[Row] = []
    for entrant in poll.runners:
        bucket = buckets.get(entrant.entrant_id)
        if bucket is not None and entrant.entrant_id not in changed:
            required = {name: _description(entrant)[name] for name in ("$id", "entrantId", "name", "runnerNumber")}
            row = without_nones(required) | {"lastUpdated": at} | amounts_row(bucket)
            rows.append(fitted(ENTRANTS, row))
    return rows


def odds_columns(odds: Odds) -> Row:
    """Return the four prices; None empties the column, because no price is a fact too."""
    return {
        "fixedWinOdds": odds.fixed_win,
        "fixedPlaceOdds": odds.fixed_place,
        "poolWinOdds": odds.pool_win,
        "poolPlaceOdds": odds.pool_place,
    }


def amounts_row(bucket: MoneyFlowBucket) -> Row:
    """Return the newest amounts of a runner that did not change otherwise."""
    return without_nones({"winPoolAmount": bucket.win_cents, "placePoolAmount": bucket.place_cents})


def _description(entrant: Entrant) -> Row:
    opening = entrant.opening
    return {
        "$id": entrant.entrant_id,
        "entrantId": entrant.entrant_id,
        "name": entrant.name,
        "runnerNumber": entrant.runner_number,
        "barrier": entrant.barrier,
        "raceId": entrant.race_id,
        "favourite": entrant.favourite,
        "mover": entrant.mover,
        "runnerChange": entrant.runner_change,
        "jockey": entrant.jockey,
        "trainerName": entrant.trainer_name,
        "silkColours": entrant.silk_colours,
        "silkUrl64": entrant.silk_url_64,
        "silkUrl128": entrant.silk_url_128,
        "barrierPosition": entrant.barrier_position,
        "trainerLocation": entrant.trainer_location,
        "isEmergency": entrant.is_emergency,
        "emergencyPosition": entrant.emergency_position,
        "weightTotal": entrant.weight_total,
        "weightAllocated": entrant.weight_allocated,
        "age": entrant.age,
        "sex": entrant.sex,
        "colour": entrant.colour,
        "gear": entrant.gear,
        "lastTwentyStarts": entrant.last_twenty_starts,
        "apprenticeIndicator": entrant.apprentice_indicator,
        "openingFixedWinOdds": opening.odds if opening is not None else None,
        "openingAt": optional_instant_text(opening.at) if opening is not None else None,
    }


def _scratching(entrant: Entrant) -> Row:
    """Return whether the runner is withdrawn; a runner put back loses the details of its scratching."""
    if entrant.is_scratched is None:
        return {}
    details = entrant.scratching if entrant.is_scratched else None
    if entrant.is_scratched and details is None:
        return {"isScratched": True}
    at = details.at if details is not None else None
    return {
        "isScratched": entrant.is_scratched,
        "isLateScratched": details is not None and details.late,
        "scratchTime": int(at.timestamp()) if at is not None else None,
        "winDeduction": details.win_deduction if details is not None else None,
        "placeDeduction": details.place_deduction if details is not None else None,
    }


def _money(hold: HoldShare | None, bucket: MoneyFlowBucket | None) -> Row:
    row: Row = {}
    if hold is not None:
        row["holdPercentage"] = hold.hold_pct
        row["betPercentage"] = hold.bet_pct
    if bucket is not None:
        row |= amounts_row(bucket)
    return row
