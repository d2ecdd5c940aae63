"""What a function is handed: request, response and log, exactly as strict as the platform's Python runtime.

What would fail there must fail here. The traps kept on purpose (seen on a running platform, 1.9.6):
a body is JSON-decoded only for `content-type: application/json`; `body_json` of an empty body raises; `res.json` and
`log` use the standard `json`, so a datetime in them ends the execution with 500; a log message is cut at 8,000
characters; a header given to `res.json` is changed in place.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from raceday.host.execution_log import ExecutionLog


@dataclass
class Request:
    """One request as the function sees it; the shapes of an HTTP request, whatever the trigger."""

    body_binary: bytes
    headers: dict[str, str]
    method: str = "POST"
    path: str = "/"
    scheme: str = "http"
    host: str = "localhost"
    port: int = 80
    query_string: str = ""
    query: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Lower the header names and drop the runtime's own."""
        lowered = {name.lower(): value for name, value in self.headers.items()}
        self.headers = {name: value for name, value in lowered.items() if not name.startswith("x-open-runtimes-")}

    @property
    def url(self) -> str:
        """Return the whole address."""
        return f"{self.scheme}://{self.host}{self.path}"

    @property
    def body_text(self) -> str:
        """Return the body as text."""
        return self.body_binary.decode("utf-8")

    @property
    def body_raw(self) -> str:
        """Return the body as text (an older name)."""
        return self.body_text

    @property
    def body_json(self) -> Any:  # noqa: ANN401 - any JSON value
        """Return the decoded body; raises json.JSONDecodeError when it is empty or not JSON."""
        return json.loads(self.body_text)

    @property
    def body(self) -> Any:  # noqa: ANN401 - any JSON value, or text
        """Return the decoded body of a JSON request ({} when empty), otherwise the text ("" for a cron)."""
        if self.headers.get("content-type", "text/plain").lower().startswith("application/json"):
            return self.body_json if self.body_binary else {}
        return self.body_text


class Response:
    """Makes the answers a function may return; the parameters carry the platform's own names."""

    def binary(self, bytes: object, statusCode: int = 200, headers: dict[str, str] | None = None) -> dict[str, object]:  # noqa: A002, N803
        """Return raw bytes."""
        return {"body": bytes, "statusCode": statusCode, "headers": {} if headers is None else headers}

    def send(self, body: object, statusCode: int = 200, headers: dict[str, str] | None = None) -> dict[str, object]:  # noqa: N803
        """Return a body as it is (an older name)."""
        return self.binary(body, statusCode, headers)

    def text(self, body: str, statusCode: int = 200, headers: dict[str, str] | None = None) -> dict[str, object]:  # noqa: N803
        """Return text; anything but a string fails here."""
        return self.binary(body.encode("utf-8"), statusCode, headers)

    def json(self, obj: object, statusCode: int = 200, headers: dict[str, str] | None = None) -> dict[str, object]:  # noqa: N803
        """Return JSON, written by the standard encoder: a datetime or a Decimal raises TypeError."""
        headers = {} if headers is None else headers
        headers["content-type"] = "application/json"
        return self.text(json.dumps(obj, separators=(",", ":")), statusCode, headers)

    def empty(self) -> dict[str, object]:
        """Return 204 without a body."""
        return self.text("", 204)

    def redirect(self, url: str, statusCode: int = 301, headers: dict[str, str] | None = None) -> dict[str, object]:  # noqa: N803
        """Return a redirection to `url`."""
        headers = {} if headers is None else headers
        headers["location"] = url
        return self.text("", statusCode, headers)


class Context:
    """The one argument of a function's `main`."""

    def __init__(self, request: Request, execution_log: ExecutionLog) -> None:
        """Join the request with a fresh response maker and the execution's log."""
        self.req = request
        self.res = Response()
        self._log = execution_log

    def log(self, *messages: object) -> None:
        """Write one line to the execution's log."""
        self._log.write("logs", messages)

    def error(self, *messages: object) -> None:
        """Write one line to the execution's errors."""
        self._log.write("errors", messages)


@dataclass(frozen=True)
class Answer:
    """What came out of a function: HTTP status, body as text, headers."""

    status_code: int
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


def answer_of(output: object) -> Answer:
    """Turn what `main` returned into an answer, as the platform's server does.

    A dict that is not a response becomes 200 with an empty body: nothing of it reaches the caller.
    Raises TypeError for what the server could not send (its answer is 500).
    """
    if not isinstance(output, dict):
        raise TypeError(f"main returned {type(output).__name__}; return context.res.json(...)")
    status_code, body, headers = (
        output.get("statusCode", 200),
        output.get("body", ""),
        output.get("headers", {}),
    )
    if not isinstance(status_code, int):
        raise TypeError(f"statusCode is {status_code!r}, not a number")
    if not isinstance(body, bytes | str):
        raise TypeError(f"the body is {type(body).__name__}, neither bytes nor text")
    for name, value in headers.items():
        if not isinstance(value, str):
            raise TypeError(f"the response header {name} is {type(value).__name__}, not text")
    text = body.decode("utf-8", errors="replace") if isinstance(body, bytes) else body
    return Answer(status_code, text, {name.lower(): value for name, value in headers.items()})
