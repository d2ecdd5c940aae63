"""Who may poll which race, in PostgreSQL: claims by compare-and-set on one row per race, and nobody waits for one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import orjson

from raceday.domain.cadence import PollTarget
from raceday.domain.status import TERMINAL
from raceday.store.postgres.database import PostgresDatabase
from raceday.store.rows.states import poll_target
from raceday.store.rows.values import instant_text, optional_instant_text
from raceday.store.values import PollClaim, PollWindow

_TARGETS = (
    "SELECT races.race_id, races.meeting_id, races.start_time, races.status, "
    "poll_claims.last_poll_at, poll_claims.not_before, "
    "races.status = 'Final' AND coalesce(race_results.result_status, '') <> 'final' "
    "FROM races LEFT JOIN poll_claims USING (race_id) LEFT JOIN race_results USING (race_id) "
)
_TERMINAL = [status.value for status in TERMINAL]
# A row that another server is claiming this very moment is passed over: that server has it.
_CLAIM = """
    WITH wanted AS (
        SELECT * FROM jsonb_to_recordset(%(wanted)s)
            AS target (race_id text, last_poll_at timestamptz, not_before timestamptz)
    ),
    made AS (
        INSERT INTO poll_claims (race_id, owner, token, claimed_at, expires_at, created_at, updated_at)
        SELECT race_id, %(owner)s, 1, %(at)s, %(expires_at)s, %(at)s, %(at)s
        FROM wanted JOIN races USING (race_id) WHERE last_poll_at IS NULL AND not_before IS NULL
        ON CONFLICT (race_id) DO NOTHING
        RETURNING race_id, token
    ),
    free AS (
        SELECT race_id FROM poll_claims AS claim JOIN wanted USING (race_id)
        WHERE (claim.owner IS NULL OR claim.owner = %(owner)s OR claim.expires_at <= %(at)s)
            AND claim.last_poll_at IS NOT DISTINCT FROM wanted.last_poll_at
            AND claim.not_before IS NOT DISTINCT FROM wanted.not_before
        FOR UPDATE OF claim SKIP LOCKED
    ),
    taken AS (
        UPDATE poll_claims AS claim SET
            owner = %(owner)s, token = token + 1, claimed_at = %(at)s, expires_at = %(expires_at)s, updated_at = %(at)s
        FROM free WHERE claim.race_id = free.race_id
        RETURNING claim.race_id, claim.token
    )
    SELECT race_id, token FROM made UNION ALL SELECT race_id, token FROM taken
"""


async def races_to_poll(db: PostgresDatabase, window: PollWindow) -> list[PollTarget]:
    """Return the races of the window that are not over, and those whose result is still to come, by start time."""
    rows = await db.tuples(
        _TARGETS + "WHERE races.start_time >= %s AND races.start_time < %s "
        "AND (races.status <> ALL(%s) OR (races.status = 'Final' AND races.start_time >= %s "
        "AND coalesce(race_results.result_status, '') <> 'final')) "
        "ORDER BY races.start_time, races.race_id",
        (
            instant_text(window.starts_from),
            instant_text(window.starts_before),
            _TERMINAL,
            instant_text(window.results_from),
        ),
    )
    return [poll_target(*row) for row in rows]


async def poll_targets(db: PostgresDatabase, race_ids: Sequence[str]) -> list[PollTarget]:
    """Return the targets of the given races, in the order given; ids that are not stored are left out."""
    rows = await db.tuples(_TARGETS + "WHERE races.race_id = ANY(%s)", (list(race_ids),))
    found = {row[0]: poll_target(*row) for row in rows}
    return [found[race_id] for race_id in dict.fromkeys(race_ids) if race_id in found]


async def claim_races(
    db: PostgresDatabase, targets: Sequence[PollTarget], owner: str, at: datetime, ttl_s: float
) -> list[PollClaim]:
    """Claim races, each by compare-and-set, in one statement; return the claims that were won, in the order given."""
    expires_at = at + timedelta(seconds=ttl_s)
    wanted = [
        {
            "race_id": target.race_id,
            "last_poll_at": optional_instant_text(target.last_poll_at),
            "not_before": optional_instant_text(target.not_before),
        }
        for target in targets
    ]
    parameters = {
        "wanted": orjson.dumps(wanted).decode(),
        "owner": owner,
        "at": instant_text(at),
        "expires_at": instant_text(expires_at),
    }
    tokens = dict(await db.tuples(_CLAIM, parameters))
    return [
        PollClaim(target.race_id, owner, tokens[target.race_id], at, expires_at)
        for target in targets
        if target.race_id in tokens
    ]


async def release_claim(db: PostgresDatabase, claim: PollClaim, not_before: datetime | None) -> None:
    """Give a claim back without a poll; a claim that was lost meanwhile is left alone."""
    await db.execute(
        "UPDATE poll_claims SET owner = NULL, claimed_at = NULL, expires_at = NULL, not_before = %s "
        "WHERE race_id = %s AND token = %s AND owner = %s",
        (optional_instant_text(not_before), claim.race_id, claim.token, claim.owner),
    )
