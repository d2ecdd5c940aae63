"""Runs one job as one execution of the platform: request, ports, deadline, errors, summary line, answer."""

from __future__ import annotations

import asyncio
import resource
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from raceday.errors import InvalidRequest, RaceDayError, UnknownRace
from raceday.jobs.ports import Deadline, JobPorts
from raceday.jobs.report import RunReport, failure_status
from raceday.runtime.functions import FUNCTIONS, FunctionSpec
from raceday.runtime.log import JsonLog
from raceday.runtime.platform import platform_settings
from raceday.runtime.request import PlatformContext, RunRequest, read_request, refuse_unknown_fields
from raceday.runtime.settings import Settings, load_settings
from raceday.runtime.wiring import NO_FEED, open_clock, open_environment, open_executions, open_feed, open_store
from raceday.store.values import RunEntry

LEDGER_S = 2.0
"""A run that was stopped writes its ledger row within this: the platform would end it `DEADLINE_MARGIN_S` later."""


@dataclass(frozen=True, slots=True)
class Run:
    """What a job is given: its ports, the configuration and the request."""

    ports: JobPorts
    settings: Settings
    request: RunRequest


Job = Callable[[Run], Awaitable[RunReport]]


async def run_function(context: PlatformContext, function_id: str, job: Job) -> object:
    """Run a job and answer with its report; every error becomes an answer, none escapes to the platform.

    400 for the caller's mistakes, 404 for an unknown race, 424 for a missing prerequisite, 500 for a broken
    configuration or an unexpected error, 502 when the feed failed, 503 when the store did, 504 when time ran out.
    """
    spec = FUNCTIONS[function_id]
    began = open_clock().now()
    log = JsonLog(context.log, context.error, "INFO")
    request = RunRequest("http", "unread", {})
    report = RunReport()
    run: Run | None = None
    try:
        settings = load_settings(open_environment())
        log = JsonLog(context.log, context.error, settings.log_level, settings.secrets())
        request = read_request(context)
        log = log.also_hiding(request.api_key.get_secret_value())
        _check_trigger(spec, request)
        refuse_unknown_fields(request, spec.fields)
        run = _open_run(spec, settings, request, log, report)
        async with asyncio.timeout(spec.deadline_s):
            report = await job(run)
    except InvalidRequest as error:
        report.refuse(400, str(error)).details["field"] = error.field
    except UnknownRace as error:
        report.refuse(404, str(error))
    except TimeoutError:
        report.refuse(504, f"stopped after {spec.deadline_s:.0f} s, before the platform would stop it")
    except RaceDayError as error:
        report.refuse(failure_status(error), f"{type(error).__name__}: {error}")
    except Exception as error:  # noqa: BLE001  (the last door: the caller gets an answer, the log the traceback)
        log.error("unexpected_error", error=type(error).__name__, traceback=traceback.format_exc(limit=-6))
        report.refuse(500, f"unexpected {type(error).__name__}: see the execution's error log")
    entry = _ledger_entry(spec, request, run, report, began)
    if run is not None:
        await _write_ledger(run, replace(entry, message=log.redact(entry.message)), log)
    _write_summary(entry, report, log)
    answer = log.redacted({"function": function_id} | report.as_json())
    return context.res.json(answer, report.status_code, {})


def _check_trigger(spec: FunctionSpec, request: RunRequest) -> None:
    if request.trigger not in spec.triggers:
        allowed = " or ".join(sorted(spec.triggers))
        raise InvalidRequest("x-appwrite-trigger", f"is {request.trigger}: {spec.function_id} is started by {allowed}")


def _open_run(spec: FunctionSpec, settings: Settings, request: RunRequest, log: JsonLog, report: RunReport) -> Run:
    clock = open_clock()
    platform = platform_settings(settings, request, open_environment())
    ports = JobPorts(
        function=spec.function_id,
        owner=request.execution_id,
        feed=open_feed(settings, clock, log) if spec.asks_feed else NO_FEED,
        store=open_store(settings, platform, log),
        clock=clock,
        executions=open_executions(platform),
        log=log,
        deadline=Deadline.after(clock, spec.deadline_s),
        report=report,
    )
    return Run(ports, settings, request)


def _ledger_entry(
    spec: FunctionSpec, request: RunRequest, run: Run | None, report: RunReport, began: datetime
) -> RunEntry:
    """Return what the summary line and the ledger say of a run."""
    took = open_clock().now() - began
    return RunEntry(
        execution_id=request.execution_id,
        function=spec.function_id,
        trigger=request.trigger,
        started_at=began,
        duration_ms=round(took.total_seconds() * 1000),
        status_code=report.status_code,
        processed=report.processed,
        failed=report.failed,
        skipped=report.skipped,
        remaining=report.remaining,
        feed_calls=run.ports.feed.calls if run else 0,
        store_calls=run.ports.store.calls if run else 0,
        peak_rss_mb=peak_rss_mb(),
        message=report.message or report.first_failure,
    )


async def _write_ledger(run: Run, entry: RunEntry, log: JsonLog) -> None:
    """Write the ledger row in what is left of the run's time, and a little more; without it the run does not fail."""
    try:
        async with asyncio.timeout(run.ports.deadline.remaining_s() + LEDGER_S):
            await run.ports.store.log_run(entry)
    except (RaceDayError, TimeoutError) as error:
        message = str(error) or "the run's time was up"
        log.warning("run_not_logged", error=type(error).__name__, message=message)


def _write_summary(entry: RunEntry, report: RunReport, log: JsonLog) -> None:
    write = log.summary if entry.status_code < 500 else log.error
    write(
        "run_ended",
        function=entry.function,
        execution_id=entry.execution_id,
        trigger=entry.trigger,
        status=entry.status_code,
        duration_ms=entry.duration_ms,
        memory_mb=entry.peak_rss_mb,
        records=entry.processed,
        failed=entry.failed,
        skipped=entry.skipped,
        remaining=entry.remaining,
        feed_calls=entry.feed_calls,
        store_calls=entry.store_calls,
        drift=dict(report.drift),
        failures=[f"{failure.subject}: {failure.error}" for failure in report.failures[:5]],
        message=entry.message,
    )


def peak_rss_mb() -> float:
    """Return the most memory that this process has held so far, in megabytes.

    On Linux from the process's own high-water mark: what `getrusage` says there includes the process that started
    this one.
    """
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
        kilobytes = int(status.split("VmHWM:")[1].split()[0])
    except (OSError, IndexError, ValueError):
        kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(kilobytes / 1024, 1)
