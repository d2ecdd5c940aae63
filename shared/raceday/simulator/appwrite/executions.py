"""Executions: started by a call, run by whoever hosts the functions, and told about with the platform's white lies."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from raceday.simulator.appwrite import params
from raceday.simulator.appwrite.call import answer
from raceday.simulator.appwrite.errors import invalid_param, refused
from raceday.simulator.appwrite.functions import function_of
from raceday.simulator.appwrite.instants import stamp
from raceday.simulator.appwrite.resource_lists import listed

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping
    from datetime import datetime

    from starlette.responses import Response

    from raceday.simulator.appwrite.call import Call
    from raceday.simulator.appwrite.functions import Function

SYNCHRONOUS_LIMIT_S = 30
LONGEST_BODY = 10_485_760
KEPT = 2_000
"""Executions kept of one function; the platform keeps fourteen days of them."""
_KEY_OUTLIVES_TIMEOUT_S = 60


@dataclass(slots=True)
class Execution:
    """One execution: waiting, processing, completed or failed."""

    execution_id: str
    function_id: str
    deployment_id: str
    request: dict[str, str]
    timeout_s: int
    created_at: datetime
    status: str = "waiting"
    status_code: int = 0
    response_body: str = ""
    errors: str = ""
    ended_at: datetime | None = None
    headers: list[dict[str, str]] = field(default_factory=list)

    def end(self, status_code: int, now: datetime, errors: str = "") -> None:
        """Note how it ended, once: 500 and above is failed, anything below completed."""
        if self.ended_at is not None:
            return
        self.status_code, self.ended_at, self.errors = status_code, now, errors
        self.status = "failed" if status_code >= 500 else "completed"

    def body(self, now: datetime) -> dict[str, object]:
        """Return the execution as the API shows it.

        One that is not over shows as failed, code 0, once it is older than its timeout: time in the queue counts.
        """
        is_over = self.ended_at is not None
        seems_lost = not is_over and now - self.created_at >= timedelta(seconds=self.timeout_s)
        return {
            "$id": self.execution_id,
            "$createdAt": stamp(self.created_at),
            "$updatedAt": stamp(self.ended_at or self.created_at),
            "$permissions": [],
            "functionId": self.function_id,
            "deploymentId": self.deployment_id,
            "trigger": "http",
            "status": "failed" if seems_lost else self.status,
            "requestMethod": self.request["method"],
            "requestPath": self.request["path"],
            "requestHeaders": self.headers,
            "responseStatusCode": self.status_code,
            "responseBody": self.response_body,
            "responseHeaders": [],
            "logs": "",
            "errors": self.errors,
            "duration": (self.ended_at - self.created_at).total_seconds() if self.ended_at else 0.0,
            "scheduledAt": None,
        }


async def create_execution(call: Call) -> Response:
    """Answer POST …/executions: 201 with the body when waited for (at most 30 s), 202 at once when not."""
    function = function_of(call.project.functions, call.path["functionId"])
    body = params.text(call.body, "body", longest=LONGEST_BODY)
    headers = _headers(call)
    active = function.active(call.at)
    if active is None:
        raise refused("deployment_not_found")
    execution = Execution(
        execution_id=call.project.new_id(),
        function_id=function.function_id,
        deployment_id=active.deployment_id,
        request={
            "method": params.text(call.body, "method", "POST"),
            "path": params.text(call.body, "path", "/", 2048),
        },
        timeout_s=function.settings.timeout_s,
        created_at=call.at,
        headers=[{"name": name, "value": value} for name, value in headers.items() if name == "content-type"],
    )
    _keep(function, execution)
    run = _run(call, function, execution, body, headers)
    if params.flag(call.body, "async", default=False):
        shown = execution.body(call.at)
        _started(call, run)
        return answer(shown, 202)
    await _wait(call, _started(call, run), execution)
    return answer(execution.body(call.around.clock.now()), 201)


def list_executions(call: Call) -> Response:
    """Answer GET …/executions."""
    function = function_of(call.project.functions, call.path["functionId"])
    shown = [execution.body(call.at) for execution in function.executions.values()]
    return answer(listed("executions", shown, call.query.get("queries")))


def get_execution(call: Call) -> Response:
    """Answer GET …/executions/{executionId}."""
    function = function_of(call.project.functions, call.path["functionId"])
    if call.path["executionId"] not in function.executions:
        raise refused("execution_not_found")
    return answer(function.executions[call.path["executionId"]].body(call.at))


async def _run(call: Call, function: Function, execution: Execution, body: str, headers: Mapping[str, str]) -> None:
    """Run the function and note how it ended. The body of one that nobody waits for is not kept."""
    clock = call.around.clock
    key = call.project.keys.issue(
        function.settings.scopes,
        clock.now(),
        timedelta(seconds=execution.timeout_s + _KEY_OUTLIVES_TIMEOUT_S),
        function.function_id,
    )
    execution.status = "processing"
    sent = {
        **headers,
        "x-appwrite-trigger": "http",
        "x-appwrite-execution-id": execution.execution_id,
        "x-appwrite-key": key.secret,
        "x-appwrite-user-id": "",
        "x-appwrite-user-jwt": "",
    }
    if call.around.on_execution is None:
        execution.end(500, clock.now(), "no one runs functions here")
        return
    try:
        status_code, response_body = await call.around.on_execution(function.function_id, body, sent)
    except Exception as error:  # noqa: BLE001 - whatever a function raises is a failed execution
        execution.end(500, clock.now(), f"{type(error).__name__}: {error}")
        return
    if execution.ended_at is None and not params.flag(call.body, "async", default=False):
        execution.response_body = response_body
    execution.end(status_code, clock.now())


def _started(call: Call, run: Coroutine[None, None, None]) -> asyncio.Task[None]:
    """Run in the background; held until it is over, for a task that nobody holds may vanish."""
    task = asyncio.create_task(run)
    call.around.running.add(task)
    task.add_done_callback(call.around.running.discard)
    return task


async def _wait(call: Call, run: asyncio.Task[None], execution: Execution) -> None:
    """Wait for an execution for 30 s; after that it shows as failed while the function runs on."""
    limit = asyncio.ensure_future(call.around.sleep(SYNCHRONOUS_LIMIT_S))
    await asyncio.wait({run, limit}, return_when=asyncio.FIRST_COMPLETED)
    limit.cancel()
    if not run.done():
        execution.end(500, call.around.clock.now(), f"not over within {SYNCHRONOUS_LIMIT_S} s")
        raise refused("function_synchronous_timeout")


def _headers(call: Call) -> dict[str, str]:
    given = call.body.get("headers") or {}
    if not isinstance(given, dict) or len(given) > params.LONGEST_ARRAY:
        raise invalid_param("headers", f"must be an object of at most {params.LONGEST_ARRAY} headers")
    named = {str(name).lower(): str(value) for name, value in given.items()}
    if any(name.startswith("x-appwrite-") for name in named):
        raise invalid_param("headers", "the platform keeps x-appwrite-… to itself")
    return named


def _keep(function: Function, execution: Execution) -> None:
    function.executions[execution.execution_id] = execution
    if len(function.executions) > KEPT:
        del function.executions[next(iter(function.executions))]
