"""What a captured file is, told by its content: file names and folders say nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping

Json = Any
"""A parsed response that nobody has checked yet."""


class NotReplayed(ValueError):
    """The file is not a response that can be replayed; the text says why."""


class BrokenCapture(NotReplayed):
    """The file is meant to be a race's or a meeting's response, but nothing can be made of it."""


class BrokenEvent(BrokenCapture):
    """The file is meant to be an event."""


@dataclass(frozen=True, slots=True)
class CapturedMeetings:
    """A list of meetings, or a single one."""

    meetings: tuple[Mapping[str, Json], ...]
    generated_time: str


@dataclass(frozen=True, slots=True)
class CapturedEvent:
    """One event; `race` is its `data.race`."""

    event_id: str
    generated_time: str
    race: Mapping[str, Json]


def recognised(body: bytes) -> CapturedMeetings | CapturedEvent:
    """Tell what a captured body is; raise NotReplayed with the reason for anything that cannot be replayed."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        broken = BrokenEvent if b'"event_id"' in body or b'"runners"' in body else BrokenCapture
        raise broken(f"not JSON: {error}") from error
    if isinstance(answer, list):
        return CapturedMeetings(_meetings(answer), "")
    if not isinstance(answer, dict):
        raise NotReplayed(f"a bare {type(answer).__name__}, not a response")
    answered = answer.get("data")
    if not isinstance(answered, dict):
        raise NotReplayed(_why_without_data(answer))
    if "race" in answered and "runners" in answered:
        return _event(answer, answered)
    if "meetings" in answered:
        return _meetings_answer(answer, answered)
    raise NotReplayed(_why_other_resource(answered))


def _event(answer: Mapping[str, Json], answered: Mapping[str, Json]) -> CapturedEvent:
    race = answered["race"]
    if not isinstance(race, dict) or not isinstance(race.get("event_id"), str):
        raise BrokenEvent("an event without data.race.event_id")
    if not isinstance(answered["runners"], list):
        raise BrokenEvent("an event whose data.runners is not a list")
    return CapturedEvent(race["event_id"], _generated_time(answer), race)


def _meetings_answer(answer: Mapping[str, Json], answered: Mapping[str, Json]) -> CapturedMeetings:
    params = answer.get("params")
    asked = params if isinstance(params, dict) else {}
    if asked.get("futures"):
        raise NotReplayed("futures: markets without race numbers, nothing to poll")
    listed = answered["meetings"]
    if not isinstance(listed, list):
        raise BrokenCapture("data.meetings is not a list")
    return CapturedMeetings(_meetings(listed), _generated_time(answer))


def _meetings(listed: list[Json]) -> tuple[Mapping[str, Json], ...]:
    if not listed:
        raise NotReplayed("an empty list")
    for meeting in listed:
        if not isinstance(meeting, dict) or not isinstance(meeting.get("meeting"), str):
            raise NotReplayed("a list whose entries have no meeting id (key 'meeting')")
        if not isinstance(meeting.get("races"), list):
            raise NotReplayed(f"meeting {meeting['meeting']} has no list of races")
    return tuple(listed)


def _generated_time(answer: Mapping[str, Json]) -> str:
    header = answer.get("header")
    stamp = header.get("generated_time") if isinstance(header, dict) else None
    return stamp if isinstance(stamp, str) else ""


def _why_without_data(answer: Mapping[str, Json]) -> str:
    header = answer.get("header")
    if isinstance(header, dict) and header.get("error"):
        return f"an error answer: {header['error']}"
    if "meetings" in answer:
        return "an older format with meetings at the top level, not an answer of the affiliates API"
    return "no object under 'data': not an answer of the affiliates API"


def _why_other_resource(answered: Mapping[str, Json]) -> str:
    if "races" in answered:
        return "a list of races: it states neither status nor runners"
    if "extras" in answered or "extra" in answered:
        return "extras (jockey and box challenges): not a race"
    if "race" in answered:
        return "an event without data.runners"
    return f"a resource that is not replayed (data has {', '.join(sorted(answered)) or 'nothing'})"
