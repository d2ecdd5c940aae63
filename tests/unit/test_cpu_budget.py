"""How much of a list of parts an event gets to before its CPU time is used up."""

from __future__ import annotations

import math

import pytest

from raceday.jobs.cpu_budget import FIRST_SLICE, LARGEST_SLICE, CpuBudget


@pytest.fixture
def spend(monkeypatch: pytest.MonkeyPatch):
    """CPU time that passes only when it is spent."""
    spent = [0.0]

    def more(seconds: float) -> None:
        spent[0] += seconds

    monkeypatch.setattr("raceday.jobs.cpu_budget.time.thread_time", lambda: spent[0])
    return more


def gone_through(budget: CpuBudget, parts: range, cost, spend) -> list[int]:
    sizes, behind = [], 0
    for reached, some in budget.slices(parts):
        assert some == parts[behind : behind + len(some)], "nothing is left out and nothing comes twice"
        behind += len(some)
        assert behind == min(reached, len(parts))
        sizes.append(len(some))
        spend(cost(some))
    return sizes


def test_without_a_bound_everything_comes_at_once(spend):
    assert gone_through(CpuBudget(), range(1000), lambda some: 99.0, spend) == [1000]
    assert gone_through(CpuBudget(math.inf), range(0), lambda some: 99.0, spend) == []


def test_cheap_parts_come_in_ever_longer_slices_to_the_end(spend):
    sizes = gone_through(CpuBudget(1.0), range(1000), lambda some: 0.001, spend)
    assert sum(sizes) == 1000
    assert sizes[:3] == [FIRST_SLICE, 2 * FIRST_SLICE, 4 * FIRST_SLICE]
    assert max(sizes) <= LARGEST_SLICE


def test_dear_parts_come_in_short_slices_until_the_time_is_used_up(spend):
    budget = CpuBudget(1.0)
    sizes = gone_through(budget, range(1000), lambda some: 0.03 * len(some), spend)
    assert sizes[:3] == [FIRST_SLICE, FIRST_SLICE // 2, FIRST_SLICE // 4]
    assert sum(sizes) < 1 / 0.03 + FIRST_SLICE
    assert budget.spent


def test_something_always_gets_done(spend):
    assert gone_through(CpuBudget(0.0), range(1000), lambda some: 5.0, spend) == [FIRST_SLICE]
