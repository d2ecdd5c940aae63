"""What recurs beside polling, on one server at a time: sweeps, the meeting list, silks, partitions, retention.

The same jobs as the functions' crons run on a platform, at the same intervals.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from raceday.domain.alerts.delivery import Channel
from raceday.domain.racing_day import current_card
from raceday.jobs.close_races import close_races
from raceday.jobs.deliver_notifications import Sender, deliver_notifications
from raceday.jobs.enrich_silks import SilkTools, enrich_silks
from raceday.jobs.evaluate_alerts import AlertPlan
from raceday.jobs.ports import JobPorts
from raceday.jobs.refresh_meetings import REFRESH_MINUTES, refresh_meetings
from raceday.jobs.sweep_alerts import resume_alerts, sweep_alerts
from raceday.jobs.sweep_flow import sweep_money_flow, sweep_pools
from raceday.server.daily import DailyImport
from raceday.server.jobs import Job, ServerJobs, Wakes
from raceday.server.partitions import prepare_partitions
from raceday.server.retention import end_retention
from raceday.store.icon_folder import IconFolder

MINUTE_S = 60.0
HOUR_S = 3600.0
CHORE_S = 55.0
"""The time that one run of a chore has; what it does not reach, the next goes on with."""
SILK_RACES_A_TURN = 10


@dataclass(frozen=True, slots=True)
class Chore:
    """One thing to do again and again: under which function's name, how often, and what."""

    function: str
    every_s: float
    job: Job
    deadline_s: float = CHORE_S


@dataclass(slots=True)
class Chores:
    """The chores of one server: `run` while it holds the lease, `answer_wakes` as long as it is up."""

    jobs: ServerJobs
    alerts: AlertPlan
    wakes: Wakes
    daily: DailyImport
    _drawn: set[str] = field(default_factory=set)

    async def run(self) -> None:
        """Do everything until the task is cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.daily.run())
            for chore in self._table():
                group.create_task(self._recur(chore))

    async def answer_wakes(self) -> None:
        """Go on with alerts as soon as an evaluation on this server asks for it; with the lease or without it."""
        while True:
            await self.wakes.alerts_wanted.wait()
            self.wakes.alerts_wanted.clear()
            await self.jobs.run("alert-evaluator", self._resume_alerts, CHORE_S)

    def _table(self) -> list[Chore]:
        sweep_s = self.jobs.settings.sweep_minutes * MINUTE_S
        sweeps = [
            Chore("money-flow-tracker", sweep_s, self._sweep_money_flow),
            Chore("race-pools-aggregator", sweep_s, self._sweep_pools),
            Chore("alert-evaluator", sweep_s, self._sweep_alerts),
        ]
        return [
            *(sweeps if sweep_s else ()),
            Chore("meeting-list", REFRESH_MINUTES * MINUTE_S, self._refresh_meetings),
            Chore("jockey-silks-enricher", MINUTE_S, self._draw_silks),
            Chore("partitions", HOUR_S, self._prepare_partitions),
            Chore("retention", HOUR_S, self._end_retention),
        ]

    async def _recur(self, chore: Chore) -> None:
        """Do one chore at its interval, the first time after one of them: a server that starts has enough to do."""
        clock = self.jobs.state.clock
        while True:
            await clock.sleep(chore.every_s)
            await self.jobs.run(chore.function, chore.job, chore.deadline_s)

    async def _sweep_money_flow(self, ports: JobPorts) -> None:
        await sweep_money_flow(ports, self.jobs.settings.estimator)
        ports.report.details["closed"] = await close_races(ports)

    async def _sweep_pools(self, ports: JobPorts) -> None:
        await sweep_pools(ports, self.jobs.settings.estimator)

    async def _sweep_alerts(self, ports: JobPorts) -> None:
        await sweep_alerts(ports, self.alerts)
        await self._deliver(ports)

    async def _resume_alerts(self, ports: JobPorts) -> None:
        await resume_alerts(ports, self.alerts)
        await self._deliver(ports)

    async def _deliver(self, ports: JobPorts) -> None:
        if not self.alerts.deliver:
            return
        # Imported where something leaves the house.
        from raceday.outbound.http import OutboundHttp  # noqa: PLC0415
        from raceday.outbound.webhook import WebhookSender  # noqa: PLC0415
        from raceday.runtime.alert_senders import SEND_TIMEOUT_S  # noqa: PLC0415
        from raceday.runtime.push import NoPush  # noqa: PLC0415

        settings = self.jobs.settings
        outside = OutboundHttp(allow_private=settings.webhook_private, timeout_s=SEND_TIMEOUT_S)
        senders: dict[Channel, Sender] = {Channel.WEBHOOK: WebhookSender(outside, ports.clock), Channel.PUSH: NoPush()}
        chosen = {channel: sender for channel, sender in senders.items() if channel.value in settings.alert_channels}
        try:
            await deliver_notifications(ports, chosen)
        finally:
            await outside.aclose()

    async def _refresh_meetings(self, ports: JobPorts) -> None:
        card = current_card(ports.clock.now())
        races = await refresh_meetings(ports.feed, ports.store, ports.clock.now(), card, self.jobs.settings.follow)
        ports.report.processed += races

    async def _draw_silks(self, ports: JobPorts) -> None:
        """Draw the silks of some more races whose runners are there, in the order of their starts."""
        races = await ports.store.races_on(current_card(ports.clock.now()))
        new = [race.race_id for race in races if race.entrants_imported and race.race_id not in self._drawn]
        if not new:
            ports.report.skip()
            return
        async with self._silk_tools() as tools:
            for race_id in new[:SILK_RACES_A_TURN]:
                await enrich_silks(ports, {"raceId": race_id}, tools)
                if not ports.report.remaining:
                    self._drawn.add(race_id)

    @asynccontextmanager
    async def _silk_tools(self) -> AsyncIterator[SilkTools]:
        icons = IconFolder.open(self.jobs.settings.icons)
        if not self.jobs.world.pictures:
            yield SilkTools(icons, None)
            return
        from raceday.outbound.http import OutboundHttp  # noqa: PLC0415
        from raceday.outbound.pictures import PictureSource  # noqa: PLC0415
        from raceday.runtime.silk_wiring import silk_hosts  # noqa: PLC0415

        pictures = PictureSource(OutboundHttp(), silk_hosts(self.jobs.settings))
        try:
            yield SilkTools(icons, pictures)
        finally:
            await pictures.aclose()

    async def _prepare_partitions(self, ports: JobPorts) -> None:
        state = self.jobs.state
        ports.report.processed += await prepare_partitions(state.database, state.clock, state.log)

    async def _end_retention(self, ports: JobPorts) -> None:
        await end_retention(ports, self.jobs.state.database, self.jobs.settings.retention_days)
