"""The log: one JSON object a line, never too long, never a secret."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from raceday.runtime.log import JsonLog

CANARY = 'canary-"quoted"\\-1234'


def logged(level: str = "DEBUG", secrets: tuple[str, ...] = (CANARY,), **fields: object) -> tuple[list[str], list[str]]:
    lines: list[str] = []
    errors: list[str] = []
    log = JsonLog(lines.append, errors.append, level, secrets)
    log.info("happened", **fields)
    log.error("broke", **fields)
    return lines, errors


def test_a_line_is_one_json_object_with_its_action():
    (line,), (error,) = logged(race_id="r", at=datetime(2026, 11, 22, tzinfo=UTC), huge=10**30, odds=2.5)
    assert json.loads(line)["action"] == "happened"
    assert json.loads(line)["at"].startswith("2026-11-22")
    assert json.loads(error)["level"] == "ERROR"


def test_lines_below_the_level_are_not_written():
    lines, errors = logged("ERROR")
    assert lines == []
    assert len(errors) == 1


def test_a_secret_is_redacted_wherever_it_hides():
    (line,), _ = logged(
        message=f"the feed said {CANARY}",
        nested={"deep": [{CANARY: CANARY}]},
        error=ValueError(f"bad {CANARY}"),
        long="x" * 1490 + CANARY + "y" * 9000,
    )
    held = json.dumps(json.loads(line))
    assert "1234" not in held
    assert "canary" not in held
    assert "[redacted]" in held


@given(
    st.dictionaries(
        st.text(max_size=20),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6000),
            lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=5),
            max_leaves=12,
        ),
        max_size=8,
    )
)
def test_whatever_is_logged_every_line_is_json_and_fits(fields):
    lines: list[str] = []
    log = JsonLog(lines.append, lines.append, "INFO")
    log.info("happened", fields=fields, text="\x00" * 9000)
    (line,) = lines
    assert len(line) < 8000
    assert json.loads(line)["action"] == "happened"
