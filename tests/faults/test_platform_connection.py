"""The connection to a platform when the network or the server misbehaves: an error that says what to do."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
import requests
import responses

from raceday.deployment import sdk
from raceday.deployment.credentials import Credentials
from raceday.deployment.sdk import AccessRefused, Platform, PlatformRefused, PlatformUnreachable, connect

ENDPOINT = "https://appwrite.example.org/v1"
FUNCTIONS = f"{ENDPOINT}/functions"
CREDENTIALS = Credentials(ENDPOINT, "raceday", "canary-key")


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> Platform:
    monkeypatch.setattr(sdk, "READ_ATTEMPTS", 2)
    return connect(CREDENTIALS)


@pytest.fixture
def server() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


def refusal(status: int, kind: str, message: str = "no") -> dict[str, Any]:
    return {"status": status, "json": {"message": message, "code": status, "type": kind, "version": "1.9.6"}}


def test_a_read_is_tried_again_when_the_server_stumbles(platform: Platform, server: responses.RequestsMock) -> None:
    server.get(FUNCTIONS, status=503, body="Service Unavailable")
    server.get(FUNCTIONS, json={"total": 0, "functions": []})

    assert platform.functions.list().functions == []
    assert len(server.calls) == 2
    sent = server.calls[0].request
    assert sent.headers["x-appwrite-project"] == "raceday"
    assert sent.req_kwargs["timeout"] == (sdk.CONNECT_TIMEOUT_S, sdk.ANSWER_TIMEOUT_S)


def test_a_write_is_not_tried_again(platform: Platform, server: responses.RequestsMock) -> None:
    server.post(FUNCTIONS, **refusal(500, "general_unknown", "Server Error"))

    with pytest.raises(PlatformRefused, match=r"^Server Error \(500 general_unknown\)$") as refused:
        platform.functions.create("x", "x", "python-3.12")
    assert (refused.value.status, refused.value.kind) == (500, "general_unknown")
    assert len(server.calls) == 1


def test_an_answer_without_a_content_type_is_an_answer_all_the_same(
    platform: Platform, server: responses.RequestsMock
) -> None:
    server.post(FUNCTIONS, status=413, content_type=None)  # type: ignore[arg-type]

    with pytest.raises(PlatformRefused, match=r"gave no reason \(413\)"):
        platform.functions.create("x", "x", "python-3.12")


def test_the_servers_warnings_are_not_printed(
    platform: Platform, server: responses.RequestsMock, capsys: pytest.CaptureFixture[str]
) -> None:
    server.get(FUNCTIONS, json={"total": 0, "functions": []}, headers={"x-appwrite-warning": "newer than I am"})
    platform.functions.list()

    printed = capsys.readouterr()
    assert printed.out + printed.err == ""


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (refusal(401, "user_unauthorized"), "the API key is not one of this project"),
        (
            refusal(401, "general_unauthorized_scope", 'User (role: guests) missing scopes (["functions.read"])'),
            "the API key is not one of this project",
        ),
        (refusal(401, "project_key_expired"), "the API key has expired"),
        (refusal(404, "project_not_found"), "check APPWRITE_PROJECT_ID"),
        (
            refusal(
                401, "general_unauthorized_scope", 'app (role: applications) missing scopes (["a.read","b.write"])'
            ),
            "the API key lacks a.read or b.write: add it to the key",
        ),
    ],
)
def test_a_refused_key_is_explained_and_never_shown(
    platform: Platform, server: responses.RequestsMock, answer: dict[str, Any], said: str
) -> None:
    server.get(FUNCTIONS, **answer)

    with pytest.raises(AccessRefused) as refused:
        platform.functions.list()
    assert said in str(refused.value)
    assert "canary-key" not in str(refused.value)
    assert len(server.calls) == 1, "a key that is refused is refused again"


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (requests.exceptions.ConnectTimeout(), "did not answer in time"),
        (requests.exceptions.ReadTimeout(), "did not answer in time"),
        (requests.exceptions.ConnectionError("reset"), "cannot be reached"),
        (
            requests.exceptions.SSLError("certificate verify failed [SSL: CERTIFICATE_VERIFY_FAILED]"),
            "REQUESTS_CA_BUNDLE",
        ),
        (requests.exceptions.SSLError("[SSL: WRONG_VERSION_NUMBER]"), "perhaps it is http://"),
    ],
)
def test_no_answer_is_explained(
    platform: Platform, server: responses.RequestsMock, failure: Exception, said: str
) -> None:
    server.get(FUNCTIONS, body=failure)

    with pytest.raises(PlatformUnreachable) as unreachable:
        platform.functions.list()
    assert said in str(unreachable.value)
    assert ENDPOINT in str(unreachable.value)
    assert len(server.calls) == 2


def test_a_redirect_is_not_followed(platform: Platform, server: responses.RequestsMock) -> None:
    server.post(FUNCTIONS, status=301, headers={"location": "https://new.example.org/v1/functions?x=1"})

    with pytest.raises(PlatformUnreachable, match=r"on to https://new\.example\.org/v1/functions: give"):
        platform.functions.create("x", "x", "python-3.12")


def test_broken_json_is_explained(platform: Platform, server: responses.RequestsMock) -> None:
    server.get(FUNCTIONS, body="{", content_type="application/json")

    with pytest.raises(PlatformUnreachable, match="broken JSON"):
        platform.functions.list()


@pytest.mark.parametrize("ahead_s", [-40, 0, 40])
def test_the_servers_clock_is_read_from_its_answers(
    platform: Platform, server: responses.RequestsMock, ahead_s: int
) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=ahead_s), usegmt=True)
    server.get(FUNCTIONS, json={"total": 0, "functions": []}, headers={"date": date})
    platform.functions.list()

    assert platform.client.ahead_s == pytest.approx(ahead_s, abs=1.5)


def test_an_answer_that_does_not_tell_the_time(platform: Platform, server: responses.RequestsMock) -> None:
    server.get(FUNCTIONS, json={"total": 0, "functions": []})
    platform.functions.list()

    assert platform.client.ahead_s is None


def test_a_server_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sdk, "READ_ATTEMPTS", 1)
    monkeypatch.setattr(sdk, "ANSWER_TIMEOUT_S", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        with pytest.raises(PlatformUnreachable, match="did not answer in time"):
            connect(Credentials(endpoint, "raceday", "k")).functions.list()
