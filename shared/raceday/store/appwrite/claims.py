"""Who may poll which race, on Appwrite: a compare-and-set on one row per race, which also brings the race's state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from raceday.domain.cadence import PollTarget
from raceday.domain.status import RaceStatus
from raceday.errors import StoreConflict
from raceday.store.appwrite.conflicts import begun_again
from raceday.store.appwrite.operations import bulk_create, update
from raceday.store.appwrite.queries import ascending, at_least, below, equal
from raceday.store.appwrite.rows import AppwriteRows
from raceday.store.appwrite.schedule import TARGET_COLUMNS, schedule_columns, target_of
from raceday.store.appwrite.snapshot import OUTDATED
from raceday.store.rows.values import Row, StoredRow, instant_text, optional_instant_text
from raceday.store.tables import POLL_CLAIMS, RACE_RESULTS, RACES
from raceday.store.values import PollClaim, PollWindow

CLAIM_TRIES = 3
TOGETHER_FROM = 4
"""From so many races on, one transaction (four calls) is cheaper than a call for each."""
_RELEASED: Row = {"owner": None, "claimedAt": None, "expiresAt": None}


class AppwriteClaims:
    """Schedules and claims. `_claims_seen` holds the claims' rows as last seen, those won with their state."""

    _rows: AppwriteRows
    _claims_seen: dict[str, StoredRow]

    async def races_to_poll(self, window: PollWindow) -> list[PollTarget]:
        """Return the races of the window that are not over, and those whose result is still to come, by start.

        One call.
        """
        rows = await self._rows.find(
            POLL_CLAIMS,
            equal("toPoll", True),
            at_least("startTime", window.starts_from),
            below("startTime", window.starts_before),
            ascending("startTime"),
            columns=TARGET_COLUMNS,
        )
        targets = [target_of(row) for row in rows]
        chosen = [
            target for target in targets if not target.status.terminal or target.advertised_start >= window.results_from
        ]
        self._claims_seen.update({row["$id"]: row for row in rows})
        return sorted(chosen, key=lambda target: (target.advertised_start, target.race_id))

    async def poll_targets(self, race_ids: Sequence[str]) -> list[PollTarget]:
        """Return the targets of the given races, in the order given; ids that are not stored are left out. One call."""
        rows = await self._schedules(race_ids)
        self._claims_seen.update(rows)
        return [target_of(rows[race_id]) for race_id in dict.fromkeys(race_ids) if race_id in rows]

    async def claim_races(
        self, targets: Sequence[PollTarget], owner: str, at: datetime, ttl_s: float
    ) -> list[PollClaim]:
        """Claim races by compare-and-set, each on its own; return the claims that were won.

        One call a race that this run has just read, two for others; four calls for any number from four on.
        """
        wanted = _Wanted(owner, at, ttl_s)
        if len(targets) >= TOGETHER_FROM:
            together = await self._claim_together(targets, wanted)
            if together is not None:
                return together
        claims = [await self._claim(target, wanted) for target in targets]
        return [claim for claim in claims if claim is not None]

    async def release_claim(self, claim: PollClaim, not_before: datetime | None) -> None:
        """Give a claim back without a poll; a claim that was lost meanwhile is left alone. One call, as a rule."""
        for _ in range(CLAIM_TRIES):
            row = await self._claim_row(claim.race_id)
            if row is None or row["token"] != claim.token or row["owner"] != claim.owner:
                return
            columns = {**_RELEASED, "notBefore": optional_instant_text(not_before)}
            if await self._set(row, columns) is not None:
                return
        raise StoreConflict(f"race {claim.race_id}: its claim is written by others all the time")

    async def _claim(self, target: PollTarget, wanted: _Wanted) -> PollClaim | None:
        """Win or lose one race."""
        row = self._claims_seen.get(target.race_id)
        if row is None or not row["$updatedAt"] or not wanted.may_claim(row, target):
            row = await self._read_claim(target.race_id)
        for _ in range(CLAIM_TRIES):
            if row is None or not wanted.may_claim(row, target):
                return None
            columns = wanted.columns(row)
            won = await self._set(row, columns)
            if won is not None:
                return wanted.claim(won)
            row = await self._read_claim(target.race_id)
            if row is not None and all(row[name] == value for name, value in columns.items()):
                # The answer was lost, and the same call made again was refused: the row is ours all the same.
                return wanted.claim(row)
        return None

    async def _claim_together(self, targets: Sequence[PollTarget], wanted: _Wanted) -> list[PollClaim] | None:
        """Claim races in one transaction; None when somebody else was at one of them, so that each is tried alone."""
        by_id = {target.race_id: target for target in targets}
        rows = {
            race_id: row
            for race_id in by_id
            if (row := self._claims_seen.get(race_id)) is not None and row["$updatedAt"]
        }
        if not all(race_id in rows and wanted.may_claim(rows[race_id], by_id[race_id]) for race_id in by_id):
            rows = await self._schedules(list(by_id))
        free = {race_id: row for race_id, row in rows.items() if wanted.may_claim(row, by_id[race_id])}
        columns = {race_id: wanted.columns(row) for race_id, row in free.items()}
        read: dict[str, StoredRow] = {}

        async def still_free() -> bool:
            read.update({row["$id"]: row for row in await self._rows.of_ids(POLL_CLAIMS, "$id", list(free))})
            return all(read.get(race_id, {}).get("$updatedAt") == row["$updatedAt"] for race_id, row in free.items())

        operations = [update(POLL_CLAIMS, {"$id": race_id, **set_to}) for race_id, set_to in columns.items()]
        try:
            committed = await self._rows.commit(operations, still_free)
        except StoreConflict:
            committed = False
        if not committed:
            self._forget(by_id)
            return None
        for race_id, set_to in columns.items():
            # When the commit wrote the row is not known; who needs its version reads it again.
            self._claims_seen[race_id] = {**read[race_id], **set_to, "$updatedAt": None}
        return [wanted.claim(self._claims_seen[race_id]) for race_id in free]

    async def _set(self, row: StoredRow, columns: Row) -> StoredRow | None:
        """Change a claim's row if nobody wrote it since it was read; None when somebody did."""
        race_id = row["$id"]
        try:
            written = await self._rows.update(POLL_CLAIMS, race_id, columns, unchanged_since=row["$updatedAt"])
        except StoreConflict:
            self._forget([race_id])
            return None
        if written is None:
            raise StoreConflict(f"race {race_id}: its claim's row is gone")
        self._claims_seen[race_id] = written
        return written

    async def _claim_row(self, race_id: str) -> StoredRow | None:
        """Return a claim's row with its version, read unless this run knows it."""
        row = self._claims_seen.get(race_id)
        return row if row is not None and row["$updatedAt"] else await self._read_claim(race_id)

    async def _read_claim(self, race_id: str) -> StoredRow | None:
        row = await self._rows.get(POLL_CLAIMS, race_id)
        if row is None:
            row = (await self._schedules([race_id])).get(race_id)
        if row is not None:
            self._claims_seen[race_id] = row
        return row

    async def _schedules(self, race_ids: Sequence[str]) -> dict[str, StoredRow]:
        """Return the claims' rows of races; those that another importer left without one get theirs."""
        found: dict[str, StoredRow] = {}

        async def read() -> None:
            lacking = [race_id for race_id in dict.fromkeys(race_ids) if race_id not in found]
            rows = await self._rows.of_ids(POLL_CLAIMS, "$id", lacking, columns=TARGET_COLUMNS)
            found.update({row["$id"]: row for row in rows})

        async def read_and_make() -> None:
            await read()
            lacking = [race_id for race_id in dict.fromkeys(race_ids) if race_id not in found]
            if lacking and await self._make_schedules(lacking):
                await read()

        await begun_again(read_and_make)
        return found

    async def _make_schedules(self, race_ids: Sequence[str]) -> bool:
        """Make the rows of stored races that have none; say whether there were any.

        Raises StoreConflict when another run makes one of them first: it may be polling the race by now.
        """
        races = await self._rows.of_ids(RACES, "$id", race_ids, columns=("startTime", "status", "meetingId", "meeting"))
        races = [race for race in races if race["$id"] in race_ids]
        if not races:
            return False
        results = await self._rows.of_ids(RACE_RESULTS, "$id", race_ids, columns=("resultStatus",))
        final = {row["$id"] for row in results if row["resultStatus"] == "final"}
        made = []
        for race in races:
            status = RaceStatus.parse(race["status"]) or RaceStatus.OPEN
            pending = status is RaceStatus.FINAL and race["$id"] not in final
            columns = schedule_columns(
                race["meetingId"] or race["meeting"] or "", race["startTime"], status, result_pending=pending
            )
            # What that importer, or its poller, left is in the tables.
            made.append({"$id": race["$id"], "raceId": race["$id"], "token": 0, "state": OUTDATED, **columns})
        await self._rows.commit(bulk_create(POLL_CLAIMS, made))
        return True

    def _forget(self, race_ids: Sequence[str] | Mapping[str, object]) -> None:
        for race_id in race_ids:
            self._claims_seen.pop(race_id, None)


class _Wanted:
    """What a run wants when it claims: until when, as whom."""

    def __init__(self, owner: str, at: datetime, ttl_s: float) -> None:
        self._owner = owner
        self._at = at
        self._now = instant_text(at)
        self._expires_at = at + timedelta(seconds=ttl_s)

    def may_claim(self, row: StoredRow, target: PollTarget) -> bool:
        """Whether the race is free, or its claim ran out or is our own, and nobody polled it since it was chosen."""
        free = row["owner"] is None or row["owner"] == self._owner or (row["expiresAt"] or "") <= self._now
        return (
            free
            and row["lastPollAt"] == optional_instant_text(target.last_poll_at)
            and row["notBefore"] == optional_instant_text(target.not_before)
        )

    def columns(self, row: StoredRow) -> Row:
        """Return what makes the claim ours."""
        return {
            "owner": self._owner,
            "token": (row["token"] or 0) + 1,
            "claimedAt": self._now,
            "expiresAt": instant_text(self._expires_at),
        }

    def claim(self, row: StoredRow) -> PollClaim:
        """Return the claim that a row of ours says."""
        return PollClaim(row["$id"], self._owner, row["token"], self._at, self._expires_at)
