"""Starts other functions of the Appwrite project that a run works on."""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from raceday.errors import ExecutionRefused, StoreUnavailable
from raceday.store.appwrite.rest import AppwriteRest


class AppwriteExecutions:
    """Starts functions of the project; the run's key needs the scope `executions.write`."""

    def __init__(self, rest: AppwriteRest) -> None:
        self._rest = rest

    async def start(self, function_id: str, body: Mapping[str, object]) -> str:
        """Start a function and do not wait for it; return the execution's id.

        An answer that was lost is asked for again, which may start it twice: claims see to it that nothing is polled
        twice. Raises `ExecutionRefused`.
        """
        asked = {
            "async": True,
            "method": "POST",
            "path": "/",
            "headers": {"content-type": "application/json"},
            "body": orjson.dumps(body).decode(),
        }
        try:
            begun = await self._rest.call("POST", f"/functions/{function_id}/executions", body=asked)
        except StoreUnavailable as error:
            raise ExecutionRefused(f"{function_id} was not started: {error}") from error
        return str(begun["$id"])
