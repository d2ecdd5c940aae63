"""The closing snapshot of a race: what it sums up, and how it is written."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from raceday.domain.closing import PollingFigures, RaceHistory, RunnerClose, closing_of
from raceday.domain.coverage import LADDER, FollowedRace
from raceday.domain.odds import Odds
from raceday.domain.poll_audit import PollMark
from raceday.domain.pools import PoolTotals
from raceday.domain.status import RaceStatus
from raceday.store.rows.health import closing_row
from raceday.store.tables import RACE_CLOSINGS

START = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
AT = START + timedelta(minutes=12)
RACE = FollowedRace("r1", "Ellerslie", 3, "Maiden", START, RaceStatus.FINAL)


def runner(number: int, **changes) -> RunnerClose:
    whole = RunnerClose(
        f"e{number}", number, f"Runner {number}", False, 3.5, Odds(4.0, 1.8, 4.4, 1.9), 50_000, 20_000, 12.0, 11.98765
    )
    return replace(whole, **changes)


def mark(minutes: float, score: int, late_s: float | None = 0.0) -> PollMark:
    polled_at = START - timedelta(minutes=minutes)
    due_at = None if late_s is None else polled_at - timedelta(seconds=late_s)
    return PollMark("r1", polled_at, due_at, None if late_s is None else 150, score)


HISTORY = RaceHistory(
    race=RACE,
    race_date_nz="2026-11-22",
    polls=(mark(300, 90, None), mark(60, 40), mark(30, 98, 12.0), mark(1, 96)),
    degraded_polls=1,
    failed_polls=2,
    buckets=frozenset(LADDER[:-1]),
    pools=PoolTotals(win_cents=500_000, place_cents=200_000, quinella_cents=70_000),
    runners=(runner(2), runner(1, scratched=True, odds=Odds(), hold_pct=None, implied_pct=None), runner(3), runner(4)),
    placings={"e2": 1, "e4": 2, "e3": 2},
    result_print="abc",
)


def test_a_snapshot_sums_up_polls_money_and_result():
    closing = closing_of(HISTORY, AT)
    assert (closing.race_id, closing.race_date_nz, closing.status) == ("r1", "2026-11-22", RaceStatus.FINAL)
    assert closing.figures == PollingFigures(4, 2, 1, round(100 * 16 / 17, 1), 40, 96, 12.0)
    assert {made.entrant_id: made.position for made in closing.runners} == {"e1": None, "e2": 1, "e3": 2, "e4": 2}
    assert (closing.closed_at, closing.result_print) == (AT, "abc")


def test_what_was_never_measured_is_not_made_up():
    called_off = replace(RACE, status=RaceStatus.ABANDONED)
    bare = RaceHistory(called_off, "2026-11-22", (), 0, 0, frozenset(), None, ())
    closing = closing_of(bare, AT)
    assert closing.figures == PollingFigures(0, 0, 0, None, None, None, None)
    assert (closing.pools, closing.runners) == (None, ())
    row = closing_row(closing)
    assert (row["winPoolTotal"], row["totalRacePool"], row["runners"]) == (None, None, "[]")
    imported_only = closing_of(replace(bare, polls=(mark(300, 90, None),)), AT).figures
    assert (imported_only.polls, imported_only.lateness_p95_s) == (1, None), "nothing was ever due"


def test_what_was_measured_stays_when_the_history_is_gone():
    first = closing_of(HISTORY, AT)
    dropped = replace(HISTORY, polls=HISTORY.polls[-1:], failed_polls=0, buckets=frozenset(), placings={"e1": 1})
    again = closing_of(replace(dropped, result_print="def", earlier=first.figures), AT + timedelta(days=2))
    assert again.figures == first.figures
    assert (again.result_print, {made.entrant_id for made in again.runners if made.position}) == ("def", {"e1"})
    later = replace(HISTORY, polls=(*HISTORY.polls, mark(-9, 97)), earlier=first.figures)
    assert closing_of(later, AT).figures.polls == 5, "more was measured since"


def test_a_snapshot_is_written_in_the_columns_of_its_table():
    row = closing_row(closing_of(HISTORY, AT))
    assert set(row) == {"$id"} | {column.name for column in RACE_CLOSINGS.columns}
    assert (row["winPoolTotal"], row["placePoolTotal"], row["totalRacePool"]) == (500_000, 200_000, 770_000)
    first, second, *_ = json.loads(str(row["runners"]))
    assert (first["number"], first["scratched"], first["position"]) == (1, True, None)
    assert second == {
        "id": "e2", "number": 2, "name": "Runner 2", "scratched": False, "opening_fixed_win": 3.5, "fixed_win": 4.0,
        "tote_win": 4.4, "tote_place": 1.9, "win_cents": 50_000, "place_cents": 20_000, "hold_pct": 12.0,
        "implied_pct": 11.988, "position": 1,
    }  # fmt: skip


def test_the_largest_field_fits():
    field = tuple(runner(number, entrant_id="e" * 36, name="N" * 60) for number in range(1, 37))
    row = closing_row(closing_of(replace(HISTORY, runners=field), AT))
    assert len(json.loads(str(row["runners"]))) == 36
