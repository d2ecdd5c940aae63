"""single-race-poller: polls one race and says what was updated (POST {"raceId"}, with "force" whether due or not)."""

from raceday.jobs.poll_requested import is_forced, poll_once, race_id_of
from raceday.jobs.report import RunReport
from raceday.runtime.handler import Run, run_function
from raceday.runtime.plans import poll_plan
from raceday.runtime.request import PlatformContext


async def main(context: PlatformContext) -> object:
    return await run_function(context, "single-race-poller", job)


async def job(run: Run) -> RunReport:
    body = run.request.body
    return await poll_once(run.ports, [race_id_of(body)], poll_plan(run), force=is_forced(body))
