"""batch-race-poller: polls up to 50 races once and says what was updated (POST {"raceIds"}, or {} for all due)."""

from raceday.jobs.poll_requested import is_forced, poll_once, race_ids_of
from raceday.jobs.report import RunReport
from raceday.runtime.handler import Run, run_function
from raceday.runtime.plans import poll_plan
from raceday.runtime.request import PlatformContext


async def main(context: PlatformContext) -> object:
    return await run_function(context, "batch-race-poller", job)


async def job(run: Run) -> RunReport:
    body = run.request.body
    return await poll_once(run.ports, race_ids_of(body) if body else None, poll_plan(run), force=is_forced(body))
