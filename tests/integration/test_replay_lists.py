"""A replay reads every version of a captured meeting list, in the order in which the feed made them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from nztab_samples import event, meeting, meetings
from raceday.cli.replay import run_replay

CARD = meeting(1, races=3)
CALLED_OFF, RUN, ONLY_LISTED = (race["id"] for race in CARD["races"])


def a_list(at: str, statuses: dict[str, str], **of_meeting: Any) -> dict[str, Any]:
    """The meeting list as of a time, with the races' statuses then."""
    card = deepcopy(CARD) | of_meeting
    for race in card["races"]:
        race["status"] = statuses.get(race["id"], "Open")
    return meetings([card]) | {"header": {"generated_time": at}}


def an_event(race_id: str, at: str, status: str, **changes: Any) -> dict[str, Any]:
    changes |= {"event_id": race_id, "meeting_id": CARD["meeting"], "status": status}
    return event(race_changes=changes) | {"header": {"generated_time": at}}


_opened: list[sqlite3.Connection] = []


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    """Close what a test opened."""
    yield
    while _opened:
        _opened.pop().close()


def replayed(folder: Path, *captures: dict[str, Any]) -> sqlite3.Connection:
    """Replay the captures; return the database."""
    captured = folder / "captured"
    captured.mkdir()
    for number, capture in enumerate(captures):
        (captured / f"{number}.json").write_text(json.dumps(capture))
    outcome = run_replay(captured, folder / "replay.sqlite")
    assert outcome.failures == []
    _opened.append(sqlite3.connect(folder / "replay.sqlite"))
    return _opened[-1]


def test_what_a_later_list_says_is_stored(tmp_path: Path) -> None:
    db = replayed(
        tmp_path,
        a_list("2025-07-17T01:00:00Z", {}),
        an_event(CALLED_OFF, "2025-07-17T02:00:00Z", "Open"),
        an_event(RUN, "2025-07-17T02:00:00Z", "Open"),
        a_list("2025-07-17T02:30:00Z", {CALLED_OFF: "Abandoned"}),
        an_event(CALLED_OFF, "2025-07-17T03:00:00Z", "Open"),
        an_event(RUN, "2025-07-17T03:40:00Z", "Final"),
        a_list(
            "2025-07-17T05:00:00Z",
            {CALLED_OFF: "Abandoned", RUN: "Final", ONLY_LISTED: "Abandoned"},
            track_condition="Heavy",
            tote_status="Closed",
        ),
    )
    assert dict(db.execute('SELECT "$id", status FROM races')) == {
        CALLED_OFF: "Abandoned",
        RUN: "Final",
        ONLY_LISTED: "Abandoned",
    }
    assert db.execute('SELECT "trackCondition", "toteStatus" FROM meetings').fetchall() == [("Heavy", "Closed")]
    db.close()


def test_an_event_that_is_newer_than_the_list_has_the_last_word(tmp_path: Path) -> None:
    db = replayed(
        tmp_path,
        a_list("2025-07-17T01:00:00Z", {}),
        an_event(RUN, "2025-07-17T02:00:00Z", "Open", track_condition="Soft5"),
        a_list("2025-07-17T02:30:00Z", {}),
        an_event(RUN, "2025-07-17T03:40:00Z", "Interim", track_condition="Soft6"),
    )
    [row] = db.execute('SELECT status, "trackCondition" FROM races WHERE "$id" = ?', (RUN,))
    assert row == ("Interim", "Soft6")
    db.close()


def test_no_capture_is_shown_before_its_time(tmp_path: Path) -> None:
    db = replayed(
        tmp_path,
        an_event(RUN, "2025-07-17T02:00:00Z", "Open"),
        an_event(CALLED_OFF, "2025-07-17T02:45:00Z", "Abandoned"),
        a_list("2025-07-17T02:30:00Z", {ONLY_LISTED: "Abandoned"}),
        an_event(RUN, "2025-07-17T03:40:00Z", "Final"),
    )
    polls = db.execute(
        'SELECT "raceId", "polledAt", "payloadAt", status FROM race_polls ORDER BY "polledAt"'
    ).fetchall()
    changes = dict(db.execute('SELECT "$id", "lastStatusChange" FROM races'))
    db.close()

    assert all(polled == made for _, polled, made, _ in polls), "no response came from the future"
    assert [(race_id, polled[11:16], status) for race_id, polled, _, status in dict.fromkeys(polls)] == [
        (RUN, "02:00", "Open"),
        (CALLED_OFF, "02:45", "Abandoned"),
        (RUN, "03:40", "Final"),
    ]
    assert changes[ONLY_LISTED][11:16] == "02:30", "the list told of it when it was captured"


def test_a_capture_without_a_time_of_its_own_is_replayed_at_the_beginning(tmp_path: Path) -> None:
    timeless = an_event(CALLED_OFF, "", "Open")
    db = replayed(
        tmp_path,
        a_list("2025-07-17T01:00:00Z", {}),
        an_event(RUN, "2025-07-17T02:00:00Z", "Open"),
        timeless,
    )
    polled = dict(db.execute('SELECT "raceId", max("polledAt") FROM race_polls GROUP BY "raceId"'))
    db.close()

    assert {race_id: at[11:16] for race_id, at in polled.items()} == {CALLED_OFF: "01:00", RUN: "02:00"}
