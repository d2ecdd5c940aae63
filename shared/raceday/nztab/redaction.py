"""Keeps the partner's secret out of errors and logs, whatever the feed echoes of our own request.

A refusal may quote the headers it refuses. Its words end up in messages, logs and `poll_logs`, so they are
cleaned here, where they come in.
"""

from __future__ import annotations

import html
import json
from dataclasses import replace
from typing import TypeVar
from urllib.parse import quote

from raceday.errors import PAYLOAD_BYTES, FeedContractError, FeedError
from raceday.transport import HttpAnswer

REDACTED = "[redacted]"
E = TypeVar("E", bound=FeedError)


class Redaction:
    """Takes one secret out of whatever it is given; without a secret everything passes as it is."""

    def __init__(self, secret: str | None) -> None:
        """Look for the secret as it is, and as JSON, HTML and addresses would write it."""
        forms = {secret, json.dumps(secret)[1:-1], html.escape(secret), quote(secret, safe="")} if secret else set()
        # The longest form first: a shorter one may be a part of it.
        self._forms = sorted(forms, key=len, reverse=True)

    def text(self, text: str) -> str:
        """Return a text without the secret."""
        for form in self._forms:
            text = text.replace(form, REDACTED)
        return text

    def body(self, body: bytes) -> bytes:
        """Return the body of an answer without the secret."""
        for form in self._forms:
            body = body.replace(form.encode(), REDACTED.encode())
        return body

    def refused(self, answer: HttpAnswer) -> HttpAnswer:
        """Return an answer that is no success without the secret, before any of its words are cut to length.

        A success is left alone: a short secret may occur in it by chance, and would take the numbers with it.
        """
        if answer.status == 200 or not self._forms:
            return answer
        location = None if answer.location is None else self.text(answer.location)
        return replace(answer, body=self.body(answer.body), location=location)

    def error(self, error: E) -> E:
        """Take the secret out of an error's message and payload; return the same error."""
        if self._forms:
            error.args = tuple(self.text(said) if isinstance(said, str) else said for said in error.args)
            if isinstance(error, FeedContractError):
                error.payload = self._payload(error.payload)
        return error

    def _payload(self, payload: bytes) -> bytes:
        """Return the start of a body without the secret; at its end may stand the first part of one."""
        cleaned = self.body(payload)
        if len(payload) < PAYLOAD_BYTES:
            return cleaned
        for form in (form.encode() for form in self._forms):
            for length in range(len(form) - 1, 0, -1):
                if cleaned.endswith(form[:length]):
                    return cleaned[:-length]
        return cleaned
