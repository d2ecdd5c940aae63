"""What every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of captured feed responses, or a skip when there is none on this machine."""
    folder = os.environ.get("RACEDAY_CORPUS")
    if not folder:
        pytest.skip("RACEDAY_CORPUS is not set: tests on captured responses are left out")
    path = Path(folder)
    assert path.is_dir(), f"RACEDAY_CORPUS names {folder}, which is not a folder"
    return path
