"""Opens what jockey-silks-enricher works with beside the usual: the place of icons and the source of pictures.

Only that function imports it, so that no other pays for what fetches and decodes pictures.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from raceday.errors import ConfigError
from raceday.jobs.enrich_silks import SilkTools
from raceday.runtime.platform import platform_settings
from raceday.runtime.ports import current_ports
from raceday.runtime.request import RunRequest
from raceday.runtime.settings import Settings
from raceday.runtime.wiring import open_environment
from raceday.store.appwrite.settings import AppwriteSettings
from raceday.store.icon_folder import IconFolder
from raceday.store.silk_ports import Icons


@asynccontextmanager
async def open_silk_tools(settings: Settings, request: RunRequest) -> AsyncIterator[SilkTools]:
    """Open the tools for one run and close their connections after it.

    Pictures are only fetched when the feed is the real one: a stand-in feed names pictures that do not exist, and a
    run on a virtual clock must not wait for the network. Raises `ConfigError` when there is no place for icons.
    """
    icons = open_icons(settings, platform_settings(settings, request, open_environment()))
    if current_ports().transport is not None:
        yield SilkTools(icons, None)
        return
    # Imported where it is chosen, as in `raceday.runtime.wiring`: nothing is fetched next to a stand-in feed.
    from raceday.outbound.http import OutboundHttp  # noqa: PLC0415
    from raceday.outbound.pictures import PictureSource  # noqa: PLC0415

    pictures = PictureSource(OutboundHttp(), silk_hosts(settings))
    try:
        yield SilkTools(icons, pictures)
    finally:
        await pictures.aclose()


def open_icons(settings: Settings, platform: AppwriteSettings | None) -> Icons:
    """Return the place of icons: the platform's bucket where races are kept in the platform's tables, else a folder."""
    if platform is None:
        return IconFolder.open(icon_folder(settings))
    from raceday.runtime.platform_wiring import platform_connections  # noqa: PLC0415
    from raceday.store.appwrite.icon_bucket import IconBucket  # noqa: PLC0415
    from raceday.store.appwrite.rest import AppwriteRest  # noqa: PLC0415

    return IconBucket(AppwriteRest(platform, platform_connections()), settings.public_endpoint)


def icon_folder(settings: Settings) -> Path:
    """Return the folder of icons: the one configured, or `icons` beside the database file."""
    if settings.icon_folder:
        return Path(settings.icon_folder)
    if settings.database and settings.database != ":memory:":
        return Path(settings.database).parent / "icons"
    raise ConfigError("RACEDAY_ICON_FOLDER is not set: give the folder to keep the icons of silks in")


def silk_hosts(settings: Settings) -> frozenset[str]:
    """Return the hosts that pictures may come from."""
    return frozenset(host.strip().lower() for host in settings.silk_hosts.split(",") if host.strip())
