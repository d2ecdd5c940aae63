"""jockey-silks-enricher: reads silk texts and draws their icons (POST {"raceId"}, {"entrantIds"} or {"silks"})."""

from raceday.jobs.enrich_silks import enrich_silks
from raceday.jobs.report import RunReport
from raceday.runtime.handler import Run, run_function
from raceday.runtime.request import PlatformContext
from raceday.runtime.silk_wiring import open_silk_tools


async def main(context: PlatformContext) -> object:
    return await run_function(context, "jockey-silks-enricher", job)


async def job(run: Run) -> RunReport:
    async with open_silk_tools(run.settings, run.request) as tools:
        return await enrich_silks(run.ports, run.request.body, tools)
