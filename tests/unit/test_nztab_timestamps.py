from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import TypeAdapter, ValidationError

from raceday.nztab.timestamps import Rfc3339, from_unix, utc

RFC3339 = TypeAdapter(Rfc3339)


@pytest.mark.parametrize(
    ("text", "microsecond"),
    [
        ("2025-07-17T11:16:59Z", 0),
        ("2025-07-17T11:16:59.1Z", 100_000),
        ("2025-07-17T11:16:59.18904298Z", 189_042),
        ("2025-07-17T11:16:59.189042999Z", 189_042),
        ("2025-07-17T23:16:59.5+12:00", 500_000),
    ],
)
def test_up_to_nine_digits_are_read_and_nanoseconds_cut_off(text: str, microsecond: int) -> None:
    instant = utc(RFC3339.validate_json(f'"{text}"'))

    assert instant == datetime(2025, 7, 17, 11, 16, 59, microsecond, tzinfo=UTC)
    assert instant.tzinfo is UTC


def test_the_year_one_means_not_set() -> None:
    assert utc(RFC3339.validate_json('"0001-01-01T00:00:00Z"')) is None
    assert utc(None) is None


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValidationError):
        RFC3339.validate_json('"2025-07-17T11:16:59"')


@pytest.mark.parametrize("unset", [None, 0, -5, 10**15])
def test_unix_seconds_that_are_no_date_mean_not_set(unset: int | None) -> None:
    assert from_unix(unset) is None


def test_unix_seconds() -> None:
    assert from_unix(1_755_658_345) == datetime(2025, 8, 20, 2, 52, 25, tzinfo=UTC)
