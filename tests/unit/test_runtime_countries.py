"""RACEDAY_COUNTRIES: which meetings are followed, and what is refused instead of following nothing."""

from __future__ import annotations

import pytest

from raceday.domain.meeting import AU_NZ
from raceday.errors import ConfigError
from raceday.runtime.settings import load_settings


def test_country_codes_are_read_in_any_case() -> None:
    assert load_settings({"RACEDAY_COUNTRIES": "nz, aus,"}).countries == {"NZ", "AUS"}
    assert load_settings({"RACEDAY_COUNTRIES": "All"}).countries is None
    assert load_settings({}).countries == AU_NZ


@pytest.mark.parametrize("text", [",", " , ,"])
def test_a_list_without_a_country_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"RACEDAY_COUNTRIES: names no country: .*all"):
        load_settings({"RACEDAY_COUNTRIES": text})
