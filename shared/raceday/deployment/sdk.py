"""The connection to a platform for set-up, deployment and checks: the server SDK, kept within time and explained.

The SDK's own client waits for ever, prints the server's warnings among our lines and fails on answers without a
content type. Ours takes the place of its one method that speaks HTTP; the services above it stay the SDK's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import requests
from appwrite.client import Client  # type: ignore[import-untyped]
from appwrite.input_file import InputFile  # type: ignore[import-untyped]
from appwrite.services.functions import Functions  # type: ignore[import-untyped]
from appwrite.services.storage import Storage  # type: ignore[import-untyped]
from appwrite.services.tables_db import TablesDB  # type: ignore[import-untyped]
from stamina import RetryingCaller
from stamina.instrumentation import set_on_retry_hooks

from raceday.clock import SystemClock
from raceday.deployment.credentials import Credentials
from raceday.errors import ConfigError, RaceDayError

CONNECT_TIMEOUT_S = 10.0
ANSWER_TIMEOUT_S = 60.0
"""The longest silence within one answer; 5 MB of code go up in one call."""
DATE_STEP_S = 1.0
"""A server tells its time in whole seconds."""
READ_ATTEMPTS = 4
"""Reading is tried again. Writing is not: the next run sees what is missing and goes on."""

# A retry that helps concerns nobody; the retry library would print every one of them.
set_on_retry_hooks(())

MISSING_SCOPE = "general_unauthorized_scope"
"""The platform's type for a key that is let in, but not that far."""
_SCOPE = re.compile(r'"([a-z]+\.(?:read|write))"')


class AccessRefused(ConfigError):
    """The platform does not let this key in, or not that far (401), or does not have the project.

    `kind` is the platform's type of the refusal; `scopes` are those of which the key would need one.
    """

    def __init__(self, message: str, kind: str, scopes: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.kind = kind
        self.scopes = scopes


class PlatformUnreachable(ConfigError):
    """There is no complete answer from the endpoint: no connection, no trust, or no patience left."""


class PlatformRefused(RaceDayError):
    """The platform understood and would not, or failed: HTTP `status` and its type of error, empty without one."""

    def __init__(self, message: str, status: int, kind: str) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind


class BoundedClient(Client):  # type: ignore[misc]
    """The SDK's client over one kept connection, with time-outs, and with errors that say what to do."""

    def __init__(self, credentials: Credentials) -> None:
        """Speak to one project with one key."""
        super().__init__()
        self.set_endpoint(credentials.endpoint).set_project(credentials.project_id).set_key(credentials.key)
        self.ahead_s: float | None = None
        """How far the server's clock was ahead of this machine's at the last answer; None before any."""
        self._session = requests.Session()
        self._reading = RetryingCaller(attempts=READ_ATTEMPTS, timeout=None, wait_initial=0.25, wait_jitter=0.1).on(
            is_passing
        )

    def call(
        self,
        method: str,
        path: str = "",
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
        response_type: str = "json",  # noqa: ARG002 (the SDK's shape)
    ) -> Any:  # noqa: ANN401 - what the endpoint answers: a JSON object, or bytes
        """Send one request and return its JSON, or its bytes when it is something else.

        Raises AccessRefused, PlatformUnreachable or PlatformRefused.
        """
        sent = {**self._global_headers, **(headers or {})}
        content_type = sent.pop("content-type", "")
        given = dict(params or {})
        if method == "get":
            return self._reading(self._once, method, path, sent, {"params": self.flatten(given)})
        if content_type.startswith("multipart/form-data"):
            return self._once(method, path, sent, self._form(given))
        return self._once(method, path, sent, {"json": given} if content_type else {})

    def read(self, path: str, *queries: str) -> Any:  # noqa: ANN401 - what the endpoint answers
        """Return what there is at a path, as the platform shows it: the SDK's models take no answer but their own.

        Raises AccessRefused, PlatformUnreachable or PlatformRefused.
        """
        headers = {"x-appwrite-project": self.get_config("project")}
        return self.call("get", path, headers, {"queries": list(queries)} if queries else {})

    def _form(self, given: dict[str, Any]) -> dict[str, Any]:
        """Return a form with its file, as the HTTP library takes it."""
        files = {name: value for name, value in given.items() if isinstance(value, InputFile)}
        fields = {name: value for name, value in given.items() if name not in files}
        return {
            "data": self.flatten(fields, stringify=True),
            "files": {name: (file.filename, file.data) for name, file in files.items()},
        }

    def _once(self, method: str, path: str, headers: Mapping[str, str], body: Mapping[str, Any]) -> Any:  # noqa: ANN401
        try:
            answer = self._session.request(
                method,
                self._endpoint + path,
                headers=dict(headers),
                timeout=(CONNECT_TIMEOUT_S, ANSWER_TIMEOUT_S),
                allow_redirects=False,
                **body,
            )
            is_json = answer.headers.get("content-type", "").startswith("application/json")
            told = answer.json() if is_json else {}
        except requests.RequestException as error:
            raise PlatformUnreachable(_unreachable(self._endpoint, error)) from None
        self.ahead_s = _ahead_s(answer)
        if answer.is_redirect:
            # Followed, a call that writes would silently become one that reads.
            raise PlatformUnreachable(f"{self._endpoint} sends its callers on to {_origin(answer)}: give that address")
        if not answer.ok:
            raise _refusal(answer.status_code, told)
        return told if is_json else answer.content


@dataclass(frozen=True, slots=True)
class Platform:
    """One project of a platform, as far as set-up and deployment speak to it: the SDK's services, which are untyped."""

    client: BoundedClient
    functions: Any
    storage: Any
    tables: Any


def connect(credentials: Credentials) -> Platform:
    """Return the services of a project; nothing is asked of it yet."""
    client = BoundedClient(credentials)
    return Platform(client, Functions(client), Storage(client), TablesDB(client))


def is_passing(error: Exception) -> bool:
    """Return whether asking again may help: there was no answer, the server failed, or it has too much to do."""
    if isinstance(error, PlatformRefused):
        return error.status == HTTPStatus.TOO_MANY_REQUESTS or error.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return isinstance(error, PlatformUnreachable)


def _unreachable(endpoint: str, error: requests.RequestException) -> str:
    reason = _reason(error)
    if isinstance(error, requests.exceptions.SSLError):
        if "CERTIFICATE_VERIFY_FAILED" in reason:
            return (
                f"this machine does not trust the certificate of {endpoint}; if it is your own, "
                f"name its authority's file in REQUESTS_CA_BUNDLE ({reason})"
            )
        return f"{endpoint} does not speak TLS as it should, perhaps it is http:// and not https:// ({reason})"
    if isinstance(error, requests.JSONDecodeError):
        return f"{endpoint} answered with broken JSON: is it the address of Appwrite's API? ({reason})"
    if isinstance(error, requests.Timeout):
        return f"{endpoint} did not answer in time: is the server up, and is the address right?"
    return f"{endpoint} cannot be reached: is the address right, and the server up? ({reason})"


def _reason(error: Exception) -> str:
    """Return the innermost reason of an error that libraries wrapped several times over."""
    cause: BaseException = error
    while inner := getattr(cause, "reason", None) or next((a for a in cause.args if isinstance(a, Exception)), None):
        if not isinstance(inner, BaseException):
            break
        cause = inner
    return re.sub(r"^<[^>]*>: |^\S+\([^)]*\): ", "", str(cause))


def _origin(answer: requests.Response) -> str:
    return answer.headers["location"].partition("?")[0]


def _ahead_s(answer: requests.Response) -> float | None:
    """Return how far the server's clock is ahead, within half a second; None when it does not tell the time."""
    try:
        told = parsedate_to_datetime(answer.headers.get("date", ""))
    except ValueError:
        return None
    asked = SystemClock().now() - answer.elapsed / 2
    return (told.replace(tzinfo=UTC) - asked).total_seconds() + DATE_STEP_S / 2


def _refusal(status: int, told: Mapping[str, Any]) -> Exception:
    """Return the error that an answer stands for; it names what to do where we know it."""
    kind, message = str(told.get("type", "")), str(told.get("message", "")) or "the platform gave no reason"
    if kind == "project_not_found":
        return AccessRefused("the platform has no such project: check APPWRITE_PROJECT_ID or --project", kind)
    if kind == MISSING_SCOPE and "(role: guests)" in message:
        # A key that nobody knows makes its bearer a guest, who lacks every scope.
        kind = "user_unauthorized"
    if kind == MISSING_SCOPE:
        scopes = tuple(_SCOPE.findall(message))
        needed = " or ".join(scopes) or "a scope that this call takes"
        return AccessRefused(f"the API key lacks {needed}: add it to the key in the console", kind, scopes)
    if status == HTTPStatus.UNAUTHORIZED:
        why = "has expired" if kind == "project_key_expired" else "is not one of this project"
        return AccessRefused(f"the API key {why}: make a new one in the console and give it", kind)
    return PlatformRefused(f"{message} ({' '.join(filter(None, (str(status), kind)))})", status, kind)
