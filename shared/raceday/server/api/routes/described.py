"""What the OpenAPI document says of an endpoint: its parameters, its answer and every error it may answer with."""

from __future__ import annotations

from typing import Any

from raceday.server.api.errors import ErrorAnswer
from raceday.server.api.parameters import Asked, documented

_ERRORS = {
    400: "A parameter or field is missing, unknown or cannot be used; `details` names it.",
    401: "An API key is wanted, and none, or a wrong one, was sent.",
    404: "There is no such meeting or race, or it has nothing of the kind yet.",
    405: "The path does not take this method; `Allow` says which it takes.",
    408: "The body did not come in time.",
    413: "The body is too long.",
    429: "Too many requests; `Retry-After` says for how many seconds to wait.",
    500: "A fault of the server; its log says more.",
    503: "The database does not answer; `Retry-After` says for how many seconds to wait.",
}
_ALWAYS = (400, 401, 405, 429, 500, 503)
RACE_PATH = ("raceId", "The race's id.")
MEETING_PATH = ("meetingId", "The meeting's id.")


class NoParameters(Asked):
    """An endpoint that takes none."""


def described(
    answer: object, model: type[Asked] = NoParameters, *path: tuple[str, str], errors: tuple[int, ...] = ()
) -> dict[str, Any]:
    """Return what a route decorator takes besides the path; `errors` are those beyond the ones that all have."""
    statuses = sorted({*_ALWAYS, *errors})
    return {
        "response_model": answer,
        "responses": {status: {"model": ErrorAnswer, "description": _ERRORS[status]} for status in statuses},
        "openapi_extra": {"parameters": documented(model, *path)},
    }
