"""Kills writers of a database at one step after another, for test_store_kill_points.

Run as `python store_kill_child.py SOURCE FOLDER`: for each step of `killable` a copy of SOURCE is made in FOLDER,
and a forked process that does the write on that copy kills itself with SIGKILL when it comes to the step.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from pathlib import Path

from contract.store_examples import event, race, result, runner
from contract.store_steps import LATER, SOON, TTL_S, claimed, imported, polled, state_of
from raceday.domain.derive import derive_poll
from raceday.domain.odds import Odds
from raceday.domain.race_poll import PollTiming, RacePoll
from raceday.domain.status import RaceStatus
from raceday.store.sqlite import SqliteStore
from raceday.store.values import PollClaim

OWNER = "run-2"
OTHER_RACES = [race(2), race(3)]


async def prepare(path: Path) -> None:
    """Make a database with a race that was polled once and is claimed for its next poll."""
    store = SqliteStore.open(path)
    await imported(store)
    await polled(store, event(race(), SOON))
    await claimed(store, race().race_id, LATER, OWNER)
    await store.close()


def the_claim() -> PollClaim:
    """Return the claim that `prepare` left standing."""
    return PollClaim(race().race_id, OWNER, 2, LATER, LATER)


async def the_poll(store: SqliteStore) -> RacePoll:
    """Return a poll that changes every table: odds moved, pools grew, the race ended."""
    ended = race(status=RaceStatus.FINAL)
    said = event(
        ended,
        LATER,
        win_cents=2_000_000,
        entrants=(runner(1, ended, odds=Odds(2.0, 1.3, 2.9, 1.4)), runner(2, ended), runner(3, ended)),
        result=result(ended, LATER),
    )
    return derive_poll(said, await state_of(store, ended.race_id), PollTiming(LATER, LATER, 30, 40))


async def save_poll(store: SqliteStore) -> None:
    """Save the poll under the standing claim."""
    await store.save_poll(await the_poll(store), the_claim())


async def save_races(store: SqliteStore) -> None:
    """Import two more races."""
    await store.save_races(OTHER_RACES, LATER)


async def claim_races(store: SqliteStore) -> None:
    """Claim two races, of which one is held."""
    await store.save_races(OTHER_RACES, LATER)
    targets = await store.poll_targets([other.race_id for other in OTHER_RACES])
    await store.claim_races(targets, "run-3", LATER, TTL_S)


WRITES = {"save_poll": save_poll, "save_races": save_races, "claim_races": claim_races}


def steps_of(path: Path, write: str) -> list[str]:
    """Return the steps that a write goes through, on a database that is thrown away."""
    store = SqliteStore.open(path)
    steps: list[str] = []
    store._db.step = steps.append
    asyncio.run(WRITES[write](store))
    asyncio.run(store.close())
    return steps


def kill_at(path: Path, write: str, number: int) -> None:
    """Do a write and die at its step of this number."""
    store = SqliteStore.open(path)
    seen: list[str] = []

    def pull_the_plug(step: str) -> None:
        seen.append(step)
        if len(seen) == number:
            os.kill(os.getpid(), signal.SIGKILL)

    store._db.step = pull_the_plug
    asyncio.run(WRITES[write](store))


def copy(source: Path, target: Path) -> Path:
    """Copy a closed database."""
    shutil.copyfile(source, target)
    return target


def main(source: Path, folder: Path) -> None:
    for write in WRITES:
        steps = steps_of(copy(source, folder / f"{write}.undisturbed.db"), write)
        for number in range(1, len(steps) + 1):
            path = copy(source, folder / f"{write}.killed-{number:02}.db")
            child = os.fork()
            if child == 0:
                kill_at(path, write, number)
                os._exit(0)
            _, status = os.waitpid(child, 0)
            if not os.WIFSIGNALED(status) or os.WTERMSIG(status) != signal.SIGKILL:
                sys.exit(f"{write} was not killed at step {number} ({steps[number - 1]})")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
