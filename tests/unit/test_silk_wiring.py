"""Where icons go and pictures come from, by the settings."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from pydantic import SecretStr

from appwrite_platform import Platform
from raceday.errors import ConfigError, OutboundRefused, StoreUnavailable
from raceday.jobs.enrich_silks import SilkTools
from raceday.runtime.ports import ProcessPorts, using
from raceday.runtime.request import RunRequest
from raceday.runtime.settings import Settings, load_settings
from raceday.runtime.silk_wiring import icon_folder, open_silk_tools, silk_hosts
from raceday.store.icon_folder import IconFolder
from raceday.transport import InProcess

REQUEST = RunRequest("http", "run-1", {}, api_key=SecretStr("lent"))


async def opened(settings: Settings) -> SilkTools:
    async with open_silk_tools(settings, REQUEST) as tools:
        return tools


def test_icons_lie_beside_the_database_unless_told_otherwise(tmp_path: Path) -> None:
    assert icon_folder(load_settings({"RACEDAY_DB": str(tmp_path / "day.sqlite")})) == tmp_path / "icons"
    told = load_settings({"RACEDAY_DB": "day.sqlite", "RACEDAY_ICON_FOLDER": str(tmp_path / "silks")})
    assert icon_folder(told) == tmp_path / "silks"


@pytest.mark.parametrize("environment", [{}, {"RACEDAY_DB": ":memory:"}])
def test_no_place_for_icons_is_a_matter_of_configuration(environment: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="RACEDAY_ICON_FOLDER is not set"):
        asyncio.run(opened(load_settings(environment)))


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ConfigError, match=f"{tmp_path}/file/icons cannot hold icons"):
        IconFolder.open(tmp_path / "file" / "icons")


def test_an_icon_is_written_whole_and_twice_is_once(tmp_path: Path) -> None:
    icons = IconFolder.open(tmp_path / "icons")
    url = asyncio.run(icons.save("abc", "<svg>1</svg>"))
    assert asyncio.run(icons.save("abc", "<svg>2</svg>")) == url == (tmp_path / "icons" / "abc.svg").as_uri()
    assert [path.name for path in (tmp_path / "icons").iterdir()] == ["abc.svg"]
    assert (tmp_path / "icons" / "abc.svg").read_text() == "<svg>2</svg>"


def test_a_write_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    icons = IconFolder.open(tmp_path / "icons")
    (tmp_path / "icons" / "abc.svg").mkdir()
    with pytest.raises(StoreUnavailable, match=r"abc\.svg cannot be written"):
        asyncio.run(icons.save("abc", "<svg/>"))
    assert [path.name for path in (tmp_path / "icons").iterdir()] == ["abc.svg"]


def test_pictures_come_from_the_hosts_on_the_list(tmp_path: Path) -> None:
    settings = load_settings(
        {"RACEDAY_ICON_FOLDER": str(tmp_path), "RACEDAY_SILK_HOSTS": " Silks.example.org , *.cdn.example.org,"}
    )
    assert silk_hosts(settings) == {"silks.example.org", "*.cdn.example.org"}

    async def asked() -> None:
        async with open_silk_tools(settings, REQUEST) as tools:
            assert tools.pictures is not None
            await tools.pictures.colours("https://elsewhere.example.org/1.png")

    with pytest.raises(OutboundRefused, match=r"elsewhere\.example\.org is not on the list"):
        asyncio.run(asked())


def test_a_run_on_a_stand_in_feed_fetches_no_pictures(tmp_path: Path) -> None:
    with using(ProcessPorts(transport=InProcess(None))):
        assert asyncio.run(opened(load_settings({"RACEDAY_ICON_FOLDER": str(tmp_path)}))).pictures is None


PLATFORM = {
    "APPWRITE_FUNCTION_API_ENDPOINT": "http://localhost/v1",
    "APPWRITE_FUNCTION_PROJECT_ID": "raceday",
}


@pytest.mark.parametrize(
    ("environment", "seen_from"),
    [
        ({}, "http://localhost/v1"),
        ({"APPWRITE_ENDPOINT": "http://appwrite/v1"}, "http://appwrite/v1"),
        ({"RACEDAY_PUBLIC_ENDPOINT": "https://races.example.org/v1"}, "https://races.example.org/v1"),
    ],
)
def test_on_the_platform_icons_go_into_its_bucket(environment: dict[str, str], seen_from: str) -> None:
    platform = Platform()
    bucket = {"bucketId": "silk-icons", "name": "silk-icons", "permissions": ['read("any")']}
    assert platform.call("POST", "/storage/buckets", bucket).status == 201
    platform.project.keys.add("lent", scopes=("files.read", "files.write"))
    ports = ProcessPorts(environment=PLATFORM | environment, platform=InProcess(platform.app))

    async def saved() -> str:
        return await (await opened(load_settings(environment))).icons.save("abc", "<svg/>")

    with using(ports):
        url = asyncio.run(saved())
    assert url.startswith(f"{seen_from}/storage/buckets/silk-icons/files/abc/download?project=raceday&")
    assert platform.call("GET", "/storage/buckets/silk-icons/files/abc").body["name"] == "abc.svg"


def test_an_sqlite_file_on_the_platform_keeps_its_icons_beside_it(tmp_path: Path) -> None:
    with using(ProcessPorts(environment=PLATFORM)):
        tools = asyncio.run(opened(load_settings({"RACEDAY_DB": str(tmp_path / "day.sqlite")})))
    assert isinstance(tools.icons, IconFolder)
