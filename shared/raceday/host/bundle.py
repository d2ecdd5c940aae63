"""The whole bundle on one machine: appwrite.json's functions over an embedded store and a given feed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from raceday.clock import Clock
from raceday.host.host import Host
from raceday.host.manifest import Manifest, load_manifest
from raceday.runtime.ports import ProcessPorts
from raceday.store.events import RowEvent
from raceday.store.sqlite.store import SqliteStore
from raceday.transport import AsyncTransport

PROJECT_ROOT = Path(__file__).resolve().parents[3]


@dataclass(slots=True)
class Bundle:
    """A host with its store; row events of the store start the functions that listen to them."""

    host: Host
    store: SqliteStore


def project_manifest() -> Manifest:
    """Return the manifest of this checkout; raises `ConfigError` when appwrite.json is broken."""
    return load_manifest(PROJECT_ROOT / "appwrite.json")


def open_bundle(
    database: Path,
    clock: Clock,
    transport: AsyncTransport,
    environment: Mapping[str, str],
) -> Bundle:
    """Open the store and a host over it; to be called inside the running event loop.

    Raises `ConfigError` when the database file or the manifest cannot be used.
    """
    waiting: list[Host] = []

    def publish(event: RowEvent) -> None:
        waiting[0].publish(event)

    store = SqliteStore.open(database, on_row_event=publish)
    ports = ProcessPorts(clock=clock, transport=transport, store=store, environment=environment)
    host = Host(project_manifest(), ports)
    waiting.append(host)
    return Bundle(host, store)
