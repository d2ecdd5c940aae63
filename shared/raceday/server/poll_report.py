"""What is said of each poll of the server: a line with the times of its stages, the metrics, the server's state."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from raceday.domain.race_poll import PollTiming
from raceday.errors import FeedError
from raceday.jobs.poll_race import PollAttempt, PollOutcome
from raceday.jobs.ports import RunLog
from raceday.jobs.stage_meter import StageMeter, Stopwatch
from raceday.server.state import ServerState

SLOW_RACE_MS = 2_000.0
SLOW_BATCH_MS = 15_000.0
"""What seed 004 (story 2.11) wants to be warned of."""
_METRIC_NAMES = {
    PollOutcome.POLLED: "polled",
    PollOutcome.CLAIMED_ELSEWHERE: "claimed_elsewhere",
    PollOutcome.FAILED: "failed",
}


def report_poll(state: ServerState, attempt: PollAttempt, timing: PollTiming, meter: StageMeter) -> None:
    """Count an attempt and log it; one that another server had is counted alone."""
    state.metrics.polls.labels(_METRIC_NAMES[attempt.outcome]).inc()
    if attempt.outcome is PollOutcome.CLAIMED_ELSEWHERE:
        return
    now = state.clock.now()
    if isinstance(attempt.error, FeedError):
        state.last_feed_error = f"{type(attempt.error).__name__}: {attempt.error}"
    elif "transform" in meter.stages_s:
        state.last_feed_success_at = now
    if attempt.outcome is PollOutcome.FAILED:
        state.failed_polls += 1
    else:
        state.polls += 1
        state.last_poll_at = now
        state.metrics.lateness.observe(max(0.0, timing.lateness_s))
    times = meter.milliseconds()
    for stage, taken_s in meter.stages_s.items():
        state.metrics.poll_stage.labels(stage).observe(taken_s)
    state.metrics.poll_stage.labels("total").observe(times["total_ms"] / 1000)
    action = "race_processed" if attempt.outcome is PollOutcome.POLLED else "race_not_processed"
    state.log.info(action, race_id=attempt.target.race_id, **times)
    if times["total_ms"] > SLOW_RACE_MS:
        state.log.warning("race_slow", race_id=attempt.target.race_id, **times)


@dataclass(slots=True)
class PollBatch:
    """The races that fell due together: how many, how they ended, and what the slowest took."""

    races: int
    stopwatch: Stopwatch
    max_ms: float = 0.0
    outcomes: Counter[PollOutcome] = field(default_factory=Counter)
    _began_s: float = field(init=False)

    def __post_init__(self) -> None:
        """Begin now."""
        self._began_s = self.stopwatch()

    def count(self, attempt: PollAttempt, meter: StageMeter) -> None:
        """Count one attempt."""
        self.outcomes[attempt.outcome] += 1
        self.max_ms = max(self.max_ms, meter.milliseconds()["total_ms"])

    def log(self, log: RunLog) -> None:
        """Log the batch; a race alone has said everything by itself, unless it was slow."""
        batch_ms = round((self.stopwatch() - self._began_s) * 1000, 2)
        fields: dict[str, object] = {
            "max_ms": self.max_ms,
            "batch_ms": batch_ms,
            "races": self.races,
            "succeeded": self.outcomes[PollOutcome.POLLED],
            "failed": self.outcomes[PollOutcome.FAILED],
            "elsewhere": self.outcomes[PollOutcome.CLAIMED_ELSEWHERE],
        }
        if self.races > 1:
            log.info("batch_processed", **fields)
        if batch_ms > SLOW_BATCH_MS:
            log.warning("batch_slow", **fields)
