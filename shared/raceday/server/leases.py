"""Leases: what one of several servers does at a time, and another one takes over when it is gone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from raceday.clock import Clock
from raceday.errors import RaceDayError
from raceday.jobs.ports import RunLog
from raceday.store.postgres.database import PostgresDatabase

LEASE_TTL_S = 30.0
RENEW_EVERY_S = 10.0
"""A holder misses two renewals before anybody may think that it is gone."""
RELEASE_S = 1.5
"""A stopping server gives its lease back within this, or leaves it to run out."""

_ACQUIRE = """
INSERT INTO server_leases AS held (name, owner, expires_at, created_at, updated_at) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (name) DO UPDATE
    SET owner = excluded.owner, expires_at = excluded.expires_at, updated_at = excluded.updated_at
    WHERE held.owner = excluded.owner OR held.expires_at <= excluded.updated_at
RETURNING name
"""
_RELEASE = "DELETE FROM server_leases WHERE name = %s AND owner = %s"


@dataclass(frozen=True, slots=True)
class Leases:
    """The leases of one server, `owner`, by its clock."""

    database: PostgresDatabase
    clock: Clock
    owner: str
    log: RunLog

    async def acquire(self, name: str) -> bool:
        """Take a lease that nobody holds, or renew one's own; False while another server has it.

        Raises `StoreUnavailable`.
        """
        now = self.clock.now()
        expires_at = now + timedelta(seconds=LEASE_TTL_S)
        return bool(await self.database.rows(_ACQUIRE, (name, self.owner, expires_at, now, now)))

    async def release(self, name: str) -> None:
        """Give a lease back, so that another server need not wait for its end; somebody else's is left alone."""
        await self.database.execute(_RELEASE, (name, self.owner))

    async def lead(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Do the work for as long as this server holds the lease, again and again; never returns by itself.

        While another server holds it, this one stands by. Work whose lease is lost is cancelled: by then another
        server may be at it.
        """
        try:
            while True:
                if await self._still_held(name):
                    self.log.info("lease_taken", lease=name, owner=self.owner)
                    await self._work_while_held(name, work)
                await self.clock.sleep(RENEW_EVERY_S)
        finally:
            # Also when it was cut off while asking: the answer may have been yes.
            await self._given_back(name)

    async def _work_while_held(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        working = asyncio.ensure_future(work())
        renewing = asyncio.ensure_future(self._renew(name))
        try:
            await asyncio.wait({working, renewing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await _cancelled(working, renewing)
        if working.done() and not working.cancelled() and working.exception() is not None:
            self.log.error("leased_work_failed", lease=name, error=repr(working.exception()))

    async def _renew(self, name: str) -> None:
        """Renew until the lease is lost; a database that does not answer for a while is forgiven until its end."""
        held_until = self.clock.now() + timedelta(seconds=LEASE_TTL_S)
        while self.clock.now() < held_until:
            await self.clock.sleep(RENEW_EVERY_S)
            try:
                if not await self.acquire(name):
                    break
                held_until = self.clock.now() + timedelta(seconds=LEASE_TTL_S)
            except RaceDayError as error:
                self.log.warning("lease_not_renewed", lease=name, message=str(error))
        self.log.warning("lease_lost", lease=name, owner=self.owner)

    async def _still_held(self, name: str) -> bool:
        try:
            return await self.acquire(name)
        except RaceDayError as error:
            self.log.warning("lease_not_taken", lease=name, message=str(error))
            return False

    async def _given_back(self, name: str) -> None:
        try:
            async with asyncio.timeout(RELEASE_S):
                await self.release(name)
        except (RaceDayError, TimeoutError) as error:
            message = str(error) or f"the database took longer than {RELEASE_S} s"
            self.log.warning("lease_not_released", lease=name, message=message)


async def _cancelled(*tasks: asyncio.Future[None]) -> None:
    """Cancel tasks and wait until they are gone."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
