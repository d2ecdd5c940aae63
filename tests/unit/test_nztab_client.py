"""What the client asks for, and how it puts pages together."""

from __future__ import annotations

import ast
import gzip
from datetime import date
from pathlib import Path

import httpx
import pytest

import raceday
from nztab_feed import EPOCH, ScriptedFeed, json_answer
from nztab_samples import MEETING_ID, RACE_ID, encoded, event, meeting, meetings
from raceday.clock import Clock
from raceday.errors import FeedContractError, FeedNotFound
from raceday.host.virtual_time import run_virtual
from raceday.nztab.client import NzTabClient
from raceday.nztab.settings import FeedSettings

DAY = date(2025, 7, 17)
GOOD_EVENT = json_answer(encoded(event()))


def page(*numbers: int, **echo: object) -> httpx.Response:
    return json_answer(encoded(meetings([meeting(number) for number in numbers], **echo)))


def test_an_event_is_asked_for_with_everything_that_is_kept() -> None:
    feed = ScriptedFeed(GOOD_EVENT)
    mapped = feed.ask(lambda client: client.event(RACE_ID))

    assert mapped.race.race_id == RACE_ID
    url = feed.requests[0].url
    assert url.copy_with(query=None) == f"https://api.tab.co.nz/affiliates/v1/racing/events/{RACE_ID}"
    assert dict(url.params) == {
        "with_money_tracker": "true",
        "with_will_pays": "true",
        "with_tote_trends_data": "true",
    }
    assert feed.calls == 1


def test_tote_trends_may_be_left_out_and_the_address_may_be_another() -> None:
    settings = FeedSettings(base_url="http://127.0.0.1:7001/feed/", with_tote_trends=False)
    feed = ScriptedFeed(GOOD_EVENT, settings=settings)
    feed.ask(lambda client: client.event(RACE_ID))

    assert feed.requests[0].url.path == f"/feed/racing/events/{RACE_ID}"
    assert "with_tote_trends_data" not in feed.requests[0].url.params


def test_every_request_says_who_asks() -> None:
    settings = FeedSettings(contact_email="ops@example.org", partner="Someone", partner_id="an-id")
    feed = ScriptedFeed(GOOD_EVENT, settings=settings)
    feed.ask(lambda client: client.event(RACE_ID))

    headers = feed.requests[0].headers
    assert (headers["from"], headers["x-partner"], headers["x-partner-id"]) == ("ops@example.org", "Someone", "an-id")
    assert headers["accept-encoding"] == "gzip"
    assert headers["accept"] == "application/json"
    assert headers["user-agent"].startswith("raceday/")


def test_without_identification_nothing_is_made_up() -> None:
    feed = ScriptedFeed(GOOD_EVENT)
    feed.ask(lambda client: client.event(RACE_ID))

    assert not {"from", "x-partner", "x-partner-id"} & feed.requests[0].headers.keys()


def test_an_id_cannot_lead_to_another_address() -> None:
    feed = ScriptedFeed(json_answer(b"{}", 404))
    with pytest.raises(FeedNotFound):
        feed.ask(lambda client: client.event("../meetings?x=1"))

    assert feed.requests[0].url.raw_path.startswith(b"/affiliates/v1/racing/events/..%2Fmeetings%3Fx%3D1?")


def test_a_compressed_answer_is_read() -> None:
    feed = ScriptedFeed(json_answer(gzip.compress(encoded(event())), **{"content-encoding": "gzip"}))

    assert len(feed.ask(lambda client: client.event(RACE_ID)).entrants) == 3
    assert feed.attempts[0]["bytes"] == len(encoded(event()))


def test_meetings_are_read_page_by_page_until_a_short_one() -> None:
    echo = {"limit": 3, "date_from": "2025-07-17T00:00:00Z", "date_to": "2025-07-17T23:59:59.999999999Z"}
    feed = ScriptedFeed(page(1, 2, 3, **echo), page(3, 4, 5, **echo), page(6, **echo))
    programme = feed.ask(lambda client: client.meetings(DAY, country="AUS", category="T"))

    assert [listed.meeting.name for listed in programme] == [f"Course {number}" for number in range(1, 7)]
    queries = [dict(request.url.params) for request in feed.requests]
    assert [query.pop("offset") for query in queries] == ["0", "3", "6"]
    assert queries[0] == {
        "date_from": "2025-07-17",
        "date_to": "2025-07-17",
        "country": "AUS",
        "category": "T",
        "limit": "200",
    }


def test_a_short_first_page_is_the_last() -> None:
    feed = ScriptedFeed(page(1, 2))
    assert len(feed.ask(lambda client: client.meetings(DAY, date(2025, 7, 18)))) == 2
    assert feed.calls == 1
    assert feed.requests[0].url.params["date_to"] == "2025-07-18"


def test_a_dropped_meeting_does_not_make_its_page_look_short() -> None:
    broken = meeting(2)
    del broken["meeting"]
    full = json_answer(encoded(meetings([meeting(1), broken], limit=2)))
    feed = ScriptedFeed(full, page(3, limit=2))

    assert [listed.meeting.name for listed in feed.ask(lambda client: client.meetings(DAY))] == ["Course 1", "Course 3"]
    drift = [fields for action, fields in feed.log if action == "feed_drift"]
    assert drift == [
        {
            "endpoint": "meetings",
            "date_from": "2025-07-17",
            "date_to": "2025-07-17",
            "drift": {"meeting dropped": 1},
        }
    ]


def test_a_feed_that_gives_the_same_full_page_for_ever_is_left() -> None:
    feed = ScriptedFeed(page(1, 2, limit=2))
    assert len(feed.ask(lambda client: client.meetings(DAY))) == 2
    assert feed.calls == 2


@pytest.mark.parametrize(
    "echo", [{"date_from": "2025-07-18T00:00:00Z"}, {"date_from": "2025-07-17", "date_to": "2025-07-19T23:59:59Z"}]
)
def test_an_answer_about_other_dates_is_refused(echo: dict[str, str]) -> None:
    feed = ScriptedFeed(page(1, **echo))
    with pytest.raises(FeedContractError, match="the feed answered about"):
        feed.ask(lambda client: client.meetings(DAY))
    assert feed.calls == 1


def test_one_meeting() -> None:
    listed = meeting(1)
    feed = ScriptedFeed(json_answer(encoded(meetings([listed]))))
    mapped, races = feed.ask(lambda client: client.meeting(listed["meeting"]))

    assert (mapped.name, len(races)) == ("Course 1", 2)
    assert feed.requests[0].url.path.endswith(f"/racing/meetings/{listed['meeting']}")


def test_another_meeting_or_none_is_refused() -> None:
    with pytest.raises(FeedContractError, match="answered about"):
        ScriptedFeed(page(1)).ask(lambda client: client.meeting(MEETING_ID))
    with pytest.raises(FeedNotFound, match=MEETING_ID):
        ScriptedFeed(page()).ask(lambda client: client.meeting(MEETING_ID))


def races_page(*numbers: int, token: str = "") -> httpx.Response:
    races = [
        {
            "id": f"0f000000-0000-4000-8000-{number:012d}",
            "meeting_id": MEETING_ID,
            "number": number,
            "advertised_start": "2025-07-17T03:30:00Z",
        }
        for number in numbers
    ]
    return json_answer(encoded({"params": {}, "data": {"races": races, "next_page_token": token}}))


def test_the_flat_list_follows_its_page_tokens() -> None:
    feed = ScriptedFeed(races_page(1, 2, token="next"), races_page(3))
    races = feed.ask(lambda client: client.races_list(DAY))

    assert [race.race_number for race in races] == [1, 2, 3]
    assert [request.url.params.get("page_token") for request in feed.requests] == [None, "next"]


def test_a_page_token_that_comes_back_ends_the_list() -> None:
    feed = ScriptedFeed(races_page(1, token="again"))
    assert len(feed.ask(lambda client: client.races_list(DAY))) == 1
    assert feed.calls == 2


def imported_by(module: Path) -> set[str]:
    """The top-level names of what a module imports when it runs (not for type checking only)."""
    tree = ast.parse(module.read_bytes())
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import)]
    from_imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    names = [alias.name for node in imports for alias in node.names] + [node.module or "" for node in from_imports]
    return {name.split(".")[0] for name in names}


def test_the_http_library_is_known_to_one_module_only() -> None:
    house = Path(raceday.__file__).parent
    modules = sorted(house.rglob("*.py"))
    assert len(modules) > 200
    knowing = [module.relative_to(house).as_posix() for module in modules if "httpx" in imported_by(module)]
    assert knowing == ["transport.py"]


def test_a_transport_that_was_given_stays_open_for_the_other_clients() -> None:
    class Watched(httpx.MockTransport):
        closed = False

        async def aclose(self) -> None:
            self.closed = True

    shared = Watched(lambda _request: httpx.Response(200, stream=httpx.ByteStream(encoded(event()))))

    async def main(clock: Clock) -> None:
        for _ in range(2):
            client = NzTabClient(FeedSettings(), clock, transport=shared)
            await client.event(RACE_ID)
            await client.aclose()

    run_virtual(main, EPOCH)
    assert not shared.closed
