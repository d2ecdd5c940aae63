"""The one table of the bundle's functions: what appwrite.json says of each, and how long a run may take."""

from __future__ import annotations

from dataclasses import dataclass

ROWS = ("rows.read", "rows.write")
DATE = frozenset({"date"})
RACES = frozenset({"raceId", "raceIds"})
ENTRANT_EVENTS = (
    "databases.*.collections.entrants.documents.*.update",
    # An upsert raises its own event, and a pattern that names it is refused: this one has no action.
    "databases.*.collections.entrants.documents.*",
)
MOVED_EVENTS = ("databases.*.collections.races.documents.*.update",)
"""What our own polls raise: one event for a race whose runners moved, instead of one for each runner."""
BY_EVENT = frozenset({"event", "http"})
"""Started by a row event; a call without one sweeps up what lost events left out."""
SILKS = frozenset({"raceId", "entrantIds", "silks"})
DEADLINE_MARGIN_S = 5.0
"""A run stops itself this long before the platform would end it."""
EVERY_MINUTE_S = 55.0
"""What recurs every minute is done within it."""


@dataclass(frozen=True, slots=True)
class FunctionSpec:
    """One deployable function.

    `timeout_s` is the platform's limit, `deadline_s` our own. `triggers` are the ways it may be started, `fields`
    what a request may hold. `success_pct` and `longest_s` are the requirements' targets: runs that succeed, in percent,
    and the longest that one should take; a function without any is held to what most are, and to no duration. One that
    never asks the feed (`asks_feed`) is given none, and does not import what speaks to it.
    """

    function_id: str
    specification: str
    timeout_s: int
    schedule: str = ""
    events: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ROWS
    triggers: frozenset[str] = frozenset({"http", "schedule"})
    recurs_every_minute: bool = False
    fields: frozenset[str] = frozenset()
    success_pct: float = 99.5
    longest_s: float | None = None
    asks_feed: bool = True

    @property
    def deadline_s(self) -> float:
        """The seconds after which a run has to be done."""
        limit = self.timeout_s - DEADLINE_MARGIN_S
        return min(limit, EVERY_MINUTE_S) if self.recurs_every_minute else limit


FUNCTIONS = {
    spec.function_id: spec
    for spec in (
        FunctionSpec("daily-meetings", "s-1vcpu-512mb", 300, schedule="0 17 * * *", fields=DATE, longest_s=60),
        FunctionSpec("daily-races", "s-1vcpu-512mb", 300, schedule="10 17 * * *", fields=DATE, longest_s=90),
        FunctionSpec(
            "daily-entrants",
            "s-1vcpu-1gb",
            300,
            schedule="20 17 * * *",
            fields=DATE,
            success_pct=99.0,
            longest_s=300,
        ),
        # Seed 003 wants it every 15 s, which the platform cannot do: it looks four times in each minute's run.
        FunctionSpec(
            "master-race-scheduler",
            "s-1vcpu-512mb",
            60,
            schedule="* * * * *",
            scopes=(*ROWS, "executions.write"),
            recurs_every_minute=True,
            success_pct=99.9,
            longest_s=60,
        ),
        FunctionSpec("enhanced-race-poller", "s-2vcpu-2gb", 120, recurs_every_minute=True, fields=RACES, longest_s=120),
        # The classic poller is the choice beside the scheduler, so it has no schedule until it is chosen.
        FunctionSpec("race-data-poller", "s-2vcpu-2gb", 300, recurs_every_minute=True, longest_s=120),
        FunctionSpec("single-race-poller", "s-1vcpu-1gb", 90, fields=frozenset({"raceId", "force"}), longest_s=90),
        # Seed 001 gives s-1vcpu-2gb, which is no size of the platform.
        FunctionSpec(
            "batch-race-poller",
            "s-2vcpu-2gb",
            180,
            fields=frozenset({"raceIds", "force"}),
            success_pct=99.0,
            longest_s=180,
        ),
        FunctionSpec(
            "alert-evaluator",
            "s-1vcpu-512mb",
            60,
            events=ENTRANT_EVENTS + MOVED_EVENTS,
            scopes=(*ROWS, "executions.write", "messages.write"),
            triggers=BY_EVENT,
            fields=frozenset({"deliver", "resume"}),
            success_pct=99.9,
            longest_s=30,
            asks_feed=False,
        ),
        FunctionSpec(
            "money-flow-tracker", "s-1vcpu-1gb", 60, events=ENTRANT_EVENTS, triggers=BY_EVENT, asks_feed=False
        ),
        FunctionSpec(
            "race-pools-aggregator", "s-1vcpu-512mb", 60, events=ENTRANT_EVENTS, triggers=BY_EVENT, asks_feed=False
        ),
        FunctionSpec(
            "jockey-silks-enricher",
            "s-1vcpu-512mb",
            60,
            scopes=(*ROWS, "files.read", "files.write"),
            triggers=frozenset({"http"}),
            fields=SILKS,
            asks_feed=False,
        ),
    )
}
