"""alert-evaluator, by event: which configurations a runner has crossed, and the notifications that are not there yet.

An event only says which runners were written. Everything else is read from the store, so that events may be lost,
doubled or shuffled: the next one, or the sweep, leaves the same notifications. An event looks a quarter of an hour
back, the sweep over the whole race.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from raceday.domain.alerts.config import ON_MONEY, ON_ODDS, AlertConfig
from raceday.domain.alerts.crossings import RaceHistory, RunnerAlerts, by_rule
from raceday.domain.alerts.defaults import RangeGaps, default_ranges
from raceday.domain.alerts.delivery import OUT_OF_DATE
from raceday.domain.alerts.notification import Notification, notification, title
from raceday.domain.entrant_update import EntrantUpdate
from raceday.errors import ExecutionRefused
from raceday.jobs.ports import JobPorts
from raceday.jobs.report import RunReport
from raceday.store.alert_ports import AlertBacklog, AlertSubject, ConfigCursor, ConfigPage

CONFIGS_A_PAGE = 2000
PAGE_MARGIN_S = 3.0
"""A page of configurations is begun only when this is left of the run."""
TITLES_TOLD = 5
BROKEN_TOLD = 5
BROKEN_COUNTED = 10_000


@dataclass(frozen=True, slots=True)
class AlertPlan:
    """How alerts are evaluated.

    `default_user` has the six default ranges without any row, empty for nobody. `deliver`: new notifications also
    leave the house.
    """

    default_user: str
    cooldown_s: int
    deliver: bool
    configs_a_page: int = CONFIGS_A_PAGE


@dataclass(slots=True)
class AlertTally:
    """What a run found: how many notifications are new, the first titles, and configurations that mean nothing.

    Of the latter no more than `BROKEN_COUNTED` are told apart, however many there are.
    """

    raised: int = 0
    titles: list[str] = field(default_factory=list)
    broken: dict[str, str] = field(default_factory=dict)

    def add_raised(self, told: Sequence[Notification]) -> None:
        """Count new notifications."""
        self.raised += len(told)
        self.titles += [title(first) for first in told[: TITLES_TOLD - len(self.titles)]]

    def add_broken(self, broken: Sequence[tuple[str, str]]) -> None:
        """Note configurations that mean nothing, each with the reason."""
        self.broken.update(broken[: max(0, BROKEN_COUNTED - len(self.broken))])

    def tell(self, ports: JobPorts) -> None:
        """Put it into the report and the log."""
        details = ports.report.details
        details["notifications"] = self.raised
        details["titles"] = self.titles
        details["brokenConfigurations"] = len(self.broken)
        if self.raised:
            ports.log.info("alerts_raised", notifications=self.raised, titles=self.titles)
        if self.broken:
            first = dict(list(self.broken.items())[:BROKEN_TOLD])
            ports.log.warning("broken_alert_configs", configs=len(self.broken), first=first)


async def evaluate_runners_of(ports: JobPorts, runners: Sequence[EntrantUpdate], plan: AlertPlan) -> RunReport:
    """Raise what the runners of an event, all of one race, have crossed; what time did not reach is left to the sweep.

    One read where no configuration concerns them, three at most for up to a page of configurations.
    """
    if not runners:
        ports.report.skip()
        return ports.report
    tally = AlertTally()
    stopped_at = await evaluate_runners(ports, plan, runners, tally, look_back=OUT_OF_DATE)
    if stopped_at is not None:
        # Several runners are left to the sweep as one race: it reads the configurations once for all of them.
        entrant_id = runners[0].entrant_id if len(runners) == 1 else ""
        note = AlertBacklog(runners[0].race_id, entrant_id, stopped_at.user_id, ports.clock.now())
        await ports.store.save_alert_backlog(note)
        ports.report.remaining += 1
    tally.tell(ports)
    if tally.raised:
        ports.report.done()
        await start_delivery(ports, plan)
    else:
        ports.report.skip()
    return ports.report


async def start_delivery(ports: JobPorts, plan: AlertPlan) -> None:
    """Start an execution that delivers what is pending; if it is refused, the next sweep delivers."""
    if not plan.deliver:
        return
    try:
        await ports.executions.start(ports.function, {"deliver": True})
    except ExecutionRefused as error:
        ports.log.warning("delivery_not_started", message=str(error))


async def evaluate_runners(
    ports: JobPorts,
    plan: AlertPlan,
    runners: Sequence[EntrantUpdate],
    tally: AlertTally,
    *,
    begin: ConfigCursor | None = None,
    look_back: timedelta | None = None,
) -> ConfigCursor | None:
    """Raise what runners of one race have crossed, page by page of the configurations from `begin` on.

    All of the race so far, or with `look_back` what was crossed since so long before the runners were written.
    Return None when all were evaluated, or else where to go on: at the beginning of the user it stopped in, whose
    missing ranges are known only when all that the user has was seen. No more than a page is ever in memory.
    """
    race_id = runners[0].race_id
    subject = AlertSubject(race_id, tuple(runner.entrant_id for runner in runners), plan.default_user)
    evaluation = _Evaluation(ports, plan, runners, look_back)
    gaps = RangeGaps()
    cursor = begin
    while True:
        page = await ports.store.alert_configs(subject, cursor, plan.configs_a_page)
        tally.add_broken(page.broken)
        configs = list(gaps.completed(page.configs))
        configs += gaps.rest() if page.after is None else []
        configs += _defaults(plan, page) if cursor is None else []
        tally.add_raised(await evaluation.raise_crossed([config for config in configs if config.enabled]))
        cursor = page.after
        if cursor is None:
            return None
        if not ports.deadline.allows(PAGE_MARGIN_S):
            return ConfigCursor(cursor.user_id)


def _defaults(plan: AlertPlan, page: ConfigPage) -> list[AlertConfig]:
    """Return the ranges of the default user, who has them as long as there is no row of that name."""
    return default_ranges(plan.default_user) if plan.default_user and not page.default_user_has_rows else []


class _Evaluation:
    """Runners of one race, and what of its past the configurations so far made it read."""

    def __init__(
        self, ports: JobPorts, plan: AlertPlan, runners: Sequence[EntrantUpdate], look_back: timedelta | None
    ) -> None:
        self._ports = ports
        self._plan = plan
        self._runners = runners
        self._look_back = look_back
        self._history = RaceHistory()
        self._read: set[str] = set()
        self._alerts: list[RunnerAlerts] = []

    async def raise_crossed(self, configs: Sequence[AlertConfig]) -> list[Notification]:
        """Write the notifications of these configurations that are not there yet, and return them."""
        if not configs:
            return []
        await self._read_what_they_need(configs)
        crossed = list(self._crossed(configs))
        if not crossed:
            return []
        at = self._ports.clock.now()
        new = set(await self._ports.store.save_notifications(crossed, at, deliver=self._plan.deliver))
        return [told for told in crossed if told.notification_id in new]

    def _crossed(self, configs: Sequence[AlertConfig]) -> Iterable[Notification]:
        rules = by_rule(configs)
        for runner, alerts in zip(self._runners, self._alerts, strict=True):
            for rule, same in rules.items():
                for config, crossing in alerts.told(rule, same, self._plan.cooldown_s, self._look_back):
                    yield notification(config, runner, crossing)

    async def _read_what_they_need(self, configs: Sequence[AlertConfig]) -> None:
        """Read the runners' prices and the race's money, each once and only when a configuration looks at it."""
        kinds = {config.kind for config in configs}
        store, race_id = self._ports.store, self._runners[0].race_id
        ticks, buckets = self._history.ticks, self._history.buckets
        before = len(self._read)
        if kinds & ON_ODDS and "ticks" not in self._read:
            ticks = await store.win_ticks(race_id, [runner.entrant_id for runner in self._runners])
            self._read.add("ticks")
        if kinds & ON_MONEY and "buckets" not in self._read:
            buckets = await store.bucket_money(race_id)
            self._read.add("buckets")
        if len(self._read) > before or not self._alerts:
            self._history = RaceHistory(ticks, buckets)
            self._alerts = [RunnerAlerts(runner, self._history) for runner in self._runners]
