"""What a row of `entrants` says, whatever another writer left in it."""

from __future__ import annotations

import pytest

from raceday.errors import InvalidRequest
from raceday.store.rows.updates import entrant_update
from raceday.store.rows.values import parse_instant

WRITTEN = "2026-11-22T03:40:00.000+00:00"
ROW = {"$id": "e1", "raceId": "r1", "$updatedAt": WRITTEN, "lastUpdated": WRITTEN, "isScratched": True}


@pytest.mark.parametrize(
    ("scratch_time", "at"),
    [
        (1_795_318_200, "2026-11-22T03:30:00.000+00:00"),
        (1_795_318_200_000, None),
        (1_795_318_200_000_000, None),
        (2**53 - 1, None),
        (2**63, None),
        (0, None),
        (-1, None),
        (float("nan"), None),
        ("1795318200", None),
        (None, None),
    ],
)
def test_a_scratching_is_as_old_as_its_seconds_say_or_says_no_time(scratch_time: object, at: str | None):
    told = entrant_update(ROW | {"scratchTime": scratch_time})
    assert told.scratched
    assert told.scratched_at == (parse_instant(at) if at else None)


@pytest.mark.parametrize(
    ("stamped", "counts"),
    [
        ("2026-11-22T03:39:00.000+00:00", "its stamp"),
        ("2026-11-22T03:38:59.999+00:00", "its write"),
        ("2026-11-22T03:41:00.000+00:00", "its stamp"),
        ("2026-11-22T03:41:00.001+00:00", "its write"),
        ("2026-11-22T16:40:00.000+00:00", "its write"),
        ("2026-11-22T16:40:00.000+13:00", "its stamp"),
        ("0001-01-01T00:00:00+14:00", "its write"),
        ("9999-12-31T23:59:59-14:00", "its write"),
        ("2026-11-22T03:40:00", "its write"),
        ("yesterday", "its write"),
        ("", "its write"),
        (None, "its write"),
    ],
)
def test_a_row_was_written_when_its_stamp_says_unless_that_is_far_from_its_write(stamped: str | None, counts: str):
    told = entrant_update(ROW | {"lastUpdated": stamped})
    assert told.written_at == parse_instant(stamped if stamped and counts == "its stamp" else WRITTEN)


def test_without_the_time_of_its_write_the_stamp_counts_and_without_both_it_is_refused():
    assert entrant_update(ROW | {"$updatedAt": None}).written_at == parse_instant(WRITTEN)
    with pytest.raises(InvalidRequest) as refused:
        entrant_update(ROW | {"$updatedAt": None, "lastUpdated": "yesterday"})
    assert refused.value.field == "$updatedAt"
