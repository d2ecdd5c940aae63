"""Who may poll which race, in SQLite: claims by compare-and-set on one row per race."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from raceday.domain.cadence import PollTarget
from raceday.domain.status import TERMINAL
from raceday.store.rows.states import poll_target
from raceday.store.rows.values import instant_text, optional_instant_text
from raceday.store.sqlite.connection import SqliteConnection, placeholders
from raceday.store.values import PollClaim, PollWindow

_TARGETS = (
    'SELECT races."$id", races."meetingId", races."startTime", races.status, '
    'poll_claims."lastPollAt", poll_claims."notBefore", '
    "races.status = 'Final' AND coalesce(race_results.\"resultStatus\", '') <> 'final' "
    'FROM races LEFT JOIN poll_claims ON poll_claims."$id" = races."$id" '
    'LEFT JOIN race_results ON race_results."$id" = races."$id" '
)
_COMPARE_AND_SET = (
    'UPDATE poll_claims SET owner = ?, token = token + 1, "claimedAt" = ?, "expiresAt" = ?, "$updatedAt" = ? '
    'WHERE "$id" = ? AND (owner IS NULL OR owner = ? OR "expiresAt" <= ?) '
    'AND "lastPollAt" IS ? AND "notBefore" IS ? RETURNING token'
)
_TERMINAL = tuple(sorted(status.value for status in TERMINAL))


def races_to_poll(db: SqliteConnection, window: PollWindow) -> list[PollTarget]:
    """Return the races of the window that are not over, and those whose result is still to come, by start time."""
    rows = db.read(
        _TARGETS + 'WHERE races."startTime" >= ? AND races."startTime" < ? '
        f"AND (races.status NOT IN ({placeholders(_TERMINAL)}) "
        "OR (races.status = 'Final' AND races.\"startTime\" >= ? "
        "AND coalesce(race_results.\"resultStatus\", '') <> 'final')) "
        'ORDER BY races."startTime", races."$id"',
        (
            instant_text(window.starts_from),
            instant_text(window.starts_before),
            *_TERMINAL,
            instant_text(window.results_from),
        ),
    )
    return [poll_target(*row) for row in rows]


def poll_targets(db: SqliteConnection, race_ids: Sequence[str]) -> list[PollTarget]:
    """Return the targets of the given races, in the order given; ids that are not stored are left out."""
    rows = db.read(_TARGETS + f'WHERE races."$id" IN ({placeholders(race_ids)})', race_ids)
    found = {row[0]: poll_target(*row) for row in rows}
    return [found[race_id] for race_id in dict.fromkeys(race_ids) if race_id in found]


def claim_races(
    db: SqliteConnection, targets: Sequence[PollTarget], owner: str, at: datetime, ttl_s: float
) -> list[PollClaim]:
    """Claim races, each by compare-and-set, and return the claims that were won."""
    expires_at = at + timedelta(seconds=ttl_s)
    with db.writing():
        claims = [_claim(db, target, owner, at, expires_at) for target in targets]
    return [claim for claim in claims if claim is not None]


def _claim(
    db: SqliteConnection, target: PollTarget, owner: str, at: datetime, expires_at: datetime
) -> PollClaim | None:
    """Win or lose one race. The row of a race never claimed is made on the way; unknown races get none."""
    now = instant_text(at)
    wanted = (
        owner,
        now,
        instant_text(expires_at),
        now,
        target.race_id,
        owner,
        now,
        optional_instant_text(target.last_poll_at),
        optional_instant_text(target.not_before),
    )
    won = db.rows(_COMPARE_AND_SET, wanted)
    if not won and target.last_poll_at is None:
        db.write(
            'INSERT INTO poll_claims ("$id", "$createdAt", "$updatedAt", "raceId", token) '
            'SELECT "$id", ?, ?, "$id", 0 FROM races WHERE "$id" = ? ON CONFLICT ("$id") DO NOTHING',
            (now, now, target.race_id),
        )
        db.step("claim made")
        won = db.rows(_COMPARE_AND_SET, wanted)
    db.step("claim tried")
    return PollClaim(target.race_id, owner, won[0]["token"], at, expires_at) if won else None


def release_claim(db: SqliteConnection, claim: PollClaim, not_before: datetime | None) -> None:
    """Give a claim back without a poll; a claim that was lost meanwhile is left alone."""
    with db.writing():
        db.write(
            'UPDATE poll_claims SET owner = NULL, "claimedAt" = NULL, "expiresAt" = NULL, "notBefore" = ? '
            'WHERE "$id" = ? AND token = ? AND owner = ?',
            (optional_instant_text(not_before), claim.race_id, claim.token, claim.owner),
        )


def give_back(db: SqliteConnection, claim: PollClaim, polled_at: str) -> None:
    """Mark the race polled and end the claim; the token stays, so that older writers are refused."""
    db.write(
        'UPDATE poll_claims SET owner = NULL, "claimedAt" = NULL, "expiresAt" = NULL, "notBefore" = NULL, '
        '"lastPollAt" = ?, "$updatedAt" = ? WHERE "$id" = ?',
        (polled_at, polled_at, claim.race_id),
    )
