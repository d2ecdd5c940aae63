"""What a platform's refusal means: its error types, and what to do about them."""

from __future__ import annotations

import orjson

from raceday.errors import StoreUnavailable
from raceday.transport import HttpAnswer

CONFLICT = 409
NOT_FOUND = 404
TOO_MANY_REQUESTS = 429
REQUEST_TIMEOUT = 408

_SCHEMA = "the schema on the platform is not this release's: run scripts/setup"
_REMEDIES = {
    "user_unauthorized": "the key is unknown, deleted or expired: a function's key ends with its run, "
    "an own one is made in the console",
    "general_unauthorized_scope": "the key lacks a scope: compare the function's scopes with appwrite.json",
    "project_not_found": "check the project id",
    "database_not_found": "run scripts/setup, or check the project id",
    "table_not_found": _SCHEMA,
    "general_query_invalid": _SCHEMA,
    "row_invalid_structure": _SCHEMA,
    "document_invalid_structure": _SCHEMA,
    "storage_bucket_not_found": _SCHEMA,
}


class AppwriteRefused(StoreUnavailable):
    """The platform answered and said no; asking the same again would get the same. Nothing was written.

    `status` is HTTP's, `kind` the platform's type of error (empty for an answer that is not the platform's).
    """

    def __init__(self, status: int, kind: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind


def refusal(answer: HttpAnswer, about: str) -> AppwriteRefused:
    """Return what an answer from 400 on says, with what to do about it where that is known."""
    kind, said = _said(answer)
    if not kind:
        return AppwriteRefused(
            answer.status, "", f"{about}: {answer.status}, and not from Appwrite's API: check the endpoint"
        )
    remedy = _REMEDIES.get(kind)
    return AppwriteRefused(
        answer.status, kind, f"{about}: {answer.status} {kind}: {said}{f' ({remedy})' if remedy else ''}"
    )


def is_worth_another_try(answer: HttpAnswer) -> bool:
    """Whether the same call may get a better answer in a moment."""
    return answer.status >= 500 or answer.status in {TOO_MANY_REQUESTS, REQUEST_TIMEOUT}


def _said(answer: HttpAnswer) -> tuple[str, str]:
    """Return the type and the message of an error; "" when it is none of the platform's (they all are JSON)."""
    try:
        body = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return "", ""
    if not isinstance(body, dict):
        return "", ""
    return str(body.get("type") or ""), str(body.get("message") or "")[:300]
