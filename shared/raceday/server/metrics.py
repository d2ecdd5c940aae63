"""What the server measures of itself, for Prometheus: one registry a process, read by `/metrics`."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from raceday.store.postgres.database import PoolUse

STAGES = ("fetch", "transform", "write", "total")
_STAGE_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 15.0)
_LATENESS_BUCKETS_S = (0.01, 0.05, 0.1, 0.5, 1.0, 2.0, 5.0, 15.0, 30.0, 60.0)
_REQUEST_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class ServerMetrics:
    """The counters, histograms and gauges of one server, in a registry of their own."""

    def __init__(self) -> None:
        """Begin at zero."""
        self.registry = CollectorRegistry()
        self.polls = Counter("raceday_polls_total", "Attempts to poll a race", ["outcome"], registry=self.registry)
        self.poll_stage = Histogram(
            "raceday_poll_stage_seconds",
            "What one poll took, by stage",
            ["stage"],
            buckets=_STAGE_BUCKETS_S,
            registry=self.registry,
        )
        self.lateness = Histogram(
            "raceday_poll_lateness_seconds",
            "How long after its due second a poll began",
            buckets=_LATENESS_BUCKETS_S,
            registry=self.registry,
        )
        self.races_followed = Gauge(
            "raceday_races_followed", "Races that the scheduler follows", registry=self.registry
        )
        self.clock_ahead = Gauge(
            "raceday_clock_ahead_seconds",
            "How far this machine's clock is ahead of the database's",
            registry=self.registry,
        )
        self.api_request = Histogram(
            "raceday_api_request_seconds",
            "How long the API took to answer",
            ["method", "route", "status"],
            buckets=_REQUEST_BUCKETS_S,
            registry=self.registry,
        )

    def watch_pool(self, use: Callable[[], PoolUse]) -> None:
        """Show a connection pool as it stands at each reading."""
        gauges: tuple[tuple[str, str, Callable[[PoolUse], int]], ...] = (
            ("active", "Database connections in use", lambda now: now.active),
            ("idle", "Database connections that wait for work", lambda now: now.idle),
            ("waiting", "Requests that wait for a database connection", lambda now: now.waiting),
            ("max", "The most database connections there may be", lambda now: now.largest),
        )
        for name, meaning, read in gauges:
            gauge = Gauge(f"raceday_pool_{name}", meaning, registry=self.registry)
            gauge.set_function(_reading(use, read))


def _reading(use: Callable[[], PoolUse], read: Callable[[PoolUse], int]) -> Callable[[], float]:
    return lambda: float(read(use()))
