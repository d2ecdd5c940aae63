"""Icons in the stand-in's bucket: once however often, replaced when they differ, seen from the browser's side."""

from __future__ import annotations

import asyncio

import pytest

from appwrite_platform import SECRET, Platform
from raceday.domain.silks.silk import silk_id
from raceday.errors import StoreConflict, StoreUnavailable
from raceday.simulator.appwrite.faults import DROPPED, Fault
from raceday.store.appwrite.icon_bucket import ICON_TRIES, IconBucket
from raceday.store.appwrite.rest import AppwriteRest
from raceday.store.appwrite.settings import AppwriteSettings
from raceday.store.tables.buckets import SILK_ICONS
from raceday.transport import InProcess

run = asyncio.run
ID = silk_id("cerise & gold hoops, white cap")
DRAWN = '<svg xmlns="http://www.w3.org/2000/svg"><title>cerise é</title></svg>'
LEARNT = '<svg xmlns="http://www.w3.org/2000/svg"><title>cerise and gold</title></svg>'
FILE = f"/storage/buckets/{SILK_ICONS.bucket_id}/files/{ID}"


@pytest.fixture
def platform() -> Platform:
    platform = Platform()
    bucket = {
        "bucketId": SILK_ICONS.bucket_id,
        "name": SILK_ICONS.bucket_id,
        "permissions": list(SILK_ICONS.permissions),
        "maximumFileSize": SILK_ICONS.maximum_file_size_bytes,
        "allowedFileExtensions": list(SILK_ICONS.allowed_extensions),
    }
    assert platform.call("POST", "/storage/buckets", bucket).status == 201
    platform.log.calls.clear()
    return platform


def icons(platform: Platform, public_endpoint: str = "") -> IconBucket:
    settings = AppwriteSettings("http://localhost/v1", "raceday", SECRET, first_retry_wait_s=0.001)
    return IconBucket(AppwriteRest(settings, InProcess(platform.app)), public_endpoint)


def methods(platform: Platform) -> list[str]:
    """What was called since the last question."""
    called = [call.method for call in platform.log.calls]
    platform.log.calls.clear()
    return called


def content(platform: Platform) -> str:
    return platform.call("GET", f"{FILE}/download", x_appwrite_key="").content.decode()


def test_an_icon_is_a_file_that_anybody_may_read(platform: Platform) -> None:
    url = run(icons(platform).save(ID, DRAWN))
    assert methods(platform) == ["POST"]
    assert content(platform) == DRAWN
    file = platform.call("GET", FILE).body
    assert (file["$id"], file["name"], file["mimeType"]) == (ID, f"{ID}.svg", "image/svg+xml")
    assert url == f"http://localhost/v1{FILE}/download?project=raceday&drawn={file['signature'][:8]}"


def test_the_address_leads_to_the_icon_without_any_key(platform: Platform) -> None:
    url = run(icons(platform, "http://localhost/v1/").save(ID, DRAWN))
    path, _, query = url.removeprefix("http://localhost/v1").partition("?")
    asked = [tuple(part.split("=")) for part in query.split("&")]
    reply = platform.call("GET", path, query=asked, x_appwrite_key="", x_appwrite_project="")
    assert (reply.status, reply.content.decode()) == (200, DRAWN)
    assert reply.headers["content-type"] == "image/svg+xml"


def test_browsers_may_reach_the_platform_at_another_address(platform: Platform) -> None:
    url = run(icons(platform, "https://appwrite.example.org/v1").save(ID, DRAWN))
    assert url.startswith(f"https://appwrite.example.org/v1{FILE}/download?project=raceday&")


def test_twice_is_once(platform: Platform) -> None:
    first = run(icons(platform).save(ID, DRAWN))
    made_at = platform.call("GET", FILE).body["$createdAt"]
    methods(platform)
    platform.clock.move(60)
    assert run(icons(platform).save(ID, DRAWN)) == first
    assert methods(platform) == ["POST", "GET"]
    assert platform.call("GET", FILE).body["$createdAt"] == made_at


def test_a_drawing_that_differs_takes_the_place_of_the_old_one_under_another_address(platform: Platform) -> None:
    first = run(icons(platform).save(ID, DRAWN))
    methods(platform)
    second = run(icons(platform).save(ID, LEARNT))
    assert methods(platform) == ["POST", "GET", "DELETE", "POST"]
    assert content(platform) == LEARNT
    assert first.partition("&")[0] == second.partition("&")[0]
    assert first != second


def test_an_answer_that_was_lost_costs_a_second_look(platform: Platform) -> None:
    platform.faults.next_calls(Fault(DROPPED, after_effect=True), method="POST", part_of_path="files")
    assert run(icons(platform).save(ID, DRAWN)).endswith(platform.call("GET", FILE).body["signature"][:8])
    assert content(platform) == DRAWN


def test_runs_that_keep_the_same_icon_at_once_all_have_it(platform: Platform) -> None:
    run(icons(platform).save(ID, DRAWN))

    async def together() -> list[str]:
        return await asyncio.gather(*(icons(platform).save(ID, LEARNT) for _ in range(5)))

    assert len(set(run(together()))) == 1
    assert content(platform) == LEARNT


def test_two_releases_that_undo_each_other_end_with_a_conflict(platform: Platform) -> None:
    class Contested(IconBucket):
        """Another release puts its drawing back whenever this one has removed it."""

        async def _delete(self, silk_id: str) -> None:
            await super()._delete(silk_id)
            await self._create(silk_id, DRAWN.encode())

    run(icons(platform).save(ID, DRAWN))
    contested = Contested(icons(platform)._rest)
    methods(platform)
    with pytest.raises(StoreConflict, match=ID):
        run(contested.save(ID, LEARNT))
    assert methods(platform).count("DELETE") == ICON_TRIES


def test_a_bucket_that_is_not_there_is_a_matter_of_set_up() -> None:
    with pytest.raises(StoreUnavailable, match="scripts/setup"):
        run(icons(Platform()).save(ID, DRAWN))


def test_the_ids_of_silks_fit_the_platform() -> None:
    assert len(ID) <= 36
    assert ID.isalnum()
