"""What every test may use, and which tests need material that may not be published."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from postgres_server import TestServer

MATERIAL = {"corpus": "RACEDAY_CORPUS", "exchanges": "RACEDAY_EXCHANGES"}
"""By the mark of the tests that need it: the variable that names it. What is named has to be there."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests of which nobody names the material; scripts/test says so."""
    unnamed = [mark for mark, variable in MATERIAL.items() if not os.environ.get(variable)]
    left_out = [item for item in items if any(item.get_closest_marker(mark) for mark in unnamed)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of captured feed responses."""
    path = Path(os.environ["RACEDAY_CORPUS"])
    assert path.is_dir(), f"RACEDAY_CORPUS names {path}, which is not a folder"
    return path


@pytest.fixture(scope="session")
def exchanges() -> Path:
    """The file of recorded exchanges with a running Appwrite."""
    path = Path(os.environ["RACEDAY_EXCHANGES"])
    assert path.is_file(), f"RACEDAY_EXCHANGES names {path}, which is not a file"
    return path


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[TestServer]:
    """A PostgreSQL of this worker's own."""
    server = TestServer()
    yield server
    server.stop()


@pytest.fixture
def postgres_url(postgres_server: TestServer) -> str:
    """The URL of a new database, migrated, with partitions for the days of the examples."""
    return postgres_server.new_database()
