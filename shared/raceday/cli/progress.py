"""The demo's progress: a live table on a terminal, a line an hour elsewhere."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime

from rich.live import Live
from rich.markup import escape
from rich.table import Table

from raceday.cli.output import people
from raceday.domain.alerts.notification import StoredNotification
from raceday.domain.racing_day import NZ
from raceday.store.values import DayCounts

REFRESH_WALL_S = 0.5


class DayProgress:
    """Shows how far the day has come; `update` may be called as often as one likes."""

    def __init__(self, title: str, total_races: int, refresh_wall_s: float = REFRESH_WALL_S) -> None:
        self._title = title
        self._refresh_wall_s = refresh_wall_s
        self.total_races = total_races
        self._live = Live(console=people, auto_refresh=False, transient=True) if people.is_terminal else None
        self._shown_at = 0.0
        self._hour = -1
        self._told: set[str] = set()

    def __enter__(self) -> DayProgress:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def due(self, now: datetime) -> bool:
        """Whether it is time to show something again."""
        if self._live is not None:
            return time.monotonic() - self._shown_at >= self._refresh_wall_s
        return now.astimezone(NZ).hour != self._hour

    def show(
        self, now: datetime, counts: DayCounts, lateness_p95_s: float, alerts: Sequence[StoredNotification]
    ) -> None:
        """Show the day's state and the newest alerts, newest first; each alert once where lines follow lines."""
        self._shown_at = time.monotonic()
        self._hour = now.astimezone(NZ).hour
        if self._live is not None:
            table = self._table(now, counts, lateness_p95_s)
            for alert in alerts:
                table.add_row("alert", escape(_alert_line(alert)))
            self._live.update(table, refresh=True)
        else:
            people.print(self._line(now, counts, lateness_p95_s), highlight=False)
            for alert in reversed(alerts):
                if alert.notification_id not in self._told:
                    people.print(f"  alert {escape(_alert_line(alert))}", highlight=False)
            self._told = {alert.notification_id for alert in alerts}

    def _fields(self, now: datetime, counts: DayCounts, lateness_p95_s: float) -> dict[str, str]:
        statuses = counts.races_by_status
        over = statuses.get("Final", 0) + statuses.get("Abandoned", 0)
        running = statuses.get("Closed", 0) + statuses.get("Interim", 0)
        return {
            "clock": f"{now.astimezone(NZ):%a %d %b %H:%M:%S %Z}",
            "races": f"{statuses.get('Open', 0)} open, {running} running, {over} of {self.total_races} over",
            "polls": f"{counts.polls}, {counts.failed_polls} more failed",
            "odds ticks": str(counts.odds_ticks),
            "buckets": str(counts.money_flow_buckets),
            "alerts": str(counts.notifications),
            "lateness p95": f"{lateness_p95_s:.1f} s",
        }

    def _table(self, now: datetime, counts: DayCounts, lateness_p95_s: float) -> Table:
        table = Table(title=self._title, show_header=False, title_justify="left", min_width=60)
        for name, shown in self._fields(now, counts, lateness_p95_s).items():
            table.add_row(name, shown)
        return table

    def _line(self, now: datetime, counts: DayCounts, lateness_p95_s: float) -> str:
        return "  ".join(f"{name} {shown}" for name, shown in self._fields(now, counts, lateness_p95_s).items())


def _alert_line(alert: StoredNotification) -> str:
    return f"{alert.crossed_at.astimezone(NZ):%H:%M:%S} {alert.title} ({alert.user_id})"
