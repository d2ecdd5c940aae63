"""Whatever a job raises: no secret of its environment or of its request gets out of the handler."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import pytest

from raceday.errors import ConfigError, FeedUnavailable, InvalidRequest, StoreUnavailable
from raceday.jobs.report import RunReport
from raceday.runtime.handler import Run, run_function
from raceday.runtime.ports import ProcessPorts, using
from raceday.store.sqlite import SqliteStore

PARTNER, API_KEY, LENT_KEY = "canary-partner-0417", "canary-key-0417", "canary-lent-0417"
SECRETS = (PARTNER, API_KEY, LENT_KEY)
ENVIRONMENT = {"NZTAB_PARTNER_ID": PARTNER, "APPWRITE_API_KEY": API_KEY, "RACEDAY_DB": ":memory:"}


class Context:
    """The platform's context object, as far as the handler uses it."""

    def __init__(self) -> None:
        self.said: list[str] = []
        headers = {"x-appwrite-key": LENT_KEY, "x-appwrite-execution-id": "e1"}
        self.req = SimpleNamespace(headers=headers, body_binary=b"{}", query={})
        self.res = SimpleNamespace(json=self._answer)

    def log(self, *messages: object) -> None:
        self.said += map(str, messages)

    error = log

    def _answer(self, body: Any, status: int, headers: Any) -> int:
        self.said.append(json.dumps(body))
        return status


@pytest.mark.parametrize(
    "broken",
    [
        Exception,
        RuntimeError,
        ConfigError,
        FeedUnavailable,
        StoreUnavailable,
        lambda said: InvalidRequest("raceId", said),
        lambda said: ExceptionGroup(said, [ValueError(said)]),
    ],
)
def test_no_error_of_a_job_brings_a_secret_out(broken: Any) -> None:
    context = Context()
    store = SqliteStore.open(":memory:")

    async def job(run: Run) -> RunReport:
        run.ports.log.warning("told", message=f"asked with {LENT_KEY}", nested={"header": [PARTNER]})
        run.ports.report.fail(API_KEY, FeedUnavailable(f"refused {PARTNER}"))
        raise broken(f"asked with {' and '.join(SECRETS)}")

    async def run() -> object:
        with using(ProcessPorts(environment=ENVIRONMENT, store=store)):
            return await run_function(context, "daily-meetings", job)  # type: ignore[arg-type]

    status = asyncio.run(run())
    [ledger] = store._db.rows("SELECT * FROM function_runs")
    everything = " ".join([*context.said, *map(str, ledger.values())])
    assert isinstance(status, int)
    assert status >= 400
    assert "[redacted]" in everything
    for secret in SECRETS:
        assert secret not in everything
