"""alert-evaluator, by event: which configurations a runner has crossed, and the notifications that are not there yet.

An event only says which runners were written. Everything else is read from the store, so that events may be lost,
doubled or shuffled: the next one, or the sweep, leaves the same notifications. An event looks a quarter of an hour
back, the sweep over the whole race.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from raceday.domain.alerts.config import ON_MONEY, ON_ODDS, AlertConfig
from raceday.domain.alerts.crossings import AlertHistory, RunnerAlerts, by_rule
from raceday.domain.alerts.defaults import RangeGaps, default_ranges
from raceday.domain.alerts.delivery import OUT_OF_DATE
from raceday.domain.alerts.notification import Notification, notification, title
from raceday.domain.entrant_update import EntrantUpdate
from raceday.errors import ExecutionRefused
from raceday.jobs.cpu_budget import CpuBudget
from raceday.jobs.ports import JobPorts
from raceday.jobs.report import RunReport
from raceday.store.alert_ports import AlertBacklog, AlertSubject, ConfigCursor, ConfigPage

CONFIGS_A_PAGE = 2000
"""Also the most that one user may have for one race."""
PAGE_MARGIN_S = 9.0
"""A page of configurations is begun only when this is left of the run."""
EVENT_CPU_S = 0.02
"""An event takes at most 50 ms of CPU: 20 of them to evaluate, the rest to read, to write and for a slice too much."""
TOLD_AT_ONCE = 400
"""What an event writes at most, give or take a slice."""
TITLES_TOLD = 5
BROKEN_TOLD = 5
BROKEN_COUNTED = 10_000


@dataclass(frozen=True, slots=True)
class AlertPlan:
    """How alerts are evaluated.

    `default_user` has the six default ranges without any row, empty for nobody. `deliver`: new notifications also
    leave the house. An event evaluates configurations for `event_cpu_s` seconds of CPU at most.
    """

    default_user: str
    cooldown_s: int
    deliver: bool
    configs_a_page: int = CONFIGS_A_PAGE
    event_cpu_s: float = EVENT_CPU_S


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
    """Raise what the runners of an event, all of one race, have crossed.

    One read where no configuration concerns them, three at most for up to a page of configurations. What does not fit
    into the CPU time of an event, or into the run's time, is noted and taken up by an execution of its own, at the
    latest by the next sweep.
    """
    if not runners:
        ports.report.skip()
        return ports.report
    tally = AlertTally()
    budget = CpuBudget(plan.event_cpu_s)
    stopped_at = await evaluate_runners(ports, plan, runners, tally, look_back=OUT_OF_DATE, budget=budget)
    if stopped_at is not None:
        # Several runners are left to the sweep as one race: it reads the configurations once for all of them.
        entrant_id = runners[0].entrant_id if len(runners) == 1 else ""
        note = AlertBacklog(runners[0].race_id, entrant_id, stopped_at.user_id, ports.clock.now())
        await ports.store.save_alert_backlog(note)
        ports.report.remaining += 1
        await _start(ports, {"resume": True})
    tally.tell(ports)
    if not tally.raised:
        ports.report.skip()
        return ports.report
    ports.report.done()
    if plan.deliver:
        await _start(ports, {"deliver": True})
    return ports.report


async def _start(ports: JobPorts, body: Mapping[str, object]) -> None:
    """Start an execution of this function that goes on with what is noted; if it is refused, the next sweep does."""
    try:
        await ports.executions.start(ports.function, body)
    except ExecutionRefused as error:
        ports.log.warning("execution_refused", function_id=ports.function, message=str(error))


async def evaluate_runners(  # noqa: PLR0913 (what is evaluated, and three ways to evaluate less of it)
    ports: JobPorts,
    plan: AlertPlan,
    runners: Sequence[EntrantUpdate],
    tally: AlertTally,
    *,
    begin: ConfigCursor | None = None,
    look_back: timedelta | None = None,
    budget: CpuBudget | None = None,
) -> ConfigCursor | None:
    """Raise what runners of one race have crossed, page by page of the configurations from `begin` on.

    All of the race so far, or with `look_back` what was crossed since so long before the runners were written.
    Return None when all were evaluated, or else where to go on: at the beginning of a user. No more than a page is
    ever in memory, and at least one is evaluated, or as much of it as the budget allows.
    """
    race_id = runners[0].race_id
    subject = AlertSubject(race_id, tuple(runner.entrant_id for runner in runners), plan.default_user)
    evaluation = _Evaluation(ports, plan, runners, look_back)
    cursor = begin
    while True:
        page = await ports.store.alert_configs(subject, cursor, plan.configs_a_page)
        tally.add_broken(page.broken)
        whole, after = _whole_users(page, tally)
        # First, so that whoever goes on behind a user has them behind.
        defaults = _defaults(plan, page) if cursor is None else []
        raised, stopped_at = await evaluation.raise_crossed(defaults, whole, budget or CpuBudget())
        tally.add_raised(raised)
        if stopped_at is not None:
            return ConfigCursor(stopped_at)
        if after is None:
            return None
        if not ports.deadline.allows(PAGE_MARGIN_S):
            return await _next_user(ports, subject, after)
        cursor = after


def _whole_users(page: ConfigPage, tally: AlertTally) -> tuple[Sequence[AlertConfig], ConfigCursor | None]:
    """Return the configurations of the users who are whole on a page, and where the next page begins.

    Which ranges a user is missing is known only when all that the user has was seen. So the next page begins with the
    user whom this one cuts in two. A user who fills a page alone is cut off at its end, and holds up nobody behind.
    """
    if page.after is None:
        return page.configs, None
    cut = page.after.user_id
    if cut == page.first_user:
        tally.add_broken([(f"behind {page.after.config_id}", f"{cut} has too many for one race: a page holds no more")])
        return page.configs, ConfigCursor(cut, None)
    return [config for config in page.configs if config.user_id != cut], ConfigCursor(cut)


async def _next_user(ports: JobPorts, subject: AlertSubject, after: ConfigCursor) -> ConfigCursor | None:
    """Return where another run goes on: at the beginning of a user, whom after one who was cut off a read tells."""
    if after.config_id is not None:
        return after
    page = await ports.store.alert_configs(subject, after, 1)
    return None if page.first_user is None else ConfigCursor(page.first_user)


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
        self._history = AlertHistory()
        self._read: set[str] = set()
        self._alerts: list[RunnerAlerts] = []

    async def raise_crossed(
        self, defaults: Sequence[AlertConfig], stored: Sequence[AlertConfig], budget: CpuBudget
    ) -> tuple[list[Notification], str | None]:
        """Write the notifications that are not there yet, of the default ranges and of whole users' configurations.

        Return them, and the user to go on with when the budget was used up; None when all were evaluated.
        """
        crossed: list[Notification] = list(await self._crossed_by(defaults))
        stopped_at: str | None = None
        gaps = RangeGaps()
        for reached, some in budget.slices(stored):
            crossed += await self._crossed_by(list(gaps.completed(some)))
            # The last user of a slice may have more behind it, and lacks its missing ranges until then.
            stopped_at = some[-1].user_id if reached < len(stored) else None
            if budget.bounded and len(crossed) >= TOLD_AT_ONCE:
                break
        if stopped_at is None:
            crossed += await self._crossed_by(gaps.rest())
        if not crossed:
            return [], stopped_at
        at = self._ports.clock.now()
        new = set(await self._ports.store.save_notifications(crossed, at, deliver=self._plan.deliver))
        return [told for told in crossed if told.notification_id in new], stopped_at

    async def _crossed_by(self, configs: Sequence[AlertConfig]) -> Iterable[Notification]:
        enabled = [config for config in configs if config.enabled]
        if not enabled:
            return ()
        await self._read_what_they_need(enabled)
        return self._crossed(enabled)

    def _crossed(self, configs: Sequence[AlertConfig]) -> Iterable[Notification]:
        rules = by_rule(configs)
        for runner, alerts in zip(self._runners, self._alerts, strict=True):
            for rule, same in rules.items():
                for config, crossing in alerts.told(rule, same, self._plan.cooldown_s, self._look_back):
                    yield notification(config, runner, crossing, self._plan.cooldown_s)

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
            self._history = AlertHistory(ticks, buckets)
            self._alerts = [RunnerAlerts(runner, self._history) for runner in self._runners]
