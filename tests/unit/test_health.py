"""What is wrong and what is not: every limit from both of its sides."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from raceday.domain.coverage import LADDER, FollowedRace, coverage_of
from raceday.domain.health import (
    Backlog,
    FailureTally,
    FunctionRuns,
    Health,
    LastRun,
    QualityFigures,
    Retention,
    StageHealth,
    SweepHealth,
    Target,
    degraded_by_component,
)
from raceday.domain.poll_audit import PollAudit
from raceday.domain.quality import PollQuality, QualityInputs, poll_quality
from raceday.domain.racing_day import DailyStage, StageProgress
from raceday.domain.status import RaceStatus
from raceday.errors import FeedThrottled
from raceday.jobs.health_json import health_json
from raceday.jobs.health_report import HealthReport
from raceday.jobs.schedule_polls import SWEEPERS
from raceday.jobs.verdicts import problems_of, success_text
from raceday.runtime.functions import FUNCTIONS

AT = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
NEVER = PollAudit(0, 0, 0, 0.0)


def ago(**span: float) -> datetime:
    return AT - timedelta(**span)


def runs(function: str, runs: int = 1440, failed: int = 0, ended: datetime = AT, code: int = 200) -> FunctionRuns:
    last = LastRun(ended - timedelta(seconds=50), ended, code)
    spec = FUNCTIONS[function]
    return FunctionRuns(function, runs, failed, 0, 40.0, 50.0, last, Target(spec.success_pct, spec.longest_s))


def race(minutes_ago: float, status: RaceStatus = RaceStatus.OPEN, number: int = 1) -> FollowedRace:
    return FollowedRace(f"r{number}", "Ellerslie", number, "Maiden", ago(minutes=minutes_ago), status)


def stages(complete: bool = True, due_minutes_ago: float = 600) -> tuple[StageHealth, ...]:
    due = ago(minutes=due_minutes_ago)
    return tuple(
        StageHealth(stage, due, StageProgress(date(2026, 11, 22), stage, complete, due)) for stage in DailyStage
    )


def swept(minutes_ago: float | None, every_minutes: int = 5) -> SweepHealth:
    """All functions but the first have just swept; that did so many minutes ago, or never."""
    first, *others = SWEEPERS
    mark = None if minutes_ago is None else ago(minutes=minutes_ago)
    return SweepHealth(every_minutes, {first: mark} | dict.fromkeys(others, ago(minutes=2)))


WELL = Health(
    at=AT,
    functions=(runs("master-race-scheduler"), FunctionRuns("single-race-poller")),
    races=(race(90, RaceStatus.FINAL, 1), race(5, RaceStatus.CLOSED, 2), race(-300, RaceStatus.OPEN, 3)),
    coverage=(coverage_of(race(90, RaceStatus.FINAL), set(LADDER), AT),),
    polls=PollAudit(7000, 0, 0, 0.4),
    quality=QualityFigures(95, 98, 75),
    failures=(FailureTally("FeedUnavailable", 12, ago(minutes=2)),),
    stages=stages(),
    sweeps=swept(2),
    backlog=Backlog(),
    retention=Retention(30, None),
)


def test_all_is_well():
    assert problems_of(WELL) == ()


def scheduler_last_ran(span: timedelta) -> tuple[FunctionRuns, ...]:
    return (runs("master-race-scheduler", ended=AT - span),)


def covered(present: int, status: RaceStatus = RaceStatus.FINAL):
    return (coverage_of(race(90, status), set(LADDER[:present]), AT),)


JUST = timedelta(seconds=1)
LIMITS = [
    ("the scheduler fell silent", "functions", scheduler_last_ran(timedelta(minutes=3)),
     scheduler_last_ran(timedelta(minutes=3) + JUST), "master-race-scheduler", "POST|schedule"),
    ("a stage is overdue", "stages", stages(complete=False, due_minutes_ago=30), stages(False, 31), "daily-meetings",
     "POST {} to daily-meetings"),
    ("an import breaks", "functions", (*WELL.functions, runs("daily-races", 1, ended=ago(hours=24))),
     (*WELL.functions, runs("daily-races", 1, 1, code=502)), "daily-races", "POST {} to daily-races"),
    ("an import is not its caller's mistake", "functions", (*WELL.functions, runs("daily-races", 1, code=400)),
     (*WELL.functions, runs("daily-races", 1, code=424)), "daily-races", "function-runs"),
    ("a sweep stalls", "sweeps", swept(15), swept(15.1), SWEEPERS[0], "RACEDAY_SWEEP_MINUTES"),
    ("a sweep that is to come seldom stalls", "sweeps", swept(60, 20), swept(61, 20), SWEEPERS[0], "every 20 min"),
    ("a race does not end", "races", (race(60, RaceStatus.INTERIM),), (race(61, RaceStatus.INTERIM),), "Ellerslie R1",
     '"raceId": "r1"'),
    ("the feed throttles", "failures", (FailureTally("FeedThrottled", 3, ago(hours=1) - JUST),),
     (FailureTally("FeedThrottled", 3, ago(hours=1)),), "feed", "RACEDAY_FEED_REQUESTS_PER_S"),
    ("a function fails", "functions", (runs("master-race-scheduler", 1000, 1),),
     (runs("master-race-scheduler", 1000, 2),), "master-race-scheduler", "function-runs"),
    ("polls are late", "polls", PollAudit(20, 0, 0, 15.0), PollAudit(20, 0, 0, 15.1), "polls", "RACEDAY_CONCURRENCY"),
    ("a race over has gaps", "coverage", covered(16), covered(15), "coverage", "poll_logs"),
    ("alerts wait", "backlog", Backlog(1, ago(minutes=15)), Backlog(1, ago(minutes=15) - JUST), "alerts", "alert-eval"),
    ("deliveries wait", "backlog", Backlog(0, None, 2, ago(minutes=15)), Backlog(0, None, 2, ago(minutes=16)),
     "deliveries", "alert-evaluator"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("figure", "well", "ill", "about", "advice"), [limit[1:] for limit in LIMITS], ids=[limit[0] for limit in LIMITS]
)
def test_each_limit_from_both_sides(figure, well, ill, about, advice):
    assert problems_of(replace(WELL, **{figure: well})) == ()
    problems = problems_of(replace(WELL, **{figure: ill}))
    assert problems[0].about == about
    assert any(part in problems[0].advice for part in advice.split("|"))
    assert len(problems) == (3 if about == "daily-meetings" else 1), "each stage is named, everything else once"


@pytest.mark.parametrize(("polls", "degraded", "told"), [(100, 10, False), (100, 11, True), (19, 19, False)])
def test_many_degraded_polls_are_a_problem(polls: int, degraded: int, told: bool):
    quality = replace(WELL.quality, degraded={"completeness": degraded - 1, "payload age": 1})
    problems = problems_of(replace(WELL, polls=PollAudit(polls, 0, 0, 0.0), quality=quality))
    assert [problem.about for problem in problems] == ["quality"] * told
    assert all("completeness" in problem.seen for problem in problems)


def test_few_runs_and_few_polls_are_no_verdict():
    once = replace(WELL, functions=(runs("master-race-scheduler"), runs("daily-races", 19, 19)))
    assert problems_of(once) == ()
    assert problems_of(replace(WELL, functions=(*once.functions[:1], runs("daily-races", 20, 20)))) != ()
    assert problems_of(replace(WELL, polls=PollAudit(19, 0, 0, 99.0))) == ()


def test_a_sweep_is_judged_while_there_is_racing_and_something_that_starts_it():
    stalled = replace(WELL, sweeps=swept(180))
    [problem] = problems_of(stalled)
    assert problem.seen == "has swept no further than 3 h ago: what lost events left out stays out"
    over = (race(90, RaceStatus.FINAL), race(80, RaceStatus.ABANDONED, 2))
    assert problems_of(replace(stalled, races=over)) == ()
    assert problems_of(replace(stalled, sweeps=swept(180, 0))) == (), "switched off"
    silent = replace(stalled, functions=scheduler_last_ran(timedelta(minutes=4)))
    assert [problem.about for problem in problems_of(silent)] == ["master-race-scheduler"], "one cause, one problem"


def test_what_never_swept_is_a_problem_once_the_scheduler_could_have_started_it():
    def never(*functions: FunctionRuns) -> list[str]:
        ill = replace(WELL, sweeps=SweepHealth(5, dict.fromkeys(SWEEPERS)), functions=functions)
        return [problem.about for problem in problems_of(ill)]

    assert never(runs("race-data-poller")) == [], "a replay, or the classic poller: nothing starts sweeps"
    assert never(runs("master-race-scheduler", 15)) == [], "it has only begun"
    assert never(runs("master-race-scheduler", 16)) == list(SWEEPERS)


def test_an_import_that_failed_long_ago_or_is_overdue_is_told_once():
    failed = (*WELL.functions, runs("daily-races", 1, 1, ended=ago(hours=25), code=502))
    assert problems_of(replace(WELL, functions=failed)) == ()
    fresh = (*WELL.functions, runs("daily-races", 1, 1, code=502))
    overdue = problems_of(replace(WELL, functions=fresh, stages=stages(False, 31)))
    assert [problem.about for problem in overdue] == [stage.value for stage in DailyStage]


def test_a_running_race_with_a_gap_is_no_verdict_yet():
    assert problems_of(replace(WELL, coverage=covered(9, RaceStatus.INTERIM))) == ()


def test_without_anything_to_follow_nothing_has_to_run():
    over = replace(WELL, races=(race(90, RaceStatus.FINAL), race(80, RaceStatus.ABANDONED, 2)), functions=())
    assert problems_of(over) == ()
    card_to_import = replace(over, stages=stages(complete=False, due_minutes_ago=4))
    assert [problem.about for problem in problems_of(card_to_import)] == ["master-race-scheduler"]
    assert "never run" in problems_of(card_to_import)[0].seen


def test_the_classic_poller_may_stand_in_for_the_scheduler():
    assert problems_of(replace(WELL, functions=(runs("race-data-poller"),))) == ()


def test_what_presses_most_comes_first():
    ill = replace(WELL, functions=(), coverage=covered(3), backlog=Backlog(4, ago(hours=5)))
    assert [problem.about for problem in problems_of(ill)] == ["master-race-scheduler", "coverage", "alerts"]
    assert problems_of(ill)[-1].seen == "4 evaluations to finish, the oldest waits for 5 h"
    one = replace(WELL, backlog=Backlog(0, None, 1, ago(minutes=16)))
    assert problems_of(one)[0].seen == "1 notification to send, the oldest waits for 16 min"


def test_several_unfinished_races_are_one_problem_about_the_oldest():
    ill = replace(WELL, races=(race(200, RaceStatus.CLOSED, 7), race(100, RaceStatus.OPEN, 8)))
    [problem] = problems_of(ill)
    assert (problem.about, problem.seen) == ("Ellerslie R7", "started 3 h ago and is still Closed (1 more like it)")


def test_the_targets_are_those_of_the_requirements_and_the_other_functions_have_one_too():
    targets = {function_id: (spec.success_pct, spec.longest_s) for function_id, spec in FUNCTIONS.items()}
    assert targets == {
        "daily-meetings": (99.5, 60), "daily-races": (99.5, 90), "daily-entrants": (99.0, 300),
        "master-race-scheduler": (99.9, 60), "enhanced-race-poller": (99.5, 120), "race-data-poller": (99.5, 120),
        "single-race-poller": (99.5, 90), "batch-race-poller": (99.0, 180), "alert-evaluator": (99.9, 30),
        "money-flow-tracker": (99.5, None), "race-pools-aggregator": (99.5, None),
        "jockey-silks-enricher": (99.5, None),
    }  # fmt: skip


def test_throttling_is_known_by_the_error_that_polls_fail_with():
    said = replace(WELL, failures=(FailureTally(type(FeedThrottled("wait", 3.0)).__name__, 2, AT),))
    assert [problem.about for problem in problems_of(said)] == ["feed"]


def test_a_missed_target_is_never_rounded_up_to_it():
    assert success_text(FunctionRuns("f", 100_000, 101)) == "99.89"
    assert success_text(FunctionRuns("f", 10)) == "100.0"
    assert success_text(FunctionRuns("f")) == "-"


def test_a_degraded_poll_counts_for_the_component_that_cost_it_most():
    no_tracker = PollQuality(23.3, 0.0, 10.0, 15.0, 15.0, 5.0)
    old_and_fallen = PollQuality(35.0, 20.0, 10.0, 0.0, 4.0, 5.0)
    assert degraded_by_component([no_tracker, old_and_fallen, no_tracker]) == {"hold_sum": 2, "monotone_pools": 1}
    assert degraded_by_component([]) == {}


def test_the_json_names_every_figure():
    ill = replace(
        WELL,
        functions=(runs("master-race-scheduler"), replace(runs("daily-entrants", 3, 1), throttled=1)),
        races=(race(75, RaceStatus.CLOSED),),
        failures=(FailureTally("FeedThrottled", 3, ago(minutes=30)), FailureTally("DegradedPoll", 2, AT)),
    )
    answer = health_json(HealthReport(ill, problems_of(ill)))
    assert list(answer) == [
        "ok", "at", "problems", "functions", "races", "coverage", "polls", "lateness_p95_s", "quality", "throttling",
        "stages", "sweeps", "backlog", "retention",
    ]  # fmt: skip
    assert (answer["ok"], answer["at"]) == (False, "2026-11-22T04:00:00+00:00")
    assert [problem["about"] for problem in answer["problems"]] == ["Ellerslie R1", "feed"]
    assert answer["functions"]["daily-entrants"]["success_pct"] == 66.667
    assert answer["races"]["oldest_unfinished"] | {"start": ""} == {
        "race_id": "r1", "race": "Ellerslie R1", "status": "Closed", "minutes": 75, "start": "",
    }  # fmt: skip
    assert answer["coverage"]["pct"] == 100.0
    assert answer["throttling"] == {"polls": 3, "last_at": "2026-11-22T03:30:00+00:00", "runs": {"daily-entrants": 1}}
    assert answer["stages"]["daily-races"]["overdue_s"] == 0
    assert answer["polls"]["failed"] == {"FeedThrottled": 3, "DegradedPoll": 2}
    assert list(answer["sweeps"]) == ["money-flow-tracker", "race-pools-aggregator", "alert-evaluator"]
    assert answer["sweeps"]["alert-evaluator"] == {"swept_to": "2026-11-22T03:58:00+00:00"}


def test_a_bundle_that_never_ran_reports_without_inventing_figures():
    empty = Health(AT, tuple(FunctionRuns(name) for name in FUNCTIONS), (), (), NEVER, QualityFigures(None, None, 75),
                   (), stages(), SweepHealth(5, dict.fromkeys(SWEEPERS)), Backlog(), Retention(30, None))  # fmt: skip
    answer = health_json(HealthReport(empty, problems_of(empty)))
    assert answer["functions"]["daily-races"]["success_pct"] is None
    assert answer["sweeps"]["alert-evaluator"] == {"swept_to": None}
    assert (answer["coverage"]["pct"], answer["quality"]["p50"], answer["races"]["oldest_unfinished"]) == (None,) * 3


GOOD = QualityInputs(12, 12, 100.0, 0.0, 5, 0, 2.0, 0, tracker_expected=True)


@pytest.mark.parametrize(
    ("measured", "left"),
    [
        (GOOD, 100),
        (replace(GOOD, hold_sum_pct=None, hold_against_implied_pp=None), 68),
        (replace(GOOD, hold_sum_pct=75.0), 80),
        (replace(GOOD, payload_age_s=330.0), 85),
        (replace(GOOD, shrunk_pools=1), 85),
        (replace(GOOD, runners_with_price=0), 88),
        (replace(GOOD, pools_present=0, hold_sum_pct=None, hold_against_implied_pp=None, tracker_expected=False), 88),
        (replace(GOOD, hold_against_implied_pp=15.0), 90),
        (replace(GOOD, duplicates=1), 95),
        (replace(GOOD, payload_age_s=330.0, shrunk_pools=1), 70),
        (replace(GOOD, runners_with_price=0, pools_present=0, hold_sum_pct=None, hold_against_implied_pp=None,
                 tracker_expected=False), 77),
    ],
)  # fmt: skip
def test_what_one_fault_leaves_of_the_score(measured: QualityInputs, left: int):
    """The table of docs/quality.md, from which the default threshold of 75 is chosen, and two faults at once."""
    assert poll_quality(measured).score == left
