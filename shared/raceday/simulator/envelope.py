"""The frame around every body, the words for days in a query, and paging."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import orjson

from raceday.simulator.racing_feed import MAX_LIMIT, BadQuery
from raceday.simulator.wire import SYDNEY

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

BASE_PATH = "/affiliates/v1/racing"
_DAYS_AHEAD = {"now": 0, "today": 0, "week": 7, "month": 31, "all": 366}


def enveloped(title: str, generated_time: str, url: str, params: Mapping[str, object], data: bytes) -> bytes:
    """Return `{"header":…,"params":…,"data":…}`."""
    header = {"title": title, "generated_time": generated_time, "url": f"{BASE_PATH}{url}"}
    return b'{"header":%b,"params":%b,"data":%b}' % (orjson.dumps(header), orjson.dumps(params), data)


def refused(status: int, reason: str, generated_time: str, url: str) -> bytes:
    """Return the body of an error answer."""
    header = {
        "title": "Error",
        "generated_time": generated_time,
        "url": url,
        "error": reason,
        "error_code": status,
    }
    return orjson.dumps({"header": header})


def day_range(date_from: str | None, date_to: str | None, now: datetime) -> tuple[date, date]:
    """Return the first and last day asked for; both default to today in eastern Australia, as the feed has it."""
    today = now.astimezone(SYDNEY).date()
    first = _day("date_from", date_from, today) if date_from else today
    last = _day("date_to", date_to, today) if date_to else max(first, today)
    if date_to is None and date_from in _DAYS_AHEAD:
        last = today + timedelta(days=_DAYS_AHEAD[date_from])
    return first, last


def _day(name: str, word: str, today: date) -> date:
    if word in _DAYS_AHEAD:
        return today if name == "date_from" else today + timedelta(days=_DAYS_AHEAD[word])
    try:
        return datetime.strptime(word, "%Y-%m-%d").date()  # noqa: DTZ007 - a day, not an instant
    except ValueError as error:
        raise BadQuery(f"{name} must be YYYY-MM-DD, today, now, week, month or all, not {word!r}") from error


def checked_limit(limit: int, offset: int = 0) -> None:
    """Raise BadQuery unless the limit is within 1 and 200 and the offset not negative."""
    if not 1 <= limit <= MAX_LIMIT:
        raise BadQuery(f"limit must be between 1 and {MAX_LIMIT}, not {limit}")
    if offset < 0:
        raise BadQuery(f"offset must not be negative, not {offset}")


def page_token_after(page: int, limit: int, rows: int) -> str:
    """Return the opaque token of the page after this one, empty after the last."""
    if page * limit >= rows:
        return ""
    return urlsafe_b64encode(orjson.dumps({"page_number": page + 1})).decode().rstrip("=")


def page_of(token: str) -> int:
    """Return the page that a token stands for, the first without one."""
    if not token:
        return 1
    try:
        page = orjson.loads(urlsafe_b64decode(token + "=" * (-len(token) % 4)))["page_number"]
    except (ValueError, KeyError, TypeError) as error:
        raise BadQuery(f"page_token is not one of ours: {token!r}") from error
    return int(page)


def meetings_params(
    first: date, last: date, limit: int, offset: int, category: str | None, country: str | None
) -> dict[str, object]:
    """Return the echo of a list of meetings; what was not asked for comes back as one blank."""
    return {
        "enc": "json",
        "ids": None,
        "date_from": f"{first}T00:00:00Z",
        "date_to": f"{last}T23:59:59.999999999Z",
        "type": category or " ",
        "country": country or " ",
        "limit": limit,
        "offset": offset,
        "futures": False,
        "meeting_numbers": None,
    }


def races_params(first: date, last: date, limit: int, token: str) -> dict[str, object]:
    """Return the echo of a list of races."""
    return {
        "enc": "json",
        "limit": limit,
        "countries": None,
        "meet_types": None,
        "date_from": f"{first}T00:00:00Z",
        "date_to": f"{last}T23:59:59.999999999Z",
        "order_by": 1,
        "page_token": token,
    }
