"""A deployment for the doctor's tests, on a port and a feed that a module's tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from doctor_patient import Patient, feed_of_the_day, sound_patient
from served_platform import Port, open_port


@pytest.fixture(scope="module")
def feed() -> Iterator[str]:
    with feed_of_the_day() as address:
        yield address


@pytest.fixture(scope="module")
def port() -> Iterator[Port]:
    with open_port() as opened:
        yield opened


@pytest.fixture
def patient(port: Port, feed: str, monkeypatch: pytest.MonkeyPatch) -> Patient:
    monkeypatch.setattr("raceday.deployment.sdk.READ_ATTEMPTS", 1)
    return sound_patient(port, feed)
