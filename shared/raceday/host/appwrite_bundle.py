"""The whole bundle on the stand-in Appwrite: appwrite.json's functions, the catalogue's tables, and a given feed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from raceday.clock import Clock
from raceday.host.appwrite_host import ENDPOINT, AppwriteHost
from raceday.host.appwrite_project import deployed_project
from raceday.host.appwrite_use import PlatformUse
from raceday.host.bundle import project_manifest
from raceday.host.host import Host
from raceday.runtime.ports import ProcessPorts
from raceday.simulator.appwrite.faults import FaultPlan
from raceday.store.appwrite.settings import AppwriteSettings
from raceday.store.appwrite.store import AppwriteStore
from raceday.transport import AsyncTransport

OPERATOR = "operator"
"""The id of the key with all scopes, by which somebody looks at the day from outside."""


@dataclass(slots=True)
class AppwriteBundle:
    """The platform with the host that runs the functions, and its store as the operator's key sees it."""

    platform: AppwriteHost
    store: AppwriteStore

    @property
    def host(self) -> Host:
        """What runs the functions."""
        return self.platform.host


def open_appwrite_bundle(
    clock: Clock,
    feed: AsyncTransport,
    environment: Mapping[str, str],
    *,
    use: PlatformUse | None = None,
    faults: FaultPlan | None = None,
) -> AppwriteBundle:
    """Set up an empty project with all functions deployed; to be called inside the running event loop.

    Raises `ConfigError` when the manifest cannot be used, `PlatformError` when the platform would refuse a table.
    """
    manifest = project_manifest()
    project = deployed_project(manifest, clock.now())
    ports = ProcessPorts(clock=clock, transport=feed, environment=environment)
    platform = AppwriteHost(project, manifest, ports, use=use, faults=faults)
    key = project.keys.add(f"standard_{project.new_id()}", key_id=OPERATOR)
    settings = AppwriteSettings(ENDPOINT, project.project_id, key.secret, manifest.database_id)
    return AppwriteBundle(platform, AppwriteStore.over(settings, platform.connections))
