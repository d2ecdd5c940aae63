"""Alert configurations: which spellings are understood, which numbers are refused, and who gets which defaults."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from raceday.domain.alerts.config import (
    SPELLINGS,
    AlertConfig,
    AlertKind,
    BrokenAlertConfig,
    alert_kind,
    checked_range,
    checked_seconds,
    checked_threshold,
    colour_or_none,
    is_percentage_range,
)
from raceday.domain.alerts.defaults import DEFAULT_RANGES, RangeGaps, default_colour, default_ranges

RANGE = AlertKind.PERCENTAGE_RANGE


@pytest.mark.parametrize(
    ("spelling", "kind"),
    [
        ("odds_shortening", AlertKind.ODDS_SHORTENING),
        ("Odds Shortening", AlertKind.ODDS_SHORTENING),
        ("ODDS-DROP", AlertKind.ODDS_SHORTENING),
        (" drift ", AlertKind.ODDS_DRIFTING),
        ("odds__drifting", AlertKind.ODDS_DRIFTING),
        ("odds_change", AlertKind.ODDS_CHANGE),
        ("money_flow", AlertKind.MONEY_SHARE_RISE),
        ("Money-Share-Rise", AlertKind.MONEY_SHARE_RISE),
        ("late_scratching", AlertKind.SCRATCHING),
        ("scratched", AlertKind.SCRATCHING),
    ],
)
def test_spellings_are_folded(spelling: str, kind: AlertKind):
    assert alert_kind(spelling) is kind


@pytest.mark.parametrize("spelling", ["", "weather", "odds", "percentage_range"])
def test_words_that_mean_no_alert_are_refused(spelling: str):
    with pytest.raises(BrokenAlertConfig, match="alertType"):
        alert_kind(spelling)


def test_a_percentage_range_is_named_by_its_indicator():
    assert is_percentage_range("Percentage Range")
    assert not is_percentage_range("percentage")


@pytest.mark.parametrize("threshold", [None, math.nan, math.inf, -math.inf, -5.0, 0.0, 100.5])
def test_a_threshold_that_nothing_or_everything_would_cross_is_refused(threshold: float | None):
    with pytest.raises(BrokenAlertConfig, match="threshold"):
        checked_threshold(AlertKind.ODDS_SHORTENING, threshold)


def test_a_price_may_drift_by_more_than_the_whole_and_a_scratching_needs_no_threshold():
    assert checked_threshold(AlertKind.ODDS_DRIFTING, 250.0) == 250.0
    assert checked_threshold(AlertKind.SCRATCHING, math.nan) == 0.0


@pytest.mark.parametrize(
    ("lowest", "highest"),
    [(None, 5.0), (math.nan, None), (-1.0, 5.0), (5.0, 5.0), (10.0, 5.0), (5.0, math.inf), (5.0, 101.0), (1e9, None)],
)
def test_an_absurd_range_is_refused(lowest: float | None, highest: float | None):
    with pytest.raises(BrokenAlertConfig, match="percentageRange"):
        checked_range(lowest, highest)


@pytest.mark.parametrize("seconds", [0, -1, 86_401])
def test_a_window_of_nothing_or_of_days_is_refused(seconds: int):
    with pytest.raises(BrokenAlertConfig, match="timeWindowSeconds"):
        checked_seconds("timeWindowSeconds", seconds, 1)


def test_what_is_no_colour_is_left_to_the_default():
    assert colour_or_none("#a1B2c3") == "#a1B2c3"
    assert [colour_or_none(text) for text in (None, "red", "#12345", "#1234567", "javascript:")] == [None] * 5
    assert default_colour(5) == "#FECACA"
    assert default_colour(None) == default_colour(99) == "#E5E7EB"


def test_the_six_ranges_join_without_gap_or_overlap_and_the_last_has_no_end():
    ranges = default_ranges("someone")
    assert [config.display_order for config in ranges] == [1, 2, 3, 4, 5, 6]
    assert [config.below for config in ranges] == [config.at_least for config in ranges[1:]] + [None]
    assert len({config.config_id for config in ranges}) == 6
    assert all(set(config.config_id) <= set("0123456789abcdef") for config in ranges)
    assert len(DEFAULT_RANGES) == 6


def config(user_id: str, order: int | None, kind: AlertKind = RANGE, **changes: object) -> AlertConfig:
    whole = {"at_least": 5.0, "display_order": order} | changes
    return AlertConfig(f"{user_id}-{order}", user_id, kind, **whole)  # type: ignore[arg-type]


def orders(configs: list[AlertConfig], user_id: str) -> list[int | None]:
    return [each.display_order for each in configs if each.user_id == user_id]


def test_a_user_with_some_of_the_six_has_the_others_by_default():
    gaps = RangeGaps()
    users = [config("ann", 2), config("ann", 5), config("ben", None, AlertKind.SCRATCHING), config("cat", 1)]
    told = [*gaps.completed(users), *gaps.rest()]
    assert orders(told, "ann") == [2, 5, 1, 3, 4, 6]
    assert orders(told, "ben") == [None], "thresholds alone bring no ranges"
    assert orders(told, "cat") == [1, 2, 3, 4, 5, 6]


def test_a_user_cut_by_a_page_is_completed_once_when_all_was_seen():
    gaps = RangeGaps()
    first = list(gaps.completed([config("ann", order) for order in (1, 2, 3)]))
    second = [*gaps.completed([config("ann", order) for order in (4, 6)]), *gaps.rest()]
    assert orders(first, "ann") == [1, 2, 3]
    assert orders(second, "ann") == [4, 6, 5]


def test_a_range_switched_off_is_not_given_again_and_one_for_a_race_is_none_of_the_six():
    gaps = RangeGaps()
    off = [config("ann", order, enabled=False) for order in range(1, 7)]
    of_a_race = config("ben", 1, race_id="race")
    assert len([*gaps.completed([*off, of_a_race]), *gaps.rest()]) == 7


def test_the_page_names_every_spelling_and_every_default():
    page = (Path(__file__).parents[2] / "docs" / "alerts.md").read_text(encoding="utf-8")
    for kind, spellings in SPELLINGS.items():
        [line] = [line for line in page.splitlines() if line.startswith(f"| `{kind.value}` |")]
        written = {spelling.strip() for spelling in line.split("|")[2].split(",")}
        assert written == {spelling for spelling in spellings if spelling.replace(" ", "_") != kind.value}
    assert all(f"`{colour}`" in page for _, _, colour in DEFAULT_RANGES.values())
