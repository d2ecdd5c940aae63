from __future__ import annotations

from datetime import UTC, datetime

import pytest

from nztab_samples import encoded
from raceday.errors import ConfigError, FeedContractError, FeedError, FeedNotFound, FeedUnavailable
from raceday.nztab.answers import refusal, retry_after_s
from raceday.nztab.settings import FeedSettings
from raceday.transport import HttpAnswer

NOW = datetime(2025, 7, 17, 3, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("20", 20.0),
        (" 0 ", 0.0),
        ("Thu, 17 Jul 2025 03:20:30 GMT", 30.0),
        ("Thu, 17 Jul 2025 03:20:30 -0000", 30.0),
        ("Thu, 17 Jul 2025 15:20:30 +1200", 30.0),
        ("Thu, 17 Jul 2025 03:00:00 GMT", 0.0),
        ("3601", 3600.0),
        ("9" * 400, 3600.0),
        ("Fri, 31 Dec 9999 23:59:59 -1200", 3600.0),
        ("Thu, 17 Jul 99999999999999999999 03:20:30 GMT", None),
        ("Thu, 17 Jul 2025 03:20:30 +99999999999999999999", None),
        ("soon", None),
        ("-3", None),
        ("", None),
    ],
)
def test_retry_after_is_read_in_seconds_and_as_a_date(value: str | None, seconds: float | None) -> None:
    assert retry_after_s(value, NOW) == seconds


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, FeedContractError),
        (401, FeedUnavailable),
        (403, FeedUnavailable),
        (404, FeedNotFound),
        (408, FeedUnavailable),
        (410, FeedContractError),
        (204, FeedContractError),
        (500, FeedUnavailable),
    ],
)
def test_every_status_has_its_error(status: int, expected: type[FeedError]) -> None:
    said = encoded({"header": {"error": "no such event", "error_code": 17}})
    error = refusal(HttpAnswer(status, said, None, None), "event 1")

    assert type(error) is expected
    assert "event 1" in str(error)
    assert "no such event" in str(error)


def test_a_good_answer_is_no_error_and_a_redirect_points_to_the_address() -> None:
    assert refusal(HttpAnswer(200, b"{}", None, None), "event 1") is None
    error = refusal(HttpAnswer(301, b"<html>", None, "https://elsewhere.example/"), "event 1")
    assert isinstance(error, FeedContractError)
    assert "https://elsewhere.example/" in str(error)


def test_only_headers_that_are_set_are_sent_and_the_partner_id_is_not_shown() -> None:
    assert FeedSettings().headers().keys() == {"User-Agent", "Accept", "Accept-Encoding"}

    settings = FeedSettings(contact_email="ops@example.org", partner="Someone", partner_id="s3cret")
    assert settings.headers() | {"From": "ops@example.org", "X-Partner": "Someone", "X-Partner-ID": "s3cret"} == (
        settings.headers()
    )
    assert settings.headers()["Accept-Encoding"] == "gzip"
    assert "s3cret" not in repr(settings)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"base_url": "api.tab.co.nz"}, "base_url"),
        ({"base_url": "file:///etc"}, "base_url"),
        ({"attempt_timeout_s": 0}, "attempt_timeout_s"),
        ({"attempts": 0}, "attempts"),
        ({"first_retry_wait_s": -1}, "first_retry_wait_s"),
        ({"partner_id": "s3cret\n"}, "partner_id"),
        ({"partner": "Möwe"}, "partner"),
    ],
)
def test_settings_that_cannot_work_are_refused_by_name(wrong: dict[str, object], named: str) -> None:
    with pytest.raises(ConfigError, match=named) as refused:
        FeedSettings(**wrong)
    assert "s3cret" not in str(refused.value)


def test_the_pauses_between_attempts_double() -> None:
    assert [FeedSettings().retry_wait_s(attempt) for attempt in (1, 2, 3)] == pytest.approx([0.1, 0.2, 0.4])
