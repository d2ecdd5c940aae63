"""Replay of captured responses: recognised by content, answered untouched, completed from events."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from raceday.simulator.event_options import EventOptions
from raceday.simulator.recognition import CapturedEvent, CapturedMeetings, recognised
from raceday.simulator.replay import CapturedFeed

ASKED = EventOptions(money_tracker=True)


def meeting(meeting_id: str, *race_ids: str, status: str = "Open") -> dict[str, Any]:
    races = [
        {"id": race_id, "race_number": number, "start_time": "2026-03-12T02:00:00Z", "status": status}
        for number, race_id in enumerate(race_ids, start=1)
    ]
    return {"meeting": meeting_id, "name": meeting_id, "date": "2026-03-12T00:00:00Z", "category": "T",
            "country": "AUS", "races": races}  # fmt: skip


def meetings_answer(*rows: dict[str, Any], at: str = "2026-03-12T01:00:00.5Z", **params: Any) -> dict[str, Any]:
    header = {"title": "Race Meetings", "generated_time": at}
    return {"header": header, "params": params, "data": {"meetings": list(rows)}}


def event_answer(event_id: str, meeting_id: str, at: str, status: str = "Open") -> dict[str, Any]:
    race = {
        "event_id": event_id, "meeting_id": meeting_id, "meeting_name": "Karrabindi", "status": status, "type": "H",
        "country": "AUS", "state": "VIC", "race_number": 7, "description": "Pace", "distance": 2100,
        "advertised_start": 1773313200,
    }  # fmt: skip
    return {"header": {"generated_time": at}, "data": {"race": race, "runners": [{"entrant_id": "x"}]}}


def write(folder: Path, **files: Any) -> Path:
    for name, body in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_suffix(".json").write_bytes(body if isinstance(body, bytes) else orjson.dumps(body))
    return folder


def test_every_kind_is_recognised_by_content() -> None:
    assert isinstance(recognised(orjson.dumps(meetings_answer(meeting("m")))), CapturedMeetings)
    assert isinstance(recognised(orjson.dumps([meeting("m")])), CapturedMeetings)
    assert isinstance(recognised(orjson.dumps(meetings_answer(meeting("m"), id="m"))), CapturedMeetings)
    event = recognised(orjson.dumps(event_answer("e", "m", "2026-03-12T01:00:00Z")))
    assert isinstance(event, CapturedEvent)
    assert event.event_id == "e"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"header":{"title', "not JSON"),
        (b"<html></html>", "not JSON"),
        (b'"text"', "bare str"),
        (b"[]", "empty list"),
        (b'[{"id":"old"}]', "no meeting id"),
        (b'[{"meeting":"m"}]', "no list of races"),
        (b'{"date":"2025-08-12","meetings":[]}', "older format"),
        (b'{"header":{"error":"gone","error_code":404}}', "error answer: gone"),
        (b'{"data":{"races":[]}}', "list of races"),
        (b'{"data":{"extras":[]}}', "extras"),
        (b'{"data":{"race":{}}}', "without data.runners"),
        (b'{"data":{"race":{},"runners":[]}}', "event_id"),
        (b'{"data":{"race":{"event_id":"e"},"runners":null}}', "not a list"),
        (b'{"params":{"futures":true},"data":{"meetings":[]}}', "futures"),
        (b'{"data":{"other":1}}', "other"),
    ],
)
def test_everything_else_is_left_out_with_its_reason(tmp_path: Path, body: bytes, reason: str) -> None:
    write(tmp_path, deep__er__file=body, good=meetings_answer(meeting("m", "r")))
    feed = CapturedFeed.load(tmp_path)

    assert feed.responses == 1
    [(path, refusal)] = feed.not_replayed
    why = str(refusal)
    assert path == tmp_path / "deep/er/file.json"
    assert reason in why


def test_files_that_are_no_json_are_named_too_and_gzip_is_read(tmp_path: Path) -> None:
    (tmp_path / "INDEX.csv").write_text("path,kind")
    (tmp_path / "broken.json.gz").write_bytes(gzip.compress(b"{}" * 50)[:20])
    (tmp_path / "event.json.gz").write_bytes(
        gzip.compress(orjson.dumps(event_answer("e", "m", "2026-03-12T01:00:00Z")))
    )
    feed = CapturedFeed.load(tmp_path)
    assert feed.event_ids() == ["e"]
    reasons = {path.name: str(why) for path, why in feed.not_replayed}
    assert "no JSON" in reasons["INDEX.csv"]
    assert "gzip" in reasons["broken.json.gz"]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotADirectoryError, match="nowhere"):
        CapturedFeed.load(tmp_path / "nowhere")


def test_captures_of_one_event_are_kept_in_order_and_answered_as_of_a_moment(tmp_path: Path) -> None:
    early, late = "2026-03-12T01:00:00.123456789Z", "2026-03-12T03:00:00Z"
    write(tmp_path, a=event_answer("e", "m", late, "Final"), b=event_answer("e", "m", early))
    feed = CapturedFeed.load(tmp_path)

    captures = feed.captures("e")
    assert [capture.path.name for capture in captures] == ["b.json", "a.json"]
    assert captures[0].generated_at == datetime(2026, 3, 12, 1, 0, 0, 123456, tzinfo=UTC)
    assert captures[0].body == (tmp_path / "b.json").read_bytes()
    feed.now = lambda: datetime(2026, 3, 12, 0, 59, tzinfo=UTC)
    assert feed.event("e", ASKED) is None, "it was still to be captured"
    for hour, place in ((2, 0), (3, 1), (9, 1)):
        feed.now = lambda hour=hour: datetime(2026, 3, 12, hour, tzinfo=UTC)
        assert feed.event("e", ASKED) == captures[place].body
    assert feed.event("nobody", ASKED) is None
    assert feed.captures("nobody") == []


def test_the_meetings_are_the_union_of_all_lists_in_their_version_of_the_moment(tmp_path: Path) -> None:
    write(
        tmp_path,
        one=meetings_answer(meeting("m1", "r1"), at="2026-03-12T01:00:00Z"),
        two=meetings_answer(meeting("m1", "r1", status="Final"), at="2026-03-12T05:00:00Z"),
        three=[meeting("m2", "r2")],
    )
    feed = CapturedFeed.load(tmp_path)

    def statuses(hour: int) -> dict[str, str]:
        feed.now = lambda: datetime(2026, 3, 12, hour, tzinfo=UTC)
        rows = orjson.loads(feed.meetings())["data"]["meetings"]
        return {row["meeting"]: row["races"][0]["status"] for row in rows}

    assert statuses(2) == {"m1": "Open", "m2": "Open"}
    assert statuses(6) == {"m1": "Final", "m2": "Open"}
    assert orjson.loads(feed.meeting("m1") or b"")["data"]["meetings"][0]["races"][0]["status"] == "Final"
    assert feed.meeting("nobody") is None
    assert orjson.loads(feed.meetings(country="NZ"))["data"]["meetings"] == []
    assert orjson.loads(feed.meetings("2026-03-13", "2026-03-14"))["data"]["meetings"] == []
    assert [row["id"] for row in orjson.loads(feed.races_list())["data"]["races"]] == ["r1", "r2"]


def test_events_that_no_list_knows_bring_their_own_meeting_and_race(tmp_path: Path) -> None:
    write(
        tmp_path,
        list=meetings_answer(meeting("m1", "r1")),
        known=event_answer("r1", "m1", "2026-03-12T01:00:00Z"),
        unlisted=event_answer("r7", "m1", "2026-03-12T01:00:00Z"),
        lost=event_answer("r8", "m9", "2026-03-12T01:00:00Z"),
        lost_later=event_answer("r8", "m9", "2026-03-12T04:00:00Z", "Final"),
    )
    feed = CapturedFeed.load(tmp_path)
    assert feed.book.synthesised_meetings == ["m9"]
    assert sorted(feed.book.synthesised_races) == ["r7", "r8"]

    def races(hour: int) -> dict[str, list[tuple[str, str]]]:
        feed.now = lambda: datetime(2026, 3, 12, hour, tzinfo=UTC)
        rows = orjson.loads(feed.meetings("2026-03-12", "2026-03-12"))["data"]["meetings"]
        return {row["meeting"]: [(race["id"], race["status"]) for race in row["races"]] for row in rows}

    assert races(2) == {"m1": [("r1", "Open"), ("r7", "Open")], "m9": [("r8", "Open")]}
    assert races(5)["m9"] == [("r8", "Final")]
    made_up = orjson.loads(feed.meeting("m9") or b"")["data"]["meetings"][0]
    assert made_up["category_name"] == "Harness Horse Racing"
    assert made_up["date"] == "2026-03-12T00:00:00Z"
    assert made_up["races"][0]["start_time"] == "2026-03-12T11:00:00Z"


@pytest.mark.corpus
def test_the_whole_corpus_is_replayed_or_named(corpus: Path) -> None:
    feed = CapturedFeed.load(corpus)
    files = [path for path in corpus.rglob("*") if path.is_file()]
    assert feed.responses + len(feed.not_replayed) == len(files)
    assert sum(len(feed.captures(event_id)) for event_id in feed.event_ids()) >= 300
    assert all("not JSON" not in str(reason) for _, reason in feed.not_replayed)

    feed.now = lambda: datetime(2027, 1, 1, tzinfo=UTC)
    listed = {
        race["id"]
        for row in feed.book.as_of(feed.now())
        for race in row["races"]
    }  # fmt: skip
    for event_id in feed.event_ids():
        captures = feed.captures(event_id)
        moments = [capture.generated_at for capture in captures]
        assert event_id in listed
        assert moments == sorted(moments)
        assert feed.event(event_id, ASKED) == captures[-1].path.read_bytes()
    day = orjson.loads(feed.meetings("2025-07-17", "2025-07-17"))["data"]["meetings"]
    assert {row["country"] for row in day} >= {"AUS", "NZ"}
