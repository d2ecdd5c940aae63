"""`demo --platform appwrite`: the same figures as on the embedded store, and what the platform had to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from race_day import DAY, small_programme
from raceday.cli.__main__ import app
from raceday.cli.demo import run_demo
from raceday.cli.demo_outcome import DemoPlan, summarise
from raceday.simulator.faults import PROFILES

OF_THE_STORE = {"db", "wall_s", "polls_per_s", "peak_rss_mb", "store_transactions"}
"""What the demo says of the machine and of how the store works, not of the day."""


@pytest.fixture(autouse=True)
def small_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("raceday.cli.demo.plan_day", lambda day, seed, saturday: small_programme(1, 2))


def plan(database: Path | None) -> DemoPlan:
    return DemoPlan(DAY, 1, False, database, "enhanced", PROFILES["none"])


def test_the_figures_are_those_of_the_embedded_store_and_the_platforms_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome = run_demo(plan(None))
    figures = outcome.as_json()
    embedded = run_demo(plan(tmp_path / "demo.sqlite")).as_json()
    assert {name: figures[name] for name in embedded if name not in OF_THE_STORE} == {
        name: held for name, held in embedded.items() if name not in OF_THE_STORE
    }
    assert figures["db"] is None
    assert (figures["double_polls"], figures["late_polls"], figures["failed_executions"]) == (0, 0, 0)
    assert list(figures)[len(embedded) :] == [
        "platform_calls",
        "calls_by_kind",
        "calls_by_function",
        "row_events",
        "executions_by_trigger",
        "busiest_minute",
        "busiest_minute_executions",
        "longest_recurring_s",
    ]
    by_kind, by_function = figures["calls_by_kind"], figures["calls_by_function"]
    assert isinstance(by_kind, dict)
    assert isinstance(by_function, dict)
    assert sum(by_kind.values()) == sum(by_function.values()) == figures["platform_calls"]
    assert figures["store_transactions"] == by_kind["commit"] > 50
    assert by_kind["create file"] == figures["silks"]

    summarise(outcome)
    said = capsys.readouterr().err
    assert f"{figures['platform_calls']} calls of the functions" in said
    assert "executions in the busiest minute (" in said
    assert "scripts/status" not in said, "there is no file to look at"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--platform", "kubernetes"), "choose one of embedded, appwrite"),
        (("--platform", "appwrite", "--db", "day.sqlite"), "--db day.sqlite goes with --platform embedded"),
    ],
)
def test_a_platform_that_cannot_be_says_what_to_give_instead(arguments: tuple[str, ...], complaint: str) -> None:
    result = CliRunner().invoke(app, ["demo", *arguments])
    assert result.exit_code == 2
    assert complaint in " ".join(result.stderr.split())
