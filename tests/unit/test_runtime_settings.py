"""Configuration: every variable checked at once, and errors that say what to do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from raceday.domain.cadence import CLASSIC, ENHANCED
from raceday.domain.meeting import RaceCode
from raceday.errors import ConfigError
from raceday.jobs.schedule_polls import Dispatch
from raceday.runtime.functions import FUNCTIONS
from raceday.runtime.settings import VARIABLES, Settings, load_settings

ROOT = Path(__file__).parents[2]


def test_without_any_variable_there_is_a_working_default():
    settings = load_settings({})
    assert settings.policy is ENHANCED
    assert settings.dispatch is Dispatch.ENHANCED
    assert settings.follow.codes == {RaceCode.THOROUGHBRED, RaceCode.HARNESS}


def test_variables_are_read_and_empty_ones_count_as_not_set():
    settings = load_settings({"RACEDAY_CADENCE": "classic", "RACEDAY_CODES": "t, G", "RACEDAY_TICKS": " "})
    assert settings.policy is CLASSIC
    assert settings.codes == {RaceCode.THOROUGHBRED, RaceCode.GREYHOUND}
    assert settings.ticks == 4


@pytest.mark.parametrize(
    ("variable", "value", "hint"),
    [
        ("RACEDAY_CADENCE", "brisk", "enhanced, classic, high-frequency"),
        ("RACEDAY_CODES", "T,X", "X"),
        ("RACEDAY_DISPATCH", "all", "single-or-batch"),
        ("RACEDAY_CONCURRENCY", "0", "greater than or equal to 1"),
        ("RACEDAY_POLITENESS_S", "soon", "number"),
        ("RACEDAY_LOG_LEVEL", "loud", "pattern"),
        ("NZTAB_BASE_URL", "api.tab.co.nz", "pattern"),
    ],
)
def test_a_wrong_variable_is_named_with_what_it_may_hold(variable: str, value: str, hint: str):
    with pytest.raises(ConfigError, match=variable) as refused:
        load_settings({variable: value})
    assert hint in str(refused.value)


def test_all_wrong_variables_are_named_at_once():
    with pytest.raises(ConfigError) as refused:
        load_settings({"RACEDAY_CADENCE": "brisk", "RACEDAY_TICKS": "9"})
    assert "RACEDAY_CADENCE" in str(refused.value)
    assert "RACEDAY_TICKS" in str(refused.value)


def test_the_partner_id_is_never_shown():
    settings = load_settings({"NZTAB_PARTNER_ID": "canary-1234"})
    assert "canary" not in repr(settings)
    assert "canary" not in str(settings)
    assert settings.secrets() == ["canary-1234"]


def test_the_readme_lists_every_variable_with_its_default():
    rows = {
        line.split("|")[1].strip().strip("`"): line.split("|")[2].strip().strip("`")
        for line in (ROOT / "README.md").read_text().splitlines()
        if line.startswith("| `")
    }
    documented = {name: default for name, default in rows.items() if name.isupper()}
    assert set(documented) == {*VARIABLES, "RACEDAY_CORPUS", "RACEDAY_EXCHANGES", "RACEDAY_PYTHON"}
    defaults = load_settings({})
    for field in Settings.model_fields:
        alias = str(Settings.model_fields[field].alias)
        given = load_settings({alias: documented[alias]} if documented[alias] else {})
        assert getattr(given, field) == getattr(defaults, field), f"{alias} is not {documented[alias]} by default"


def test_appwrite_json_says_what_the_function_table_says():
    declared = {function["$id"]: function for function in json.loads((ROOT / "appwrite.json").read_text())["functions"]}
    assert set(declared) == set(FUNCTIONS)
    for function_id, spec in FUNCTIONS.items():
        function = declared[function_id]
        assert function["specification"] == spec.specification
        assert function["timeout"] == spec.timeout_s
        assert function["schedule"] == spec.schedule
        assert tuple(function["events"]) == spec.events
        assert tuple(function["scopes"]) == spec.scopes
        assert spec.deadline_s < spec.timeout_s
        assert not spec.recurs_every_minute or spec.deadline_s <= 55
